//! Keys and streams through the public seam.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod local;
mod sealed;
mod streams;
mod vault;
