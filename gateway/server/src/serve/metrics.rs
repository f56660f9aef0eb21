//! Rate, errors and duration of every S3 operation.

use cofre_s3::{Answered, Observe};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Upper bounds of the duration's buckets, in seconds.
const DURATION_BOUNDS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    operation: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Operation {
    operation: &'static str,
}

/// What the S3 door tells of its requests. The labels are operations and statuses, both of few values.
pub(super) struct S3Metrics {
    requests: Family<Asked, Counter>,
    durations: Family<Operation, Histogram, fn() -> Histogram>,
    received_bytes: Counter,
    sent_bytes: Counter,
}

impl S3Metrics {
    /// Puts the metrics into a registry.
    pub(super) fn register(registry: &mut Registry) -> Self {
        let requests = Family::<Asked, Counter>::default();
        let durations: Family<Operation, Histogram, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(DURATION_BOUNDS));
        let (received_bytes, sent_bytes) = (Counter::default(), Counter::default());
        registry.register("s3_requests", "Requests by operation and status", requests.clone());
        registry.register_with_unit(
            "s3_request_duration",
            "From a request's head to the last byte of its answer",
            Unit::Seconds,
            durations.clone(),
        );
        registry.register_with_unit("s3_received", "Bodies of requests", Unit::Bytes, received_bytes.clone());
        registry.register_with_unit("s3_sent", "Bodies of answers", Unit::Bytes, sent_bytes.clone());
        Self { requests, durations, received_bytes, sent_bytes }
    }
}

impl Observe for S3Metrics {
    fn answered(&self, answered: Answered) {
        let operation = if answered.operation.is_empty() { "unknown" } else { answered.operation };
        self.requests.get_or_create(&Asked { operation, status: answered.status.as_u16() }).inc();
        self.durations.get_or_create(&Operation { operation }).observe(answered.duration.as_secs_f64());
        self.received_bytes.inc_by(answered.received_bytes);
        self.sent_bytes.inc_by(answered.sent_bytes);
    }
}
