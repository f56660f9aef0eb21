use crate::Invalid;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Most copies of a blob.
pub const REPLICAS_MAX: u8 = 16;

/// How a blob is kept redundant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Scheme {
    /// `count` whole copies, each on a failure domain of its own. Written `replicas:2`.
    Replicas {
        /// Number of copies, 1 to [`REPLICAS_MAX`].
        count: u8,
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

    /// Number of shards that a whole blob stands on.
    pub const fn width(self) -> usize {
        match self {
            Self::Replicas { count } => count as usize,
        }
    }

    /// Shards that must hold a blob durably before its write is acknowledged: a majority.
    pub const fn write_quorum(self) -> usize {
        self.width() / 2 + 1
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replicas { count } => write!(f, "replicas:{count}"),
        }
    }
}

impl FromStr for Scheme {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let count = text
            .strip_prefix("replicas:")
            .and_then(|count| count.parse().ok())
            .ok_or(Invalid::new("redundancy", "must be 'replicas:N', with N from 1 to 16"))?;
        Self::replicas(count)
    }
}
