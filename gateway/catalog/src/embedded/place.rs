use crc_fast::{CrcAlgorithm, checksum};

/// Identity of a catalog, drawn when it is made. It tells our own marks in a journal from bytes
/// that a client could have chosen.
pub(super) type CatalogId = [u8; 16];

/// How far a catalog has come: its last group of commits, and the last commit in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Place {
    /// Number of the group. The first has 1, and no number is left out.
    pub(super) group: u64,
    /// Revision of its last commit.
    pub(super) revision: u64,
}

impl Place {
    /// Bytes of an encoded place.
    pub(super) const BYTES: usize = 16 + 8 + 8 + 4;

    /// Identity, group, revision and a CRC-32C of the three.
    pub(super) fn encode(self, catalog: CatalogId) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..16].copy_from_slice(&catalog);
        bytes[16..24].copy_from_slice(&self.group.to_be_bytes());
        bytes[24..32].copy_from_slice(&self.revision.to_be_bytes());
        let sum = crc32c(&bytes[..32]);
        bytes[32..].copy_from_slice(&sum.to_be_bytes());
        bytes
    }

    /// Undoes [`Place::encode`]; `None` if the checksum does not fit.
    pub(super) fn decode(bytes: &[u8]) -> Option<(CatalogId, Self)> {
        let bytes: &[u8; Self::BYTES] = bytes.try_into().ok()?;
        let sum = u32::from_be_bytes(bytes[32..].try_into().ok()?);
        let group = u64::from_be_bytes(bytes[16..24].try_into().ok()?);
        let revision = u64::from_be_bytes(bytes[24..32].try_into().ok()?);
        (sum == crc32c(&bytes[..32])).then_some((bytes[..16].try_into().ok()?, Self { group, revision }))
    }
}

fn crc32c(bytes: &[u8]) -> u32 {
    // The algorithm has 32 bits, so nothing is cut off.
    u32::try_from(checksum(CrcAlgorithm::Crc32Iscsi, bytes)).unwrap_or_default()
}
