use super::Record;
use cofre_types::Timestamp;
use serde::{Deserialize, Serialize};

/// Who holds the key that an object's own key is sealed with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum EncryptionMethod {
    /// Cofre's own master key: SSE-S3.
    S3,
    /// A named key of the key service: SSE-KMS.
    Kms {
        /// Its name.
        key: String,
        /// Whether two layers were asked for: DSSE-KMS.
        dual_layer: bool,
    },
    /// The client, who sends it with each request: SSE-C.
    Customer,
}

/// Encryption of the objects of a bucket that ask for none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefaultEncryption {
    /// How; never [`EncryptionMethod::Customer`].
    pub method: EncryptionMethod,
    /// Whether a bucket key was asked for. It is told and changes nothing.
    pub bucket_key: bool,
}

/// How new objects of a bucket may not be encrypted (AWS, "BlockedEncryptionTypes").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncryptionBlock {
    /// Whether not under clients' keys: SSE-C.
    pub customer_keys: bool,
}

/// How a version's bytes are encrypted. It opens nothing without the key that its own is sealed with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encryption {
    /// How.
    pub method: EncryptionMethod,
    /// The key of the bytes, sealed.
    pub sealed_key: Vec<u8>,
    /// MD5 of the customer's key, if it is one.
    pub key_md5: Option<[u8; 16]>,
    /// Encryption context of a KMS key, as the client gave it: base64 of JSON.
    pub context: Option<String>,
    /// Whether a bucket key was asked for.
    pub bucket_key: bool,
}

/// A key of the file of encryption keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownKey {
    /// Its name.
    pub name: String,
    /// Its newest version.
    pub version: u32,
    /// What tells that version from every other key. It opens nothing.
    pub fingerprint: [u8; 16],
}

/// The keys that the file of encryption keys has had, by which one that was lost or replaced is noticed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownKeysRecord {
    /// Each key.
    pub keys: Vec<KnownKey>,
}

impl Record for KnownKeysRecord {
    const NAME: &'static str = "known encryption keys";
}

/// Who may use a named key for what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPolicyRecord {
    /// The policy, as JSON.
    pub document: String,
    /// When it was set.
    pub set: Timestamp,
}

impl Record for KeyPolicyRecord {
    const NAME: &'static str = "policy of an encryption key";
}
