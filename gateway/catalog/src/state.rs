//! How a store does.

use crate::StoreError;
use std::time::Duration;

/// How long the oldest commit may wait before the store counts as [slow](CommitState::Slow).
pub const COMMIT_SLOW_AFTER: Duration = Duration::from_secs(5);

/// Whether a store takes commits now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum CommitState {
    /// It takes them.
    #[default]
    Taken,
    /// The oldest commit waits for this long, more than [`COMMIT_SLOW_AFTER`]: the disk hangs. It goes on by itself.
    Slow(Duration),
    /// The disk has no room, but for batches that [free](crate::Batch::frees) some. It goes on by itself.
    Full,
    /// None is taken, for this reason. After a write that failed it stays so until the store is opened again.
    Refused(String),
}

/// How a store does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoreState {
    /// Whether it takes commits now.
    pub commits: CommitState,
    /// What on its disk is damaged or cannot be read. It stays so until a whole look at the files finds none.
    pub damage: Option<String>,
}

impl StoreState {
    /// Whether commits are taken and no damage is known.
    pub fn is_good(&self) -> bool {
        *self == Self::default()
    }

    /// Why a commit that frees nothing would not be taken now; `None` if it would.
    pub fn refusal(&self) -> Option<StoreError> {
        match &self.commits {
            CommitState::Taken => None,
            CommitState::Slow(waiting) => {
                Some(StoreError::Refused(format!("its disk has not answered for {} s", waiting.as_secs())))
            }
            CommitState::Full => Some(StoreError::Full),
            CommitState::Refused(why) => Some(StoreError::Refused(why.clone())),
        }
    }
}

/// What a look at a file found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FilesChecked {
    /// Bytes that were read.
    pub bytes: u64,
    /// What is damaged.
    pub damage: Option<String>,
    /// Where to go on; absent once every file was checked.
    pub next: Option<Vec<u8>>,
}
