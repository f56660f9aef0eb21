use super::{Record, RecordError, decode_version_1};
use cofre_types::{AccessKeyId, AccountId, Timestamp};
use serde::{Deserialize, Serialize};

/// An account: the owner of buckets and keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRecord {
    /// Canonical id.
    pub id: AccountId,
    /// Unique display name.
    pub name: String,
    /// Address that grants by e-mail name.
    pub email: String,
    /// Whether it may do everything, on every bucket.
    pub root: bool,
    /// Whether all its keys are refused.
    pub disabled: bool,
    /// When it was made.
    pub created: Timestamp,
    /// Most buckets it may own; no bound of its own if absent.
    pub buckets_max: Option<u32>,
    /// Most bytes in all its buckets, over all versions and parts; the default of the settings if absent.
    pub bytes_max: Option<u64>,
    /// Most objects in all its buckets, over all versions; the default of the settings if absent.
    pub objects_max: Option<u64>,
}

impl Record for AccountRecord {
    const NAME: &'static str = "account";
    const VERSION: u8 = 2;

    fn decode_older(version: u8, fields: &[u8]) -> Result<Self, RecordError> {
        decode_version_1::<AccountVersion1, Self>(version, fields)
    }
}

/// An account before it had bounds on bytes and objects.
#[derive(Deserialize)]
struct AccountVersion1 {
    id: AccountId,
    name: String,
    email: String,
    root: bool,
    disabled: bool,
    created: Timestamp,
    buckets_max: Option<u32>,
}

impl From<AccountVersion1> for AccountRecord {
    fn from(old: AccountVersion1) -> Self {
        let AccountVersion1 { id, name, email, root, disabled, created, buckets_max } = old;
        Self { id, name, email, root, disabled, created, buckets_max, bytes_max: None, objects_max: None }
    }
}

/// An access key. The secret is sealed with the master key, with the key id as associated data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessKeyRecord {
    /// The id that a client sends.
    pub id: AccessKeyId,
    /// Whose key it is.
    pub account: AccountId,
    /// The sealed secret: nonce, ciphertext and tag.
    pub sealed_secret: Vec<u8>,
    /// Whether it is refused.
    pub disabled: bool,
    /// When it was made.
    pub created: Timestamp,
    /// From when on it is refused.
    pub expires: Option<Timestamp>,
    /// What it is for, in its maker's words.
    pub note: String,
}

impl Record for AccessKeyRecord {
    const NAME: &'static str = "access key";
}

/// What an admin token may do. Each scope includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// Look at everything but secrets.
    Read,
    /// Also run and stop jobs, drain and label shards, set quotas.
    Operate,
    /// Also change settings, accounts, keys and tokens, say where shards are, and take backups.
    Admin,
}

/// An admin token. Only the SHA-256 of its secret is kept: the secret has 256 random bits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminTokenRecord {
    /// Public id.
    pub id: String,
    /// What it is for.
    pub note: String,
    /// SHA-256 of the secret.
    pub secret_sha256: [u8; 32],
    /// What it may do.
    pub scope: Scope,
    /// When it was made.
    pub created: Timestamp,
    /// From when on it is refused.
    pub expires: Option<Timestamp>,
}

impl Record for AdminTokenRecord {
    const NAME: &'static str = "admin token";
}

/// A session of the console. Only the SHA-256 of its secret is kept: the secret has 256 random bits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRecord {
    /// Public id.
    pub id: String,
    /// SHA-256 of the secret.
    pub secret_sha256: [u8; 32],
    /// Whose session it is.
    pub account: AccountId,
    /// The access key that it was begun with.
    pub key: AccessKeyId,
    /// SHA-256 of the session's secret and the secret of that key: a key that is made anew under the same id has
    /// another one.
    pub key_mark: [u8; 32],
    /// When it was begun.
    pub created: Timestamp,
    /// When it was last used, to a quarter of an hour or so.
    pub seen: Timestamp,
    /// Seconds without a use after which it is refused.
    pub idle_secs: u32,
    /// From when on it is refused, whatever its use.
    pub expires: Timestamp,
    /// The address that it was begun from; empty if there was none.
    pub address: String,
    /// What the browser called itself, shortened.
    pub agent: String,
}

impl Record for SessionRecord {
    const NAME: &'static str = "session";
}
