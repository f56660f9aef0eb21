use crate::data_key::DataKey;
use crate::error::KeyError;
use crate::service::sealed_by;
use crate::wrap::{unwrap, wrap};
use cofre_runtime::Random;
use md5_simd::Md5;
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// A key that a client sends with each request (SSE-C). Cloning is cheap.
#[derive(Clone)]
pub struct CustomerKey(Arc<Zeroizing<[u8; 32]>>);

impl CustomerKey {
    /// The key of 32 bytes.
    pub fn from_bytes(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(Arc::new(bytes))
    }

    /// Its MD5, by which clients and Cofre name it.
    pub fn md5(&self) -> [u8; 16] {
        let mut md5 = Md5::new();
        md5.update(&self.0[..]);
        md5.finalize()
    }

    /// Seals a data key.
    pub fn seal(&self, key: &DataKey, random: &Random) -> Vec<u8> {
        let mut sealed = vec![sealed_by::CUSTOMER];
        sealed.extend(wrap(&self.0, &[], key, random));
        sealed
    }

    /// Opens a data key.
    ///
    /// # Errors
    /// [`KeyError::DoesNotOpen`] if another key sealed it.
    pub fn unseal(&self, sealed: &[u8]) -> Result<DataKey, KeyError> {
        match sealed.split_first() {
            Some((&sealed_by::CUSTOMER, wrapped)) => unwrap(&self.0, &[], wrapped),
            _ => Err(KeyError::DoesNotOpen),
        }
    }
}

impl fmt::Debug for CustomerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CustomerKey(redacted)")
    }
}
