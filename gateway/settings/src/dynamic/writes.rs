use super::document::bounded;
use crate::error::SettingsError;
use cofre_types::REPLICAS_MAX;
use serde::{Deserialize, Serialize};

/// Largest blob that may be kept as whole copies under an erasure code, in bytes: a body of unknown size is held in
/// memory up to it.
pub const REPLICATE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// What a write takes before it is acknowledged, and how small blobs are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Writes {
    /// Copies or pieces beyond those that reading takes which must be durable before a write is acknowledged, 0 to 15,
    /// and at most all; if absent a majority of copies, and under an erasure code one piece. Below that a write is
    /// refused with 503 and leaves nothing. 0: writes go on while as many shards are away as reads outlive, and what is
    /// written then is lost with the next shard until it is healed. More: an acknowledged write outlives more losses
    /// at once, waits for slower shards, and is refused sooner.
    pub spares_min: Option<u8>,
    /// Bytes up to which a blob under an erasure code is kept as whole copies instead, one more than it has parity pieces,
    /// 0 to 4 MiB. More: small objects are read from one shard and go to packs, and take more room.
    pub replicate_bytes_max: u64,
}

impl Default for Writes {
    fn default() -> Self {
        Self { spares_min: None, replicate_bytes_max: 256 * 1024 }
    }
}

impl Writes {
    pub(super) fn validate(&self) -> Result<(), SettingsError> {
        bounded("writes.spares_min", self.spares_min.unwrap_or(0).into(), 0, u64::from(REPLICAS_MAX) - 1)?;
        bounded("writes.replicate_bytes_max", self.replicate_bytes_max, 0, REPLICATE_BYTES_MAX)
    }
}
