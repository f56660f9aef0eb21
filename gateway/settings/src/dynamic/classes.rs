//! Storage classes: names for redundancy.

use super::document::invalid;
use crate::error::SettingsError;
use cofre_types::{Invalid, Scheme};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most storage classes beside `STANDARD`.
const CLASSES_MAX: usize = 32;

/// Longest name, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// What a scheme that is the bucket's is written as.
const DEFAULT: &str = "default";

/// Classes of S3 whose objects are at hand at once, which clients name without being told: at first
/// they mean nothing more than `STANDARD`.
const AT_HAND: [&str; 5] = ["STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "REDUCED_REDUNDANCY", "GLACIER_IR"];

/// Redundancy of a storage class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ClassScheme {
    /// The same as of `STANDARD`.
    #[default]
    Default,
    /// Its own.
    Own(Scheme),
}

impl ClassScheme {
    /// Its own scheme, if it has one.
    pub const fn scheme(self) -> Option<Scheme> {
        match self {
            Self::Default => None,
            Self::Own(scheme) => Some(scheme),
        }
    }
}

impl TryFrom<String> for ClassScheme {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text == DEFAULT {
            return Ok(Self::Default);
        }
        text.parse().map(Self::Own).map_err(|error: Invalid| error.reason)
    }
}

impl From<ClassScheme> for String {
    fn from(class: ClassScheme) -> Self {
        match class {
            ClassScheme::Default => DEFAULT.to_owned(),
            ClassScheme::Own(scheme) => scheme.to_string(),
        }
    }
}

/// The classes that there are unless the settings say otherwise.
pub(super) fn defaults() -> BTreeMap<String, ClassScheme> {
    AT_HAND.iter().map(|name| ((*name).to_owned(), ClassScheme::Default)).collect()
}

/// Checks count and names.
pub(super) fn validate(classes: &BTreeMap<String, ClassScheme>) -> Result<(), SettingsError> {
    if classes.len() > CLASSES_MAX {
        return Err(invalid("storage_classes", "must have at most 32 classes"));
    }
    let of_name = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    for name in classes.keys() {
        if name == "STANDARD" {
            return Err(invalid("storage_classes.STANDARD", "is set by redundancy"));
        }
        if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.bytes().all(of_name) {
            let why = "must be named in 1 to 64 capital letters, digits and underscores";
            return Err(invalid(&format!("storage_classes.{name}"), why));
        }
    }
    Ok(())
}
