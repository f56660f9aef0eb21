use crate::backend::{BackendError, Locator};

/// Version of the layout below.
const VERSION: u8 = 1;
const PACK: u8 = 1;
const FILE: u8 = 2;

/// Where a copy stands. All numbers are little-endian behind a version byte and a kind byte, so that
/// a locator is at most 22 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A record in a pack.
    Pack {
        /// The pack.
        pack: u64,
        /// Its first byte.
        offset: u32,
        /// Its length in bytes, header and checksums included.
        len: u32,
    },
    /// A file of its own.
    File {
        /// Tells copies of one blob on one shard apart.
        nonce: u64,
        /// Where the content begins, in bytes.
        head_bytes: u32,
        /// Bytes of content.
        size: u64,
    },
}

impl Place {
    pub(super) fn locator(self) -> Locator {
        let mut bytes = vec![VERSION];
        match self {
            Self::Pack { pack, offset, len } => {
                bytes.push(PACK);
                bytes.extend(pack.to_le_bytes());
                bytes.extend(offset.to_le_bytes());
                bytes.extend(len.to_le_bytes());
            }
            Self::File { nonce, head_bytes, size } => {
                bytes.push(FILE);
                bytes.extend(nonce.to_le_bytes());
                bytes.extend(head_bytes.to_le_bytes());
                bytes.extend(size.to_le_bytes());
            }
        }
        Locator(bytes)
    }

    pub(super) fn parse(locator: &Locator) -> Result<Self, BackendError> {
        read(&locator.0).ok_or_else(|| BackendError::Corrupt("the locator is not one of a filesystem shard".into()))
    }
}

fn read(bytes: &[u8]) -> Option<Place> {
    let ([VERSION, kind], rest) = bytes.split_first_chunk()? else { return None };
    let (first, rest) = rest.split_first_chunk()?;
    let (second, rest) = rest.split_first_chunk()?;
    let (first, second) = (u64::from_le_bytes(*first), u32::from_le_bytes(*second));
    match *kind {
        PACK => Some(Place::Pack { pack: first, offset: second, len: u32::from_le_bytes(rest.try_into().ok()?) }),
        FILE => Some(Place::File { nonce: first, head_bytes: second, size: u64::from_le_bytes(rest.try_into().ok()?) }),
        _ => None,
    }
}
