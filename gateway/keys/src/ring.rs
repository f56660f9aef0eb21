use crate::data_key::DataKey;
use crate::error::KeyError;
use crate::service::{DEFAULT_KEY, Generated, KeyService};
use std::fmt;
use std::sync::Arc;

/// The key service in use, and those that were in use before. Cloning is cheap.
#[derive(Clone)]
pub struct KeyRing(Arc<Services>);

struct Services {
    current: Arc<dyn KeyService>,
    former: Vec<Arc<dyn KeyService>>,
}

impl KeyRing {
    /// Makes keys with `current`, and opens also what one of `former` sealed.
    pub fn new(current: Arc<dyn KeyService>, former: Vec<Arc<dyn KeyService>>) -> Self {
        Self(Arc::new(Services { current, former }))
    }

    /// A random data key under a named key, or the default one.
    ///
    /// # Errors
    /// Those of [`KeyService::generate`].
    pub async fn generate(&self, name: Option<&str>, context: &[u8]) -> Result<Generated, KeyError> {
        self.0.current.generate(name.unwrap_or(DEFAULT_KEY), context).await
    }

    /// Seals a data key that there is under a named key, or the default one.
    ///
    /// # Errors
    /// Those of [`KeyService::seal`].
    pub async fn seal(&self, name: Option<&str>, context: &[u8], key: &DataKey) -> Result<Vec<u8>, KeyError> {
        self.0.current.seal(name.unwrap_or(DEFAULT_KEY), context, key).await
    }

    /// Whether the service in use has a key of this name, as far as that is known without asking another machine.
    pub async fn has(&self, name: &str) -> bool {
        self.0.current.has(name).await
    }

    /// Opens a data key.
    ///
    /// # Errors
    /// Those of [`KeyService::unseal`].
    pub async fn unseal(&self, name: Option<&str>, context: &[u8], sealed: &[u8]) -> Result<DataKey, KeyError> {
        let mut services = std::iter::once(&self.0.current).chain(&self.0.former);
        let service = services.find(|service| service.sealed(sealed));
        let Some(service) = service else {
            return Err(KeyError::Unavailable("the service that sealed this key is not configured".to_owned()));
        };
        service.unseal(name.unwrap_or(DEFAULT_KEY), context, sealed).await
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing").field("former", &self.0.former.len()).finish_non_exhaustive()
    }
}
