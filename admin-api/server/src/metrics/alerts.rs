//! What alerts ask: health in one word, what cannot be read, and how old the last backup and the last scrub are.

use super::{Encoder, Sample, gauge};
use cofre_admin_types::{CatalogState, Health, HealthStatus, Severity};
use prometheus_client::encoding::EncodeMetric;
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;
use std::fmt;

/// Every status, and its label.
const STATUSES: [(HealthStatus, &str); 3] =
    [(HealthStatus::Ok, "ok"), (HealthStatus::Degraded, "degraded"), (HealthStatus::Failing, "failing")];

/// Writes what is known.
pub(super) fn encode(sample: &Sample, encoder: Encoder<'_, '_>) -> fmt::Result {
    let Health { catalog, redundancy, .. } = &sample.health;
    let reads = catalog.state != CatalogState::Unreadable;
    gauge(encoder, "catalog_up", "1 while the catalog reads", None, f64::from(u8::from(reads)))?;
    status(&sample.health, encoder)?;
    // What the catalog does not tell is left out.
    if reads {
        let unreadable = redundancy.unreadable_blobs as f64;
        gauge(encoder, "unreadable_blobs", "Blobs that too few copies or pieces are left of", None, unreadable)?;
        let help = "Copies and pieces on shards that do not answer or were given up";
        gauge(encoder, "away_copies", help, None, redundancy.away_copies as f64)?;
        gauge(encoder, "away", "Their bytes", Some(&Unit::Bytes), redundancy.away_bytes as f64)?;
    }
    if let Some(backup) = sample.last_backup {
        let help = "When the last backup of the catalog that succeeded ended, in seconds since 1970";
        gauge(encoder, "last_backup_timestamp", help, Some(&Unit::Seconds), backup.0 as f64 / 1e9)?;
    }
    Ok(())
}

/// One series for each status: an alert compares with 1.
fn status(health: &Health, encoder: Encoder<'_, '_>) -> fmt::Result {
    let help = "1 for the status that health has, 0 for the others";
    let mut family = encoder.encode_descriptor("health_status", help, None, MetricType::Gauge)?;
    for (status, name) in STATUSES {
        let is = f64::from(u8::from(status == health.status));
        ConstGauge::new(is).encode(family.encode_family(&[("status", name)])?)?;
    }
    let help = "Promises that are in danger, by severity";
    let mut family = encoder.encode_descriptor("health_verdicts", help, None, MetricType::Gauge)?;
    for (severity, name) in [(Severity::Warning, "warning"), (Severity::Critical, "critical")] {
        let count = health.verdicts.iter().filter(|verdict| verdict.severity == severity).count();
        ConstGauge::new(count as f64).encode(family.encode_family(&[("severity", name)])?)?;
    }
    Ok(())
}
