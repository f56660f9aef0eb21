//! Keys in HashiCorp Vault, or a server that speaks as it does: its transit engine's `datakey` and
//! `decrypt`.
//!
//! A data key that there is goes under one that Vault makes for it, so that its token needs no right but to these two.
//!
//! Vault ignores the context of a key that is not derived, so the context is bound here as well: the
//! data key is derived from the one that Vault made and the context.
//!
//! # Failure and retry
//! Each call is a connection of its own, bounded in time, and is not done again: the client does.

mod http;

use crate::data_key::DataKey;
use crate::derive::derive;
use crate::error::KeyError;
use crate::service::{DEFAULT_KEY, Generated, KeyService, sealed_by};
use crate::wrap::{unwrap, wrap};
use async_trait::async_trait;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use cofre_runtime::Random;
use http::{Answer, Endpoint};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::json;
use std::fmt;
use std::path::PathBuf;
use zeroize::{Zeroize, Zeroizing};

/// Where the token is.
#[derive(Clone)]
pub enum VaultToken {
    /// The token itself.
    Text(Zeroizing<String>),
    /// A file that an agent keeps fresh; read for each call.
    File(PathBuf),
}

impl fmt::Debug for VaultToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text(redacted)"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

/// Where Vault is and how it is spoken to.
#[derive(Debug, Clone)]
pub struct VaultOptions {
    /// Its address, such as `https://vault.example:8200`.
    pub address: String,
    /// Where the transit engine is mounted, such as `transit`.
    pub mount: String,
    /// The name of its key that stands for the default key.
    pub default_key: String,
    /// The token.
    pub token: VaultToken,
    /// Certificates to trust besides the system's, PEM.
    pub ca_file: Option<PathBuf>,
}

/// A key service in Vault.
#[derive(Debug)]
pub struct Vault {
    endpoint: Endpoint,
    mount: String,
    default_key: String,
    random: Random,
}

#[derive(Deserialize)]
struct Reply {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    plaintext: String,
    #[serde(default)]
    ciphertext: String,
}

impl Drop for Data {
    fn drop(&mut self) {
        self.plaintext.zeroize();
    }
}

impl Vault {
    /// A service over an address. Blocks to read certificates; connects when it is used.
    ///
    /// # Errors
    /// [`KeyError::Usage`] if an option is not what it must be.
    pub fn new(options: VaultOptions, random: Random) -> Result<Self, KeyError> {
        let mount = options.mount.trim_matches('/').to_owned();
        let legal = |b: u8| b.is_ascii_alphanumeric() || b"-_./".contains(&b);
        if mount.is_empty() || !mount.bytes().all(legal) {
            return Err(KeyError::Usage("the mount of Vault's transit engine is a path such as transit".to_owned()));
        }
        let endpoint = Endpoint::new(&options.address, options.token, options.ca_file.as_deref())?;
        Ok(Self { endpoint, mount, default_key: options.default_key, random })
    }

    async fn call(&self, verb: &str, name: &str, body: serde_json::Value) -> Result<Data, KeyError> {
        let key = if name == DEFAULT_KEY { &self.default_key } else { name };
        let segment = utf8_percent_encode(key, NON_ALPHANUMERIC);
        let path = format!("/v1/{}/{verb}/{segment}", self.mount);
        let answer = self.endpoint.post(&path, body.to_string()).await?;
        match answer.status {
            200 => {
                let reply: Result<Reply, _> = serde_json::from_slice(&answer.body);
                reply.map(|reply| reply.data).map_err(|_| KeyError::Unavailable("Vault's answer is none".to_owned()))
            }
            403 => Err(KeyError::Refused(answer.why())),
            400 if answer.why().contains("key not found") => Err(KeyError::NoSuchKey(name.to_owned())),
            _ => Err(self.failed(&answer)),
        }
    }

    async fn decrypt(&self, name: &str, context: &[u8], ciphertext: &[u8]) -> Result<DataKey, KeyError> {
        let ciphertext = std::str::from_utf8(ciphertext).map_err(|_| KeyError::DoesNotOpen)?;
        let body = json!({ "ciphertext": ciphertext, "context": BASE64_STANDARD.encode(context) });
        let data = self.call("decrypt", name, body).await?;
        Ok(bound(&decoded(&data.plaintext)?, context))
    }

    fn failed(&self, answer: &Answer) -> KeyError {
        KeyError::Unavailable(format!("Vault at {} says {}: {}", self.endpoint.url(), answer.status, answer.why()))
    }
}

/// The data key that is bound to a context.
fn bound(made: &[u8], context: &[u8]) -> DataKey {
    DataKey::from_bytes(*derive(made, &[], &[b"cofre vault 1", context]))
}

fn decoded(plaintext: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let made = Zeroizing::new(BASE64_STANDARD.decode(plaintext).unwrap_or_default());
    if made.len() == 32 {
        return Ok(made);
    }
    Err(KeyError::Unavailable("Vault's data key has not 32 bytes".to_owned()))
}

#[async_trait]
impl KeyService for Vault {
    async fn generate(&self, name: &str, context: &[u8]) -> Result<Generated, KeyError> {
        let body = json!({ "bits": 256, "context": BASE64_STANDARD.encode(context) });
        let data = self.call("datakey/plaintext", name, body).await?;
        let made = decoded(&data.plaintext)?;
        let mut sealed = vec![sealed_by::VAULT];
        sealed.extend(data.ciphertext.as_bytes());
        Ok(Generated { key: bound(&made, context), sealed })
    }

    /// After the first byte: the length of what Vault sealed in two bytes, big-endian, that, and the wrap.
    async fn seal(&self, name: &str, context: &[u8], key: &DataKey) -> Result<Vec<u8>, KeyError> {
        let outer = self.generate(name, context).await?;
        let ciphertext = outer.sealed.get(1..).unwrap_or_default();
        let length = u16::try_from(ciphertext.len());
        let length = length.map_err(|_| KeyError::Unavailable("Vault's ciphertext is too long".to_owned()))?;
        let mut sealed = vec![sealed_by::VAULT_ENVELOPE];
        sealed.extend(length.to_be_bytes());
        sealed.extend(ciphertext);
        sealed.extend(wrap(outer.key.expose(), context, key, &self.random));
        Ok(sealed)
    }

    async fn unseal(&self, name: &str, context: &[u8], sealed: &[u8]) -> Result<DataKey, KeyError> {
        match sealed.split_first() {
            Some((&sealed_by::VAULT, ciphertext)) => self.decrypt(name, context, ciphertext).await,
            Some((&sealed_by::VAULT_ENVELOPE, rest)) => {
                let (length, rest) = rest.split_first_chunk().ok_or(KeyError::DoesNotOpen)?;
                let length = usize::from(u16::from_be_bytes(*length));
                let (ciphertext, wrapped) = rest.split_at_checked(length).ok_or(KeyError::DoesNotOpen)?;
                let outer = self.decrypt(name, context, ciphertext).await?;
                unwrap(outer.expose(), context, wrapped)
            }
            _ => Err(KeyError::DoesNotOpen),
        }
    }

    async fn has(&self, _name: &str) -> bool {
        false
    }

    fn sealed(&self, sealed: &[u8]) -> bool {
        matches!(sealed.first(), Some(&(sealed_by::VAULT | sealed_by::VAULT_ENVELOPE)))
    }
}
