use std::io;

/// Why a filesystem shard was not created or opened. Nothing was changed in the directory.
#[derive(Debug, thiserror::Error)]
pub enum FsError {
    /// A shard is created only in an empty directory: choose another, or open the shard that is there.
    #[error("the directory is not empty")]
    NotEmpty,
    /// There is no identity file: the file system is not mounted, or this was never a shard.
    #[error("the directory has no identity file (cofre-shard): is its file system mounted?")]
    NoIdentity,
    /// The directory is another shard of the same Cofre: mounts were mixed up.
    #[error("the directory is another shard: {found}")]
    OtherShard {
        /// The identity that was found, in hexadecimal.
        found: String,
    },
    /// The directory belongs to another Cofre.
    #[error("the directory belongs to another Cofre: {found}")]
    ForeignCluster {
        /// The cluster that was found, in hexadecimal.
        found: String,
    },
    /// The identity file is not what was written: restore it before anything is written here.
    #[error("the identity file is damaged")]
    DamagedIdentity,
    /// The identity file is of a newer Cofre: use that.
    #[error("the directory was made by a newer version of Cofre")]
    NewerIdentity,
    /// Another process has the shard open: stop that first.
    #[error("another process has the shard open")]
    Busy,
    /// The operating system refused.
    #[error("{doing}: {source}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// What came of it.
        source: io::Error,
    },
}

impl FsError {
    pub(super) fn io(doing: &'static str) -> impl Fn(io::Error) -> Self {
        move |source| Self::Io { doing, source }
    }
}
