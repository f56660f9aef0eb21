use crate::Invalid;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};

/// Which algorithms there are, for errors.
const FORMS: &str = "must be CRC32, CRC32C, CRC64NVME, MD5, SHA1, SHA256, SHA512, XXHASH64, XXHASH3 or XXHASH128";

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
    /// MD5.
    Md5,
    /// SHA-512.
    Sha512,
    /// XXH64, with the seed 0.
    XxHash64,
    /// XXH3 of 64 bits, with the seed 0.
    XxHash3,
    /// XXH3 of 128 bits, with the seed 0.
    XxHash128,
}

impl ChecksumAlgorithm {
    /// Every algorithm.
    pub const ALL: [Self; 10] = [
        Self::Crc32,
        Self::Crc32c,
        Self::Crc64Nvme,
        Self::Sha1,
        Self::Sha256,
        Self::Md5,
        Self::Sha512,
        Self::XxHash64,
        Self::XxHash3,
        Self::XxHash128,
    ];

    /// Length of a value, in bytes.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme | Self::XxHash64 | Self::XxHash3 => 8,
            Self::Md5 | Self::XxHash128 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// The name S3 gives it: `CRC32`, `SHA256`, `XXHASH3` and so on.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Md5 => "MD5",
            Self::Sha512 => "SHA512",
            Self::XxHash64 => "XXHASH64",
            Self::XxHash3 => "XXHASH3",
            Self::XxHash128 => "XXHASH128",
        }
    }

    /// Parses S3's name, in any case.
    ///
    /// # Errors
    /// `checksum algorithm` if the name is none of S3's.
    pub fn parse(name: &str) -> Result<Self, Invalid> {
        Self::ALL
            .into_iter()
            .find(|a| a.name().eq_ignore_ascii_case(name))
            .ok_or(Invalid::new("checksum algorithm", FORMS))
    }

    /// The kind that a multipart upload gets when it names none: full object for CRC-64/NVME,
    /// composite for the others.
    pub const fn default_multipart_kind(self) -> ChecksumKind {
        match self {
            Self::Crc64Nvme => ChecksumKind::FullObject,
            _ => ChecksumKind::Composite,
        }
    }

    /// Whether a multipart upload may have this kind: only the CRCs have a full object form, since those of parts can
    /// be joined, and CRC-64/NVME has no composite one.
    pub const fn allows_multipart(self, kind: ChecksumKind) -> bool {
        match kind {
            ChecksumKind::FullObject => matches!(self, Self::Crc32 | Self::Crc32c | Self::Crc64Nvme),
            ChecksumKind::Composite => !matches!(self, Self::Crc64Nvme),
        }
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
