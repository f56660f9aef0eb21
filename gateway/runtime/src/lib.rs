//! The ambient things of a process: clock, randomness, tasks and threads, shutdown; directories that a power cut leaves,
//! and files that are for their owner alone.
//!
//! Everything else in Cofre takes them from here, by value, so that a test or a simulation can own
//! them. A lint (`.clippy.toml`) bans the ambient ones everywhere else.

#![allow(clippy::disallowed_methods, reason = "the one place that wraps them")]

mod clock;
mod directories;
mod pace;
mod private_file;
mod random;
mod rate;
mod shutdown;
mod spawn;
mod worker;

pub use clock::{Clock, ManualClock};
pub use directories::{make_directories, make_private_directories};
pub use pace::Pace;
pub use private_file::open_mode;
pub use random::Random;
pub use rate::{Amount, PerSecond, Rate};
pub use shutdown::Shutdown;
pub use spawn::{Task, Uncancelled, blocking, spawn, thread, uncancelled};
pub use worker::{Step, Worker, WorkerHandle, WorkerStatus, run_worker};
