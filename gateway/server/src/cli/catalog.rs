use super::connect::{Connect, explain};
use super::print::{Printer, bytes, fields};
use super::progress::{Progress, ProgressLine};
use crate::serve::catalog_directory;
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use cofre_admin_types::{Backup, BackupState, StartBackup};
use cofre_catalog::{EmbeddedOptions, backup};
use cofre_runtime::Clock;
use cofre_types::Timestamp;
use std::path::PathBuf;
use std::time::Duration;

/// How often a running backup is asked for its progress.
const POLL_EVERY: Duration = Duration::from_millis(300);

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Back the catalog of a running Cofre up, into a directory of its machine.
    Backup(BackupArgs),
    /// Restore a backup into a data directory that has no catalog. Nothing may serve from it.
    Restore(RestoreArgs),
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

pub(super) async fn run(command: Command) -> Result<()> {
    match command {
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

async fn restore(args: RestoreArgs) -> Result<()> {
    let directory = catalog_directory(&args.data);
    tokio::fs::create_dir_all(&args.data).await.with_context(|| format!("--data {}", args.data.display()))?;
    let mut line = ProgressLine::new("catalog restore", args.json);
    let (sender, mut receiver) = tokio::sync::watch::channel(backup::BackupProgress::default());
    let now = Timestamp(Clock::system().now_nanos());
    let restoring = backup::restore(&args.backup, &directory, EmbeddedOptions::default(), now, move |progress| {
        // Nobody may be looking any more.
        let _ = sender.send(progress);
    });
    tokio::pin!(restoring);
    let summary = loop {
        tokio::select! {
            summary = &mut restoring => break summary,
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
    let summary = summary?;
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
