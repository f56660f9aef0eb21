//! How a policy came to what it says.

use super::{ConditionKey, Effect};
use std::borrow::Cow;
use std::cell::RefCell;

/// Most statements of a trace.
const STATEMENTS_MAX: usize = 64;

/// Most conditions of all statements of a trace.
const CONDITIONS_MAX: usize = 256;

/// Most values of one key in a trace.
const VALUES_MAX: usize = 16;

/// Most bytes of one value in a trace.
const VALUE_BYTES_MAX: usize = 256;

/// A statement about the action that was asked for, and why it is about the request or is not. Statements about other
/// actions leave no trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementTrace {
    /// Which of the policies asked it is of: those that limit the caller in their order, then the bucket's.
    pub policy: usize,
    /// Its place in the policy, from zero.
    pub index: usize,
    /// Its `Sid`, cut to 256 bytes.
    pub id: Option<String>,
    /// Whether it denies.
    pub denies: bool,
    /// Whether it names who asks.
    pub principal: bool,
    /// Whether it names what is asked of.
    pub resource: bool,
    /// Its conditions.
    pub conditions: Vec<ConditionTrace>,
    /// Whether it is about the request.
    pub applies: bool,
}

/// A condition and what it saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionTrace {
    /// The operator, as the policy names it.
    pub operator: String,
    /// The key, in lower case but for a tag's.
    pub key: String,
    /// The values that the request has for the key, each cut to 256 bytes and of many the first 16; none if it has no
    /// such key.
    pub saw: Option<Vec<String>>,
    /// Whether it holds.
    pub holds: bool,
}

impl StatementTrace {
    /// `Allow` or `Deny`, as policies say it.
    pub const fn effect(&self) -> &'static str {
        if self.denies { "Deny" } else { "Allow" }
    }

    /// Memory that it takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let saw = |condition: &ConditionTrace| {
            condition.saw.iter().flatten().map(|value| size_of::<String>() + value.len()).sum::<usize>()
        };
        let condition = |condition: &ConditionTrace| {
            size_of::<ConditionTrace>() + condition.operator.len() + condition.key.len() + saw(condition)
        };
        let conditions: usize = self.conditions.iter().map(condition).sum();
        size_of::<Self>() + self.id.as_ref().map_or(0, String::len) + conditions
    }
}

/// What is recorded while policies are asked.
#[derive(Debug, Default)]
pub(crate) struct Trace(RefCell<Recorded>);

#[derive(Debug, Default)]
struct Recorded {
    statements: Vec<StatementTrace>,
    conditions: usize,
    policies: usize,
}

impl Trace {
    /// Begins the next policy.
    pub(super) fn policy(&self) {
        self.0.borrow_mut().policies += 1;
    }

    /// Begins a statement.
    pub(super) fn statement(&self, index: usize, id: Option<&str>, effect: Effect) {
        let mut recorded = self.0.borrow_mut();
        if recorded.statements.len() < STATEMENTS_MAX {
            let policy = recorded.policies.saturating_sub(1);
            recorded.statements.push(StatementTrace {
                policy,
                index,
                id: id.map(|id| id[..id.floor_char_boundary(VALUE_BYTES_MAX)].to_owned()),
                denies: effect == Effect::Deny,
                principal: false,
                resource: false,
                conditions: Vec::new(),
                applies: false,
            });
        }
    }

    /// Notes something of the statement at this place.
    pub(super) fn note(&self, index: usize, change: impl FnOnce(&mut StatementTrace)) {
        let mut recorded = self.0.borrow_mut();
        let policy = recorded.policies.saturating_sub(1);
        let last = recorded.statements.last_mut();
        if let Some(statement) = last.filter(|last| last.index == index && last.policy == policy) {
            change(statement);
        }
    }

    /// Notes a condition of the statement at this place.
    pub(super) fn condition(
        &self,
        index: usize,
        operator: &str,
        key: &ConditionKey,
        values: Option<&[Cow<'_, str>]>,
        holds: bool,
    ) {
        {
            let mut recorded = self.0.borrow_mut();
            recorded.conditions += 1;
            if recorded.conditions > CONDITIONS_MAX {
                return;
            }
        }
        let short = |value: &Cow<'_, str>| value[..value.floor_char_boundary(VALUE_BYTES_MAX)].to_owned();
        let saw = values.map(|values| values.iter().take(VALUES_MAX).map(short).collect());
        let (operator, key) = (operator.to_owned(), key.to_string());
        self.note(index, |statement| statement.conditions.push(ConditionTrace { operator, key, saw, holds }));
    }

    pub(crate) fn into_statements(self) -> Vec<StatementTrace> {
        self.0.into_inner().statements
    }
}
