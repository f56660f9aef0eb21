//! Every key layout of the catalog.
//!
//! A key is a one-byte family and fields in fixed widths, big-endian, so that byte order is the
//! order of meaning. Text that is not last is escaped ([`text`]): a NUL byte becomes `00 ff`, and
//! `00 01` ends it, which keeps the order and lets no text be the prefix of another.
//!
//! | family | key | value |
//! |---|---|---|
//! | `A` | account id | account |
//! | `a` | account name, folded to lower case | account id (32 bytes): names are unique |
//! | `e` | account e-mail, folded to lower case | account id (32 bytes): addresses are unique |
//! | `K` | access key id | access key |
//! | `k` | account id, access key id | empty: the keys of an account |
//! | `T` | admin token id | admin token |
//! | `W` | session id | session of the console |
//! | `w` | account id, session id | empty: the sessions of an account |
//! | `B` | bucket name | bucket |
//! | `o` | account id, bucket name | empty: the buckets of an account, written with `B` |
//! | `I` | bucket id | bucket name, so that jobs find the bucket of a key |
//! | `U` | bucket id | usage counters |
//! | `t` | account id | counters of what the account owns in all its buckets |
//! | `c` | bucket id, object key | current version, if it is not a delete marker |
//! | `v` | bucket id, object key, inverted place | version that is not current, or a delete marker |
//! | `n` | bucket id, object key | place of the null version, where it stands in `v` |
//! | `u` | bucket id, object key, upload id | multipart upload |
//! | `p` | upload id, part number | part of an upload |
//! | `q` | upload id | counter that each part put adds to, so that completing sees a late part |
//! | `m` | manifest id | manifest: reference count of a finished upload's parts |
//! | `b` | blob id | blob: size, reference count, copies |
//! | `h` | copies to spare, blob id | heal: this blob is below its redundancy; those nearest loss come first |
//! | `g` | due time, id | garbage: a reference to drop after its grace |
//! | `d` | shard id, blob id | doomed: a copy to delete from a shard |
//! | `W` | family, `h` or `d` | counters of its records, which commits keep by themselves |
//! | `S` | shard id | shard |
//! | `s` | shard id | counters of a shard's copies and their bytes |
//! | `r` | shard id | directory of a shard that was removed |
//! | `C` | | which Cofre this is |
//! | `i` | | incarnation: that the catalog was restored |
//! | `f` | shard id | comparison of a shard with a catalog that was restored |
//! | `X` | | the keys that the file of encryption keys has had |
//! | `P` | name of an encryption key | its policy |
//! | `R` | | the default redundancy |
//! | `N` | counter name | counter |
//! | `D` | revision of settings | dynamic settings, with author and time; the greatest is in force |
//! | `E` | revision of the commit, index | event |
//! | `J` | job name | progress of a job |
//! | `L` | source bucket id, day, revision of the commit, index | lines of a bucket's access log that wait for delivery |
//! | `l` | source bucket id, or account id; nothing for all together | counters of lines that wait |

use crate::Revision;
pub use crate::access_log_keys::{access_log, access_log_backlog, access_log_of};
pub use crate::encryption_keys::{key_policies, key_policy, key_policy_of, known_keys};
pub use crate::queue_keys::{doomed, doomed_on, heal, heal_spares, heals, waiting};
pub use crate::sign_in_keys::{account_session, account_sessions, admin_token, session};
pub use crate::version_place::{place_of, version_id};
pub use crate::walk::prefix_end;
use cofre_types::{AccessKeyId, AccountId, BlobId, BucketId, BucketName, ObjectKey, ShardId, UploadId};

/// First byte of a key.
#[allow(missing_docs, reason = "the table above names them")]
pub mod family {
    pub const ACCOUNT: u8 = b'A';
    pub const ACCOUNT_NAME: u8 = b'a';
    pub const ACCOUNT_EMAIL: u8 = b'e';
    pub const ACCESS_KEY: u8 = b'K';
    pub const ACCOUNT_KEY: u8 = b'k';
    pub const ADMIN_TOKEN: u8 = b'T';
    pub const SESSION: u8 = b'W';
    pub const ACCOUNT_SESSION: u8 = b'w';
    pub const BUCKET: u8 = b'B';
    pub const OWNED_BUCKET: u8 = b'o';
    pub const BUCKET_ID: u8 = b'I';
    pub const USAGE: u8 = b'U';
    pub const CURRENT: u8 = b'c';
    pub const VERSION: u8 = b'v';
    pub const NULL_VERSION: u8 = b'n';
    pub const UPLOAD: u8 = b'u';
    pub const PART: u8 = b'p';
    pub const UPLOAD_ACTIVITY: u8 = b'q';
    pub const MANIFEST: u8 = b'm';
    pub const BLOB: u8 = b'b';
    pub const HEAL: u8 = b'h';
    pub const GARBAGE: u8 = b'g';
    pub const DOOMED: u8 = b'd';
    pub const WAITING: u8 = b'W';
    pub const SHARD: u8 = b'S';
    pub const SHARD_USAGE: u8 = b's';
    pub const REMOVED_SHARD: u8 = b'r';
    pub const CLUSTER: u8 = b'C';
    pub const INCARNATION: u8 = b'i';
    pub const COMPARISON: u8 = b'f';
    pub const KNOWN_KEYS: u8 = b'X';
    pub const KEY_POLICY: u8 = b'P';
    pub const DEFAULT_REDUNDANCY: u8 = b'R';
    pub const COUNTER: u8 = b'N';
    pub const SETTINGS: u8 = b'D';
    pub const EVENT: u8 = b'E';
    pub const JOB: u8 = b'J';
    pub const ACCOUNT_USAGE: u8 = b't';
    pub const ACCESS_LOG: u8 = b'L';
    pub const ACCESS_LOG_BACKLOG: u8 = b'l';
}

/// Appends `text`, escaped and ended, so that further fields may follow.
fn push_text(key: &mut Vec<u8>, text: &[u8]) {
    for byte in text {
        key.push(*byte);
        if *byte == 0 {
            key.push(0xff);
        }
    }
    key.extend_from_slice(&[0, 1]);
}

/// Undoes the escape: the text and what follows it; `None` if the bytes are no such field.
pub fn text(bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut text = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    loop {
        match rest {
            [0, 1, after @ ..] => return Some((text, after)),
            [0, 0xff, after @ ..] => {
                text.push(0);
                rest = after;
            }
            [0, ..] | [] => return None,
            [byte, after @ ..] => {
                text.push(*byte);
                rest = after;
            }
        }
    }
}

pub(crate) fn with(family: u8, fields: &[&[u8]]) -> Vec<u8> {
    let mut key = Vec::with_capacity(1 + fields.iter().map(|f| f.len()).sum::<usize>());
    key.push(family);
    for field in fields {
        key.extend_from_slice(field);
    }
    key
}

/// Key of an account.
pub fn account(id: AccountId) -> Vec<u8> {
    with(family::ACCOUNT, &[id.as_bytes()])
}

/// Key of the account that has a name. Names are unique whatever their case, so that no two look alike.
pub fn account_name(name: &str) -> Vec<u8> {
    with(family::ACCOUNT_NAME, &[name.to_lowercase().as_bytes()])
}

/// Key of the account that has an e-mail address; unique whatever its case.
pub fn account_email(email: &str) -> Vec<u8> {
    with(family::ACCOUNT_EMAIL, &[email.to_lowercase().as_bytes()])
}

/// Key of an access key's place among the keys of its account.
pub fn account_key(account: AccountId, id: &AccessKeyId) -> Vec<u8> {
    with(family::ACCOUNT_KEY, &[account.as_bytes(), id.as_str().as_bytes()])
}

/// What the place of every access key of an account begins with.
pub fn account_keys(account: AccountId) -> Vec<u8> {
    with(family::ACCOUNT_KEY, &[account.as_bytes()])
}

/// Key of an access key.
pub fn access_key(id: &AccessKeyId) -> Vec<u8> {
    with(family::ACCESS_KEY, &[id.as_str().as_bytes()])
}

/// Key of a bucket.
pub fn bucket(name: &BucketName) -> Vec<u8> {
    with(family::BUCKET, &[name.as_str().as_bytes()])
}

/// Key of a bucket's place among the buckets of its owner. It is put and deleted in the batch that
/// makes and deletes the bucket: deleting an account checks that it has none, and ListBuckets reads it.
pub fn owned_bucket(owner: AccountId, name: &BucketName) -> Vec<u8> {
    with(family::OWNED_BUCKET, &[owner.as_bytes(), name.as_str().as_bytes()])
}

/// What the place of every bucket of an account begins with.
pub fn owned_buckets(owner: AccountId) -> Vec<u8> {
    with(family::OWNED_BUCKET, &[owner.as_bytes()])
}

/// Key of a bucket's name.
pub fn bucket_id(id: BucketId) -> Vec<u8> {
    with(family::BUCKET_ID, &[&id.0.to_be_bytes()])
}

/// Key of a bucket's usage counters.
pub fn usage(id: BucketId) -> Vec<u8> {
    with(family::USAGE, &[&id.0.to_be_bytes()])
}

/// Key of the counters of what an account owns.
pub fn account_usage(account: AccountId) -> Vec<u8> {
    with(family::ACCOUNT_USAGE, &[account.as_bytes()])
}

/// What every key of one family in one bucket begins with.
pub fn in_bucket(family: u8, bucket: BucketId) -> Vec<u8> {
    with(family, &[&bucket.0.to_be_bytes()])
}

/// What every key of one family begins with whose object key begins with `prefix`.
pub fn in_bucket_prefix(family: u8, bucket: BucketId, prefix: &[u8]) -> Vec<u8> {
    let mut key = in_bucket(family, bucket);
    for byte in prefix {
        key.push(*byte);
        if *byte == 0 {
            key.push(0xff);
        }
    }
    key
}

/// Key of one family for one object: `c` and `n` end there, `v` and `u` go on.
pub fn object(family: u8, bucket: BucketId, object: &ObjectKey) -> Vec<u8> {
    object_text(family, bucket, object.as_str())
}

/// Like [`object`], for a text that need not be a legal object key: a listing's marker.
pub fn object_text(family: u8, bucket: BucketId, text: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(11 + text.len() + 24);
    key.push(family);
    key.extend_from_slice(&bucket.0.to_be_bytes());
    push_text(&mut key, text.as_bytes());
    key
}

/// Key of the current version.
pub fn current(bucket: BucketId, key: &ObjectKey) -> Vec<u8> {
    object(family::CURRENT, bucket, key)
}

/// Key of a version that is not current. Newest first: the place is inverted.
pub fn version(bucket: BucketId, key: &ObjectKey, place: u64) -> Vec<u8> {
    let mut bytes = object(family::VERSION, bucket, key);
    bytes.extend_from_slice(&(!place).to_be_bytes());
    bytes
}

/// Key of the null version's place.
pub fn null_version(bucket: BucketId, key: &ObjectKey) -> Vec<u8> {
    object(family::NULL_VERSION, bucket, key)
}

/// Key of a multipart upload.
pub fn upload(bucket: BucketId, key: &ObjectKey, id: UploadId) -> Vec<u8> {
    let mut bytes = object(family::UPLOAD, bucket, key);
    bytes.extend_from_slice(id.as_bytes());
    bytes
}

/// The object key in a `c`, `v`, `n` or `u` key, and what follows it.
pub fn object_of(key: &[u8]) -> Option<(BucketId, Vec<u8>, &[u8])> {
    let bucket = u64::from_be_bytes(key.get(1..9)?.try_into().ok()?);
    let (object, rest) = text(&key[9..])?;
    Some((BucketId(bucket), object, rest))
}

/// Key of a part of an upload or of a manifest: they share the id, so that completing moves no part.
pub fn part(upload: UploadId, number: u16) -> Vec<u8> {
    with(family::PART, &[upload.as_bytes(), &number.to_be_bytes()])
}

/// What every part of an upload begins with.
pub fn parts(upload: UploadId) -> Vec<u8> {
    with(family::PART, &[upload.as_bytes()])
}

/// Key of the counter of parts that were put.
pub fn upload_activity(upload: UploadId) -> Vec<u8> {
    with(family::UPLOAD_ACTIVITY, &[upload.as_bytes()])
}

/// Key of a manifest.
pub fn manifest(upload: UploadId) -> Vec<u8> {
    with(family::MANIFEST, &[upload.as_bytes()])
}

/// Key of a blob.
pub fn blob(id: BlobId) -> Vec<u8> {
    with(family::BLOB, &[id.as_bytes()])
}

/// Key of a reference to drop, due at `due_nanos`.
pub fn garbage(due_nanos: u64, id: [u8; 16]) -> Vec<u8> {
    with(family::GARBAGE, &[&due_nanos.to_be_bytes(), &id])
}

/// Key of a shard.
pub fn shard(id: ShardId) -> Vec<u8> {
    with(family::SHARD, &[&id.0.to_be_bytes()])
}

/// Key of the counters of a shard's copies.
pub fn shard_usage(id: ShardId) -> Vec<u8> {
    with(family::SHARD_USAGE, &[&id.0.to_be_bytes()])
}

/// Key of a shard that was removed.
pub fn removed_shard(id: ShardId) -> Vec<u8> {
    with(family::REMOVED_SHARD, &[&id.0.to_be_bytes()])
}

/// The blob in a `b`, `h` or `d` key: its last 16 bytes.
pub fn blob_of(key: &[u8]) -> Option<BlobId> {
    key.last_chunk().copied().map(BlobId::from_bytes)
}

/// Key of the record that says which Cofre this is.
pub fn cluster() -> Vec<u8> {
    vec![family::CLUSTER]
}

/// Key of the record of the catalog's incarnation.
pub fn incarnation() -> Vec<u8> {
    vec![family::INCARNATION]
}

/// Key of the comparison of a shard with a catalog that was restored.
pub fn comparison(id: ShardId) -> Vec<u8> {
    with(family::COMPARISON, &[&id.0.to_be_bytes()])
}

/// Key of the record of the default redundancy.
pub fn default_redundancy() -> Vec<u8> {
    vec![family::DEFAULT_REDUNDANCY]
}

/// Key of a named counter.
pub fn counter(name: &str) -> Vec<u8> {
    with(family::COUNTER, &[name.as_bytes()])
}

/// Key of a revision of the dynamic settings.
pub fn settings(revision: u64) -> Vec<u8> {
    with(family::SETTINGS, &[&revision.to_be_bytes()])
}

/// What every event begins with; the commit's revision follows.
pub fn events() -> Vec<u8> {
    vec![family::EVENT]
}

/// Key of the event that commit `revision` appended as its `index`th.
pub fn event(revision: Revision, index: u8) -> Vec<u8> {
    with(family::EVENT, &[&revision.0.to_be_bytes(), &[index]])
}

/// Key of a job's progress.
pub fn job(name: &str) -> Vec<u8> {
    with(family::JOB, &[name.as_bytes()])
}

/// Key of the counters of log lines that wait of all buckets of an account.
pub fn access_log_backlog_of(owner: AccountId) -> Vec<u8> {
    with(family::ACCESS_LOG_BACKLOG, &[owner.as_bytes()])
}
