//! Dynamic settings in documents.

use super::plan::leaves;
use crate::ApiError;
use cofre_settings::{Settings, SettingsError};
use serde_json::{Map, Value};
use std::collections::HashMap;

pub(super) fn wrong(error: SettingsError) -> ApiError {
    match error.into() {
        ApiError::Invalid { field, reason } if field == "document" => ApiError::invalid("settings", reason),
        ApiError::Invalid { field, reason } => ApiError::invalid(format!("settings.{field}"), reason),
        error => error,
    }
}

pub(super) fn document(of: &Settings) -> Result<Map<String, Value>, ApiError> {
    match serde_json::to_value(of).map_err(|error| ApiError::Internal(error.to_string()))? {
        Value::Object(document) => Ok(document),
        other => Err(ApiError::Internal(format!("settings are {other}"))),
    }
}

/// The fields that a merge patch names, with the values that they would have in a document.
pub(super) fn named(patch: &Map<String, Value>, document: &Map<String, Value>) -> Map<String, Value> {
    let value = |name: &String, patch: &Value| match (patch, document.get(name)) {
        (Value::Object(patch), Some(Value::Object(document))) => Value::Object(named(patch, document)),
        (_, value) => value.cloned().unwrap_or(Value::Null),
    };
    patch.iter().map(|(name, patch)| (name.clone(), value(name, patch))).collect()
}

/// The merge patch that makes of the default settings what is in force.
pub(super) fn beyond_defaults(settings: &Settings) -> Result<Map<String, Value>, ApiError> {
    let mut usual = HashMap::new();
    leaves("", &document(&Settings::default())?, &mut |path, value| drop(usual.insert(path, value.clone())));
    let mut patch = Map::new();
    let mut put = |path: &str, value: Value| {
        let mut names: Vec<_> = path.split('.').collect();
        let last = names.pop().unwrap_or_default();
        let mut target = &mut patch;
        for name in names {
            let inner = target.entry(name).or_insert_with(|| Value::Object(Map::new()));
            let Value::Object(inner) = inner else { return };
            target = inner;
        }
        target.insert(last.to_owned(), value);
    };
    leaves("", &document(settings)?, &mut |path, value| {
        if usual.remove(&path).as_ref() != Some(value) {
            put(&path, value.clone());
        }
    });
    // What the defaults have and these settings do not.
    usual.into_keys().for_each(|path| put(&path, Value::Null));
    Ok(patch)
}
