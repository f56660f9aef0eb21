/// Why a key could not be made, sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The service has no key of this name. The caller names another, or the operator makes it.
    #[error("there is no key named {0:?}")]
    NoSuchKey(String),
    /// The service has the key and will not use it: it is disabled, or the token may not. For the
    /// operator to mend.
    #[error("the key service refuses: {0}")]
    Refused(String),
    /// The service does not answer. Try again.
    #[error("the key service cannot be used now: {0}")]
    Unavailable(String),
    /// It does not open: sealed by another key, or changed since.
    #[error("a sealed key does not open")]
    DoesNotOpen,
    /// The file of local keys cannot be used. The text says why and what to do.
    #[error("{0}")]
    File(String),
    /// A name or a setting is not what it must be.
    #[error("{0}")]
    Usage(String),
}
