//! The binary: boot, compose, listen, drain; and the command line.
//!
//! [`start`] puts a whole Cofre together in this process, which is what `cofre serve` and the tests do.

mod cli;
mod private;
mod provision;
mod serve;
mod supervisor;

pub use cli::{Cli, execute};
pub use serve::{FirstStart, LogControl, Running, start};

use clap::Parser;
use std::process::ExitCode;

/// Parses the command line and carries it out.
pub fn run() -> ExitCode {
    private::keep();
    // Two crates link a provider; rustls wants to be told which before anything else asks.
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        eprintln!("cofre: TLS was set up twice");
        return ExitCode::FAILURE;
    }
    cli::main(Cli::parse())
}
