use cofre_catalog::StoreError;
use cofre_catalog::records::RecordError;
use cofre_types::Invalid;
use std::path::PathBuf;

/// Why a change or a question of identity failed.
#[derive(Debug, thiserror::Error)]
pub enum IamError {
    /// Fix the request: this field is not valid.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// Choose another value: this one is taken.
    #[error("this {what} is taken")]
    Taken {
        /// What is taken: `account name`, `e-mail address`, `account id` or `access key id`.
        what: &'static str,
    },
    /// There is no such thing.
    #[error("there is no such {what}")]
    NotFound {
        /// What there is not: `account`, `access key`, `admin token` or `session`.
        what: &'static str,
    },
    /// What stands in the way must go first.
    #[error("{reason}")]
    Refused {
        /// What stands in the way, for a person to read.
        reason: &'static str,
    },
    /// Try again: the same thing was changed at the same time.
    #[error("it was changed meanwhile; try again")]
    Conflict,
    /// Start with the master key that sealed the secrets: this one does not open them.
    #[error("the secret of access key {0} does not open with this master key; start with the one that sealed it")]
    WrongMasterKey(String),
    /// Mend the master key or its file.
    #[error("master key: {0}")]
    MasterKey(String),
    /// Mend the file or its directory.
    #[error("cannot write {}: {source}", .path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The catalog failed; a change may or may not have happened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What stands in the catalog does not decode. Restore a backup, or run the later cofre that wrote it.
    #[error("identities in the catalog: {0}")]
    Damaged(String),
}

impl From<RecordError> for IamError {
    fn from(error: RecordError) -> Self {
        Self::Damaged(error.to_string())
    }
}
