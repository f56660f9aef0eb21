//! Object lock: what keeps a version from being removed, and how that may change (AWS, "Locking
//! objects with Object Lock").
//!
//! # Invariants
//! - Every step that removes a version asks [`check_removal`] with the record that its commit checks,
//!   so a lock that is set meanwhile makes the commit decide anew. A marker removes nothing.
//! - A bucket whose lock is enabled has versioning enabled for good, so nothing overwrites a version.
//! - Compliance is never shortened, whoever asks; time is the clock's alone. A clock that stands or goes
//!   back keeps a version longer.
//!
//! # Limits
//! A retention ends in 2554 at the latest, as a [`Timestamp`] does. A door refuses a later one: none is shortened.

mod wanted;

pub use wanted::WantedLock;

use cofre_catalog::records::{
    BucketConfig, BucketRecord, LegalHold, LockConfig, LockMode, LockPeriod, Retention, VersionRecord, Versioning,
};
use cofre_types::{Invalid, Timestamp};
use std::time::Duration;

/// Longest default retention (AWS, "PutObjectLockConfiguration"): 100 years.
const DEFAULT_DAYS_MAX: u32 = 36_500;

/// Days that a year of a default retention has.
const DAYS_PER_YEAR: u32 = 365;

/// Why a lock does not let a version go, or does not become what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// The version is locked.
    #[error("the version is locked")]
    Locked,
    /// The bucket has no lock.
    #[error("Bucket is missing Object Lock Configuration")]
    Missing,
    /// A value of the request is not valid.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The bucket's state does not allow it.
    #[error("{0}")]
    BucketState(&'static str),
    /// The default retention is too short or too long.
    #[error("{0}")]
    Period(&'static str),
}

/// When a version is removed, and whether by one who may bypass governance mode.
#[derive(Debug, Clone, Copy)]
pub struct Removal {
    /// When.
    pub now: Timestamp,
    /// Whether by one who may bypass governance mode.
    pub bypass: bool,
}

impl Removal {
    /// A removal that bypasses nothing.
    pub const fn at(now: Timestamp) -> Self {
        Self { now, bypass: false }
    }
}

/// Refuses to remove a version that is locked.
///
/// # Errors
/// [`LockError::Locked`].
pub fn check_removal(record: &VersionRecord, removal: Removal) -> Result<(), LockError> {
    if record.guards.legal_hold == LegalHold::On {
        return Err(LockError::Locked);
    }
    match record.guards.retention {
        Some(retention) if retention.until > removal.now => match retention.mode {
            LockMode::Governance if removal.bypass => Ok(()),
            LockMode::Governance | LockMode::Compliance => Err(LockError::Locked),
        },
        _ => Ok(()),
    }
}

/// Refuses a change that would weaken a retention that is in force. Governance is weakened only by
/// who may bypass it, compliance by no one.
///
/// # Errors
/// [`LockError::Locked`].
pub fn check_change(current: Option<Retention>, wanted: Option<Retention>, removal: Removal) -> Result<(), LockError> {
    let Some(current) = current.filter(|current| current.until > removal.now) else { return Ok(()) };
    let keeps = wanted.is_some_and(|wanted| wanted.mode == current.mode && wanted.until >= current.until);
    match current.mode {
        LockMode::Governance | LockMode::Compliance if keeps => Ok(()),
        LockMode::Governance if removal.bypass => Ok(()),
        LockMode::Governance | LockMode::Compliance => Err(LockError::Locked),
    }
}

/// A retention that begins now, to the whole second that answers can tell; refused if it has ended.
///
/// # Errors
/// [`LockError::Invalid`].
pub fn starting(wanted: Retention, now: Timestamp) -> Result<Retention, LockError> {
    if wanted.until <= now {
        return Err(Invalid { field: "retain-until-date", reason: "must be in the future" }.into());
    }
    Ok(Retention { until: whole_secs(wanted.until), ..wanted })
}

/// The first whole second at or after a moment: what a client reads and writes back shortens nothing.
fn whole_secs(at: Timestamp) -> Timestamp {
    let down = Timestamp::from_secs(at.secs());
    if down == at { at } else { Timestamp::from_secs(at.secs() + 1) }
}

/// The retention of a version that is made now in a bucket with this lock and asks for none.
pub fn default_retention(lock: Option<&LockConfig>, now: Timestamp) -> Option<Retention> {
    let default = lock?.default?;
    let days = match default.period {
        LockPeriod::Days(days) => days,
        LockPeriod::Years(years) => years.saturating_mul(DAYS_PER_YEAR),
    };
    let until = whole_secs(now.after(Duration::from_secs(u64::from(days) * 86_400)));
    Some(Retention { mode: default.mode, until })
}

/// The lock of a version as its writer asks for it; whole seconds, and in the future.
///
/// # Errors
/// [`LockError::Missing`] and [`LockError::Invalid`].
pub fn wanted_lock(lock: Option<&LockConfig>, wanted: WantedLock, now: Timestamp) -> Result<WantedLock, LockError> {
    if wanted.is_some() && lock.is_none() {
        return Err(LockError::Missing);
    }
    let retention = wanted.retention.map(|retention| starting(retention, now)).transpose()?;
    Ok(WantedLock { retention, ..wanted })
}

/// The lock of a bucket, if it is enabled.
pub fn lock_of(record: &BucketRecord) -> Option<&LockConfig> {
    record.config.iter().find_map(|config| match config {
        BucketConfig::ObjectLock(lock) => Some(lock),
        _ => None,
    })
}

/// Enables the lock of a bucket or changes its default. Nothing disables it.
///
/// # Errors
/// [`LockError::BucketState`] and [`LockError::Period`].
pub fn set_lock(record: &mut BucketRecord, lock: LockConfig) -> Result<(), LockError> {
    if record.versioning != Versioning::Enabled {
        return Err(LockError::BucketState(
            "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration",
        ));
    }
    if let Some(default) = lock.default {
        let (period, max) = match default.period {
            LockPeriod::Days(days) => (days, DEFAULT_DAYS_MAX),
            LockPeriod::Years(years) => (years, DEFAULT_DAYS_MAX / DAYS_PER_YEAR),
        };
        if period == 0 {
            return Err(LockError::Period("Default retention period must be a positive integer value"));
        }
        if period > max {
            return Err(LockError::Period("Default retention period is too long: at most 36500 days or 100 years"));
        }
    }
    record.config.retain(|config| !matches!(config, BucketConfig::ObjectLock(_)));
    record.config.push(BucketConfig::ObjectLock(lock));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_000);

    fn at(bypass: bool) -> Removal {
        Removal { now: NOW, bypass }
    }

    const fn keep(mode: LockMode, secs: u64) -> Option<Retention> {
        Some(Retention { mode, until: Timestamp::from_secs(secs) })
    }

    #[test]
    fn retention_changes_as_aws_documents() {
        use LockMode::{Compliance as C, Governance as G};
        for (current, wanted, plain, bypassing) in [
            (None, keep(G, 2_000), true, true),
            (keep(G, 2_000), keep(G, 2_000), true, true),
            (keep(G, 2_000), keep(G, 3_000), true, true),
            (keep(G, 2_000), keep(G, 1_999), false, true),
            (keep(G, 2_000), keep(C, 3_000), false, true),
            (keep(G, 2_000), None, false, true),
            (keep(C, 2_000), keep(C, 3_000), true, true),
            (keep(C, 2_000), keep(C, 1_999), false, false),
            (keep(C, 2_000), keep(G, 3_000), false, false),
            (keep(C, 2_000), None, false, false),
            // What has ended binds no one.
            (keep(C, 1_000), None, true, true),
            (keep(C, 999), keep(G, 1_500), true, true),
        ] {
            for (bypass, allowed) in [(false, plain), (true, bypassing)] {
                let outcome = check_change(current, wanted, at(bypass)).is_ok();
                assert_eq!(outcome, allowed, "{current:?} to {wanted:?}, bypass {bypass}");
            }
        }
    }

    #[test]
    fn a_moment_is_never_cut_short() {
        assert_eq!(whole_secs(Timestamp(5_000_000_001)), Timestamp::from_secs(6));
        assert_eq!(whole_secs(Timestamp::from_secs(5)), Timestamp::from_secs(5));
        let past = Retention { mode: LockMode::Governance, until: NOW };
        assert!(matches!(starting(past, NOW), Err(LockError::Invalid(_))));
    }
}
