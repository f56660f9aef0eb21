//! Where a pass over all buckets with rules goes on.

use cofre_types::{BucketId, Timestamp};

/// What of a bucket a step walks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Current objects.
    Current,
    /// Versions that are not current, and delete markers.
    Versions,
    /// Uploads under way.
    Uploads,
    /// Nothing more: the next bucket.
    Done,
}

/// A place in a pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub bucket: BucketId,
    pub phase: Phase,
    /// The catalog key that was last; empty at the beginning of the phase.
    pub after: Vec<u8>,
    /// What the walk over versions knows of the key of `after`.
    pub known: Known,
}

/// What came before a version of the same key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// When the next newer version was made: since then this one is not current.
    pub since: Timestamp,
    /// Objects that are newer and not current.
    pub newer: u32,
}

impl Cursor {
    /// The beginning of a bucket.
    pub(crate) const fn at(bucket: BucketId) -> Self {
        Self::begin(bucket, Phase::Current)
    }

    /// The beginning of a phase.
    pub(crate) const fn begin(bucket: BucketId, phase: Phase) -> Self {
        Self { bucket, phase, after: Vec::new(), known: Known { since: Timestamp(0), newer: 0 } }
    }

    /// The bytes that a job's record keeps.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = self.bucket.0.to_be_bytes().to_vec();
        bytes.push(match self.phase {
            Phase::Current => 0,
            Phase::Versions => 1,
            Phase::Uploads => 2,
            Phase::Done => 3,
        });
        bytes.extend_from_slice(&self.known.since.0.to_be_bytes());
        bytes.extend_from_slice(&self.known.newer.to_be_bytes());
        bytes.extend_from_slice(&self.after);
        bytes
    }

    /// Undoes [`Cursor::encode`]; `None` for other bytes, with which a pass begins anew.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (bucket, rest) = bytes.split_first_chunk()?;
        let (phase, rest) = rest.split_first()?;
        let (since, rest) = rest.split_first_chunk()?;
        let (newer, after) = rest.split_first_chunk()?;
        let phase = match phase {
            0 => Phase::Current,
            1 => Phase::Versions,
            2 => Phase::Uploads,
            3 => Phase::Done,
            _ => return None,
        };
        let known = Known { since: Timestamp(u64::from_be_bytes(*since)), newer: u32::from_be_bytes(*newer) };
        Some(Self { bucket: BucketId(u64::from_be_bytes(*bucket)), phase, after: after.to_vec(), known })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives() {
        let known = Known { since: Timestamp(7), newer: 3 };
        let cursor = Cursor { known, after: b"vkey\0\x01".to_vec(), ..Cursor::begin(BucketId(9), Phase::Versions) };
        assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
        assert_eq!(Cursor::decode(&Cursor::at(BucketId(1)).encode()), Some(Cursor::at(BucketId(1))));
        assert_eq!(Cursor::decode(b"short"), None);
        assert_eq!(Cursor::decode(&[9; 40]), None);
    }
}
