//! The admin API, asked through its router as a listener asks it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bed;
mod buckets;
mod console;
mod document;
mod engine;
mod errors;
mod events;
mod health;
mod key_policies;
mod odd_queries;
mod operations;
mod people;
mod provision;
mod repair;
mod requests;
mod scopes;
mod settings;
mod shards;
