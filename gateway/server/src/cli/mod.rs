//! The command line: `serve`, what works on the files of a Cofre, and `admin`, which is only a client of the admin API.

mod admin;
mod catalog;
mod connect;
mod encryption_keys;
mod health;
mod manual;
mod print;
mod progress;
mod serve;
mod token;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use cofre_settings::BootArgs;
use std::future::Future;
use std::process::ExitCode;

/// Cofre: an S3 gateway that shards objects over filesystems and keeps them redundant.
#[derive(Debug, Parser)]
#[command(name = "cofre", version, about, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve S3 and the admin API.
    Serve(Box<BootArgs>),
    /// Back the catalog up, restore it, or salvage what is left of it.
    #[command(subcommand)]
    Catalog(catalog::Command),
    /// Make an admin token on the server's machine, while Cofre does not run.
    #[command(subcommand)]
    Token(token::Command),
    /// Make, rotate and disable the keys of encryption at rest.
    EncryptionKeys(encryption_keys::EncryptionKeys),
    /// Watch and steer a running Cofre through its admin API.
    Admin(admin::Args),
    /// Ask the Cofre of these settings, on this machine, whether it should get requests. It needs no token; the exit
    /// code is 0 if it should and 1 if not, as a container's health check wants it.
    Health(health::Args),
    /// Print the completions of a shell.
    Completions(manual::Completions),
    /// Write the manual pages into a directory, one for each command.
    Man(manual::Pages),
}

/// An end with an exit code of its own, and why; every other error is 1.
#[derive(Debug)]
struct Exit(u8, &'static str);

impl std::error::Error for Exit {}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.1)
    }
}

/// Marks an error that stands in the log already.
#[derive(Debug)]
struct Told;

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("see the log")
    }
}

/// Carries a command out, and prints what went wrong.
pub(crate) fn main(cli: Cli) -> ExitCode {
    match execute(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.downcast_ref::<Told>().is_some() => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cofre: {error:#}");
            error.downcast_ref::<Exit>().map_or(ExitCode::FAILURE, |exit| exit.0.into())
        }
    }
}

/// Carries a command out.
///
/// # Errors
/// What went wrong and what to do about it.
pub fn execute(cli: Cli) -> Result<()> {
    match cli.command {
        Command::Serve(args) => serve::run(*args),
        Command::Catalog(command) => block_on(catalog::run(command)),
        Command::Token(command) => block_on(token::run(command)),
        Command::EncryptionKeys(args) => encryption_keys::run(args),
        Command::Admin(args) => block_on(admin::run(args)),
        Command::Health(args) => block_on(health::run(args)),
        Command::Completions(args) => manual::complete(&args),
        Command::Man(args) => manual::write(&args),
    }
}

/// Runs a command that is mostly waiting: one thread is enough.
fn block_on(command: impl Future<Output = Result<()>>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("starting the runtime")?.block_on(command)
}
