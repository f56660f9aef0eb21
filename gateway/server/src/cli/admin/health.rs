use super::{Context, shards};
use crate::cli::Exit;
use crate::cli::connect::explain;
use crate::cli::print::{bytes, counted, fields, micros, or_dash, span, table};
use anyhow::Result;
use cofre_admin_types::{CatalogState, Health, HealthStatus, Promise, RedundancyHealth, Severity, Verdict};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Tell the status by the exit code: 0 good, 1 health could not be asked, 2 degraded, 3 failing. Without it health that
    /// could be asked is 0, good or bad.
    #[arg(long)]
    check: bool,
}

pub(super) async fn run(context: &Context, args: Args) -> Result<()> {
    let health = context.client.health().await.map_err(explain)?;
    context.printer.value(&health, text)?;
    match health.status {
        HealthStatus::Degraded if args.check => Err(Exit(2, "a promise is in danger").into()),
        HealthStatus::Failing if args.check => Err(Exit(3, "a promise is broken").into()),
        HealthStatus::Ok | HealthStatus::Degraded | HealthStatus::Failing => Ok(()),
    }
}

fn text(health: &Health) -> String {
    let more = if health.redundancy.more { "more than " } else { "" };
    let mut text = fields(&[
        ("status", status(health.status).to_owned()),
        ("version", health.version.clone()),
        ("up for", span(health.uptime_seconds)),
        ("catalog", catalog(health)),
        ("last backup of it", or_dash(health.catalog.last_backup.as_ref())),
        ("redundancy", health.redundancy.in_force.clone()),
        ("waiting to be healed", format!("{more}{}", counted(health.redundancy.waiting_blobs, "blob"))),
        ("cannot be read", counted(health.redundancy.unreadable_blobs, "blob")),
        ("on shards that are away", away(&health.redundancy)),
    ]);
    text.push('\n');
    let rows: Vec<_> = health
        .shards
        .iter()
        .map(|shard| {
            vec![
                shard.id.to_string(),
                shards::state(shard.health.state).to_owned(),
                or_dash(shard.health.free_bytes.map(bytes)),
                or_dash(shard.health.total_bytes.map(bytes)),
                shard.health.errors.to_string(),
                or_dash(shard.health.latency_us.map(micros)),
            ]
        })
        .collect();
    text.push_str(&table(&["SHARD", "STATE", "FREE", "TOTAL", "ERRORS", "LATENCY"], &rows));
    if !health.verdicts.is_empty() {
        text.push('\n');
        text.extend(health.verdicts.iter().map(verdict));
    }
    text
}

fn catalog(health: &Health) -> String {
    let catalog = &health.catalog;
    let state = match catalog.state {
        CatalogState::Good => "good",
        CatalogState::Slow => "slow",
        CatalogState::Full => "full",
        CatalogState::Damaged => "damaged",
        CatalogState::Refusing => "takes no commits",
        CatalogState::Unreadable => "does not read",
    };
    match &catalog.error {
        Some(error) => format!("{state}: {error}"),
        None => format!(
            "{state}; {} commits in {} groups, mean {:.1} ms",
            catalog.commits, catalog.groups, catalog.commit_latency.mean_ms
        ),
    }
}

fn away(redundancy: &RedundancyHealth) -> String {
    match redundancy.away_copies {
        0 => "nothing".to_owned(),
        copies => format!("{copies} copies or pieces, {}", bytes(redundancy.away_bytes)),
    }
}

const fn status(status: HealthStatus) -> &'static str {
    match status {
        HealthStatus::Ok => "good: every promise holds",
        HealthStatus::Degraded => "degraded: promises hold with less in reserve than they should",
        HealthStatus::Failing => "failing: a promise is broken now",
    }
}

fn verdict(verdict: &Verdict) -> String {
    let severity = match verdict.severity {
        Severity::Warning => "warning",
        Severity::Critical => "CRITICAL",
    };
    let promise = match verdict.promise {
        Promise::Durability => "durability",
        Promise::Availability => "availability",
        Promise::Space => "space",
        Promise::Upkeep => "upkeep",
    };
    format!("{severity}  {promise}  {}: {}\n", verdict.subject, verdict.message)
}
