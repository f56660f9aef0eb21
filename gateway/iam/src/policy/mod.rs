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
//! - What a decision costs is bounded: a document is at most [`POLICY_BYTES_MAX`], a value of a request at
//!   most [`SUBJECT_BYTES_MAX`], and a decision takes at most [`DECISION_STEPS_MAX`]. What goes beyond is
//!   denied.
//!
//! # Limits
//! Service and federated principals are parsed and match nobody, because there are none here.

mod actions;
pub(crate) mod arn;
mod condition;
mod date;
mod json;
mod memo;
mod parse;
mod pattern;
mod principal;
mod public;
mod scope;
mod search;
mod steps;
mod trace;

pub use arn::{account_number, key_name};
pub use condition::ConditionKey;
pub(crate) use condition::NAMED_KEY;
pub use memo::{BATCH_STEPS_MAX, DecisionMemo};
pub use principal::Requester;
pub use steps::{DECISION_STEPS_MAX, Overrun, SUBJECT_BYTES_MAX};
pub use trace::{ConditionTrace, StatementTrace};

pub(crate) use steps::Steps;
pub(crate) use trace::Trace;

use crate::action::Action;
use condition::Condition;
use parse::Age;
use pattern::Pattern;
use principal::Principals;
use scope::Scope;
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

impl MalformedPolicy {
    /// What a client is told: AWS's words where the reason is a sentence of its own, else the element too.
    pub fn message(&self) -> String {
        let is_sentence = self.reason.starts_with(|c: char| c.is_ascii_uppercase());
        if is_sentence { self.reason.clone().into_owned() } else { self.to_string() }
    }
}

/// What a policy is attached to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyKind<'a> {
    /// A bucket of this name: every statement has a principal, and resources that can be in the bucket.
    Bucket(&'a str),
    /// A named key: every statement has a principal, and resources that can be the key.
    Key(&'a str),
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
    /// The condition keys that they name.
    keys: Box<[ConditionKey]>,
    public: bool,
}

#[derive(Debug, Clone, PartialEq)]
struct Statement {
    id: Option<Box<str>>,
    effect: Effect,
    /// None in the policy of an identity.
    principals: Option<Principals>,
    /// For each action, by its place in [`Action::ALL`], whether the statement is about it.
    actions: Box<[bool]>,
    resources: Resources,
    /// Conditions that are the same for every object of a bucket.
    of_request: Vec<Condition>,
    /// Those that look at the object too.
    of_objects: Vec<Condition>,
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

/// What a run of policies over a request takes and leaves.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a> {
    /// The steps that are left.
    pub(crate) steps: &'a Steps,
    /// What is known from other keys of the same request.
    pub(crate) memo: Option<&'a DecisionMemo>,
    /// What is recorded, where it is.
    pub(crate) trace: Option<&'a Trace>,
}

/// What a policy says, and the statement that says it, by its place from zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) verdict: Verdict,
    pub(crate) statement: Option<usize>,
}

impl Policy {
    /// Parses a document that is to be set.
    ///
    /// # Errors
    /// [`MalformedPolicy`], which names the first element that is wrong.
    pub fn parse(document: &str, kind: PolicyKind<'_>) -> Result<Self, MalformedPolicy> {
        Self::of(document, kind, Age::New)
    }

    /// Parses a document that was set once, perhaps under rules that refused less: an action that does not exist means
    /// nothing, and the resource `*` all of the bucket.
    ///
    /// # Errors
    /// As [`Policy::parse`].
    pub fn stored(document: &str, kind: PolicyKind<'_>) -> Result<Self, MalformedPolicy> {
        Self::of(document, kind, Age::Stored)
    }

    fn of(document: &str, kind: PolicyKind<'_>, age: Age) -> Result<Self, MalformedPolicy> {
        let (statements, keys) = parse::statements(document, kind, age)?;
        let public = statements.iter().any(|statement| public::is_public(statement, &keys));
        Ok(Self { statements, keys, public })
    }

    /// The policy that denies everything to everyone: what stands for a stored document that this
    /// build cannot parse.
    pub fn closed() -> Self {
        let statement = Statement {
            id: None,
            effect: Effect::Deny,
            principals: None,
            actions: vec![true; Action::ALL.len()].into(),
            resources: Resources { negated: true, patterns: Vec::new() },
            of_request: Vec::new(),
            of_objects: Vec::new(),
        };
        Self { statements: vec![statement], keys: Box::default(), public: false }
    }

    /// What it says to a request. What would cost too much to find out is [`Verdict::Deny`].
    pub fn verdict(&self, asked: Asked<'_>) -> Verdict {
        let run = Run { steps: &Steps::default(), memo: None, trace: None };
        self.ask(asked, run).map_or(Verdict::Deny, |said| said.verdict)
    }

    /// What it says to a request.
    pub(crate) fn ask(&self, asked: Asked<'_>, run: Run<'_>) -> Result<Said, Overrun> {
        let mut scope = Scope::new(&self.keys, asked.context, run.steps);
        scope.memo = run.memo;
        scope.trace = run.trace;
        if let Some(trace) = run.trace {
            trace.policy();
        }
        let mut said = Said { verdict: Verdict::Silent, statement: None };
        for (index, statement) in self.statements.iter().enumerate() {
            if said.verdict == Verdict::Allow && statement.effect == Effect::Allow {
                continue;
            }
            if statement.is_about(index, self.statements.len(), asked, &scope)? {
                match statement.effect {
                    Effect::Deny => return Ok(Said { verdict: Verdict::Deny, statement: Some(index) }),
                    Effect::Allow => said = Said { verdict: Verdict::Allow, statement: Some(index) },
                }
            }
        }
        Ok(said)
    }

    /// Whether a statement allows an action whatever its conditions say, on one resource or on any: a request may come for
    /// which they hold. It is no right; denials are for the request too.
    pub(crate) fn could_allow(&self, requester: Requester<'_>, action: Action, resource: Option<&str>) -> bool {
        let steps = Steps::default();
        let scope = Scope::new(&self.keys, &Unknown, &steps);
        let names = |statement: &Statement| {
            resource.is_none_or(|resource| {
                let asked = Asked { requester, action, resource, context: &Unknown };
                statement.resources.include(asked, &scope) == Ok(true)
            })
        };
        self.statements.iter().any(|statement| {
            statement.effect == Effect::Allow
                && statement.actions[action as usize]
                && statement.includes(requester, &scope) == Ok(true)
                && names(statement)
        })
    }

    /// Whether it lets the public in (AWS, "Blocking public access to your Amazon S3 storage", "The
    /// meaning of public").
    pub fn is_public(&self) -> bool {
        self.public
    }
}

impl Statement {
    /// Whether the statement at a place among so many is about a request.
    fn is_about(&self, index: usize, count: usize, asked: Asked<'_>, scope: &Scope<'_>) -> Result<bool, Overrun> {
        scope.take(1)?;
        if !self.actions[asked.action as usize] {
            return Ok(false);
        }
        if let Some(trace) = scope.trace {
            trace.statement(index, self.id.as_deref(), self.effect);
            return self.is_about_traced(index, asked, scope);
        }
        let known = scope.memo.and_then(|memo| memo.known(index));
        if known == Some(false) || !self.resources.include(asked, scope)? {
            return Ok(false);
        }
        let about = match known {
            Some(about) => about,
            None => self.includes(asked.requester, scope)? && all_hold(&self.of_request, scope)?,
        };
        if let Some(memo) = scope.memo {
            memo.keep(index, count, about);
        }
        Ok(about && all_hold(&self.of_objects, scope)?)
    }

    /// As [`Statement::is_about`]; nothing is left out because something else decides.
    fn is_about_traced(&self, index: usize, asked: Asked<'_>, scope: &Scope<'_>) -> Result<bool, Overrun> {
        let principal = self.includes(asked.requester, scope)?;
        let resource = self.resources.include(asked, scope)?;
        let note = |change: &dyn Fn(&mut StatementTrace)| {
            if let Some(trace) = scope.trace {
                trace.note(index, change);
            }
        };
        note(&|statement| (statement.principal, statement.resource) = (principal, resource));
        let mut applies = principal && resource;
        for condition in self.of_request.iter().chain(&self.of_objects) {
            let holds = condition.holds(scope)?;
            applies &= holds;
            if let (Some(trace), Some(key)) = (scope.trace, scope.key(condition.key)) {
                trace.condition(index, &condition.operator, key, scope.values(condition.key)?, holds);
            }
        }
        note(&|statement| statement.applies = applies);
        Ok(applies)
    }

    fn includes(&self, requester: Requester<'_>, scope: &Scope<'_>) -> Result<bool, Overrun> {
        self.principals.as_ref().map_or(Ok(true), |principals| principals.include(requester, scope))
    }
}

fn all_hold(conditions: &[Condition], scope: &Scope<'_>) -> Result<bool, Overrun> {
    for condition in conditions {
        if !condition.holds(scope)? {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Resources {
    fn include(&self, asked: Asked<'_>, scope: &Scope<'_>) -> Result<bool, Overrun> {
        for pattern in &self.patterns {
            if pattern.matches(asked.resource, scope)? {
                return Ok(!self.negated);
            }
        }
        Ok(self.negated)
    }
}
