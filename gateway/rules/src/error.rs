/// What is wrong with a document, by what its sender should do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// It is not of its schema: `MalformedXML`.
    #[error("{0}")]
    Malformed(String),
    /// A value is not valid: `InvalidArgument`.
    #[error("{0}")]
    Argument(String),
    /// Its parts do not go together: `InvalidRequest`.
    #[error("{0}")]
    Request(String),
}
