//! What is said about who may use a named key (AWS, "Key policies in AWS KMS").

use crate::access::LastTold;
use crate::policy::{Policy, PolicyKind};

/// What is said about who may use a named key. Made once when its policy is read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KeyAccess {
    /// Its policy; if absent, everyone may use it who may do what it is used for.
    pub policy: Option<Policy>,
    /// When operators were last told that its policy costs too much.
    pub told: LastTold,
}

impl KeyAccess {
    /// What a stored policy says. One that does not parse, which only another build can have written, is taken for one
    /// that denies everything.
    pub fn of(name: &str, document: &str) -> Self {
        let parsed = Policy::stored(document, PolicyKind::Key(name));
        let policy = parsed.unwrap_or_else(|error| {
            tracing::error!(key = name, %error, "the policy of an encryption key does not parse: all is denied");
            Policy::closed()
        });
        Self { policy: Some(policy), told: LastTold::default() }
    }
}
