//! Tests of the crate through its public seams.

mod conformance;
mod fs_crash;
mod fs_flips;
mod fs_open;
mod pool;
mod samples;
