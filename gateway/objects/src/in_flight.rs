//! Bytes of bodies under way, by who has a quota.

use cofre_types::{AccountId, BucketId};
use parking_lot::Mutex;
use std::collections::HashMap;

/// Bytes of bodies on their way to the shards, of buckets and accounts that have a quota on bytes. As many entries as
/// requests in flight have holders.
#[derive(Default)]
pub(crate) struct InFlight(pub Mutex<HashMap<Holder, u64>>);

/// Who has a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Holder {
    Bucket(BucketId),
    Account(AccountId),
}
