//! What is decided of a question.

/// Whether a caller may do what it asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Decision {
    /// It may.
    Allow,
    /// It may not, since nothing allows it: AccessDenied.
    Default,
    /// It may not, since a policy denies it: AccessDenied.
    Deny,
    /// It may not, though something allows it: it is for the account of the bucket's owner. MethodNotAllowed.
    OwnerOnly,
    /// It may not, though something allows it: it needs credentials. AccessDenied.
    NeedsCredentials,
}

impl Decision {
    /// Whether it is [`Decision::Allow`].
    pub const fn is_allowed(self) -> bool {
        matches!(self, Self::Allow)
    }
}
