//! Measures Cofre beside s3s-fs, which is about the least that an S3 server in Rust can do: it writes
//! each object to a file and syncs nothing.
//!
//! Both run as processes of their own, on the same disk, and take turns in short rounds, so that
//! whatever else the machine does falls on both. The client is a thread and a socket for each
//! connection, with signing keys and hashes made beforehand. Answers are checked: a server that is
//! fast because it is wrong fails.

mod attack;
mod contender;
mod crowd;
mod drain;
mod expiry;
mod large;
mod load;
mod million;
mod paced;
mod reference;
mod report;
mod schemes;
mod side_by_side;
mod versions;
mod workload;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Measures Cofre beside s3s-fs.
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Arguments {
    #[command(subcommand)]
    part: Option<Part>,

    /// Only workloads whose name contains this; may be given more than once.
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,

    /// Seconds of each round.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,

    /// Rounds of each workload and server; the median of them is shown.
    #[arg(long, default_value_t = 3)]
    rounds: usize,

    /// Numbers of connections, separated by commas.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64])]
    connections: Vec<usize>,

    /// Another build of Cofre, measured in turns with this one.
    #[arg(long, value_name = "PROGRAM")]
    beside: Option<PathBuf>,

    /// A short run that shows whether anything is far off: one round of a second, 20,000 keys.
    #[arg(long)]
    quick: bool,

    /// 1,000,000 objects of 1 KiB in Cofre: memory, restart, and what a page costs.
    #[arg(long)]
    million: bool,

    /// Memory that a PUT and a GET of 5 GiB hold in Cofre.
    #[arg(long)]
    large: bool,

    /// 1,000,000 versions in Cofre: what a page of them costs.
    #[arg(long)]
    versions: bool,

    /// 1,000,000 objects that a lifecycle rule ends while clients write.
    #[arg(long)]
    expiry: bool,

    /// One of six shards, with 100,000 objects on it, that drains while clients write.
    #[arg(long)]
    drain: bool,

    /// What another client sees, and what Cofre takes, while one client attacks it in each of several ways.
    #[arg(long)]
    attack: bool,

    /// Seconds of each attack.
    #[arg(long, default_value_t = 30)]
    attack_seconds: u64,

    /// 64 MiB in the clear, encrypted, and under an erasure code, whole and without two of six shards.
    #[arg(long)]
    schemes: bool,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// Serves s3s-fs; the bench starts this by itself.
    #[command(hide = true)]
    Reference {
        /// Where objects go.
        root: PathBuf,
        /// Where to listen.
        listen: SocketAddr,
        /// The one access key.
        access_key: String,
        /// Its secret.
        secret_key: String,
    },
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    match arguments.part {
        Some(Part::Reference { root, listen, access_key, secret_key }) => {
            reference::serve(&root, listen, &access_key, &secret_key)
        }
        None if arguments.million => million::run(if arguments.quick { 100_000 } else { 1_000_000 }),
        None if arguments.large => large::run(if arguments.quick { 1 << 29 } else { 5 << 30 }),
        None if arguments.versions => versions::run(if arguments.quick { 50_000 } else { 1_000_000 }),
        None if arguments.expiry => expiry::run(if arguments.quick { 50_000 } else { 1_000_000 }),
        None if arguments.drain => drain::run(if arguments.quick { 10_000 } else { 100_000 }),
        None if arguments.attack => attack::run(
            &arguments.only,
            std::time::Duration::from_secs(if arguments.quick { 3 } else { arguments.attack_seconds }),
        ),
        None if arguments.schemes => schemes::run(arguments.rounds.max(1), 4),
        None => side_by_side::run(&side_by_side::Plan {
            only: arguments.only,
            beside: arguments.beside,
            seconds: if arguments.quick { 1.0 } else { arguments.seconds },
            rounds: if arguments.quick { 1 } else { arguments.rounds.max(1) },
            connections: arguments.connections,
            listed: workload::Listed { keys: if arguments.quick { 20_000 } else { 100_000 }, folder_keys: 1_000 },
        }),
    }
}
