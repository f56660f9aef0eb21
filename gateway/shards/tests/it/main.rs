//! Tests of the crate through its public seams.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod budget;
mod conformance;
mod erasure;
mod erasure_faults;
mod fs_compact;
mod fs_crash;
mod fs_flips;
mod fs_full;
mod fs_incarnations;
mod fs_open;
mod golden;
mod placement;
mod pool;
mod pool_faults;
mod samples;
