use crate::Invalid;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};

/// Checksum algorithms of S3 (AWS, "Checking object integrity for data uploads").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ChecksumAlgorithm {
    /// CRC-32 (ISO-HDLC).
    Crc32,
    /// CRC-32C (iSCSI).
    Crc32c,
    /// CRC-64/NVME.
    Crc64Nvme,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
}

impl ChecksumAlgorithm {
    /// Every algorithm.
    pub const ALL: [Self; 5] = [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256];

    /// Length of a value, in bytes.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    /// The name S3 gives it: `CRC32`, `CRC32C`, `CRC64NVME`, `SHA1`, `SHA256`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    /// Parses S3's name, in any case.
    ///
    /// # Errors
    /// `checksum algorithm` if the name is none of the five.
    pub fn parse(name: &str) -> Result<Self, Invalid> {
        Self::ALL
            .into_iter()
            .find(|a| a.name().eq_ignore_ascii_case(name))
            .ok_or(Invalid::new("checksum algorithm", "must be CRC32, CRC32C, CRC64NVME, SHA1 or SHA256"))
    }

    /// The kind that a multipart upload gets when it names none: full object for CRC-64/NVME,
    /// composite for the others.
    pub const fn default_multipart_kind(self) -> ChecksumKind {
        match self {
            Self::Crc64Nvme => ChecksumKind::FullObject,
            _ => ChecksumKind::Composite,
        }
    }

    /// Whether a multipart upload may have this kind: the hashes have no full object form, and
    /// CRC-64/NVME has no composite one.
    pub const fn allows_multipart(self, kind: ChecksumKind) -> bool {
        !matches!(
            (self, kind),
            (Self::Sha1 | Self::Sha256, ChecksumKind::FullObject) | (Self::Crc64Nvme, ChecksumKind::Composite)
        )
    }
}

/// Whether a checksum covers the whole object or the checksums of its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ChecksumKind {
    /// Of all bytes in order.
    FullObject,
    /// Of the parts' checksums in order; S3 prints it with `-<parts>` behind it.
    Composite,
}

/// A checksum: algorithm, kind and raw value of the algorithm's length.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Checksum {
    algorithm: ChecksumAlgorithm,
    kind: ChecksumKind,
    value: Vec<u8>,
}

impl Checksum {
    /// Wraps a raw value.
    ///
    /// # Errors
    /// `checksum` if the value has not the algorithm's length.
    pub fn new(algorithm: ChecksumAlgorithm, kind: ChecksumKind, value: Vec<u8>) -> Result<Self, Invalid> {
        if value.len() != algorithm.bytes() {
            return Err(Invalid::new("checksum", "the value has not the length of its algorithm"));
        }
        Ok(Self { algorithm, kind, value })
    }

    /// Parses the base64 text of a header: `AAAAAA==`, or `AAAAAA==-3` for a composite one.
    ///
    /// # Errors
    /// `checksum` if the text is not base64 or has not the algorithm's length.
    pub fn parse(algorithm: ChecksumAlgorithm, text: &str) -> Result<Self, Invalid> {
        let (value, kind) = match text.rsplit_once('-') {
            Some((value, parts)) if parts.parse::<u16>().is_ok() => (value, ChecksumKind::Composite),
            _ => (text, ChecksumKind::FullObject),
        };
        let value = BASE64_STANDARD.decode(value).map_err(|_| Invalid::new("checksum", "the value is not base64"))?;
        Self::new(algorithm, kind, value)
    }

    /// The algorithm.
    pub const fn algorithm(&self) -> ChecksumAlgorithm {
        self.algorithm
    }

    /// The kind.
    pub const fn kind(&self) -> ChecksumKind {
        self.kind
    }

    /// The raw value.
    pub fn value(&self) -> &[u8] {
        &self.value
    }

    /// The value in base64, without the part count of a composite one.
    pub fn base64(&self) -> String {
        BASE64_STANDARD.encode(&self.value)
    }
}
