//! Rate, errors and duration of every S3 operation, and who is connected.

use cofre_s3::{Answered, Observe};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
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

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refused {
    code: String,
}

/// What the S3 door tells of its requests. The labels are operations, statuses and codes of errors, all of few values.
pub(super) struct S3Metrics {
    requests: Family<Asked, Counter>,
    errors: Family<Refused, Counter>,
    in_flight: Gauge,
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
        let (errors, in_flight) = (Family::<Refused, Counter>::default(), Gauge::default());
        registry.register("s3_requests", "Requests by operation and status", requests.clone());
        registry.register("s3_errors", "Answers that are errors, by S3's code", errors.clone());
        registry.register("s3_requests_in_flight", "Requests whose answers are not done", in_flight.clone());
        registry.register_with_unit(
            "s3_request_duration",
            "From a request's head to the last byte of its answer",
            Unit::Seconds,
            durations.clone(),
        );
        registry.register_with_unit("s3_received", "Bodies of requests", Unit::Bytes, received_bytes.clone());
        registry.register_with_unit("s3_sent", "Bodies of answers", Unit::Bytes, sent_bytes.clone());
        Self { requests, errors, in_flight, durations, received_bytes, sent_bytes }
    }
}

impl Observe for S3Metrics {
    fn began(&self) {
        self.in_flight.inc();
    }

    fn answered(&self, answered: Answered) {
        self.in_flight.dec();
        if let Some(code) = answered.code {
            self.errors.get_or_create(&Refused { code }).inc();
        }
        let operation = if answered.operation.is_empty() { "unknown" } else { answered.operation };
        self.requests.get_or_create(&Asked { operation, status: answered.status.as_u16() }).inc();
        self.durations.get_or_create(&Operation { operation }).observe(answered.duration.as_secs_f64());
        self.received_bytes.inc_by(answered.received_bytes);
        self.sent_bytes.inc_by(answered.sent_bytes);
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Door {
    listener: &'static str,
}

/// What listeners tell: how many are connected, and until when their certificates are good.
pub(super) struct ListenerMetrics {
    connections: Family<Door, Gauge>,
    certificate_ends: Family<Door, Gauge>,
}

impl ListenerMetrics {
    /// Puts the metrics into a registry.
    pub(super) fn register(registry: &mut Registry) -> Self {
        let (connections, certificate_ends) = (Family::<Door, Gauge>::default(), Family::<Door, Gauge>::default());
        registry.register("connections", "Connections that are open", connections.clone());
        registry.register_with_unit(
            "tls_certificate_end_timestamp",
            "When the certificate in use ends, in seconds since 1970",
            Unit::Seconds,
            certificate_ends.clone(),
        );
        Self { connections, certificate_ends }
    }

    /// Since when an authority gives no certificate, where one is asked.
    pub(super) fn register_acme(registry: &mut Registry, failing_since: Gauge) {
        registry.register_with_unit(
            "acme_failing_since_timestamp",
            "Since when no certificate is to be had from the authority, in seconds since 1970; 0 if all is well",
            Unit::Seconds,
            failing_since,
        );
    }

    /// Connections of a listener.
    pub(super) fn connections(&self, listener: &'static str) -> Connections {
        Connections(self.connections.get_or_create_owned(&Door { listener }))
    }

    /// The end of a listener's certificate. A listener without one is not asked for.
    pub(super) fn certificate_end(&self, listener: &'static str) -> Gauge {
        self.certificate_ends.get_or_create_owned(&Door { listener })
    }
}

/// Counts the connections of a listener.
#[derive(Debug, Clone)]
pub(super) struct Connections(Gauge);

impl Connections {
    /// One more, for as long as what this gives lives.
    pub(super) fn open(&self) -> Open {
        self.0.inc();
        Open(self.0.clone())
    }
}

/// A connection that is counted.
#[derive(Debug)]
pub(super) struct Open(Gauge);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}
