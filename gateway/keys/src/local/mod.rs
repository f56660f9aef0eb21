//! Master keys in a file of this machine.
//!
//! # Invariants
//! A version of a key is never changed or removed, so that what it sealed opens for ever. Rotation adds
//! a version, which seals from then on; no object is written anew.

mod file;

pub use file::{KeyFile, KeyMark, NamedKey};

use crate::data_key::DataKey;
use crate::error::KeyError;
use crate::service::{Generated, KeyService, sealed_by};
use crate::wrap::{unwrap, wrap};
use async_trait::async_trait;
use cofre_runtime::{Clock, Random, blocking};
use parking_lot::Mutex;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How old what is known of the file may be: a key that was rotated or disabled counts after so long.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A key service of master keys in a file, which the command line changes while it is in use.
pub struct LocalKeys {
    path: PathBuf,
    clock: Clock,
    random: Random,
    known: Mutex<Known>,
}

struct Known {
    file: Arc<KeyFile>,
    looked: Duration,
}

impl LocalKeys {
    /// Opens the file, and makes it with the default key if there is none. Blocks.
    ///
    /// # Errors
    /// [`KeyError::File`].
    pub fn open(path: PathBuf, clock: Clock, random: Random) -> Result<Self, KeyError> {
        let file = Arc::new(KeyFile::open(&path, &clock, &random)?);
        let known = Mutex::new(Known { file, looked: clock.elapsed() });
        Ok(Self { path, clock, random, known })
    }

    /// The file as it was so long ago or later. One that cannot be read now is taken as it was.
    async fn file(&self, age_max: Duration) -> Arc<KeyFile> {
        let now = self.clock.elapsed();
        let held = {
            let mut known = self.known.lock();
            if now.saturating_sub(known.looked) < age_max {
                return Arc::clone(&known.file);
            }
            // Others go on with what is known while this one looks.
            known.looked = now;
            Arc::clone(&known.file)
        };
        let (path, before) = (self.path.clone(), Arc::clone(&held));
        match blocking(move || before.changed(&path)).await {
            Ok(Some(file)) => {
                let file = Arc::new(file);
                self.known.lock().file = Arc::clone(&file);
                file
            }
            Ok(None) => held,
            Err(error) => {
                tracing::error!(%error, "the file of encryption keys cannot be read; going on with the keys that are known");
                held
            }
        }
    }
}

#[async_trait]
impl KeyService for LocalKeys {
    async fn generate(&self, name: &str, context: &[u8]) -> Result<Generated, KeyError> {
        let key = DataKey::random(&self.random);
        let sealed = self.seal(name, context, &key).await?;
        Ok(Generated { key, sealed })
    }

    async fn seal(&self, name: &str, context: &[u8], key: &DataKey) -> Result<Vec<u8>, KeyError> {
        let mut file = self.file(LOOK_EVERY).await;
        if matches!(file.newest(name), Err(KeyError::NoSuchKey(_))) {
            // Who has just made a key uses it at once.
            file = self.file(Duration::ZERO).await;
        }
        let (number, master) = file.newest(name)?;
        let mut sealed = vec![sealed_by::LOCAL];
        sealed.extend(number.to_be_bytes());
        sealed.extend(wrap(master, context, key, &self.random));
        Ok(sealed)
    }

    async fn unseal(&self, name: &str, context: &[u8], sealed: &[u8]) -> Result<DataKey, KeyError> {
        let (_, rest) = sealed.split_first().ok_or(KeyError::DoesNotOpen)?;
        let (number, wrapped) = rest.split_first_chunk().ok_or(KeyError::DoesNotOpen)?;
        let file = self.file(LOOK_EVERY).await;
        unwrap(file.version(name, u32::from_be_bytes(*number))?, context, wrapped)
    }

    async fn has(&self, name: &str) -> bool {
        !matches!(self.file(LOOK_EVERY).await.newest(name), Err(KeyError::NoSuchKey(_)))
    }

    fn sealed(&self, sealed: &[u8]) -> bool {
        sealed.first() == Some(&sealed_by::LOCAL)
    }
}
