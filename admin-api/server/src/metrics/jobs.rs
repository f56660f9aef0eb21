//! What background jobs are doing, did, and have left.

use super::Encoder;
use cofre_jobs::{JobState, JobStatus};
use prometheus_client::encoding::{EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;
use std::fmt;

/// Every state, and its label.
const STATES: [(JobState, &str); 4] = [
    (JobState::Idle, "idle"),
    (JobState::Running, "running"),
    (JobState::Paused, "paused"),
    (JobState::Stuck, "stuck"),
];

/// Writes what is known of each job. What is not known is left out.
pub(super) fn encode(jobs: &[JobStatus], encoder: Encoder<'_, '_>) -> fmt::Result {
    states(jobs, encoder)?;
    counters(jobs, encoder)?;
    let mut actions = encoder.encode_descriptor("job_actions", "Things done by kind", None, MetricType::Counter)?;
    for job in jobs {
        for (action, count) in &job.figures.actions {
            let labels = [("job", job.name), ("action", *action)];
            ConstCounter::new(*count as f64).encode(actions.encode_family(&labels)?)?;
        }
    }
    gauges(jobs, encoder)
}

/// One series of each job for each state: an alert on a job that is stuck or paused compares with 1.
fn states(jobs: &[JobStatus], encoder: Encoder<'_, '_>) -> fmt::Result {
    let help = "1 for the state that the job is in, 0 for the others";
    let mut family = encoder.encode_descriptor("job_state", help, None, MetricType::Gauge)?;
    for job in jobs {
        for (state, name) in STATES {
            let labels = [("job", job.name), ("state", name)];
            ConstGauge::new(f64::from(u8::from(job.state == state))).encode(family.encode_family(&labels)?)?;
        }
    }
    Ok(())
}

/// Name, help, unit, and how to read one figure of a job.
type JobFigure<T> = (&'static str, &'static str, Option<&'static Unit>, fn(&JobStatus) -> T);

fn counters(jobs: &[JobStatus], encoder: Encoder<'_, '_>) -> fmt::Result {
    let counters: [JobFigure<u64>; 4] = [
        ("job_steps", "Steps that succeeded", None, |job| job.worker.steps),
        ("job_errors", "Steps that failed", None, |job| job.worker.errors),
        ("job_done", "Things dealt with", None, |job| job.figures.done),
        ("job_done", "Bytes of the things dealt with", Some(&Unit::Bytes), |job| job.figures.done_bytes),
    ];
    for (name, help, unit, value) in counters {
        let mut family = encoder.encode_descriptor(name, help, unit, MetricType::Counter)?;
        for job in jobs {
            ConstCounter::new(value(job) as f64).encode(family.encode_family(&of(job))?)?;
        }
    }
    Ok(())
}

fn gauges(jobs: &[JobStatus], encoder: Encoder<'_, '_>) -> fmt::Result {
    let gauges: [JobFigure<Option<f64>>; 7] = [
        ("job_waiting", "Things that wait", None, |job| Some(job.figures.waiting as f64)),
        ("job_busy", "1 while there is work", None, |job| Some(f64::from(u8::from(job.worker.busy)))),
        ("job_remaining_objects", "Things left to do, where they are counted", None, |job| {
            job.remaining.objects.map(|objects| objects as f64)
        }),
        ("job_remaining", "Bytes left to do, where they are counted", Some(&Unit::Bytes), |job| {
            job.remaining.bytes.map(|bytes| bytes as f64)
        }),
        ("job_objects_per_second", "Things dealt with a second in the last minute, while there is work", None, |job| {
            job.speed.objects_per_second
        }),
        (
            "job_last_pass_timestamp",
            "When the last whole pass ended, in seconds since 1970",
            Some(&Unit::Seconds),
            |job| job.figures.pass_ended.map(|ended| ended.0 as f64 / 1e9),
        ),
        ("job_time_left", "How long what is left takes at that rate", Some(&Unit::Seconds), |job| {
            job.speed.time_left.map(|left| left.as_secs_f64())
        }),
    ];
    for (name, help, unit, value) in gauges {
        let mut family = encoder.encode_descriptor(name, help, unit, MetricType::Gauge)?;
        for job in jobs {
            if let Some(value) = value(job) {
                ConstGauge::new(value).encode(family.encode_family(&of(job))?)?;
            }
        }
    }
    Ok(())
}

/// The labels of a job's series.
fn of(job: &JobStatus) -> impl EncodeLabelSet {
    [("job", job.name)]
}
