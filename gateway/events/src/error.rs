use cofre_catalog::records::RecordError;
use cofre_catalog::{CommitError, StoreError};

/// Why events were not read or written.
#[derive(Debug, thiserror::Error)]
pub enum EventsError {
    /// Fix the request: this field is not valid.
    #[error("{field}: {reason}")]
    Invalid {
        /// Which field.
        field: &'static str,
        /// Why, for a person to read.
        reason: &'static str,
    },
    /// Try again: another process trimmed the log at the same time.
    #[error("the event log changed meanwhile; try again")]
    Conflict,
    /// The catalog failed; a write may or may not have happened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An event in the catalog does not decode. Restore a backup, or run the later cofre that wrote it.
    #[error("the event log: {0}")]
    Damaged(String),
}

impl From<RecordError> for EventsError {
    fn from(error: RecordError) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl From<CommitError> for EventsError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Failed(_) => Self::Conflict,
            CommitError::Store(error) => Self::Store(error),
        }
    }
}
