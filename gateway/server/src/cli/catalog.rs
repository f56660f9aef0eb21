use super::connect::{Connect, explain};
use super::print::{Printer, bytes, fields};
use super::progress::{Progress, ProgressLine};
use crate::serve::catalog_directory;
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use cofre_admin_types::{Backup, BackupState, StartBackup};
use cofre_catalog::{EmbeddedOptions, backup};
use cofre_runtime::{Clock, blocking, make_private_directories};
use cofre_types::Timestamp;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often a running backup is asked for its progress.
const POLL_EVERY: Duration = Duration::from_millis(300);

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Back the catalog of a running Cofre up, into a directory of its machine.
    Backup(BackupArgs),
    /// Restore a backup into a data directory that has no catalog. Nothing may serve from it.
    Restore(RestoreArgs),
    /// Read what still reads of a damaged catalog, and make a new one of it in another data directory. What was lost is
    /// listed. Nothing may serve from either.
    Salvage(SalvageArgs),
}

#[derive(Debug, Args)]
pub(super) struct BackupArgs {
    /// Directory to write the backup to; it must hold no backup yet.
    directory: PathBuf,
    #[command(flatten)]
    connect: Connect,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    /// Directory that holds the backup.
    backup: PathBuf,
    /// Data directory of the Cofre to restore.
    #[arg(long, env = "COFRE_DATA", value_name = "DIR")]
    data: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct SalvageArgs {
    /// Data directory whose catalog is damaged. It is not changed.
    #[arg(long, env = "COFRE_DATA", value_name = "DIR")]
    data: PathBuf,
    /// Data directory for the new catalog; it must have none. Its disk needs room for two more copies meanwhile.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(command: Command) -> Result<()> {
    match command {
        Command::Salvage(args) => salvage(args).await,
        Command::Backup(args) => take(args).await,
        Command::Restore(args) => restore(args).await,
    }
}

async fn take(args: BackupArgs) -> Result<()> {
    let client = args.connect.client()?;
    let directory = std::path::absolute(&args.directory).context("finding the directory")?;
    let directory = directory.to_str().context("the directory's name is no UTF-8")?.to_owned();
    let mut backup = client.start_backup(&StartBackup { directory }).await.map_err(explain)?;
    let mut line = ProgressLine::new("catalog backup", args.json);
    while backup.state == BackupState::Running {
        tokio::time::sleep(POLL_EVERY).await;
        backup = client.backup(backup.id).await.map_err(explain)?;
        line.show(Progress { done_bytes: backup.done_bytes, total_bytes: backup.total_bytes, bytes_per_second: None });
    }
    line.end();
    if backup.state == BackupState::Failed {
        bail!("the backup failed: {}", backup.error.unwrap_or_default());
    }
    Printer { json: args.json }.value(&backup, |backup: &Backup| {
        fields(&[
            ("directory", backup.directory.clone()),
            ("records", backup.done_entries.to_string()),
            ("bytes", bytes(backup.done_bytes)),
            ("note", "it holds no blobs and no keys: keep copies of master.key and encryption-keys apart".to_owned()),
        ])
    })
}

/// Makes a data directory, for nobody else, and shows how far what fills it is.
async fn filling<T>(
    data: &Path,
    mut line: ProgressLine,
    fill: impl AsyncFnOnce(Box<dyn FnMut(backup::BackupProgress) + Send>) -> Result<T, backup::BackupError>,
) -> Result<T> {
    let made = data.to_owned();
    let made = blocking(move || make_private_directories(&made)).await;
    made.with_context(|| format!("cannot make {}", data.display()))?;
    let (sender, mut receiver) = tokio::sync::watch::channel(backup::BackupProgress::default());
    let filling = fill(Box::new(move |progress| {
        // Nobody may be looking any more.
        let _ = sender.send(progress);
    }));
    tokio::pin!(filling);
    let filled = loop {
        tokio::select! {
            filled = &mut filling => break filled,
            Ok(()) = receiver.changed() => {
                let progress = *receiver.borrow_and_update();
                line.show(Progress {
                    done_bytes: progress.bytes,
                    total_bytes: Some(progress.bytes_total),
                    bytes_per_second: None,
                });
            }
        }
    };
    line.end();
    Ok(filled?)
}

async fn salvage(args: SalvageArgs) -> Result<()> {
    let (from, to) = (catalog_directory(&args.data), catalog_directory(&args.to));
    let line = ProgressLine::new("catalog salvage", args.json);
    let now = Timestamp(Clock::system().now_nanos());
    let fill = async |progress| {
        backup::salvage(&from, &to, EmbeddedOptions::default(), cofre_shards::copy_bytes, now, progress).await
    };
    let salvaged = filling(&args.to, line, fill).await?;
    let losses: Vec<_> = salvaged.losses.iter().map(loss).collect();
    let answer = serde_json::json!({
        "directory": to,
        "revision": salvaged.summary.revision.0,
        "records": salvaged.summary.records,
        "bytes": salvaged.summary.bytes,
        "losses": losses,
        "more_losses": salvaged.more_losses,
    });
    Printer { json: args.json }.value(&answer, |_| {
        let mut text = fields(&[
            ("catalog", to.display().to_string()),
            ("records", salvaged.summary.records.to_string()),
            ("bytes", bytes(salvaged.summary.bytes)),
            ("runs of bytes lost", (losses.len() as u64 + salvaged.more_losses).to_string()),
            (
                "next",
                format!(
                    "put master.key and encryption-keys into {}, start cofre serve --data {0} (name shards below the old \
                     directory with --shard), then cofre admin verify",
                    args.to.display()
                ),
            ),
        ]);
        for loss in &losses {
            let field = |name: &str| loss[name].as_str().unwrap_or("?").to_owned();
            text.push_str(&format!(
                "\nlost  {} at byte {}, {} bytes: keys from {} to {}",
                field("file"),
                loss["at"],
                loss["length"],
                field("after"),
                field("before")
            ));
        }
        if !losses.is_empty() {
            text.push_str("\nRecords between these keys may be missing, or be as they were before.\n");
        }
        text
    })
}

/// A loss, with its keys as people can read them.
fn loss(loss: &backup::Loss) -> serde_json::Value {
    let key = |key: &Option<Vec<u8>>| key.as_ref().map(|key| key.escape_ascii().to_string());
    serde_json::json!({
        "file": loss.file,
        "at": loss.at,
        "length": loss.length,
        "after": key(&loss.after),
        "before": key(&loss.before),
    })
}

async fn restore(args: RestoreArgs) -> Result<()> {
    let directory = catalog_directory(&args.data);
    let line = ProgressLine::new("catalog restore", args.json);
    let now = Timestamp(Clock::system().now_nanos());
    let options = EmbeddedOptions::default();
    let fill = async |progress| backup::restore(&args.backup, &directory, options, now, progress).await;
    let summary = filling(&args.data, line, fill).await?;
    let answer = serde_json::json!({
        "directory": directory,
        "revision": summary.revision.0,
        "records": summary.records,
        "bytes": summary.bytes,
    });
    Printer { json: args.json }.value(&answer, |_| {
        fields(&[
            ("catalog", directory.display().to_string()),
            ("records", summary.records.to_string()),
            ("bytes", bytes(summary.bytes)),
            (
                "next",
                format!(
                    "put master.key and encryption-keys into {}, then start cofre serve --data {0}",
                    args.data.display()
                ),
            ),
        ])
    })
}
