use cofre_catalog::records::{Encryption, EncryptionMethod};
use cofre_keys::CustomerKey;

/// How a client asks that an object be encrypted.
#[derive(Debug, Clone, Default)]
pub enum EncryptAs {
    /// It does not say: as the bucket says, else in the clear.
    #[default]
    AsBucket,
    /// Under Cofre's own key (SSE-S3).
    S3,
    /// Under a named key of the key service (SSE-KMS).
    Kms {
        /// Its name, or an ARN of it; the default key if absent.
        key: Option<String>,
        /// Whether two layers are asked for (DSSE-KMS). One is applied: its key is as long, and the
        /// second is AWS's answer to a rule of its own customers.
        dual_layer: bool,
        /// Encryption context: base64 of a JSON object of texts. The sealed key is bound to it.
        context: Option<String>,
        /// Whether a bucket key is asked for; the bucket's default if absent. It is told, and changes
        /// nothing: it saves calls to AWS's service.
        bucket_key: Option<bool>,
    },
    /// Under a key that each request brings (SSE-C).
    Customer(CustomerKey),
}

/// How an object is encrypted, as answers tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encrypted {
    /// How.
    pub method: EncryptionMethod,
    /// MD5 of the customer's key, if it is one.
    pub key_md5: Option<[u8; 16]>,
    /// Encryption context of a KMS key: base64 of JSON.
    pub context: Option<String>,
    /// Whether a bucket key was asked for.
    pub bucket_key: bool,
}

impl Encrypted {
    pub(crate) fn of(record: Option<&Encryption>) -> Option<Self> {
        record.map(|record| Self {
            method: record.method.clone(),
            key_md5: record.key_md5,
            context: record.context.clone(),
            bucket_key: record.bucket_key,
        })
    }
}
