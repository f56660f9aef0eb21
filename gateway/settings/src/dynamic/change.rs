//! Changes: a merge patch, or the return to an earlier revision.

use super::stored::{self, DOCUMENT_BYTES_MAX, Latest};
use super::{Change, DynamicSettings, HISTORY_REVISIONS_MAX, Revised, Settings, diff};
use crate::error::SettingsError;
use cofre_catalog::records::{EventRecord, Record, SettingsRecord};
use cofre_catalog::{Batch, CommitError, keys};
use cofre_types::Timestamp;
use serde_json::Value;
use std::sync::Arc;

/// Longest name of an author, in bytes.
pub const AUTHOR_BYTES_MAX: usize = 256;

/// Longest note, in bytes.
pub const NOTE_BYTES_MAX: usize = 1_024;

/// Most changed fields that an event names; more are counted.
const EVENT_CHANGES_MAX: usize = 32;

/// A change of the settings, on top of a revision that its author has read.
#[derive(Debug, Clone, PartialEq)]
pub struct Patch {
    /// The revision that the author has read; 0 if none was ever set.
    pub expected: u64,
    /// Fields to set, as RFC 7396 has it: an object is merged, null brings a default back, and
    /// anything else replaces.
    pub merge: Value,
    /// Who changes, as events name actors.
    pub author: String,
    /// Why, in the author's words.
    pub note: String,
}

impl Settings {
    /// These settings with a merge patch applied, as [`Patch::merge`] has it.
    ///
    /// # Errors
    /// [`SettingsError::Invalid`] names the field.
    pub fn patched(&self, patch: Value) -> Result<Self, SettingsError> {
        let size = serde_json::to_vec(&patch).map_or(usize::MAX, |text| text.len());
        if size > DOCUMENT_BYTES_MAX {
            return Err(invalid("", "a patch has at most 65,536 bytes"));
        }
        if !patch.is_object() {
            return Err(invalid("", "a patch is a JSON object"));
        }
        let mut document = stored::to_value(self)?;
        merge(&mut document, patch);
        stored::from_value(document)
    }
}

impl DynamicSettings {
    /// Changes the settings. A patch that changes nothing makes no revision.
    ///
    /// # Errors
    /// [`SettingsError::Invalid`] names the field; [`SettingsError::Conflict`] if `expected` is no
    /// longer in force; nothing changed then.
    pub async fn patch(&self, patch: Patch) -> Result<Revised, SettingsError> {
        let latest = self.latest_at(patch.expected).await?;
        let settings = latest.revised.settings.patched(patch.merge)?;
        self.commit(latest, settings, "settings.changed", &patch.author, &patch.note).await
    }

    /// Brings the document of revision `to` back, as a new revision on top of `expected`.
    ///
    /// # Errors
    /// [`SettingsError::NotFound`] if the history has no such revision, else as [`Self::patch`].
    pub async fn rollback(&self, to: u64, expected: u64, author: &str, note: &str) -> Result<Revised, SettingsError> {
        let latest = self.latest_at(expected).await?;
        let settings = Settings::clone(&self.at(to).await?.settings);
        self.commit(latest, settings, "settings.rolled_back", author, note).await
    }

    async fn latest_at(&self, expected: u64) -> Result<Latest, SettingsError> {
        let latest = self.latest().await?;
        match latest.revised.revision {
            current if current == expected => Ok(latest),
            current => Err(SettingsError::Conflict { current }),
        }
    }

    async fn commit(
        &self,
        latest: Latest,
        settings: Settings,
        kind: &str,
        author: &str,
        note: &str,
    ) -> Result<Revised, SettingsError> {
        if author.is_empty() || author.len() > AUTHOR_BYTES_MAX {
            return Err(invalid("author", "must have 1 to 256 bytes"));
        }
        if note.len() > NOTE_BYTES_MAX {
            return Err(invalid("note", "must have at most 1,024 bytes"));
        }
        let changes = diff::between(&latest.revised.settings, &settings)?;
        if changes.is_empty() {
            return Ok(latest.revised);
        }
        let revision = latest.revised.revision + 1;
        let at = Timestamp(self.0.clock.now_nanos());
        let document = stored::encode(&settings)?;
        if document.len() > DOCUMENT_BYTES_MAX {
            return Err(invalid("", "a document has at most 65,536 bytes"));
        }
        let record = SettingsRecord { document, author: author.to_owned(), at, note: note.to_owned() };

        let mut batch = Batch::new();
        if let Some(written) = latest.written {
            batch.unchanged(keys::settings(latest.revised.revision), Some(written));
        }
        batch.unchanged(keys::settings(revision), None);
        batch.put(keys::settings(revision), record.encode());
        if let Some(oldest) = revision.checked_sub(HISTORY_REVISIONS_MAX).filter(|oldest| *oldest > 0) {
            batch.delete(keys::settings(oldest));
        }
        batch.writes.push(event(kind, revision, at, author, &changes).append(0));
        match self.0.store.commit(batch).await {
            Ok(_) => {
                let revised = Revised { revision, settings: Arc::new(settings) };
                self.apply(revised.clone());
                Ok(revised)
            }
            Err(CommitError::Failed(_)) => {
                Err(SettingsError::Conflict { current: self.latest().await?.revised.revision })
            }
            Err(CommitError::Store(error)) => Err(error.into()),
        }
    }
}

fn invalid(path: &str, reason: &str) -> SettingsError {
    SettingsError::Invalid { path: path.to_owned(), reason: reason.to_owned() }
}

fn event(kind: &str, revision: u64, at: Timestamp, author: &str, changes: &[Change]) -> EventRecord {
    let mut details: Vec<_> = changes
        .iter()
        .take(EVENT_CHANGES_MAX)
        .map(|change| (change.path.clone(), format!("{} -> {}", change.from, change.to)))
        .collect();
    if changes.len() > EVENT_CHANGES_MAX {
        details.push(("further changes".to_owned(), (changes.len() - EVENT_CHANGES_MAX).to_string()));
    }
    EventRecord { at, kind: kind.to_owned(), subject: revision.to_string(), actor: author.to_owned(), details }
}

/// RFC 7396, section 2. The depth is that of parsed JSON, which serde_json bounds to 128.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(fields) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(members) = target else { return };
    for (name, value) in fields {
        if value.is_null() {
            members.remove(&name);
        } else {
            merge(members.entry(name).or_insert(Value::Null), value);
        }
    }
}
