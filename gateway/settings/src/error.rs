use cofre_catalog::StoreError;
use cofre_catalog::records::RecordError;
use std::path::PathBuf;

/// Why the process cannot start with what it was given. Each names the setting.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// The file cannot be read.
    #[error("config: cannot read {}: {reason}", .path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the operating system said.
        reason: String,
    },
    /// The file is no TOML, or has an unknown key or a value of the wrong kind.
    #[error("config: {}: {key}: {reason}", .path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// The key, or the line if there is none.
        key: String,
        /// Why, for a person to read.
        reason: String,
    },
    /// A value is out of its bounds, or does not go with another.
    #[error("{setting}: {reason}")]
    Invalid {
        /// The setting, as the file spells it; a variable of the environment by its own name.
        setting: &'static str,
        /// Why, for a person to read.
        reason: String,
    },
}

/// Why dynamic settings were not read or changed.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Fix the document: this field is unknown or its value is not valid.
    #[error("{path}: {reason}")]
    Invalid {
        /// Where in the document: `rate_limits.burst`; empty for the document itself.
        path: String,
        /// Why, for a person to read.
        reason: String,
    },
    /// Read again: someone else changed the settings since.
    #[error("the settings are at revision {current} by now; read them again")]
    Conflict {
        /// The revision in force.
        current: u64,
    },
    /// There is no such revision, or it is older than the history reaches.
    #[error("there is no revision {0} of the settings")]
    NotFound(u64),
    /// The catalog failed; a change may or may not have happened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What stands in the catalog does not decode. Restore a backup, or run the later cofre that wrote it.
    #[error("the settings in the catalog: {0}")]
    Damaged(String),
}

impl From<RecordError> for SettingsError {
    fn from(error: RecordError) -> Self {
        Self::Damaged(error.to_string())
    }
}
