//! Metrics that are read off components when Prometheus asks, beside those that doors count.

use crate::resources::health::last_backup;
use crate::{Admin, Distribution};
use cofre_admin_types::{CatalogState, Health};
use cofre_blobs::ShardView;
use cofre_jobs::JobStatus;
use cofre_objects::{AccessLogBacklog, CommitState, LargestBuckets};
use cofre_types::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};
use std::fmt::{self, Debug};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

mod alerts;
mod buckets;
mod format;
mod jobs;
mod process;
mod shards;

pub(crate) use format::Format;
pub use process::Process;

/// How long each question to the catalog or to a disk may take.
const ANSWER_MAX: Duration = Duration::from_secs(2);

/// Every metric as text.
pub(crate) async fn render(admin: &Arc<Admin>, format: Format) -> Result<String, fmt::Error> {
    let mut standard = Registry::default();
    standard.register_collector(Box::new(cofre_runtime::blocking(Process::read).await));
    let mut own = Registry::with_prefix("cofre");
    // What hangs or cannot be read is left out: the rest must be told even so.
    let backlog = timeout(ANSWER_MAX, admin.upkeep.access_log_backlog()).await.ok().and_then(Result::ok);
    let jobs = timeout(ANSWER_MAX, admin.jobs.report()).await.unwrap_or_else(|_| admin.jobs.status());
    let (health, shards) = crate::resources::health::seen(admin).await;
    let buckets = admin.largest_buckets().await;
    let last_backup = timeout(ANSWER_MAX, admin.last_backup()).await.ok().flatten().max(last_backup(&jobs));
    let sample = Sample { admin: Arc::clone(admin), backlog, jobs, health, shards, buckets, last_backup };
    own.register_collector(Box::new(sample));
    let mut text = String::new();
    // Only the last registry ends the text.
    prometheus_client::encoding::text::encode_registry(&mut text, &admin.registry)?;
    prometheus_client::encoding::text::encode_registry(&mut text, &standard)?;
    prometheus_client::encoding::text::encode(&mut text, &own)?;
    Ok(match format {
        Format::OpenMetrics => text,
        Format::Plain => format::plain(&text),
    })
}

struct Sample {
    admin: Arc<Admin>,
    backlog: Option<AccessLogBacklog>,
    jobs: Vec<JobStatus>,
    health: Health,
    shards: Vec<ShardView>,
    buckets: Option<Arc<LargestBuckets>>,
    last_backup: Option<Timestamp>,
}

impl Debug for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sample")
    }
}

impl Collector for Sample {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.process(&mut encoder)?;
        self.catalog(&mut encoder)?;
        shards::encode(&self.shards, &mut encoder)?;
        alerts::encode(self, &mut encoder)?;
        if let Some(buckets) = &self.buckets {
            buckets::encode(buckets, &mut encoder)?;
        }
        self.access_logs(&mut encoder)?;
        jobs::encode(&self.jobs, &mut encoder)
    }
}

type Encoder<'a, 'b> = &'a mut DescriptorEncoder<'b>;

fn gauge(encoder: Encoder<'_, '_>, name: &str, help: &str, unit: Option<&Unit>, value: f64) -> fmt::Result {
    let metric = ConstGauge::new(value);
    metric.encode(encoder.encode_descriptor(name, help, unit, MetricType::Gauge)?)
}

fn counter(encoder: Encoder<'_, '_>, name: &str, help: &str, unit: Option<&Unit>, value: f64) -> fmt::Result {
    let metric = ConstCounter::new(value);
    metric.encode(encoder.encode_descriptor(name, help, unit, MetricType::Counter)?)
}

impl Sample {
    fn process(&self, encoder: Encoder<'_, '_>) -> fmt::Result {
        let labels = [("version", env!("CARGO_PKG_VERSION"))];
        let mut family = encoder.encode_descriptor("build_info", "What runs; always 1", None, MetricType::Gauge)?;
        ConstGauge::new(1.0).encode(family.encode_family(&labels)?)?;
        let uptime = self.admin.uptime().as_secs_f64();
        gauge(encoder, "uptime", "Time since the process started", Some(&Unit::Seconds), uptime)?;
        let draining = f64::from(u8::from(self.admin.draining.has_begun()));
        gauge(encoder, "draining", "1 while the process is about to end", None, draining)
    }

    fn catalog(&self, encoder: Encoder<'_, '_>) -> fmt::Result {
        let figures = self.admin.catalog.figures();
        self.catalog_state(encoder)?;
        counter(encoder, "catalog_commits", "Commits that became durable", None, figures.commits as f64)?;
        let turned_away = figures.turned_away as f64;
        counter(encoder, "catalog_commits_turned_away", "Commits that a check turned away", None, turned_away)?;
        let name = "catalog_commit_duration";
        histogram(
            encoder,
            name,
            "From asking for a commit to its answer",
            Some(&Unit::Seconds),
            &figures.commit_micros,
        )?;
        let name = "catalog_sync_duration";
        histogram(encoder, name, "Making a group of commits durable", Some(&Unit::Seconds), &figures.sync_micros)?;
        histogram(encoder, "catalog_group_commits", "Commits that shared one sync", None, &figures.group_commits)?;
        let catalog = &self.health.catalog;
        if let Some(bytes) = catalog.disk_bytes {
            gauge(encoder, "catalog_disk", "What the catalog takes on disk", Some(&Unit::Bytes), bytes as f64)?;
        }
        if catalog.state != CatalogState::Unreadable {
            let blobs = self.health.redundancy.waiting_blobs as f64;
            gauge(encoder, "heal_waiting_blobs", "Blobs below their redundancy", None, blobs)?;
        }
        Ok(())
    }

    /// One series for each thing that can be wrong: an alert compares with 1.
    fn catalog_state(&self, encoder: Encoder<'_, '_>) -> fmt::Result {
        let state = self.admin.catalog.state();
        let help = "1 for what is so of the catalog, 0 for what is not";
        let mut family = encoder.encode_descriptor("catalog_state", help, None, MetricType::Gauge)?;
        let (mut slow, mut full, mut refusing) = (false, false, false);
        match state.commits {
            CommitState::Taken => {}
            CommitState::Slow(_) => slow = true,
            CommitState::Full => full = true,
            CommitState::Refused(_) => refusing = true,
        }
        let good = state.damage.is_none() && !(slow || full || refusing);
        let states = [("good", good), ("slow", slow), ("full", full), ("refusing", refusing)];
        for (name, holds) in states.into_iter().chain([("damaged", state.damage.is_some())]) {
            ConstGauge::new(f64::from(u8::from(holds))).encode(family.encode_family(&[("state", name)])?)?;
        }
        Ok(())
    }

    fn access_logs(&self, encoder: Encoder<'_, '_>) -> fmt::Result {
        let counts = self.admin.upkeep.access_log().counts();
        let (written, dropped) = (counts.written as f64, counts.dropped as f64);
        counter(encoder, "access_log_lines_written", "Lines of server access logs that are durable", None, written)?;
        counter(encoder, "access_log_lines_dropped", "Lines of server access logs beyond a bound", None, dropped)?;
        if let Some(backlog) = &self.backlog {
            let help = "Lines of server access logs that wait to become objects";
            gauge(encoder, "access_log_backlog", help, Some(&Unit::Bytes), backlog.bytes as f64)?;
        }
        Ok(())
    }
}

/// Writes a distribution, in seconds where the unit says so and as plain numbers elsewhere.
fn histogram(
    encoder: Encoder<'_, '_>,
    name: &str,
    help: &str,
    unit: Option<&Unit>,
    values: &Distribution,
) -> fmt::Result {
    let scale = if unit.is_some() { 1e-6 } else { 1.0 };
    let mut buckets: Vec<_> = values.buckets.iter().map(|(bound, count)| (*bound as f64 * scale, *count)).collect();
    // The last bucket has no bound, also of a distribution that has no bucket yet.
    match buckets.last_mut() {
        Some((bound, _)) => *bound = f64::INFINITY,
        None => buckets.push((f64::INFINITY, values.count)),
    }
    let mut metric = encoder.encode_descriptor(name, help, unit, MetricType::Histogram)?;
    metric.encode_histogram::<NoLabelSet>(values.sum as f64 * scale, values.count, &buckets, None)
}
