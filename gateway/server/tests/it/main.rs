//! The program as its users meet it: started in this process or as a process of its own, and steered
//! by its own command line.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bed;
mod boot;
mod command;
mod connections;
mod drain;
mod first_start;
mod log;
mod provision;
mod restarts;
