//! Tests of the crate through its public seams, against s3s-fs and a proxy that misbehaves.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod conformance;
mod endpoint;
mod faults;
mod golden;
mod identity;
mod options;
mod proxy;
mod reads;
mod samples;
