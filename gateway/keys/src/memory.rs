use crate::data_key::DataKey;
use crate::error::KeyError;
use crate::service::{Generated, KeyService, sealed_by};
use crate::wrap::{unwrap, wrap};
use async_trait::async_trait;
use cofre_runtime::Random;
use std::collections::HashMap;
use zeroize::Zeroizing;

/// A key service that forgets its keys when it is dropped: for tests.
pub struct MemoryKeys {
    keys: HashMap<String, Zeroizing<[u8; 32]>>,
    random: Random,
}

impl MemoryKeys {
    /// A service with random keys of these names.
    pub fn new(names: &[&str], random: Random) -> Self {
        let keys = names.iter().map(|name| ((*name).to_owned(), Zeroizing::new(random.bytes()))).collect();
        Self { keys, random }
    }

    fn key(&self, name: &str) -> Result<&[u8; 32], KeyError> {
        self.keys.get(name).map(|key| &**key).ok_or_else(|| KeyError::NoSuchKey(name.to_owned()))
    }
}

#[async_trait]
impl KeyService for MemoryKeys {
    async fn generate(&self, name: &str, context: &[u8]) -> Result<Generated, KeyError> {
        let key = DataKey::random(&self.random);
        let sealed = self.seal(name, context, &key).await?;
        Ok(Generated { key, sealed })
    }

    async fn seal(&self, name: &str, context: &[u8], key: &DataKey) -> Result<Vec<u8>, KeyError> {
        let mut sealed = vec![sealed_by::MEMORY];
        sealed.extend(wrap(self.key(name)?, context, key, &self.random));
        Ok(sealed)
    }

    async fn unseal(&self, name: &str, context: &[u8], sealed: &[u8]) -> Result<DataKey, KeyError> {
        unwrap(self.key(name)?, context, sealed.get(1..).unwrap_or_default())
    }

    async fn has(&self, name: &str) -> bool {
        self.keys.contains_key(name)
    }

    fn sealed(&self, sealed: &[u8]) -> bool {
        sealed.first() == Some(&sealed_by::MEMORY)
    }
}
