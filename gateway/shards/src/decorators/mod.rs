//! Backends around backends: each adds one concern, and none knows what it wraps.

mod budget;
mod faulty;
mod limit;
mod meter;

pub use budget::{Budget, InUse};
pub use faulty::{Faulty, StreamTrouble, Trouble, Troubles};
pub use limit::Limit;
pub use meter::{LATENCY_BOUNDS_MICROS, Latency, Meter, ShardFigures};
