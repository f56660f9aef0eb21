//! The domain through its public seam, over a catalog and shards in memory.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access_logs;
mod backends;
mod bed;
mod buckets;
mod copies;
mod cors;
mod domains;
mod encryption;
mod erasure;
mod expiry;
mod found_again;
mod given_up;
mod grace;
mod lifecycle;
mod lists;
mod locks;
mod maintenance;
mod multipart;
mod named_keys;
mod objects;
mod outbox;
mod payment;
mod pieces;
mod quota;
mod rebalance;
mod refusals;
mod remote_shards;
mod requests;
mod restored;
mod rights;
mod rival;
mod rivals;
mod tickets;
mod transitions;
mod truth;
mod versions;
mod websites;
