use super::log::Group;
use super::recent::Recent;
use super::tree::View;
use crate::evaluate::{Changes, Current};
use crate::{Entry, Revision, Scan, StoreError};

/// The durable state, and on it what the group under way has changed so far.
pub(super) struct Overlay<'a> {
    view: &'a View,
    recent: &'a Recent,
    pub(super) group: Group,
}

impl<'a> Overlay<'a> {
    /// `view` is the newest, which `recent` follows.
    pub(super) const fn on(view: &'a View, recent: &'a Recent) -> Self {
        Self { view, recent, group: Group::new() }
    }

    /// Puts a commit on top.
    pub(super) fn apply(&mut self, revision: Revision, changes: Changes) {
        self.group.extend(changes.into_iter().map(|(key, value)| (key, (revision, value))));
    }
}

impl Current for Overlay<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Entry>, StoreError> {
        match self.group.get(key) {
            Some((revision, value)) => {
                Ok(value.as_ref().map(|value| Entry { revision: *revision, value: value.clone() }))
            }
            // Only the writer, who asks here, changes what stands in either.
            None => self.recent.get(key).map_or_else(|| self.view.get(key), Ok),
        }
    }

    fn any_with_prefix(&self, prefix: &[u8]) -> Result<bool, StoreError> {
        let range = Scan::prefix(prefix);
        if self.group.range::<[u8], _>(range.bounds()).any(|(_, (_, value))| value.is_some()) {
            return Ok(true);
        }
        for item in self.view.range(&range) {
            let (key, _, _) = item?;
            if !self.group.contains_key(&*key) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
