//! Quotas of buckets and accounts, as arguments.

use cofre_admin_types::Quota;

/// A limit of its own, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    /// No limit of its own: that of the settings holds.
    None,
    /// At most so much.
    AtMost(u64),
}

impl Limit {
    /// Parses a size, or `none`.
    pub(super) fn of_bytes(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self::None),
            _ => cofre_settings::parse_bytes(text).map(Self::AtMost).map_err(|error| format!("{error}; or none")),
        }
    }

    /// Parses a number, or `none`.
    pub(super) fn of_count(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self::None),
            _ => text.parse().map(Self::AtMost).map_err(|_| "must be a whole number, or none".to_owned()),
        }
    }

    const fn max(self) -> Option<u64> {
        match self {
            Self::None => None,
            Self::AtMost(max) => Some(max),
        }
    }
}

/// The quota with other limits; one that is not given stays. `None` if none is given.
pub(super) fn changed(quota: &Quota, bytes: Option<Limit>, objects: Option<Limit>) -> Option<Quota> {
    (bytes.is_some() || objects.is_some()).then(|| Quota {
        bytes_max: bytes.map_or(quota.bytes_max, Limit::max),
        objects_max: objects.map_or(quota.objects_max, Limit::max),
    })
}
