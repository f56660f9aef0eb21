//! One run of a policy over one request.

use super::memo::DecisionMemo;
use super::steps::{Overrun, SUBJECT_BYTES_MAX, Steps};
use super::trace::Trace;
use super::{ConditionKey, Context};
use crate::policy::account_number;
use cofre_types::AccountId;
use std::borrow::Cow;
use std::cell::OnceCell;

/// The values of a key; none if the request has no such key.
type Values<'a> = Option<Vec<Cow<'a, str>>>;

/// Where a policy keeps one of the keys that it names.
pub(super) type KeyIndex = u16;

/// What a run shares: the request's values, each asked for once, and the steps that are left.
pub(super) struct Scope<'a> {
    keys: &'a [ConditionKey],
    context: &'a dyn Context,
    seen: Box<[OnceCell<Values<'a>>]>,
    number: OnceCell<String>,
    steps: &'a Steps,
    pub(super) memo: Option<&'a DecisionMemo>,
    pub(super) trace: Option<&'a Trace>,
}

impl<'a> Scope<'a> {
    /// Over a request, for a policy that names these keys.
    pub(super) fn new(keys: &'a [ConditionKey], context: &'a dyn Context, steps: &'a Steps) -> Self {
        let seen = keys.iter().map(|_| OnceCell::new()).collect();
        Self { keys, context, seen, number: OnceCell::new(), steps, memo: None, trace: None }
    }

    pub(super) fn key(&self, key: KeyIndex) -> Option<&'a ConditionKey> {
        self.keys.get(usize::from(key))
    }

    pub(super) fn take(&self, steps: usize) -> Result<(), Overrun> {
        self.steps.take(steps)
    }

    /// The values of a key.
    pub(super) fn values(&self, key: KeyIndex) -> Result<Option<&[Cow<'a, str>]>, Overrun> {
        let (Some(cell), Some(key)) = (self.seen.get(usize::from(key)), self.keys.get(usize::from(key))) else {
            return Ok(None);
        };
        if cell.get().is_none() {
            let values = self.context.values(key);
            self.take(1 + values.iter().flatten().map(|value| value.len()).sum::<usize>())?;
            if values.iter().flatten().any(|value| value.len() > SUBJECT_BYTES_MAX) {
                return Err(Overrun::Subject);
            }
            let _ = cell.set(values);
        }
        Ok(cell.get().and_then(|values| values.as_deref()))
    }

    /// The value that stands for a policy variable: that of a key with exactly one.
    pub(super) fn variable(&self, key: KeyIndex) -> Result<Option<&str>, Overrun> {
        Ok(match self.values(key)? {
            Some([value]) => Some(value),
            _ => None,
        })
    }

    /// The number of the account that asks.
    pub(super) fn number(&self, account: AccountId) -> &str {
        self.number.get_or_init(|| account_number(account))
    }
}
