//! What only operators do. It is no [`crate::Action`]: no policy can name it, so none can allow it.

use crate::caller::{Caller, Principal};
use crate::decision::Decision;

/// Declares the enum, the list of all and the names from one table, so that they cannot differ.
macro_rules! acts {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// An act that is for operators: parts of Cofre itself, such as the admin API with its own scopes, and the root
        /// account.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum OperatorAct {
            $($(#[$doc])* $name,)*
        }

        impl OperatorAct {
            /// Every act.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name, for logs.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }
        }
    };
}

acts! {
    /// Makes a bucket that another account owns.
    CreateBucketForAccount,
    /// Hands a bucket over to another account.
    HandBucketOver,
    /// Looks at where the copies of an object stand.
    InspectObject,
    /// Reads who may use named keys.
    ReadKeyPolicies,
    /// Sets what a bucket may hold.
    SetBucketQuota,
    /// Sets the redundancy of a bucket.
    SetBucketRedundancy,
    /// Sets who may use a named key.
    SetKeyPolicy,
}

impl std::fmt::Display for OperatorAct {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Decides whether a caller may do what is for operators.
///
/// A caller with limits may not, whoever it is: a limit allows only what it names, and no policy names an act of operators.
pub fn evaluate_operator(caller: &Caller, _act: OperatorAct) -> Decision {
    let is_operator = match &caller.principal {
        Principal::Internal(_) => true,
        Principal::Account(account) => account.root && caller.limits.is_empty(),
        Principal::Anonymous | Principal::Service(_) => false,
    };
    if is_operator { Decision::Allow } else { Decision::Default }
}
