use super::{Record, RecordError, decode_version_1};
use cofre_types::{AccountId, BucketName, Timestamp};
use serde::{Deserialize, Serialize};

/// Lines of a bucket's access log that wait to become an object: all of one day, for one destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessLogRecord {
    /// The bucket whose requests they tell of. It may be gone when they are delivered.
    pub source: BucketName,
    /// Who owned it.
    pub owner: AccountId,
    /// Its region.
    pub region: String,
    /// Where they go: the bucket's logging configuration when its requests came, as JSON.
    pub destination: String,
    /// When the first of them was written.
    pub written: Timestamp,
    /// How many they are.
    pub lines: u32,
    /// Whether they are counted among those of its owner.
    pub counted: bool,
    /// The lines, each ended by a line feed.
    pub text: String,
}

impl Record for AccessLogRecord {
    const NAME: &'static str = "access log";
    const VERSION: u8 = 2;

    fn decode_older(version: u8, fields: &[u8]) -> Result<Self, RecordError> {
        decode_version_1::<V1, Self>(version, fields)
    }
}

/// The fields of version 1, whose lines were counted for their bucket alone.
#[derive(Deserialize)]
struct V1 {
    source: BucketName,
    owner: AccountId,
    region: String,
    destination: String,
    written: Timestamp,
    lines: u32,
    text: String,
}

impl From<V1> for AccessLogRecord {
    fn from(old: V1) -> Self {
        let V1 { source, owner, region, destination, written, lines, text } = old;
        Self { source, owner, region, destination, written, lines, counted: false, text }
    }
}

/// How much of a bucket's access log, or of all, waits for delivery. A row of counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AccessLogBacklog {
    /// Bytes of text.
    pub bytes: i64,
    /// Lines.
    pub lines: i64,
}

impl AccessLogBacklog {
    /// Index of [`AccessLogBacklog::bytes`] in the row.
    pub const BYTES: usize = 0;

    /// The row of counters.
    pub fn row(&self) -> Vec<i64> {
        vec![self.bytes, self.lines]
    }

    /// Reads a row as the store keeps it; missing counters are zero.
    pub fn from_value(value: &[u8]) -> Self {
        Self { bytes: super::usage::counter(value, 0), lines: super::usage::counter(value, 1) }
    }
}
