//! Tests of the crate through its public seams.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod conformance;
mod fs_crash;
mod fs_flips;
mod fs_open;
mod pool;
mod samples;
