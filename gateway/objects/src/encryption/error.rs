use cofre_iam::Action;

/// Why an object may not be encrypted as it is asked, or not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncryptionError {
    /// The bucket takes no new objects under clients' keys.
    #[error("the bucket takes no new objects under clients' keys")]
    Blocked,
    /// The policy of a named key does not let the caller do this.
    #[error("the policy of the encryption key {key:?} does not allow {action}")]
    KeyAccess {
        /// Name of the key.
        key: String,
        /// What the caller may not do.
        action: Action,
    },
    /// An object lock keeps the version as it is.
    #[error("the version is locked, so that its encryption cannot be changed")]
    Locked,
}
