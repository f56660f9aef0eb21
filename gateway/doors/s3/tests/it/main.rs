//! The door as clients see it: signed requests in, answers out, over a catalog and shards in memory.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on panics")]

mod bed;
mod sign;

mod abac;
mod auth;
mod buckets;
mod checksums;
mod conditions;
mod configs;
mod cors;
mod deletes;
mod edges;
mod encryption;
mod forms;
mod lifecycle;
mod listings;
mod lists;
mod locks;
mod matrix;
mod multipart;
mod named_keys;
mod names;
mod objects;
mod odd_queries;
mod payment;
mod penalties;
mod policies;
mod policy_subjects;
mod promoted;
mod reports;
mod rights;
mod server_logs;
mod signatures;
mod streaming;
mod sub_resources;
mod version2;
mod websites;
