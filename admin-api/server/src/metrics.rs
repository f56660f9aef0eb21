//! Metrics that are read off components when Prometheus asks, beside those that doors count.

use crate::resources::health::last_backup;
use crate::{Admin, Distribution};
use cofre_jobs::JobStatus;
use cofre_objects::{AccessLogBacklog, CommitState, LATENCY_BOUNDS_MICROS, Latency, ShardState, ShardStatus};
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

mod jobs;
mod process;

pub use process::Process;

/// How long each question to the catalog or to a disk may take.
const ANSWER_MAX: Duration = Duration::from_secs(2);

/// Every metric as text.
pub(crate) async fn render(admin: &Arc<Admin>) -> Result<String, fmt::Error> {
    let mut own = Registry::with_prefix("cofre");
    let process = cofre_runtime::blocking(Process::read).await;
    // What hangs is left out: the rest must be told even so.
    let disk_bytes = timeout(ANSWER_MAX, admin.catalog.disk_bytes()).await.ok().flatten();
    let waiting = timeout(ANSWER_MAX, admin.topology.waiting_for_heal()).await.ok().and_then(Result::ok);
    let waiting_blobs = waiting.map(|waiting| waiting.blobs);
    let backlog = timeout(ANSWER_MAX, admin.objects.access_log_backlog()).await.ok().and_then(Result::ok);
    let jobs = timeout(ANSWER_MAX, admin.jobs.report()).await.unwrap_or_else(|_| admin.jobs.status());
    let sample = Sample { admin: Arc::clone(admin), process, disk_bytes, waiting_blobs, backlog, jobs };
    own.register_collector(Box::new(sample));
    let mut text = String::new();
    // The doors' registry comes first; only the last one ends the text.
    prometheus_client::encoding::text::encode_registry(&mut text, &admin.registry)?;
    prometheus_client::encoding::text::encode(&mut text, &own)?;
    Ok(text)
}

struct Sample {
    admin: Arc<Admin>,
    process: Process,
    disk_bytes: Option<u64>,
    waiting_blobs: Option<u64>,
    backlog: Option<AccessLogBacklog>,
    jobs: Vec<JobStatus>,
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
        self.shards(&mut encoder)?;
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

/// Name, help, unit, and how to read one figure of a shard.
type ShardFigure<T> = (&'static str, &'static str, Option<&'static Unit>, fn(&ShardStatus) -> T);

impl Sample {
    fn process(&self, encoder: Encoder<'_, '_>) -> fmt::Result {
        let process = &self.process;
        let uptime = self.admin.uptime().as_secs_f64();
        gauge(encoder, "uptime", "Time since the process started", Some(&Unit::Seconds), uptime)?;
        counter(encoder, "process_cpu", "CPU time, user and system", Some(&Unit::Seconds), process.cpu_seconds)?;
        gauge(
            encoder,
            "process_resident_memory",
            "Resident memory",
            Some(&Unit::Bytes),
            process.resident_bytes as f64,
        )?;
        gauge(encoder, "process_open_fds", "Open file descriptors", None, process.open_fds as f64)?;
        gauge(encoder, "process_threads", "Threads", None, process.threads as f64)?;
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
        if let Some(bytes) = self.disk_bytes {
            gauge(encoder, "catalog_disk", "What the catalog takes on disk", Some(&Unit::Bytes), bytes as f64)?;
        }
        if let Some(ended) = last_backup(&self.jobs) {
            let (name, help) =
                ("catalog_last_backup_timestamp", "When the last backup ended that Cofre took by itself");
            gauge(encoder, name, help, Some(&Unit::Seconds), ended.secs() as f64)?;
        }
        if let Some(blobs) = self.waiting_blobs {
            gauge(encoder, "heal_waiting_blobs", "Blobs below their redundancy", None, blobs as f64)?;
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

    fn shards(&self, encoder: Encoder<'_, '_>) -> fmt::Result {
        let statuses = self.admin.topology.statuses();
        let shards: Vec<_> = statuses.into_iter().map(|shard| ([("shard", shard.id.to_string())], shard)).collect();
        let counters: [ShardFigure<u64>; 6] = [
            ("shard_writes", "Blobs written", None, |shard| shard.figures.writes),
            ("shard_reads", "Reads begun", None, |shard| shard.figures.reads),
            ("shard_deletes", "Blobs deleted", None, |shard| shard.figures.deletes),
            ("shard_errors", "Calls that failed for a fault of the shard", None, |shard| shard.figures.errors),
            ("shard_written", "Content written", Some(&Unit::Bytes), |shard| shard.figures.written_bytes),
            ("shard_read", "Content read", Some(&Unit::Bytes), |shard| shard.figures.read_bytes),
        ];
        for (name, help, unit, value) in counters {
            let mut family = encoder.encode_descriptor(name, help, unit, MetricType::Counter)?;
            for (labels, shard) in &shards {
                ConstCounter::new(value(shard) as f64).encode(family.encode_family(labels)?)?;
            }
        }
        let gauges: [ShardFigure<u64>; 3] = [
            ("shard_up", "1 while the shard answers", None, |shard| u64::from(shard.state != ShardState::Unreachable)),
            ("shard_total", "Room in all", Some(&Unit::Bytes), |shard| shard.capacity.map_or(0, |c| c.total_bytes)),
            ("shard_free", "Room for new blobs", Some(&Unit::Bytes), |shard| {
                shard.capacity.map_or(0, |c| c.free_bytes)
            }),
        ];
        for (name, help, unit, value) in gauges {
            let mut family = encoder.encode_descriptor(name, help, unit, MetricType::Gauge)?;
            for (labels, shard) in &shards {
                ConstGauge::new(value(shard) as f64).encode(family.encode_family(labels)?)?;
            }
        }
        let latencies: [ShardFigure<Latency>; 2] = [
            ("shard_write_duration", "Durable writes", Some(&Unit::Seconds), |shard| {
                shard.figures.write_latency.clone()
            }),
            ("shard_read_duration", "Beginnings of reads", Some(&Unit::Seconds), |shard| {
                shard.figures.read_latency.clone()
            }),
        ];
        for (name, help, unit, latency) in latencies {
            let mut family = encoder.encode_descriptor(name, help, unit, MetricType::Histogram)?;
            for (labels, shard) in &shards {
                let latency = latency(shard);
                let bounds = LATENCY_BOUNDS_MICROS.iter().map(|bound| *bound as f64 / 1e6).chain([f64::MAX]);
                let buckets: Vec<_> = bounds.zip(latency.buckets).collect();
                let count = latency.buckets.iter().sum();
                family.encode_family(labels)?.encode_histogram::<NoLabelSet>(
                    latency.sum_micros as f64 / 1e6,
                    count,
                    &buckets,
                    None,
                )?;
            }
        }
        Ok(())
    }

    fn access_logs(&self, encoder: Encoder<'_, '_>) -> fmt::Result {
        let counts = self.admin.objects.access_log_counts();
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
    if let Some((bound, _)) = buckets.last_mut() {
        *bound = f64::MAX;
    }
    let mut metric = encoder.encode_descriptor(name, help, unit, MetricType::Histogram)?;
    metric.encode_histogram::<NoLabelSet>(values.sum as f64 * scale, values.count, &buckets, None)
}
