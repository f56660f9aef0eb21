use crate::error::EventsError;
use cofre_catalog::{Revision, keys};
use std::fmt;
use std::str::FromStr;

/// A place in the log: that of an event, or one between two. Clients keep it as opaque text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cursor {
    revision: u64,
    index: u8,
}

impl Cursor {
    /// The place before every event.
    pub const START: Self = Self { revision: 0, index: 0 };

    /// The place behind every event of the commits up to `revision`.
    pub(crate) const fn behind(revision: Revision) -> Self {
        Self { revision: revision.0, index: u8::MAX }
    }

    /// The catalog key of the event at this place.
    pub(crate) fn key(self) -> Vec<u8> {
        keys::event(Revision(self.revision), self.index)
    }

    /// Undoes [`Cursor::key`].
    pub(crate) fn of_key(key: &[u8]) -> Option<Self> {
        Self::from_bytes(key.strip_prefix(keys::events().as_slice())?)
    }

    /// Nine bytes, whose order is that of the places.
    pub(crate) fn to_bytes(self) -> [u8; 9] {
        let mut bytes = [0; 9];
        bytes[..8].copy_from_slice(&self.revision.to_be_bytes());
        bytes[8] = self.index;
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (revision, index) = bytes.split_first_chunk::<8>()?;
        match index {
            [index] => Some(Self { revision: u64::from_be_bytes(*revision), index: *index }),
            _ => None,
        }
    }
}

/// Revision and index, as 18 hexadecimal digits.
impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:02x}", self.revision, self.index)
    }
}

impl FromStr for Cursor {
    type Err = EventsError;
    fn from_str(text: &str) -> Result<Self, EventsError> {
        let invalid = EventsError::Invalid { field: "cursor", reason: "must be a cursor that the event log gave" };
        let digits = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if text.len() != 18 || !text.bytes().all(digits) {
            return Err(invalid);
        }
        let (revision, index) = text.split_at(16);
        match (u64::from_str_radix(revision, 16), u8::from_str_radix(index, 16)) {
            (Ok(revision), Ok(index)) => Ok(Self { revision, index }),
            _ => Err(invalid),
        }
    }
}
