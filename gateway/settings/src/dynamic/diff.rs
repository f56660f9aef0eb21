use super::{DynamicSettings, Settings, stored};
use crate::error::SettingsError;
use serde_json::{Map, Value};

/// One field that differs between two documents.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Where: `rate_limits.burst`. A list counts as one field.
    pub path: String,
    /// Its value in the first document.
    pub from: Value,
    /// Its value in the second.
    pub to: Value,
}

impl DynamicSettings {
    /// What differs between two revisions, in the order of the fields' names. Revision 0 has the defaults.
    ///
    /// # Errors
    /// [`SettingsError::NotFound`] if the history has not one of them.
    pub async fn diff(&self, from: u64, to: u64) -> Result<Vec<Change>, SettingsError> {
        between(&self.at(from).await?.settings, &self.at(to).await?.settings)
    }
}

pub(super) fn between(from: &Settings, to: &Settings) -> Result<Vec<Change>, SettingsError> {
    let mut changes = Vec::new();
    compare(String::new(), &stored::to_value(from)?, &stored::to_value(to)?, &mut changes);
    Ok(changes)
}

/// A member that only one of them has is null in the other.
fn compare(path: String, from: &Value, to: &Value, changes: &mut Vec<Change>) {
    match (from, to) {
        (Value::Object(from), Value::Object(to)) => {
            let added = to.keys().filter(|name| !from.contains_key(*name));
            for name in from.keys().chain(added) {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let of = |document: &Map<String, Value>| document.get(name).cloned().unwrap_or(Value::Null);
                compare(path, &of(from), &of(to), changes);
            }
        }
        (from, to) if from != to => changes.push(Change { path, from: from.clone(), to: to.clone() }),
        _ => {}
    }
}
