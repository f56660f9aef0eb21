//! Names of objects, and the locators that lead to them.

use cofre_shards::{BackendError, Locator, frame};
use cofre_types::BlobId;

/// Name of the identity object, behind the prefix.
pub(crate) const IDENTITY: &str = "cofre-shard";
/// What the names of blobs begin with, behind the prefix.
pub(crate) const BLOBS: &str = "blobs/";
/// Version of the layout of locators.
const VERSION: u8 = 1;

/// One copy of a blob. Its name says all that a listing must tell but the size, which the object's length tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Copy {
    pub(crate) blob: BlobId,
    /// When it was written, in nanoseconds since 1970.
    pub(crate) written_nanos: u64,
    /// Where the content begins, in bytes.
    pub(crate) head_bytes: u32,
    /// Tells copies of one blob apart.
    pub(crate) nonce: u64,
}

impl Copy {
    /// The object's name, behind the prefix.
    pub(crate) fn name(&self) -> String {
        let Self { blob, written_nanos, head_bytes, nonce } = self;
        format!("{BLOBS}{blob}-{written_nanos:016x}-{head_bytes:08x}-{nonce:016x}")
    }

    /// Reads a name behind the prefix; `None` if it is none of ours.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        let mut fields = name.strip_prefix(BLOBS)?.split('-');
        let mut next = || fields.next();
        let copy = Self {
            blob: BlobId::parse(next()?).ok()?,
            written_nanos: u64::from_str_radix(next()?, 16).ok()?,
            head_bytes: u32::from_str_radix(next()?, 16).ok()?,
            nonce: u64::from_str_radix(next()?, 16).ok()?,
        };
        // One name for one copy: what else would be read alike, such as other cases, is not.
        (copy.name() == name && copy.is_sane()).then_some(copy)
    }

    fn is_sane(&self) -> bool {
        self.head_bytes > 0 && self.head_bytes as usize <= frame::HEAD_BYTES_MAX
    }
}

/// A copy and the size of its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) copy: Copy,
    pub(crate) size: u64,
}

impl Place {
    /// Bytes of the object.
    pub(crate) fn object_bytes(&self) -> u64 {
        u64::from(self.copy.head_bytes) + frame::content_len(self.size)
    }

    /// A version byte, then nonce, time, head and size, little-endian.
    pub(crate) fn locator(&self) -> Locator {
        let mut bytes = vec![VERSION];
        bytes.extend(self.copy.nonce.to_le_bytes());
        bytes.extend(self.copy.written_nanos.to_le_bytes());
        bytes.extend(self.copy.head_bytes.to_le_bytes());
        bytes.extend(self.size.to_le_bytes());
        Locator(bytes)
    }

    pub(crate) fn parse(blob: BlobId, locator: &Locator) -> Result<Self, BackendError> {
        read(blob, &locator.0).ok_or_else(|| BackendError::Corrupt("the locator is not one of a remote shard".into()))
    }
}

fn read(blob: BlobId, bytes: &[u8]) -> Option<Place> {
    let ([VERSION], rest) = bytes.split_first_chunk()? else { return None };
    let (nonce, rest) = rest.split_first_chunk()?;
    let (written, rest) = rest.split_first_chunk()?;
    let (head, rest) = rest.split_first_chunk()?;
    let size = u64::from_le_bytes(rest.try_into().ok()?);
    let copy = Copy {
        blob,
        written_nanos: u64::from_le_bytes(*written),
        head_bytes: u32::from_le_bytes(*head),
        nonce: u64::from_le_bytes(*nonce),
    };
    // Sums with a size that no blob has would overflow.
    (copy.is_sane() && size <= frame::CONTENT_BYTES_MAX).then_some(Place { copy, size })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place {
        copy: Copy { blob: BlobId::from_bytes([0xab; 16]), written_nanos: 0x17, head_bytes: 99, nonce: 0xfe },
        size: 1 << 40,
    };

    #[test]
    fn names_and_locators_come_back() {
        let name = "blobs/abababababababababababababababab-0000000000000017-00000063-00000000000000fe";
        assert_eq!(PLACE.copy.name(), name);
        assert_eq!(Copy::of_name(name), Some(PLACE.copy));
        assert_eq!(Place::parse(PLACE.copy.blob, &PLACE.locator()).ok(), Some(PLACE));
        assert_eq!(PLACE.locator().0[0], VERSION);
    }

    #[test]
    fn foreign_names_and_locators_are_none() {
        let name = PLACE.copy.name();
        let upper = name.replace("ab", "AB");
        for foreign in ["", "blobs/", "cofre-shard", &name[6..], &name[..80], &format!("{name}-"), &upper] {
            assert_eq!(Copy::of_name(foreign), None, "{foreign}");
        }
        let mut bytes = PLACE.locator().0;
        bytes[28] = 0xff;
        assert!(Place::parse(PLACE.copy.blob, &Locator(bytes)).is_err());
    }

    #[test]
    fn whatever_is_read_is_written_alike() {
        let random = cofre_runtime::Random::seeded(1);
        for _ in 0..20_000 {
            let mut bytes = PLACE.locator().0;
            bytes[random.below(29) as usize] = random.bytes::<1>()[0];
            if let Ok(place) = Place::parse(PLACE.copy.blob, &Locator(bytes.clone())) {
                assert_eq!(place.locator().0, bytes);
                assert!(place.object_bytes() > place.size, "sums do not overflow");
            }
            let mut name = PLACE.copy.name().into_bytes();
            let at = random.below(name.len() as u64) as usize;
            name[at] = b"0123456789abcdefABCDEF-/x+"[random.below(26) as usize];
            let name = String::from_utf8_lossy(&name);
            if let Some(copy) = Copy::of_name(&name) {
                assert_eq!(copy.name(), name);
            }
        }
    }
}
