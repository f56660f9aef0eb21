//! `cofre admin`: only a client of the admin API.

mod accounts;
mod buckets;
mod encryption_keys;
mod events;
mod explain;
mod health;
mod inspect;
mod jobs;
mod keys;
mod provision;
mod quota;
mod restores;
mod settings;
mod shard_s3;
mod shards;
mod tokens;

pub(super) use tokens::ScopeArg;
mod verify;

use super::connect::{COMMON, Connect};
use super::print::Printer;
use anyhow::Result;
use clap::Subcommand;
use cofre_admin_client::Client;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    connect: Connect,

    /// Print JSON, for scripts.
    #[arg(long, global = true, help_heading = COMMON)]
    json: bool,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Health in detail: which promise is in danger, and what to do.
    Health(health::Args),
    /// Accounts: the owners of buckets and keys.
    #[command(subcommand)]
    Account(accounts::Command),
    /// Access keys of accounts.
    #[command(subcommand)]
    Key(keys::Command),
    /// Named encryption keys: who may use them. They are made by `cofre encryption-keys`, or in Vault.
    #[command(subcommand)]
    EncryptionKey(encryption_keys::Command),
    /// Tokens of the admin API.
    #[command(subcommand)]
    Token(tokens::Command),
    /// Shards: where blobs are.
    #[command(subcommand)]
    Shard(shards::Command),
    /// Settings that change while the process runs.
    #[command(subcommand)]
    Settings(settings::Command),
    /// Buckets of all accounts.
    #[command(subcommand)]
    Bucket(buckets::Command),
    /// Make accounts, keys, buckets and settings as a file says, once the difference was shown.
    Apply(provision::Apply),
    /// Write a file of all accounts, keys, buckets and settings, without secrets.
    Export(provision::Export),
    /// The latest events: every change of state and every admin action, in the order of time.
    Events(events::Args),
    /// Background jobs.
    #[command(subcommand)]
    Job(jobs::Command),
    /// Everything that is known of an object: its versions, blobs, and where each copy stands and why.
    Inspect(inspect::Args),
    /// Why a request was refused, failed or took long, by the id that its answer told.
    Explain(explain::Args),
    /// A catalog that was restored from a backup: what shards hold that it does not know.
    #[command(subcommand)]
    Restore(restores::Command),
    /// Hold the catalog against itself and against the shards; fails if anything is wrong.
    Verify(verify::Args),
}

/// What every command works with.
pub(super) struct Context {
    client: Client,
    printer: Printer,
}

pub(super) async fn run(args: Args) -> Result<()> {
    let context = Context { client: args.connect.client()?, printer: Printer { json: args.json } };
    match args.command {
        Command::Health(args) => health::run(&context, args).await,
        Command::Account(command) => accounts::run(&context, command).await,
        Command::Key(command) => keys::run(&context, command).await,
        Command::EncryptionKey(command) => encryption_keys::run(&context, command).await,
        Command::Token(command) => tokens::run(&context, command).await,
        Command::Shard(command) => shards::run(&context, command).await,
        Command::Settings(command) => settings::run(&context, command).await,
        Command::Bucket(command) => buckets::run(&context, command).await,
        Command::Apply(args) => provision::apply(&context, args).await,
        Command::Export(args) => provision::export(&context, args).await,
        Command::Events(args) => events::run(&context, args).await,
        Command::Job(command) => jobs::run(&context, command).await,
        Command::Inspect(args) => inspect::run(&context, args).await,
        Command::Explain(args) => explain::run(&context, args).await,
        Command::Restore(command) => restores::run(&context, command).await,
        Command::Verify(args) => verify::run(&context, args).await,
    }
}
