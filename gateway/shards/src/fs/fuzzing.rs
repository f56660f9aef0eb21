//! What is read from disk, as fuzz targets call it: with checksums set right, so that what lies
//! behind them is reached too.

use super::crc;
use super::locator::Place;
use super::record::{self, CRC_BYTES, Kind};
use crate::backend::Locator;
use crate::identity::ShardIdentity;
use bytes::Bytes;
use cofre_types::ResolvedRange;

/// Reads `bytes` as a locator, as an identity and as a record; nothing may panic.
pub fn read(bytes: &[u8]) {
    if let Ok(place) = Place::parse(&Locator(bytes.to_vec())) {
        assert_eq!(place.locator().0, bytes, "a locator is written as it was read");
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = ShardIdentity::parse(text);
    }
    for kind in [Kind::Pack, Kind::File, Kind::Object] {
        let mut bytes = bytes.to_vec();
        if let Some(len) = record::head_len(&bytes, kind).filter(|len| *len <= bytes.len()) {
            let sum = crc::of(&bytes[..len - CRC_BYTES]).to_le_bytes();
            bytes[len - CRC_BYTES..len].copy_from_slice(&sum);
        }
        let Some(head) = record::parse_head(&bytes, kind) else { continue };
        for end in [head.size, 1] {
            let _ = record::read(&Bytes::from(bytes.clone()), head.blob, ResolvedRange { start: 0, end });
        }
    }
}
