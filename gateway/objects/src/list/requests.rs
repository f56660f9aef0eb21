//! What callers ask of listings, and what they get.

use cofre_types::{AccountId, BucketName, Checksum, ETag, ObjectKey, Timestamp, VersionId};

/// Most entries of a page (AWS, "ListObjectsV2": `MaxKeys`).
pub const PAGE_ENTRIES_MAX: usize = 1000;

/// Lists the current versions of a bucket, in byte order of the key.
#[derive(Debug, Clone)]
pub struct ListObjects {
    /// Bucket.
    pub bucket: BucketName,
    /// Only keys that begin with this; all if empty.
    pub prefix: String,
    /// Keys that hold this behind the prefix are rolled up into one common prefix; no roll-up if empty.
    pub delimiter: String,
    /// Only keys after this one, and common prefixes greater than it.
    pub after: Option<String>,
    /// Most entries and common prefixes together; held to [`PAGE_ENTRIES_MAX`].
    pub max: usize,
}

/// An object of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedObject {
    /// Key.
    pub key: String,
    /// Entity tag.
    pub etag: ETag,
    /// Bytes.
    pub size: u64,
    /// When it was modified.
    pub modified: Timestamp,
    /// Who owns it.
    pub owner: AccountId,
    /// Storage class; `STANDARD` if empty.
    pub storage_class: String,
    /// Checksum, of which listings show algorithm and kind.
    pub checksum: Option<Checksum>,
}

/// A page of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListPage {
    /// Objects, in byte order.
    pub objects: Vec<ListedObject>,
    /// Common prefixes, in byte order.
    pub common_prefixes: Vec<String>,
    /// What to list after to go on; absent on the last page.
    pub next: Option<String>,
}

/// Lists versions and delete markers of a bucket: keys in byte order, versions newest first.
#[derive(Debug, Clone)]
pub struct ListVersions {
    /// Bucket.
    pub bucket: BucketName,
    /// Only keys that begin with this; all if empty.
    pub prefix: String,
    /// As in [`ListObjects`].
    pub delimiter: String,
    /// Only versions after this one: of keys after this key, or of this key after `version_after`.
    pub key_after: Option<String>,
    /// Goes with `key_after`.
    pub version_after: Option<VersionId>,
    /// Most entries; held to [`PAGE_ENTRIES_MAX`].
    pub max: usize,
}

/// A version of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedVersion {
    /// Key and what [`ListObjects`] would tell; of a delete marker only key, owner and time count.
    pub object: ListedObject,
    /// Version.
    pub version: VersionId,
    /// Whether it is the current one.
    pub latest: bool,
    /// Whether it is a delete marker.
    pub delete_marker: bool,
}

/// A page of versions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionsPage {
    /// Versions and delete markers in order.
    pub versions: Vec<ListedVersion>,
    /// Common prefixes, in byte order.
    pub common_prefixes: Vec<String>,
    /// Key and version to list after to go on; absent on the last page. The version is absent where
    /// a common prefix ended the page.
    pub next: Option<(String, Option<VersionId>)>,
}

/// Lists the uploads under way in a bucket: keys in byte order, of one key by the time of
/// their initiation.
#[derive(Debug, Clone)]
pub struct ListUploads {
    /// Bucket.
    pub bucket: BucketName,
    /// Only keys that begin with this; all if empty.
    pub prefix: String,
    /// As in [`ListObjects`].
    pub delimiter: String,
    /// Only uploads of keys after this one, or of this key with ids after `upload_after`.
    pub key_after: Option<String>,
    /// Goes with `key_after`.
    pub upload_after: Option<String>,
    /// Most entries; held to [`PAGE_ENTRIES_MAX`].
    pub max: usize,
}

/// An upload under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedUpload {
    /// Key.
    pub key: ObjectKey,
    /// Upload.
    pub upload: crate::UploadInfo,
}

/// A page of uploads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UploadsPage {
    /// Uploads in order.
    pub uploads: Vec<ListedUpload>,
    /// Common prefixes, in byte order.
    pub common_prefixes: Vec<String>,
    /// Key and upload id to list after to go on; absent on the last page.
    pub next: Option<(String, Option<String>)>,
}
