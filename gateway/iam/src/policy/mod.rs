//! Policies in AWS's language (IAM User Guide, "IAM JSON policy reference"): parsing and evaluating.
//!
//! Pure. A policy is parsed once, when it is set or when its bucket is read, and then only asked. What
//! a request brings is asked for key by key through [`Context`], so a key that no condition names
//! costs nothing.
//!
//! # Invariants
//! - What is not understood is refused when it is parsed: an element, operator or value that was passed
//!   over could turn a denial into nothing.
//! - A policy variable without a value matches nothing. A value of a variable is compared as it is:
//!   its `*` and `?` are no wildcards.
//! - An explicit denial wins over every allowance, whatever their order.
//!
//! # Limits
//! A document is at most [`POLICY_BYTES_MAX`], which bounds everything else. Service and federated
//! principals are parsed and match nobody, because there are none here.

mod arn;
mod condition;
mod date;
mod json;
mod parse;
mod pattern;
mod principal;
mod public;

pub use condition::ConditionKey;
pub use principal::Requester;

use crate::Action;
use condition::Condition;
use pattern::Pattern;
use principal::Principals;
use std::borrow::Cow;

/// Largest policy document (AWS, "Bucket policies for Amazon S3": 20 KB).
pub const POLICY_BYTES_MAX: usize = 20 * 1024;

/// A document that is not a policy. The text names the element, for the answer `MalformedPolicy`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{element}: {reason}")]
pub struct MalformedPolicy {
    /// The element, such as `Statement[0].Principal`.
    pub element: String,
    /// What is wrong with it, for a person to read.
    pub reason: Cow<'static, str>,
}

/// What a policy is attached to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyKind<'a> {
    /// A bucket of this name: every statement has a principal, and resources that can be in the bucket.
    Bucket(&'a str),
    /// An identity: no statement has a principal.
    Identity,
}

/// What a policy says to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A statement denies it.
    Deny,
    /// A statement allows it and none denies it.
    Allow,
    /// No statement is about it.
    Silent,
}

/// What a request brings, by condition key.
pub trait Context {
    /// The values of a key; none if the request has no such key. A key with one value has one.
    fn values(&self, key: &ConditionKey) -> Option<Vec<Cow<'_, str>>>;

    /// The value that stands for a policy variable: that of a key with exactly one.
    fn variable(&self, key: &ConditionKey) -> Option<Cow<'_, str>> {
        let mut values = self.values(key)?;
        if values.len() == 1 { values.pop() } else { None }
    }
}

/// A request of which nothing is known yet.
struct Unknown;

impl Context for Unknown {
    fn values(&self, _key: &ConditionKey) -> Option<Vec<Cow<'_, str>>> {
        None
    }
}

/// A request as policies see it.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// Who asks. Policies of identities do not look at it.
    pub requester: Requester<'a>,
    /// What for.
    pub action: Action,
    /// Of what: the Amazon resource name, such as `arn:aws:s3:::bucket/key`.
    pub resource: &'a str,
    /// All else.
    pub context: &'a dyn Context,
}

/// A policy that was parsed.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    statements: Vec<Statement>,
    public: bool,
}

#[derive(Debug, Clone, PartialEq)]
struct Statement {
    effect: Effect,
    /// None in the policy of an identity.
    principals: Option<Principals>,
    /// For each action, by its place in [`Action::ALL`], whether the statement is about it.
    actions: Box<[bool]>,
    resources: Resources,
    conditions: Vec<Condition>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    Allow,
    Deny,
}

#[derive(Debug, Clone, PartialEq)]
struct Resources {
    /// Whether the statement is about all but these.
    negated: bool,
    patterns: Vec<Pattern>,
}

impl Policy {
    /// Parses a document.
    ///
    /// # Errors
    /// [`MalformedPolicy`], which names the first element that is wrong.
    pub fn parse(document: &str, kind: PolicyKind<'_>) -> Result<Self, MalformedPolicy> {
        let statements = parse::statements(document, kind)?;
        let public = statements.iter().any(public::is_public);
        Ok(Self { statements, public })
    }

    /// The policy that denies everything to everyone: what stands for a stored document that this
    /// build cannot parse.
    pub fn closed() -> Self {
        let statement = Statement {
            effect: Effect::Deny,
            principals: None,
            actions: vec![true; Action::ALL.len()].into(),
            resources: Resources { negated: true, patterns: Vec::new() },
            conditions: Vec::new(),
        };
        Self { statements: vec![statement], public: false }
    }

    /// What it says to a request.
    pub fn verdict(&self, asked: Asked<'_>) -> Verdict {
        let mut verdict = Verdict::Silent;
        for statement in &self.statements {
            if verdict == Verdict::Allow && statement.effect == Effect::Allow {
                continue;
            }
            if statement.is_about(asked) {
                match statement.effect {
                    Effect::Deny => return Verdict::Deny,
                    Effect::Allow => verdict = Verdict::Allow,
                }
            }
        }
        verdict
    }

    /// Whether a statement allows an action whatever its conditions say: a request may come for which they hold. It is
    /// no right; denials are for the request too.
    pub(crate) fn could_allow(&self, requester: Requester<'_>, action: Action, resource: &str) -> bool {
        let asked = Asked { requester, action, resource, context: &Unknown };
        self.statements.iter().any(|statement| statement.effect == Effect::Allow && statement.names(asked))
    }

    /// Whether a statement allows an action on anything, whatever its conditions say. It is no right.
    pub(crate) fn could_allow_some(&self, requester: Requester<'_>, action: Action) -> bool {
        self.statements.iter().any(|statement| {
            statement.effect == Effect::Allow
                && statement.actions[action as usize]
                && statement.principals.as_ref().is_none_or(|principals| principals.include(requester))
        })
    }

    /// Whether it lets the public in (AWS, "Blocking public access to your Amazon S3 storage", "The
    /// meaning of public").
    pub fn is_public(&self) -> bool {
        self.public
    }
}

impl Statement {
    fn is_about(&self, asked: Asked<'_>) -> bool {
        self.names(asked) && self.conditions.iter().all(|condition| condition.holds(asked.context))
    }

    /// Whether it is about this but for its conditions.
    fn names(&self, asked: Asked<'_>) -> bool {
        self.actions[asked.action as usize]
            && self.principals.as_ref().is_none_or(|principals| principals.include(asked.requester))
            && self.resources.include(asked)
    }
}

impl Resources {
    fn include(&self, asked: Asked<'_>) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(asked.resource, asked.context)) != self.negated
    }
}
