//! How shards do. One that could not be opened has its state and its mode, and no figures.

use super::Encoder;
use cofre_blobs::{LATENCY_BOUNDS_MICROS, Latency, ShardMode, ShardSight, ShardStatus, ShardView};
use prometheus_client::encoding::{EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;
use std::fmt;

/// Every mode, and its label.
const MODES: [(ShardMode, &str); 6] = [
    (ShardMode::Active, "active"),
    (ShardMode::ReadOnly, "read_only"),
    (ShardMode::Draining, "draining"),
    (ShardMode::Dead, "dead"),
    (ShardMode::Lost, "lost"),
    (ShardMode::Returning, "returning"),
];

/// Name, help, unit, and how to read one figure of a shard.
type ShardFigure<T> = (&'static str, &'static str, Option<&'static Unit>, fn(&ShardStatus) -> T);

/// The label of a shard, and what the pool sees of it.
type Labelled<'a> = ([(&'static str, String); 1], &'a ShardStatus);

/// Writes what is known of each shard.
pub(super) fn encode(views: &[ShardView], encoder: Encoder<'_, '_>) -> fmt::Result {
    let mut up = encoder.encode_descriptor("shard_up", "1 while the shard answers", None, MetricType::Gauge)?;
    for view in views {
        let labels = [("shard", view.record.id.to_string())];
        ConstGauge::new(f64::from(u8::from(view.readable()))).encode(up.encode_family(&labels)?)?;
    }
    let help = "1 for the mode that the shard is in, 0 for the others";
    let mut modes = encoder.encode_descriptor("shard_mode", help, None, MetricType::Gauge)?;
    for view in views {
        for (mode, name) in MODES {
            let labels = [("shard", view.record.id.to_string()), ("mode", name.to_owned())];
            let is = f64::from(u8::from(view.record.mode == mode));
            ConstGauge::new(is).encode(modes.encode_family(&labels)?)?;
        }
    }
    let attached: Vec<Labelled<'_>> = views
        .iter()
        .filter_map(|view| match &view.sight {
            ShardSight::Attached(status) => Some(([("shard", view.record.id.to_string())], &**status)),
            ShardSight::Unopened(_) => None,
        })
        .collect();
    figures(&attached, encoder)?;
    latencies(&attached, encoder)
}

fn figures(shards: &[Labelled<'_>], encoder: Encoder<'_, '_>) -> fmt::Result {
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
        for (labels, shard) in shards {
            ConstCounter::new(value(shard) as f64).encode(family.encode_family(labels)?)?;
        }
    }
    let gauges: [ShardFigure<Option<u64>>; 2] = [
        ("shard_total", "Room in all", Some(&Unit::Bytes), |shard| shard.capacity.map(|c| c.total_bytes)),
        ("shard_free", "Room for new blobs", Some(&Unit::Bytes), |shard| shard.capacity.map(|c| c.free_bytes)),
    ];
    for (name, help, unit, value) in gauges {
        let mut family = encoder.encode_descriptor(name, help, unit, MetricType::Gauge)?;
        for (labels, shard) in shards {
            if let Some(value) = value(shard) {
                ConstGauge::new(value as f64).encode(family.encode_family(labels)?)?;
            }
        }
    }
    Ok(())
}

fn latencies(shards: &[Labelled<'_>], encoder: Encoder<'_, '_>) -> fmt::Result {
    let latencies: [ShardFigure<Latency>; 2] = [
        ("shard_write_duration", "Durable writes", Some(&Unit::Seconds), |shard| shard.figures.write_latency.clone()),
        ("shard_read_duration", "Beginnings of reads", Some(&Unit::Seconds), |shard| {
            shard.figures.read_latency.clone()
        }),
    ];
    for (name, help, unit, latency) in latencies {
        let mut family = encoder.encode_descriptor(name, help, unit, MetricType::Histogram)?;
        for (labels, shard) in shards {
            let latency = latency(shard);
            let bounds = LATENCY_BOUNDS_MICROS.iter().map(|bound| *bound as f64 / 1e6).chain([f64::INFINITY]);
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
