//! How a document stands in the catalog: JSON with the number of its schema beside it.

use super::{Revised, Settings};
use crate::error::SettingsError;
use cofre_catalog::records::{Record, SettingsRecord};
use cofre_catalog::{Entry, Revision, keys};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// Longest document and longest patch, in bytes of JSON.
pub const DOCUMENT_BYTES_MAX: usize = 64 * 1024;

/// Schema of the documents that this build writes. Fields may be added with a default without a new
/// number; a field that changes its meaning needs one, and a conversion in [`decode`].
const SCHEMA: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Stored {
    schema: u32,
    settings: Value,
}

/// The newest revision, and the commit that wrote it.
#[derive(Default)]
pub(super) struct Latest {
    pub(super) revised: Revised,
    pub(super) written: Option<Revision>,
}

impl Latest {
    pub(super) fn read(key: &[u8], entry: &Entry) -> Result<Self, SettingsError> {
        let record = SettingsRecord::decode(&entry.value)?;
        let settings = Arc::new(decode(&record.document)?);
        Ok(Self { revised: Revised { revision: revision_of(key)?, settings }, written: Some(entry.revision) })
    }
}

/// The revision in a key of the settings' family.
pub(super) fn revision_of(key: &[u8]) -> Result<u64, SettingsError> {
    let bytes = key.strip_prefix(&[keys::family::SETTINGS]).and_then(|bytes| bytes.try_into().ok());
    bytes.map(u64::from_be_bytes).ok_or_else(|| SettingsError::Damaged("a key is not a revision".to_owned()))
}

/// The text that a record keeps.
pub(super) fn encode(settings: &Settings) -> Result<String, SettingsError> {
    let stored = Stored { schema: SCHEMA, settings: to_value(settings)? };
    serde_json::to_string(&stored).map_err(|error| SettingsError::Damaged(error.to_string()))
}

/// Reads what [`encode`] wrote.
pub(super) fn decode(document: &str) -> Result<Settings, SettingsError> {
    let damaged = |reason: String| SettingsError::Damaged(reason);
    let stored: Stored = serde_json::from_str(document).map_err(|error| damaged(error.to_string()))?;
    if stored.schema != SCHEMA {
        return Err(damaged(format!("schema {} is not known here; run a later cofre", stored.schema)));
    }
    from_value(stored.settings).map_err(|error| damaged(error.to_string()))
}

/// The document as JSON, with every field.
pub(super) fn to_value(settings: &Settings) -> Result<Value, SettingsError> {
    serde_json::to_value(settings).map_err(|error| SettingsError::Damaged(error.to_string()))
}

/// Reads a document and checks its bounds; an error names the path of the field.
pub(super) fn from_value(value: Value) -> Result<Settings, SettingsError> {
    check_objects("", &to_value(&Settings::default())?, &value)?;
    let settings: Settings = serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        SettingsError::Invalid {
            path: if path == "." { String::new() } else { path },
            reason: error.into_inner().to_string(),
        }
    })?;
    settings.validate()?;
    Ok(settings)
}

/// Refuses a list where the document has a section: serde would take it as the section's fields in order.
fn check_objects(path: &str, default: &Value, given: &Value) -> Result<(), SettingsError> {
    let Value::Object(sections) = default else { return Ok(()) };
    let Value::Object(given) = given else {
        return Err(SettingsError::Invalid { path: path.to_owned(), reason: "must be an object".to_owned() });
    };
    for (name, section) in sections {
        if let Some(given) = given.get(name) {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            check_objects(&path, section, given)?;
        }
    }
    Ok(())
}
