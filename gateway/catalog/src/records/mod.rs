//! Every record of the catalog and its encoding: one version byte, then postcard.
//!
//! A field is never added to a version that has been released: the next version gets its own type,
//! and [`Record::decode`] turns the old one into it. Golden files in `tests/golden/` hold a sample
//! of each version that ever was.

mod access;
mod access_log;
mod acl;
mod blob;
mod bucket;
mod cluster;
mod distinct;
mod encryption;
mod event;
mod incarnation;
mod job;
mod lock;
mod object;
mod queue_tally;
mod settings;
mod shard;
mod upload;
mod usage;

pub use access::{AccessKeyRecord, AccountRecord, AdminTokenRecord, Scope, SessionRecord};
pub use access_log::{AccessLogBacklog, AccessLogRecord};
pub use acl::{AclGrant, AclGrantee, AclPermission, AclRecord, Ownership, PublicAccessBlock};
pub use blob::{BlobRecord, CopyRecord, DoomedRecord, Garbage, GarbageRecord, GraceCharge, HealRecord};
pub use bucket::{BucketConfig, BucketRecord, Durability, Payer, Versioning};
pub use cluster::{ClusterRecord, DefaultRedundancyRecord};
pub use distinct::DistinctBlobs;
pub use encryption::{
    DefaultEncryption, Encryption, EncryptionBlock, EncryptionMethod, KeyPolicyRecord, KnownKey, KnownKeysRecord,
};
pub use event::EventRecord;
pub use incarnation::{ComparisonRecord, IncarnationRecord, UnknownCopies};
pub use job::{JobRecord, ShardPass};
pub use lock::{LockConfig, LockDefault, LockMode, LockPeriod, Retention};
pub use object::{Content, Guards, Header, Headers, LegalHold, Segment, VersionKind, VersionRecord};
pub use queue_tally::QueueTally;
pub use settings::SettingsRecord;
pub use shard::{RemovedShardRecord, S3Place, ShardMode, ShardPlace, ShardRecord, ShardUsage};
pub use upload::{ManifestRecord, PartRecord, UploadRecord};
pub use usage::{AccountUsage, Usage, as_delta};

use serde::{Serialize, de::DeserializeOwned};

/// A record that cannot be read: damage, or a format of a later Cofre.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The version byte is none that this build knows.
    #[error("a {record} record has format {found}; this build reads up to {known}: run a later cofre")]
    Unknown {
        /// Which record.
        record: &'static str,
        /// Its version byte.
        found: u8,
        /// The latest format of this build.
        known: u8,
    },
    /// The bytes do not decode.
    #[error("a {record} record does not decode: {reason}")]
    Damaged {
        /// Which record.
        record: &'static str,
        /// What the decoder said.
        reason: String,
    },
}

/// A record and its versioned encoding.
pub trait Record: Serialize + DeserializeOwned {
    /// What errors call it.
    const NAME: &'static str;
    /// The version byte that [`Record::encode`] writes.
    const VERSION: u8 = 1;

    /// Decodes the fields of an older version.
    ///
    /// # Errors
    /// [`RecordError`] if there is no such version or the bytes do not decode.
    fn decode_older(version: u8, _fields: &[u8]) -> Result<Self, RecordError> {
        Err(RecordError::Unknown { record: Self::NAME, found: version, known: Self::VERSION })
    }

    /// Version byte and fields.
    fn encode(&self) -> Vec<u8> {
        // Postcard fails only for types that it has no form for, which the golden tests would show.
        postcard::to_extend(self, vec![Self::VERSION]).unwrap_or_default()
    }

    /// Undoes [`Record::encode`], for this version and the older ones.
    ///
    /// # Errors
    /// [`RecordError`] if the bytes are of a later version or do not decode.
    fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        match bytes.split_first() {
            Some((version, fields)) if *version == Self::VERSION => decode_fields(Self::NAME, fields),
            Some((version, fields)) => Self::decode_older(*version, fields),
            None => Err(RecordError::Damaged { record: Self::NAME, reason: "it is empty".to_owned() }),
        }
    }
}

/// Decodes fields that must be used up.
pub(crate) fn decode_fields<T: DeserializeOwned>(record: &'static str, fields: &[u8]) -> Result<T, RecordError> {
    let damaged = |reason: String| RecordError::Damaged { record, reason };
    match postcard::take_from_bytes(fields) {
        Ok((value, [])) => Ok(value),
        Ok((_, rest)) => Err(damaged(format!("{} bytes are left over", rest.len()))),
        Err(error) => Err(damaged(error.to_string())),
    }
}

/// Decodes the fields of version 1 of a record whose only older version that is.
pub(crate) fn decode_version_1<Old: DeserializeOwned, R: Record + From<Old>>(
    version: u8,
    fields: &[u8],
) -> Result<R, RecordError> {
    match version {
        1 => decode_fields::<Old>(R::NAME, fields).map(R::from),
        _ => Err(RecordError::Unknown { record: R::NAME, found: version, known: R::VERSION }),
    }
}
