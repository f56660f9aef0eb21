//! What the largest buckets hold.

use super::{Encoder, gauge};
use cofre_objects::{LargestBuckets, Usage};
use prometheus_client::encoding::EncodeMetric;
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;
use std::fmt;

/// Name, help, unit, and how to read one figure of a bucket.
type BucketFigure = (&'static str, &'static str, Option<&'static Unit>, fn(&Usage) -> i64);

const FIGURES: [BucketFigure; 2] = [
    ("bucket_objects", "Objects of a bucket, all versions", None, |usage| usage.total_objects),
    ("bucket", "Bytes of a bucket, all versions and parts of uploads", Some(&Unit::Bytes), |usage| usage.total_bytes),
];

/// Writes the usage of the largest buckets, and how many there are.
pub(super) fn encode(buckets: &LargestBuckets, encoder: Encoder<'_, '_>) -> fmt::Result {
    gauge(encoder, "buckets", "Buckets that were looked at for their usage", None, buckets.looked_at as f64)?;
    for (name, help, unit, value) in FIGURES {
        let mut family = encoder.encode_descriptor(name, help, unit, MetricType::Gauge)?;
        for (bucket, usage) in &buckets.largest {
            let labels = [("bucket", bucket.as_str())];
            ConstGauge::new(value(usage).max(0) as f64).encode(family.encode_family(&labels)?)?;
        }
    }
    Ok(())
}
