//! The master key seals the secrets of access keys at rest, and other texts that must be read again.
//!
//! AES-256-GCM with a random 96-bit nonce for each seal, which is safe for 2^32 seals under one key
//! (NIST SP 800-38D, section 8.3). The access key id, or what else a text belongs to, is the associated data,
//! so a sealed text that someone moves to another record does not open.

use crate::error::IamError;
use crate::private_file::create_private_file;
use crate::secret::Secret;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use cofre_runtime::{Random, open_mode};
use cofre_types::AccessKeyId;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Length of the key, in bytes.
const KEY_BYTES: usize = 32;

/// Longest file of a key, in bytes.
const FILE_BYTES_MAX: u64 = 1_024;

/// The key that seals secrets. Cloning is cheap. The bytes are overwritten when the last clone goes.
#[derive(Clone)]
pub struct MasterKey(Arc<LessSafeKey>);

impl MasterKey {
    /// The key of 32 bytes, which should be random.
    ///
    /// # Errors
    /// [`IamError::MasterKey`] if the cipher does not take it.
    pub fn from_bytes(bytes: [u8; KEY_BYTES]) -> Result<Self, IamError> {
        let bytes = Zeroizing::new(bytes);
        let key = UnboundKey::new(&AES_256_GCM, &*bytes).map_err(|_| IamError::MasterKey("is refused".to_owned()))?;
        Ok(Self(Arc::new(LessSafeKey::new(key))))
    }

    /// Parses 32 bytes in hexadecimal or base64, as `COFRE_MASTER_KEY` has them.
    ///
    /// # Errors
    /// [`IamError::MasterKey`], which never repeats the text.
    pub fn parse(text: &str) -> Result<Self, IamError> {
        let text = text.trim();
        let decoded = hex::decode(text)
            .ok()
            .or_else(|| BASE64_STANDARD.decode(text).ok())
            .or_else(|| BASE64_URL_SAFE_NO_PAD.decode(text).ok())
            .map(Zeroizing::new);
        match decoded.as_ref().map(|bytes| <[u8; KEY_BYTES]>::try_from(bytes.as_slice())) {
            Some(Ok(bytes)) => Self::from_bytes(bytes),
            _ => Err(IamError::MasterKey("must be 32 bytes in hexadecimal or base64".to_owned())),
        }
    }

    /// Reads the key from its file, or makes a random one and the file, mode 0600. Blocks.
    ///
    /// # Errors
    /// [`IamError::MasterKey`] if the file can be read by others or holds no key; [`IamError::File`] if
    /// it cannot be made.
    pub fn load_or_create(path: &Path, random: &Random) -> Result<Self, IamError> {
        match Self::load(path)? {
            Some(key) => Ok(key),
            None => {
                let bytes = Zeroizing::new(random.bytes::<KEY_BYTES>());
                let line = Zeroizing::new(format!("{}\n", hex::encode(*bytes)));
                if create_private_file(path, &line)? {
                    return Self::from_bytes(*bytes);
                }
                // Another process was first; its key counts.
                Self::load(path)?.ok_or_else(|| unreadable(path, "it is gone again"))
            }
        }
    }

    fn load(path: &Path) -> Result<Option<Self>, IamError> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(path, error)),
        };
        let metadata = file.metadata().map_err(|error| unreadable(path, error))?;
        if let Some(mode) = open_mode(&metadata) {
            let reason = format!("others may read it (mode {mode}); run: chmod 600 {}", path.display());
            return Err(unreadable(path, reason));
        }
        let mut text = Zeroizing::new(String::new());
        file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(|error| unreadable(path, error))?;
        Self::parse(&text).map(Some).map_err(|_| unreadable(path, "it does not hold 32 bytes in hexadecimal or base64"))
    }

    /// Nonce, ciphertext and tag of `secret`, bound to `id`.
    pub(crate) fn seal(&self, id: &AccessKeyId, secret: &Secret, random: &Random) -> Result<Vec<u8>, IamError> {
        self.seal_bound(id.as_str(), secret, random)
    }

    /// Undoes [`MasterKey::seal`].
    ///
    /// # Errors
    /// [`IamError::WrongMasterKey`] if the key, the id or the bytes are not those that were sealed.
    pub(crate) fn open(&self, id: &AccessKeyId, sealed: &[u8]) -> Result<Secret, IamError> {
        self.open_bound(id.as_str(), sealed)
    }

    /// Seals a secret that is no access key of this Cofre, for the thing that `owner` names within `kind`.
    ///
    /// # Errors
    /// [`IamError::MasterKey`] if the cipher refuses.
    pub fn seal_for(&self, kind: &str, owner: &str, secret: &Secret, random: &Random) -> Result<Vec<u8>, IamError> {
        self.seal_bound(&bound(kind, owner), secret, random)
    }

    /// Undoes [`MasterKey::seal_for`].
    ///
    /// # Errors
    /// [`IamError::WrongMasterKey`] if the key, the owner or the bytes are not those that were sealed.
    pub fn open_for(&self, kind: &str, owner: &str, sealed: &[u8]) -> Result<Secret, IamError> {
        self.open_bound(&bound(kind, owner), sealed)
    }

    fn seal_bound(&self, bound: &str, secret: &Secret, random: &Random) -> Result<Vec<u8>, IamError> {
        let nonce = random.bytes::<NONCE_LEN>();
        let mut text = Zeroizing::new(secret.expose().as_bytes().to_vec());
        let tag = self
            .0
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(bound), &mut text)
            .map_err(|_| IamError::MasterKey("cannot seal".to_owned()))?;
        Ok([&nonce, text.as_slice(), tag.as_ref()].concat())
    }

    fn open_bound(&self, bound: &str, sealed: &[u8]) -> Result<Secret, IamError> {
        let wrong = || IamError::WrongMasterKey(bound.replace('\n', " "));
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>().ok_or_else(wrong)?;
        let mut text = Zeroizing::new(sealed.to_vec());
        let opened = self
            .0
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(bound), &mut text)
            .map_err(|_| wrong())?;
        std::str::from_utf8(opened).map(|text| Secret::new(text.to_owned())).map_err(|_| wrong())
    }
}

/// What a sealed text is bound to. The line break keeps it apart from every access key id.
fn bound(kind: &str, owner: &str) -> String {
    format!("{kind}\n{owner}")
}

fn unreadable(path: &Path, reason: impl fmt::Display) -> IamError {
    IamError::MasterKey(format!("cannot use {}: {reason}", path.display()))
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(redacted)")
    }
}
