use super::log::{Base, Group};
use crate::evaluate::{Changes, Current};
use crate::{Entry, Revision, Scan, StoreError};

/// The durable state, and on it what the group under way has changed so far.
pub(super) struct Overlay<'a, B> {
    base: &'a B,
    pub(super) group: Group,
}

impl<'a, B: Base> Overlay<'a, B> {
    pub(super) const fn on(base: &'a B) -> Self {
        Self { base, group: Group::new() }
    }

    /// Puts a commit on top.
    pub(super) fn apply(&mut self, revision: Revision, changes: Changes) {
        self.group.extend(changes.into_iter().map(|(key, value)| (key, (revision, value))));
    }
}

impl<B: Base> Current for Overlay<'_, B> {
    fn get(&self, key: &[u8]) -> Result<Option<Entry>, StoreError> {
        match self.group.get(key) {
            Some((revision, value)) => {
                Ok(value.as_ref().map(|value| Entry { revision: *revision, value: value.clone() }))
            }
            None => self.base.get(key),
        }
    }

    fn any_with_prefix(&self, prefix: &[u8]) -> Result<bool, StoreError> {
        let range = Scan::prefix(prefix);
        if self.group.range::<[u8], _>(range.bounds()).any(|(_, (_, value))| value.is_some()) {
            return Ok(true);
        }
        self.base.any_with_prefix(prefix, &|key| self.group.contains_key(key))
    }
}
