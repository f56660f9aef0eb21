//! What the console's pages ask of objects beyond reading and writing them: many at once, elsewhere, and what is known
//! of one.

use crate::browse::{Deleted, Entry, Put};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// An object, or a version of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ObjectName {
    /// Key.
    pub key: String,
    /// Version; the current one if absent. The version of a delete marker brings back what it hides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// Deletes objects: those named, or some of those in a folder. Exactly one of both.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteObjects {
    /// At most 1,000 objects or versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<ObjectName>,
    /// What the keys of a folder begin with, with `/` at its end: its next 1,000 objects at the most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// `next` of the answer before, with `prefix`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// What came of the deletion of one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeletedObject {
    /// Key.
    pub key: String,
    /// What was done; absent if nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Deleted>,
    /// Why nothing was done, as the code of a problem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// What came of the deletion of several objects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeletedObjects {
    /// Each object, in the order of the request or of the keys.
    pub items: Vec<DeletedObject>,
    /// What to send as `after` to go on with the folder; absent once its end was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Copies or moves an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CopyTo {
    /// Its key.
    pub key: String,
    /// Bucket of the copy; the same one if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_bucket: Option<String>,
    /// Key of the copy.
    pub to_key: String,
    /// Whether it takes the place of an object that is there.
    #[serde(default)]
    pub replace: bool,
}

/// An object that was moved: a copy, and the deletion of what it was copied from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Moved {
    /// The copy.
    pub put: Put,
    /// What became of the source.
    pub source: Deleted,
}

/// What is known of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AboutObject {
    /// Its version; absent where versions have no ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Entity tag, without quotes.
    pub etag: String,
    /// Bytes.
    pub bytes: u64,
    /// When it was modified.
    #[schema(format = DateTime)]
    pub modified: String,
    /// Media type; empty if none was given.
    pub media_type: String,
    /// User metadata, without `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
    /// Tags; absent if the account may not see them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
    /// Storage class.
    pub storage_class: String,
    /// Checksum with its algorithm, such as `CRC64NVME ZgC6rQ0wkFs=`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// How it is encrypted; absent if it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<String>,
    /// Until when it is kept; absent if it is not, or if the account may not see that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<BrowsedRetention>,
    /// Whether a legal hold keeps it; absent if nobody ever said, or if the account may not see that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_hold: Option<bool>,
    /// When a rule of the bucket ends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub ends: Option<String>,
}

/// Until when a version is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BrowsedRetention {
    /// How strictly.
    pub mode: BrowsedLockMode,
    /// Until when, exclusive.
    #[schema(format = DateTime)]
    pub until: String,
}

/// How strictly a version is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BrowsedLockMode {
    /// Until then, or until someone with the right to it says otherwise.
    Governance,
    /// Until then, whoever asks.
    Compliance,
}

/// Sets what is known of an object. What is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetAbout {
    /// Its key.
    pub key: String,
    /// The version that tags, retention and hold are of; the current one if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// All its tags: at most 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
    /// Until when it is kept. It can be made later, and not sooner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<BrowsedRetention>,
    /// Whether a legal hold keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_hold: Option<bool>,
}

/// Sets media type and metadata of an object: it becomes a new version that shares its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetMetadata {
    /// Its key.
    pub key: String,
    /// The object that this was read of: another one is not changed.
    pub etag: String,
    /// Media type; none if empty.
    pub media_type: String,
    /// All user metadata, names without `x-amz-meta-`: at most 2 KiB.
    pub metadata: BTreeMap<String, String>,
}

/// The beginning of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TextBeginning {
    /// The text.
    pub text: String,
    /// Whether there is more of it.
    pub more: bool,
}

/// Makes a link that downloads an object, for whoever has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MakeLink {
    /// Its key.
    pub key: String,
    /// Its version; the one that is current when the link is used if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// How long it lasts, in seconds: at most 7 days.
    #[schema(minimum = 60, maximum = 604800)]
    pub seconds: u32,
}

/// A link. It has the rights of the access key of the session, and ends with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Link {
    /// The address.
    pub url: String,
    /// From when on it is refused.
    #[schema(format = DateTime)]
    pub expires: String,
}

/// What to look for below a prefix.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SearchQuery {
    /// What the keys begin with; all if empty.
    #[serde(default)]
    pub prefix: String,
    /// What the rest of the keys must hold, whatever its case: 1 to 200 characters.
    pub q: String,
    /// `next` of the search before, to go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// A line of a search. The last one has `end` or `next`; without it the search was cut off.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SearchLine {
    /// An object that was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hit: Option<Entry>,
    /// Keys that were looked at so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<u64>,
    /// Whether all were looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<bool>,
    /// What to send as `after` to go on: this search looked at as many as one may, or found as many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// What the keys of a folder begin with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FolderQuery {
    /// What the keys begin with; the whole bucket if empty.
    #[serde(default)]
    pub prefix: String,
}

/// What goes into an archive.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ZipQuery {
    /// What the keys of the folder begin with, with `/` at its end; the whole bucket if empty.
    #[serde(default)]
    pub prefix: String,
    /// Keys and folders of it, as a JSON list of 1 to 500 texts; all if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<String>,
}

/// How much is in a folder and below it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Measured {
    /// Objects.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Whether all were counted; there are at least as many otherwise.
    pub whole: bool,
}

/// Which deleted objects.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeletedQuery {
    /// What their keys begin with; all if empty.
    #[serde(default)]
    pub prefix: String,
    /// `next` of the page before; the first page if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// An object that a delete marker hides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HiddenObject {
    /// Key.
    pub key: String,
    /// The delete marker: deleting it brings the object back.
    pub marker: String,
    /// When it was deleted.
    #[schema(format = DateTime)]
    pub deleted: String,
    /// Bytes of the newest version; absent if none is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}
