//! Why a question is decided as it is.

use crate::evaluate::{decide, trace};
use crate::policy::{Overrun, StatementTrace};
use crate::{Action, Decision, Question};
use std::fmt;

/// The rule that decides a question, of those that `evaluate` goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// A part of Cofre itself may do everything.
    Internal,
    /// The root account may do everything.
    Root,
    /// A policy that limits the caller denies it, or does not allow it.
    Limit {
        /// Which of the limits, from zero.
        index: usize,
        /// The statement that denies it, from zero.
        statement: Option<usize>,
    },
    /// Every account may do it.
    Account,
    /// A statement of the bucket's policy denies it.
    PolicyDenies {
        /// Which, from zero.
        statement: Option<usize>,
    },
    /// The bucket's owner may do it.
    BucketOwner,
    /// The object's owner may do it.
    ObjectOwner,
    /// Who began an upload may do it.
    Initiator,
    /// A statement of the bucket's policy allows it.
    PolicyAllows {
        /// Which, from zero.
        statement: Option<usize>,
    },
    /// An access control list allows it.
    List,
    /// The bucket's list takes access logs.
    LogDelivery,
    /// The named key has no policy.
    KeyOfAll,
    /// A statement of the named key's policy allows it.
    KeyPolicyAllows {
        /// Which, from zero.
        statement: Option<usize>,
    },
    /// A statement of the named key's policy denies it.
    KeyPolicyDenies {
        /// Which, from zero.
        statement: Option<usize>,
    },
    /// The bucket's policy allows it, but is public, and the public access block lets no others in by it.
    PublicAccessBlock,
    /// The bucket's policy allows it, but says nothing about objects that others own.
    ForeignObject,
    /// It is for the account of the bucket's owner.
    OwnerOnly,
    /// It needs credentials.
    NeedsCredentials,
    /// Deciding it would cost too much.
    Overrun(Overrun),
    /// Nothing allows it.
    Nothing,
}

/// For a person to read.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = |f: &mut fmt::Formatter<'_>, statement: &Option<usize>| match statement {
            Some(statement) => write!(f, "statement {statement}"),
            None => f.write_str("no statement"),
        };
        match self {
            Self::Internal => f.write_str("a part of Cofre itself may do everything"),
            Self::Root => f.write_str("the root account may do everything"),
            Self::Limit { index, statement } => {
                write!(f, "policy {index} that limits the caller does not allow it: ")?;
                place(f, statement)
            }
            Self::Account => f.write_str("every account may do it"),
            Self::PolicyDenies { statement } => {
                f.write_str("the bucket's policy denies it: ")?;
                place(f, statement)
            }
            Self::BucketOwner => f.write_str("the bucket's owner may do it"),
            Self::ObjectOwner => f.write_str("the object's owner may do it"),
            Self::Initiator => f.write_str("who began the upload may do it"),
            Self::PolicyAllows { statement } => {
                f.write_str("the bucket's policy allows it: ")?;
                place(f, statement)
            }
            Self::KeyOfAll => f.write_str("the encryption key has no policy, so everyone may use it"),
            Self::KeyPolicyAllows { statement } => {
                f.write_str("the encryption key's policy allows it: ")?;
                place(f, statement)
            }
            Self::KeyPolicyDenies { statement } => {
                f.write_str("the encryption key's policy denies it: ")?;
                place(f, statement)
            }
            Self::List => f.write_str("an access control list allows it"),
            Self::LogDelivery => f.write_str("the bucket's access control list takes access logs"),
            Self::PublicAccessBlock => {
                f.write_str("the bucket's policy is public, and the bucket's public access block restricts it to the owner's account")
            }
            Self::ForeignObject => f.write_str("another account owns the object, so the bucket's policy cannot allow it"),
            Self::OwnerOnly => f.write_str("only the account of the bucket's owner may do it"),
            Self::NeedsCredentials => f.write_str("nobody may do it without credentials"),
            Self::Overrun(overrun) => write!(f, "{overrun}"),
            Self::Nothing => f.write_str("nothing allows it"),
        }
    }
}

/// How a question is decided, and what the policies saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// What was asked for.
    pub action: Action,
    /// Of what: the Amazon resource name.
    pub resource: String,
    /// What is decided.
    pub decision: Decision,
    /// By which rule.
    pub rule: Rule,
    /// The statements about the action in the policies that were asked, in their order.
    pub statements: Vec<StatementTrace>,
    /// How many steps the policies took to be asked in full, of which a decision may take
    /// [`DECISION_STEPS_MAX`](crate::DECISION_STEPS_MAX).
    pub steps: u64,
}

/// Explains a decision: as `evaluate` decides it, with what each condition saw. It costs twice a decision, and memory
/// for what is recorded, which is bounded.
pub fn explain(question: &Question<'_>) -> Explanation {
    let (decision, rule) = decide(question, true);
    let (trace, steps) = trace(question);
    Explanation {
        action: question.action,
        resource: question.resource.arn(),
        decision,
        rule,
        statements: trace.into_statements(),
        steps,
    }
}
