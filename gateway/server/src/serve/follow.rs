use super::LogControl;
use cofre_iam::{Admission, KeyRate};
use cofre_runtime::{Shutdown, spawn};
use cofre_s3::{S3Door, Traffic};
use cofre_settings::{DynamicSettings, LogLevel, Settings};

/// Puts the dynamic settings in force, now and whenever they change, until shutdown begins.
pub(super) fn start(
    dynamic: &DynamicSettings,
    (door, admission): (&S3Door, &Admission),
    log: Option<LogControl>,
    boot_level: LogLevel,
    shutdown: &Shutdown,
) {
    let ours = dynamic.clone();
    let until = shutdown.clone();
    drop(spawn(async move { ours.follow(until).await }));

    let mut changes = dynamic.subscribe();
    let (dynamic, door, admission) = (dynamic.clone(), door.clone(), admission.clone());
    let shutdown = shutdown.clone();
    drop(spawn(async move {
        loop {
            changes.borrow_and_update();
            let settings = dynamic.current();
            door.set_traffic(traffic(&settings));
            admission.set_key_rate(key_rate(&settings));
            if let Some(log) = &log {
                log.set(settings.log_level.unwrap_or(boot_level));
            }
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return },
                () = shutdown.begun() => return,
            }
        }
    }));
}

fn traffic(settings: &Settings) -> Traffic {
    Traffic {
        cors_origins: settings.cors_default.allowed_origins.clone(),
        cors_max_age_secs: settings.cors_default.max_age_secs,
    }
}

fn key_rate(settings: &Settings) -> Option<KeyRate> {
    let rates = settings.rate_limits;
    let per_second = Some(rates.requests_per_second_per_key).filter(|rate| *rate > 0)?;
    Some(KeyRate { per_second, burst: if rates.burst > 0 { rates.burst } else { per_second } })
}
