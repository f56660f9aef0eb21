//! Keys of the access logs that wait for delivery: a part of [`crate::keys`].

use crate::keys::{family, with};
use cofre_types::BucketId;

/// What the waiting log lines of a bucket begin with that are of one day, counted from 1970; the revision
/// of the commit that wrote them follows.
pub fn access_log(source: BucketId, day: u32) -> Vec<u8> {
    with(family::ACCESS_LOG, &[&source.0.to_be_bytes(), &day.to_be_bytes()])
}

/// The bucket and the day in a key of waiting log lines.
pub fn access_log_of(key: &[u8]) -> Option<(BucketId, u32)> {
    let source = u64::from_be_bytes(key.get(1..9)?.try_into().ok()?);
    let day = u32::from_be_bytes(key.get(9..13)?.try_into().ok()?);
    Some((BucketId(source), day))
}

/// Key of the counters of log lines that wait: of a bucket, or of all.
pub fn access_log_backlog(source: Option<BucketId>) -> Vec<u8> {
    match source {
        Some(source) => with(family::ACCESS_LOG_BACKLOG, &[&source.0.to_be_bytes()]),
        None => vec![family::ACCESS_LOG_BACKLOG],
    }
}
