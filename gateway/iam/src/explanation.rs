//! Why a question is decided as it is: the rule, and what the policies saw.

use crate::action::Action;
use crate::decision::Decision;
use crate::policy::{Overrun, StatementTrace};
use cofre_types::AccountId;
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
    /// The access control list that is given is public, and the public access block refuses such lists.
    PublicList,
    /// The policy that is given is public, and the public access block refuses such policies.
    PublicPolicy,
    /// The bucket's policy allows it, but says nothing about objects that others own.
    ForeignObject,
    /// It is for the account of the bucket's owner.
    OwnerOnly,
    /// It needs credentials.
    NeedsCredentials,
    /// Who asks did not say that it pays, and the bucket's owner does not.
    Unpaid,
    /// Deciding it would cost too much.
    Overrun(Overrun),
    /// Nothing allows it.
    Nothing,
    /// What belongs to another account does not allow it: all that others are told.
    OfAnother,
}

/// For a person to read.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = |f: &mut fmt::Formatter<'_>, statement: &Option<usize>| match statement {
            Some(statement) => write!(f, ": statement {statement}"),
            None => Ok(()),
        };
        match self {
            Self::Internal => f.write_str("a part of Cofre itself may do everything"),
            Self::Root => f.write_str("the root account may do everything"),
            Self::Limit { index, statement } => {
                write!(f, "policy {index} that limits the caller does not allow it")?;
                place(f, statement)
            }
            Self::Account => f.write_str("every account may do it"),
            Self::PolicyDenies { statement } => {
                f.write_str("the bucket's policy denies it")?;
                place(f, statement)
            }
            Self::BucketOwner => f.write_str("the bucket's owner may do it"),
            Self::ObjectOwner => f.write_str("the object's owner may do it"),
            Self::Initiator => f.write_str("who began the upload may do it"),
            Self::PolicyAllows { statement } => {
                f.write_str("the bucket's policy allows it")?;
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
            Self::PublicList => {
                f.write_str("the access control list is public, and the bucket's public access block refuses such lists")
            }
            Self::PublicPolicy => {
                f.write_str("the policy is public, and the bucket's public access block refuses such policies")
            }
            Self::ForeignObject => f.write_str("another account owns the object, so the bucket's policy cannot allow it"),
            Self::OwnerOnly => f.write_str("only the account of the bucket's owner may do it"),
            Self::NeedsCredentials => f.write_str("nobody may do it without credentials"),
            Self::Unpaid => f.write_str("the requester pays in this bucket, and the request did not say that it does"),
            Self::Overrun(overrun) => write!(f, "{overrun}"),
            Self::Nothing => f.write_str("nothing allows it"),
            Self::OfAnother => f.write_str("what belongs to another account does not allow it"),
        }
    }
}

impl Rule {
    /// The statement that decides, from zero: of a limit of the caller or of the bucket's policy.
    pub const fn statement(self) -> Option<usize> {
        match self {
            Self::Limit { statement, .. }
            | Self::PolicyDenies { statement }
            | Self::PolicyAllows { statement }
            | Self::KeyPolicyDenies { statement }
            | Self::KeyPolicyAllows { statement } => statement,
            _ => None,
        }
    }

    /// The rule without its place, for those whose the policy is not.
    const fn nameless(self) -> Self {
        match self {
            Self::KeyPolicyDenies { .. } => Self::KeyPolicyDenies { statement: None },
            Self::KeyPolicyAllows { .. } => Self::KeyPolicyAllows { statement: None },
            rule => rule,
        }
    }
}

/// Most bytes of the statements of an explanation.
const STATEMENTS_BYTES_MAX: usize = 32 << 10;

/// How a question is decided, and what the policies saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// What was asked for.
    pub action: Action,
    /// Of what: the Amazon resource name.
    pub resource: String,
    /// Who owns the bucket, and with it the policy; none of what is asked of no bucket.
    pub owner: Option<AccountId>,
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

impl Explanation {
    /// Whether it is about a bucket of another account.
    pub(crate) fn is_of_another(&self, account: AccountId) -> bool {
        self.owner.is_some_and(|owner| owner != account)
    }

    /// What an account may know of it: of another account's bucket that it was denied, and nothing of which objects it
    /// has; of an encryption key, whose policy is the operators', that it decided.
    #[must_use]
    pub fn told_to(mut self, account: AccountId) -> Self {
        if self.owner != Some(account) {
            self.statements.clear();
            self.rule = if self.owner.is_some() { Rule::OfAnother } else { self.rule.nameless() };
        }
        self
    }

    /// Leaves statements out until the texts of all that are left fit, those that do not apply first and never the one
    /// that decided, whose last conditions go in the end.
    pub(crate) fn bound(&mut self) {
        let bytes = |statements: &[StatementTrace]| statements.iter().map(StatementTrace::bytes).sum::<usize>();
        let decided = self.rule.statement();
        for applies in [false, true] {
            while bytes(&self.statements) > STATEMENTS_BYTES_MAX {
                let others =
                    |statement: &StatementTrace| statement.applies == applies && Some(statement.index) != decided;
                let Some(last) = self.statements.iter().rposition(others) else { break };
                self.statements.remove(last);
            }
        }
        while bytes(&self.statements) > STATEMENTS_BYTES_MAX {
            let Some(conditions) = self.statements.last_mut().map(|statement| &mut statement.conditions) else { break };
            if conditions.pop().is_none() {
                self.statements.pop();
            }
        }
    }

    /// Memory that it takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let statements: usize = self.statements.iter().map(StatementTrace::bytes).sum();
        size_of::<Self>() + self.resource.len() + statements
    }
}
