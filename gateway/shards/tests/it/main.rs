//! Tests of the crate through its public seams.

mod pool;
mod samples;
