//! The rules of a bucket, as they are told and as they stand in its record.

use cofre_catalog::records::BucketConfig;
use cofre_types::Timestamp;
use serde::{Deserialize, Serialize};

/// The lifecycle rules of a bucket (AWS, "Lifecycle configuration elements").
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifecycle {
    /// The rules, in the order that they were given.
    pub rules: Vec<Rule>,
    /// Whether objects below 128 KiB are moved to no other storage class unless their rule names sizes:
    /// `all_storage_classes_128K` of `x-amz-transition-default-minimum-object-size`. Without it each class has a
    /// minimum of its own, which here is none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub small_stay: bool,
}

impl Lifecycle {
    /// These rules, for objects of every size.
    pub const fn of(rules: Vec<Rule>) -> Self {
        Self { rules, small_stay: false }
    }
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Unique in the bucket; made up if empty when it is set.
    pub id: String,
    /// Whether it acts.
    pub enabled: bool,
    /// Which objects it is about.
    pub scope: Scope,
    /// What ends current objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiration: Option<Expiration>,
    /// What ends versions that are not current.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noncurrent_expiration: Option<NoncurrentExpiration>,
    /// What moves current objects to another storage class.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transitions: Vec<Transition>,
    /// What moves versions that are not current to another storage class.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub noncurrent_transitions: Vec<NoncurrentTransition>,
    /// Days from its beginning to the end of an upload that is still under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abort_upload_days: Option<u32>,
}

/// Which objects a rule is about, in the form that it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    /// The old form: keys that begin with this.
    Prefix(String),
    /// One criterion, or none for all objects.
    Filter(Criteria),
    /// Several criteria, all of which must hold.
    And(Criteria),
}

/// What an object must be like. What is absent holds for all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Criteria {
    /// Its key begins with this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// It has these tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<(String, String)>,
    /// It has more bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub larger_than: Option<u64>,
    /// It has fewer bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smaller_than: Option<u64>,
}

/// When a rule acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum When {
    /// So many days after the object was made.
    Days(u32),
    /// From this moment on, whatever the object's age.
    Date(Timestamp),
}

/// What ends current objects, and delete markers that hide nothing any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expiration {
    /// When; never if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<When>,
    /// `ExpiredObjectDeleteMarker`: whether a delete marker goes as soon as it is the only version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lone_markers: Option<bool>,
}

/// What ends versions that are not current.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoncurrentExpiration {
    /// Days since the version ceased to be current.
    pub days: u32,
    /// How many of the newest that are not current stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<u32>,
}

/// What moves current objects to another storage class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// When.
    pub when: When,
    /// Where to.
    pub storage_class: String,
}

/// What moves versions that are not current to another storage class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoncurrentTransition {
    /// Days since the version ceased to be current.
    pub days: u32,
    /// How many of the newest that are not current stay where they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<u32>,
    /// Where to.
    pub storage_class: String,
}

impl Lifecycle {
    /// Reads the rules of a bucket's record. Rules that cannot be read end nothing.
    pub fn in_config(config: &[BucketConfig]) -> Option<Self> {
        let document = config.iter().find_map(|config| match config {
            BucketConfig::Lifecycle(document) => Some(document),
            _ => None,
        })?;
        serde_json::from_str(document)
            .inspect_err(|error| tracing::error!(%error, "the lifecycle rules of a bucket cannot be read; none acts"))
            .ok()
    }
}

impl Scope {
    /// What begins the keys that it is about.
    pub fn prefix(&self) -> &str {
        match self {
            Self::Prefix(prefix) => prefix,
            Self::Filter(criteria) | Self::And(criteria) => criteria.prefix.as_deref().unwrap_or_default(),
        }
    }

    /// The criteria beside the prefix, if there are any.
    pub const fn criteria(&self) -> Option<&Criteria> {
        match self {
            Self::Prefix(_) => None,
            Self::Filter(criteria) | Self::And(criteria) => Some(criteria),
        }
    }
}
