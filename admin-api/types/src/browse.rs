//! What the console's pages send and get: buckets and objects by the rights of the account that is signed in.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Signs in with an access key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// Id of the access key.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: String,
    /// Whether the session lasts for 30 days, 7 of them without a use, instead of a day.
    #[serde(default)]
    pub keep: bool,
}

impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignIn").field("keep", &self.keep).finish_non_exhaustive()
    }
}

/// The account of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignedInAccount {
    /// Canonical id.
    pub id: String,
    /// Display name.
    pub name: String,
    /// Whether it is the root account, which may do everything.
    pub root: bool,
}

/// The session that a browser has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignedIn {
    /// Whose it is.
    pub account: SignedInAccount,
    /// Public id of the session.
    pub session: String,
    /// Id of the access key that it was begun with.
    pub access_key_id: String,
    /// From when on it is refused, whatever its use.
    #[schema(format = DateTime)]
    pub expires: String,
    /// Whether the browser came over TLS.
    pub secure: bool,
    /// Whether the session may look at operations, by the admin API of the same address.
    pub operations: bool,
    /// Version of the server.
    pub version: String,
}

/// A session in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BrowsedSession {
    /// Public id.
    pub id: String,
    /// Id of the access key that it was begun with.
    pub access_key_id: String,
    /// When it was begun.
    #[schema(format = DateTime)]
    pub created: String,
    /// When it was last used, to a quarter of an hour or a few hours.
    #[schema(format = DateTime)]
    pub seen: String,
    /// From when on it is refused, whatever its use.
    #[schema(format = DateTime)]
    pub expires: String,
    /// The address that it was begun from; empty if unknown.
    pub address: String,
    /// What the browser called itself.
    pub agent: String,
    /// Whether it is the one that asks.
    pub this: bool,
}

/// Whether a bucket keeps old versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BrowsedVersioning {
    /// It never did.
    Off,
    /// It does.
    On,
    /// It keeps those that it has, and makes no more.
    Suspended,
}

/// A bucket of the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BrowsedBucket {
    /// Name.
    pub name: String,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created: String,
    /// Whether it keeps old versions.
    pub versioning: BrowsedVersioning,
    /// Whether its objects can be locked.
    pub object_lock: bool,
    /// Its objects, counted; absent in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objects: Option<u64>,
    /// Their bytes; absent in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

/// Makes a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MakeBucket {
    /// Name, unique over all accounts.
    pub name: String,
    /// Whether it keeps what is overwritten or deleted as versions.
    #[serde(default)]
    pub versioning: bool,
    /// Days after which a version that is not current any more goes; never if absent. Only with `versioning`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 36500)]
    pub version_days: Option<u32>,
}

/// Which part of a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EntriesQuery {
    /// What the keys of the folder begin with, such as `photos/2026/`; the whole bucket if empty.
    #[serde(default)]
    pub prefix: String,
    /// `next` of the page before; the first page if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Most entries, 1 to 1,000; 100 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<usize>,
}

/// An object or a folder of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Entry {
    /// Key of the object, or what the keys in the folder begin with. It is whatever a client chose: text, and nothing
    /// else.
    pub key: String,
    /// Whether it is a folder; then the rest is absent.
    pub folder: bool,
    /// Bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// When it was modified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub modified: Option<String>,
    /// Entity tag, without quotes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
}

/// Which object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ObjectQuery {
    /// Its key.
    pub key: String,
    /// Its version; the current one if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// Which object to delete.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeleteQuery {
    /// Its key.
    pub key: String,
    /// A version to delete for good; without it the current version goes or gets a delete marker. The version of a
    /// delete marker brings back what it hides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// What came of a deletion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Deleted {
    /// The version that was deleted, or the delete marker that was made; absent where versions have no ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Whether that version is a delete marker: deleting it by its version undoes the deletion.
    pub delete_marker: bool,
}

/// An object that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Put {
    /// Its entity tag, without quotes.
    pub etag: String,
    /// Its version; absent where versions have no ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its bytes.
    pub bytes: u64,
}

/// Makes a folder: an empty object whose key ends with `/`, as other programs make them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MakeFolder {
    /// What the keys in it will begin with; must end with `/`.
    pub prefix: String,
}

/// Which versions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct VersionsQuery {
    /// Key of the object.
    pub key: String,
    /// `next` of the page before; the first page if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// A version of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BrowsedVersion {
    /// Its id.
    pub version: String,
    /// Whether it is the current one.
    pub current: bool,
    /// Whether it is a delete marker, which has no content.
    pub delete_marker: bool,
    /// Bytes.
    pub bytes: u64,
    /// When it was made.
    #[schema(format = DateTime)]
    pub modified: String,
}

/// Makes an old version the current one again, as a new version with the same content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RestoreVersion {
    /// Key of the object.
    pub key: String,
    /// The version.
    pub version: String,
}

/// A version that was made current again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Restored {
    /// Its entity tag, without quotes.
    pub etag: String,
    /// The new version; absent where versions have no ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// Begins an upload in parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StartUpload {
    /// Key of the object to be.
    pub key: String,
    /// Bytes of the object to be.
    pub bytes: u64,
    /// Media type of the object to be; none if empty.
    #[serde(default)]
    pub media_type: String,
}

/// Makes an object of the parts of an upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FinishUpload {
    /// Bytes that the object must have.
    pub bytes: u64,
    /// Its parts by number.
    pub parts: Vec<UploadedPart>,
}

/// An upload under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StartedUpload {
    /// Its id.
    pub id: String,
    /// Bytes of each part but the last; absent of an upload that was begun elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_bytes: Option<u64>,
    /// Parts that are kept already, by number: at most 1,000 after the one that was asked for.
    pub parts: Vec<UploadedPart>,
    /// Whether there are more parts than these.
    pub more: bool,
}

/// A part that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UploadedPart {
    /// Number, 1 to 10,000.
    pub number: u16,
    /// Bytes.
    pub bytes: u64,
    /// Entity tag, without quotes.
    pub etag: String,
    /// CRC-64/NVME of its bytes, in base64; absent where none is known. Not looked at when an upload is finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crc64nvme: Option<String>,
}

/// Which uploads under way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UploadsQuery {
    /// What their keys begin with; all if empty.
    #[serde(default)]
    pub prefix: String,
    /// `next` of the page before; the first page if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// An upload under way that the account began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnfinishedUpload {
    /// Its id.
    pub id: String,
    /// Key of the object to be.
    pub key: String,
    /// When it was begun.
    #[schema(format = DateTime)]
    pub begun: String,
}

/// Of which object an upload is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UploadQuery {
    /// Key of the object to be.
    pub key: String,
    /// Only parts after this one are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u16>,
}
