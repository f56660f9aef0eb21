use super::stored::{self, revision_of};
use super::{DynamicSettings, Revised};
use crate::error::SettingsError;
use cofre_catalog::keys::{self, family};
use cofre_catalog::records::{Record, SettingsRecord};
use cofre_catalog::{ReadExt, Scan};
use cofre_types::Timestamp;
use std::ops::Bound;
use std::sync::Arc;

/// Most revisions on a page of the history.
pub const HISTORY_PAGE_MAX: usize = 100;

/// Who made a revision, when and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevisionInfo {
    /// The revision.
    pub revision: u64,
    /// Who made it.
    pub author: String,
    /// When.
    pub at: Timestamp,
    /// Why, in the author's words.
    pub note: String,
}

/// A page of the history, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The revisions.
    pub revisions: Vec<RevisionInfo>,
    /// What to ask before for the next page; none if this is the last.
    pub next: Option<u64>,
}

impl DynamicSettings {
    /// Revisions before `before`, or the newest, at most `limit` and [`HISTORY_PAGE_MAX`] of them.
    ///
    /// # Errors
    /// [`SettingsError::Store`] or [`SettingsError::Damaged`].
    pub async fn history(&self, before: Option<u64>, limit: usize) -> Result<History, SettingsError> {
        let limit = limit.clamp(1, HISTORY_PAGE_MAX);
        let mut range = Scan::prefix(&[family::SETTINGS]).reversed();
        if let Some(before) = before {
            range.to = Bound::Excluded(keys::settings(before));
        }
        let mut entries = self.0.store.page(range, limit + 1).await?;
        let more = entries.len() > limit;
        entries.truncate(limit);
        let revisions: Vec<_> = entries.iter().map(|(key, entry)| info(key, &entry.value)).collect::<Result<_, _>>()?;
        let next = revisions.last().filter(|_| more).map(|last| last.revision);
        Ok(History { revisions, next })
    }

    /// The settings as they were at a revision. Revision 0 has the defaults.
    ///
    /// # Errors
    /// [`SettingsError::NotFound`] if the history has no such revision.
    pub async fn at(&self, revision: u64) -> Result<Revised, SettingsError> {
        if revision == 0 {
            return Ok(Revised::default());
        }
        let entry = self.0.store.get(keys::settings(revision)).await?;
        let entry = entry.ok_or(SettingsError::NotFound(revision))?;
        let record = SettingsRecord::decode(&entry.value)?;
        Ok(Revised { revision, settings: Arc::new(stored::decode(&record.document)?) })
    }
}

fn info(key: &[u8], value: &[u8]) -> Result<RevisionInfo, SettingsError> {
    let SettingsRecord { author, at, note, .. } = SettingsRecord::decode(value)?;
    Ok(RevisionInfo { revision: revision_of(key)?, author, at, note })
}
