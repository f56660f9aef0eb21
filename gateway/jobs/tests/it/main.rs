//! The jobs as they run, over a catalog and shards in memory.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bed;
mod steering;
mod truth;
