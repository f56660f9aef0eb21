use crate::data_key::DataKey;
use crate::error::KeyError;
use async_trait::async_trait;

/// The key that is used where none is named: for SSE-S3, and for SSE-KMS without a key id.
pub const DEFAULT_KEY: &str = "cofre-default";

/// The first byte of a sealed key says who sealed it. Never reused.
pub(crate) mod sealed_by {
    pub(crate) const CUSTOMER: u8 = 1;
    pub(crate) const LOCAL: u8 = 2;
    pub(crate) const VAULT: u8 = 3;
    pub(crate) const MEMORY: u8 = 4;
    /// By a key that Vault sealed.
    pub(crate) const VAULT_ENVELOPE: u8 = 5;
}

/// A data key that was made, in the clear and sealed.
#[derive(Debug, Clone)]
pub struct Generated {
    /// To encrypt with.
    pub key: DataKey,
    /// To keep.
    pub sealed: Vec<u8>,
}

/// Makes data keys and seals them under named keys, which never leave it.
///
/// # Failure and retry
/// Nothing is kept between calls, so each may be done again.
#[async_trait]
pub trait KeyService: Send + Sync + 'static {
    /// A random data key, sealed under the key `name` and bound to `context`.
    ///
    /// # Errors
    /// [`KeyError::NoSuchKey`], [`KeyError::Refused`] or [`KeyError::Unavailable`].
    async fn generate(&self, name: &str, context: &[u8]) -> Result<Generated, KeyError>;

    /// Seals a data key that there is under the key `name`, bound to `context`.
    ///
    /// # Errors
    /// Those of `generate`.
    async fn seal(&self, name: &str, context: &[u8], key: &DataKey) -> Result<Vec<u8>, KeyError>;

    /// Opens what `generate` or `seal` sealed under the same name and context, by whichever version of the key.
    ///
    /// # Errors
    /// Those of `generate`, and [`KeyError::DoesNotOpen`].
    async fn unseal(&self, name: &str, context: &[u8], sealed: &[u8]) -> Result<DataKey, KeyError>;

    /// Whether it has a key of this name, as far as that is known without asking another machine.
    async fn has(&self, name: &str) -> bool;

    /// Whether this service sealed it.
    fn sealed(&self, sealed: &[u8]) -> bool;
}
