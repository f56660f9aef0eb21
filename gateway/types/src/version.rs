use crate::Invalid;
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Id of a version of an object. `null` is the version of a bucket without versioning.
///
/// The others are 64-bit places in the order of a key's versions, newest first when inverted, and
/// 64 random bits, so that a version id cannot be guessed from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum VersionId {
    /// The null version.
    Null,
    /// A version of its own: 128 bits, printed as 32 hexadecimal digits.
    Id([u8; 16]),
}

impl VersionId {
    /// Parses `null` or 32 hexadecimal digits.
    ///
    /// # Errors
    /// `version id` if the text is anything else.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text == "null" {
            return Ok(Self::Null);
        }
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes)
            .map_err(|_| Invalid::new("version id", "must be 'null' or 32 hexadecimal digits"))?;
        Ok(Self::Id(bytes))
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Id(bytes) => f.write_str(&hex::encode(bytes)),
        }
    }
}

/// Id of a multipart upload, printed as 32 hexadecimal digits: when it was begun, so that those of one key are in the
/// order of their initiation, and 64 random bits, so that an id cannot be guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UploadId([u8; 16]);

impl UploadId {
    /// The id of an upload that begins now.
    pub fn new(initiated: Timestamp, random: [u8; 8]) -> Self {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&initiated.0.to_be_bytes());
        bytes[8..].copy_from_slice(&random);
        Self(bytes)
    }

    /// Wraps 16 bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Parses 32 hexadecimal digits.
    ///
    /// # Errors
    /// `upload id` if the text is anything else; S3 answers `NoSuchUpload`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes)
            .map_err(|_| Invalid::new("upload id", "must be 32 hexadecimal digits"))?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}
