use super::Context;
use super::shard_s3::{Access, NewPlace};
use crate::cli::connect::explain;
use crate::cli::print::{bytes, fields, micros, or_dash, span};
use crate::cli::progress::{Progress, ProgressLine};
use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use cofre_admin_types::{
    Drain, DrainQuery, DrainState, PatchShard, ProbeResult, RegisterPlace, RegisterShard, S3Place, Shard, ShardMode,
    ShardPlace, ShardState,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often a drain is asked for its progress.
const POLL_EVERY: Duration = Duration::from_secs(2);

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Register a directory of the server's machine, or a bucket of a remote S3 endpoint, as a shard.
    Add {
        /// Directory: empty, or not there yet.
        #[arg(required_unless_present = "s3_endpoint", conflicts_with = "s3_endpoint")]
        path: Option<PathBuf>,
        /// URL of a remote S3 endpoint, in place of a directory: another Cofre, a cloud, rclone's S3 server. Never this
        /// Cofre, nor one that has it as a shard.
        #[arg(long, value_name = "URL")]
        s3_endpoint: Option<String>,
        #[command(flatten)]
        s3: Box<NewPlace>,
        /// Two copies of a blob never share a failure domain; by default the shard is its own.
        #[arg(long, value_name = "NAME")]
        failure_domain: Option<String>,
        /// How much it takes relative to its capacity, in percent.
        #[arg(long, value_name = "PERCENT")]
        weight: Option<u32>,
        /// Label for people, once per label.
        #[arg(long = "label", value_name = "NAME=VALUE", value_parser = label)]
        labels: Vec<(String, String)>,
    },
    /// Every shard.
    List,
    /// One shard.
    Show {
        /// Number of the shard.
        id: u32,
    },
    /// Change a shard.
    Set {
        /// Number of the shard.
        id: u32,
        /// Whether it takes no new blobs.
        #[arg(long)]
        read_only: Option<bool>,
        /// Another failure domain; empty to make the shard its own.
        #[arg(long, value_name = "NAME")]
        failure_domain: Option<String>,
        /// How much it takes relative to its capacity, in percent.
        #[arg(long, value_name = "PERCENT")]
        weight: Option<u32>,
        /// Labels, which replace the ones it has; once per label.
        #[arg(long = "label", value_name = "NAME=VALUE", value_parser = label)]
        labels: Vec<(String, String)>,
        /// Another URL of the endpoint of a remote shard; the same shard must be there.
        #[arg(long, value_name = "URL")]
        s3_endpoint: Option<String>,
        #[command(flatten)]
        s3: Access,
        /// Directory of the server's machine where the shard stands now; the same shard must be there, and no longer at
        /// its old place.
        #[arg(long, value_name = "DIR", conflicts_with = "s3_endpoint")]
        path: Option<PathBuf>,
    },
    /// Move everything off a shard; it takes no new blobs meanwhile.
    Drain {
        /// Number of the shard.
        id: u32,
        /// Wait for the end, with progress.
        #[arg(long)]
        wait: bool,
        /// Stop a drain: the shard takes new blobs again.
        #[arg(long, conflicts_with = "wait")]
        cancel: bool,
        /// Drain though too few other shards take what is on this one.
        #[arg(long, conflicts_with = "cancel")]
        force: bool,
    },
    /// Declare a shard dead: what it held is made anew elsewhere (job rebuild), and nothing on it is deleted.
    DeclareDead {
        /// Number of the shard.
        id: u32,
    },
    /// Take a shard back that was given up and answers again: it is held against the catalog first (job reconcile).
    TakeBack {
        /// Number of the shard.
        id: u32,
    },
    /// Remove a shard that has drained, or was given up, once nothing names it. What is on its disk is not touched.
    Remove {
        /// Number of the shard.
        id: u32,
    },
    /// Prove that a shard takes, gives and deletes a blob.
    Probe {
        /// Number of the shard.
        id: u32,
    },
}

fn label(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("a label reads NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

pub(super) async fn run(context: &Context, command: Command) -> Result<()> {
    let (client, printer) = (&context.client, context.printer);
    match command {
        Command::Add { path, s3_endpoint, s3, failure_domain, weight, labels } => {
            let place = match (path, s3_endpoint) {
                (_, Some(endpoint)) => RegisterPlace::S3(s3.at(endpoint)?),
                (Some(path), None) => directory(&path)?,
                (None, None) => bail!("name a directory, or an endpoint with --s3-endpoint"),
            };
            let request =
                RegisterShard { place, failure_domain, weight_percent: weight, labels: labels.into_iter().collect() };
            let shard = client.register_shard(&request).await.map_err(explain)?;
            show(context, &shard)?;
            warn_of_device(context, shard.id).await
        }
        Command::List => list(context).await,
        Command::Show { id } => show(context, &client.shard(id).await.map_err(explain)?.value),
        Command::Set { id, read_only, failure_domain, weight, labels, s3_endpoint, s3, path } => {
            let labels = (!labels.is_empty()).then(|| labels.into_iter().collect::<BTreeMap<_, _>>());
            let s3 = s3.patch(s3_endpoint)?;
            let path = path.map(|path| absolute(&path)).transpose()?;
            let patch = PatchShard { read_only, failure_domain, weight_percent: weight, labels, s3, path };
            let etag = client.shard(id).await.map_err(explain)?.etag;
            show(context, &client.patch_shard(id, &patch, &etag).await.map_err(explain)?.value)
        }
        Command::Drain { id, cancel: true, .. } => {
            show_drain(context, &client.cancel_drain(id).await.map_err(explain)?)
        }
        Command::Drain { id, wait, cancel: false, force } => drain(context, id, wait, force).await,
        Command::DeclareDead { id } => show(context, &client.declare_shard_dead(id).await.map_err(explain)?),
        Command::TakeBack { id } => show(context, &client.take_shard_back(id).await.map_err(explain)?),
        Command::Remove { id } => {
            client.remove_shard(id).await.map_err(explain)?;
            printer.done(&format!("removed shard {id}; what is on its disk is still there"))
        }
        Command::Probe { id } => {
            let probe = client.probe_shard(id).await.map_err(explain)?;
            printer.value(&probe, probe_text)?;
            if probe.ok { Ok(()) } else { bail!("shard {id} failed its probe") }
        }
    }
}

/// Says that a shard stands on one device with others.
async fn warn_of_device(context: &Context, id: u32) -> Result<()> {
    let health = context.client.health().await.map_err(explain)?;
    let number = id.to_string();
    for verdict in health.verdicts.iter().filter(|verdict| verdict.subject == "shards") {
        let named = verdict.message.split([' ', ',']).take_while(|word| *word != "stand").any(|word| word == number);
        if named && verdict.message.contains("on one device") {
            eprintln!("warning: {}", verdict.message);
        }
    }
    Ok(())
}

fn directory(path: &Path) -> Result<RegisterPlace> {
    Ok(RegisterPlace::Filesystem { path: absolute(path)? })
}

fn absolute(path: &Path) -> Result<String> {
    let path = std::path::absolute(path).context("finding the directory")?;
    Ok(path.to_str().context("the directory's name is no UTF-8")?.to_owned())
}

async fn drain(context: &Context, id: u32, wait: bool, force: bool) -> Result<()> {
    let client = &context.client;
    let mut drain = client.start_drain(id, DrainQuery { force }).await.map_err(explain)?;
    let mut line = ProgressLine::new(format!("draining shard {id}"), context.printer.json || !wait);
    while wait && drain.state != DrainState::Drained {
        if drain.state == DrainState::NotDraining {
            bail!("somebody cancelled the drain of shard {id}");
        }
        if drain.state == DrainState::Emptied
            && client.shard(id).await.map_err(explain)?.value.health.state == ShardState::Unreachable
        {
            // What is left on it cannot be seen, and no record names it.
            break;
        }
        line.show(Progress {
            done_bytes: drain.moved_bytes,
            total_bytes: Some(drain.moved_bytes + drain.remaining_bytes),
            bytes_per_second: drain.bytes_per_second,
        });
        if let Some(obstacle) = &drain.obstacle {
            line.end();
            bail!("the drain of shard {id} is stuck with {} blobs left: {obstacle}", drain.remaining_blobs);
        }
        tokio::time::sleep(POLL_EVERY).await;
        drain = client.drain(id).await.map_err(explain)?;
    }
    line.end();
    show_drain(context, &drain)
}

async fn list(context: &Context) -> Result<()> {
    let shards = context.client.shards().await.map_err(explain)?;
    let headers = ["ID", "STATE", "MODE", "FREE", "TOTAL", "WEIGHT", "DOMAIN", "ERRORS", "LABELS", "PLACE"];
    context.printer.list(&shards, &headers, |shard| {
        vec![
            shard.id.to_string(),
            state(shard.health.state).to_owned(),
            mode(shard.mode).to_owned(),
            or_dash(shard.health.free_bytes.map(bytes)),
            or_dash(shard.health.total_bytes.map(bytes)),
            format!("{} %", shard.weight_percent),
            or_dash(shard.failure_domain.as_ref()),
            shard.health.errors.to_string(),
            labels(shard),
            place(shard),
        ]
    })
}

fn show(context: &Context, shard: &Shard) -> Result<()> {
    context.printer.value(shard, |shard| {
        fields(&[
            ("id", shard.id.to_string()),
            ("place", place(shard)),
            ("identity", shard.identity.clone()),
            ("state", state(shard.health.state).to_owned()),
            ("mode", mode(shard.mode).to_owned()),
            ("free", or_dash(shard.health.free_bytes.map(bytes))),
            ("total", or_dash(shard.health.total_bytes.map(bytes))),
            ("weight", format!("{} %", shard.weight_percent)),
            ("failure domain", or_dash(shard.failure_domain.as_ref())),
            ("labels", labels(shard)),
            ("calls", format!("{} and {} failed", shard.health.calls, shard.health.errors)),
            ("mean latency", or_dash(shard.health.latency_us.map(micros))),
            ("last error", or_dash(shard.health.last_error.as_ref())),
            ("registered", shard.registered.clone()),
        ])
    })
}

fn show_drain(context: &Context, drain: &Drain) -> Result<()> {
    context.printer.value(drain, |drain| {
        let left = match drain.state {
            DrainState::Drained => "nothing: the shard can be removed".to_owned(),
            DrainState::Emptied => "nothing that a record names: the shard can be removed".to_owned(),
            _ => format!("{} blobs, {}", drain.remaining_blobs, bytes(drain.remaining_bytes)),
        };
        fields(&[
            ("state", drain_state(drain.state).to_owned()),
            ("left", left),
            ("moved", format!("{} blobs, {}", drain.moved_blobs, bytes(drain.moved_bytes))),
            ("rate", or_dash(drain.bytes_per_second.map(|rate| format!("{}/s", bytes(rate))))),
            ("time left", or_dash(drain.seconds_left.map(span))),
            ("obstacle", or_dash(drain.obstacle.as_ref())),
        ])
    })
}

fn probe_text(probe: &ProbeResult) -> String {
    fields(&[
        ("probe", if probe.ok { "good".to_owned() } else { "failed".to_owned() }),
        ("round trip", or_dash(probe.round_trip_us.map(micros))),
        ("error", or_dash(probe.error.as_ref())),
    ])
}

fn place(shard: &Shard) -> String {
    match &shard.place {
        ShardPlace::Filesystem { path } => path.clone(),
        ShardPlace::S3(S3Place { endpoint, bucket, prefix, .. }) => format!("{endpoint}/{bucket}/{prefix}"),
    }
}

fn labels(shard: &Shard) -> String {
    let labels: Vec<_> = shard.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    if labels.is_empty() { "-".to_owned() } else { labels.join(",") }
}

pub(super) const fn state(state: ShardState) -> &'static str {
    match state {
        ShardState::Online => "online",
        ShardState::Suspect => "suspect",
        ShardState::Full => "full",
        ShardState::Unreachable => "unreachable",
    }
}

const fn mode(mode: ShardMode) -> &'static str {
    match mode {
        ShardMode::Active => "active",
        ShardMode::ReadOnly => "read_only",
        ShardMode::Draining => "draining",
        ShardMode::Dead => "dead",
        ShardMode::Lost => "lost",
        ShardMode::Returning => "returning",
    }
}

const fn drain_state(state: DrainState) -> &'static str {
    match state {
        DrainState::NotDraining => "not_draining",
        DrainState::Moving => "moving",
        DrainState::Stuck => "stuck",
        DrainState::Emptied => "emptied",
        DrainState::Drained => "drained",
    }
}
