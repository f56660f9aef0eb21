use crate::Invalid;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Most copies of a blob.
pub const REPLICAS_MAX: u8 = 16;
/// Most pieces of a blob that hold data, or parity.
pub const PIECES_OF_A_KIND_MAX: u8 = 16;

/// What a scheme may be, for errors.
const FORMS: &str = "must be 'replicas:N', with N from 1 to 16, or 'ec:K+M', with K from 2 to 16 and M from 1 to K and at \
                     most 15";

/// How a blob is kept redundant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Scheme {
    /// `count` whole copies, each on a failure domain of its own. Written `replicas:2`.
    Replicas {
        /// Number of copies, 1 to [`REPLICAS_MAX`].
        count: u8,
    },
    /// `data` pieces that together are the blob, and `parity` more, each on a failure domain of its own: any
    /// `data` of them give it back. Written `ec:4+2`.
    Erasure {
        /// Pieces that hold the bytes, 2 to [`PIECES_OF_A_KIND_MAX`].
        data: u8,
        /// Pieces that may be lost: 1 to `data`, and fewer than [`REPLICAS_MAX`], so that whole copies can be as safe.
        parity: u8,
    },
}

impl Scheme {
    /// `count` copies.
    ///
    /// # Errors
    /// `redundancy` if `count` is not 1 to [`REPLICAS_MAX`].
    pub const fn replicas(count: u8) -> Result<Self, Invalid> {
        if count == 0 || count > REPLICAS_MAX {
            return Err(Invalid::new("redundancy", "replicas must be 1 to 16"));
        }
        Ok(Self::Replicas { count })
    }

    /// `data` pieces and `parity` more.
    ///
    /// # Errors
    /// `redundancy` if one of them is out of its bounds.
    pub const fn erasure(data: u8, parity: u8) -> Result<Self, Invalid> {
        if data < 2 || data > PIECES_OF_A_KIND_MAX {
            return Err(Invalid::new("redundancy", "data pieces must be 2 to 16"));
        }
        if parity == 0 || parity > data || parity >= REPLICAS_MAX {
            return Err(Invalid::new("redundancy", "parity pieces must be 1 to the number of data pieces, at most 15"));
        }
        Ok(Self::Erasure { data, parity })
    }

    /// Number of shards that a whole blob stands on.
    pub const fn width(self) -> usize {
        match self {
            Self::Replicas { count } => count as usize,
            Self::Erasure { data, parity } => data as usize + parity as usize,
        }
    }

    /// Copies or pieces that are enough to read a blob.
    pub const fn needed(self) -> usize {
        match self {
            Self::Replicas { .. } => 1,
            Self::Erasure { data, .. } => data as usize,
        }
    }

    /// Shards that must hold a blob durably before its write is acknowledged, unless the settings say otherwise: a
    /// majority of the copies, or one piece more than are needed to read it, so that it outlives the loss of a shard
    /// before the rest is repaired.
    pub const fn write_quorum(self) -> usize {
        match self {
            Self::Replicas { .. } => self.width() / 2 + 1,
            Self::Erasure { .. } => self.needed() + 1,
        }
    }

    /// The same where the settings ask for so many copies or pieces beyond those that reading takes; more than there
    /// are means all.
    pub fn write_quorum_with(self, spares_min: Option<u8>) -> usize {
        match spares_min {
            Some(spares) => (self.needed() + usize::from(spares)).min(self.width()),
            None => self.write_quorum(),
        }
    }

    /// Whole copies that outlive the loss of as many shards.
    pub const fn replicated(self) -> Self {
        match self {
            Self::Replicas { .. } => self,
            Self::Erasure { parity, .. } => Self::Replicas { count: parity + 1 },
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replicas { count } => write!(f, "replicas:{count}"),
            Self::Erasure { data, parity } => write!(f, "ec:{data}+{parity}"),
        }
    }
}

impl FromStr for Scheme {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        if let Some(count) = text.strip_prefix("replicas:").and_then(number) {
            return Self::replicas(count);
        }
        let counts = text.strip_prefix("ec:").and_then(|counts| counts.split_once('+'));
        match counts.map(|(data, parity)| (number(data), number(parity))) {
            Some((Some(data), Some(parity))) => Self::erasure(data, parity),
            _ => Err(Invalid::new("redundancy", FORMS)),
        }
    }
}

/// A number in decimal digits, as [`fmt::Display`] writes it.
fn number(text: &str) -> Option<u8> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text.len() == 1 || !text.starts_with('0'));
    text.parse().ok().filter(|_| plain)
}
