//! Backends around backends: each adds one concern, and none knows what it wraps.

mod meter;

pub use meter::{LATENCY_BOUNDS_MICROS, Latency, Meter};
