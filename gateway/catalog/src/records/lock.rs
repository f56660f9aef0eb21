use cofre_types::Timestamp;
use serde::{Deserialize, Serialize};

/// How strictly a version is kept (AWS, "Locking objects with Object Lock").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LockMode {
    /// Until then, or until one with the right to bypass it says otherwise.
    Governance,
    /// Until then, whoever asks.
    Compliance,
}

/// Until when a version is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    /// How strictly.
    pub mode: LockMode,
    /// Until when, exclusive.
    pub until: Timestamp,
}

/// How long new versions are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LockPeriod {
    /// Days of 24 hours.
    Days(u32),
    /// Years of 365 days.
    Years(u32),
}

/// The retention of new versions that ask for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockDefault {
    /// How strictly.
    pub mode: LockMode,
    /// How long.
    pub period: LockPeriod,
}

/// The lock of a bucket that has it enabled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockConfig {
    /// The retention of new versions, if they get one.
    pub default: Option<LockDefault>,
}
