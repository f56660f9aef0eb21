//! The console's door through its public face, over memory.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bed;
mod files;
mod many;
mod names;
mod rights;
mod seen;
mod sessions;
mod uploads;
