//! What can go wrong.

/// Which check of a batch did not hold: its index in [`crate::Batch::checks`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failed(pub usize);

/// Why a store could not read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The engine failed; nothing can be said about the request. Give up, tell the operator.
    #[error("the catalog failed: {0}")]
    Engine(String),
    /// What stands on disk is damaged. Restore a backup.
    #[error("the catalog is damaged: {0}")]
    Damaged(String),
    /// Another process has the catalog open.
    #[error("the catalog in {0} is in use by another process; stop it, or choose another data directory")]
    InUse(String),
    /// The disk is full. Free space, then try again; a batch that [frees](crate::Batch::frees) may still be taken.
    #[error("the catalog's disk is full")]
    Full,
    /// What was asked is nothing that any store takes: a key that is too long, a batch that is too large. Nothing of it
    /// was written. The text says what is wrong with it.
    #[error("the catalog does not take this: {0}")]
    Unfit(String),
    /// The store takes no commits; nothing of this one was written. The text says why and what to do.
    #[error("the catalog takes no commits: {0}")]
    Refused(String),
    /// The store is shutting down.
    #[error("the catalog is closed")]
    Closed,
}

/// Why a commit did not happen.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// A check did not hold; nothing was written. Read again and decide anew.
    #[error("a check did not hold")]
    Failed(Failed),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl StoreError {
    /// The same error, for another who asked.
    pub(crate) fn again(&self) -> Self {
        match self {
            Self::Engine(text) => Self::Engine(text.clone()),
            Self::Damaged(text) => Self::Damaged(text.clone()),
            Self::InUse(path) => Self::InUse(path.clone()),
            Self::Full => Self::Full,
            Self::Unfit(text) => Self::Unfit(text.clone()),
            Self::Refused(text) => Self::Refused(text.clone()),
            Self::Closed => Self::Closed,
        }
    }

    /// The same error where it does not say that nothing was written.
    pub(crate) fn without_promise(self) -> Self {
        match self {
            Self::Engine(_) | Self::Damaged(_) | Self::InUse(_) => self,
            Self::Full => Self::Engine("the disk was full as the commit was written".to_owned()),
            Self::Unfit(text) | Self::Refused(text) => Self::Engine(text),
            Self::Closed => Self::Engine("the catalog was closed as the commit was written".to_owned()),
        }
    }
}
