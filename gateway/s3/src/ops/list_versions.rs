//! ListObjectVersions.

use super::asked::{Asked, answer, take};
use super::list_objects::{check_encoding, common_prefixes};
use super::list_uploads::class;
use super::{Operations, owners};
use crate::translate::text::Encoding;
use crate::translate::{checksums, names, times};
use cofre_objects::{ListVersions, ListedVersion, PAGE_ENTRIES_MAX, VersionsPage};
use s3s::dto::{
    DeleteMarkerEntry, ListObjectVersionsInput, ListObjectVersionsOutput, ObjectVersion, ObjectVersionStorageClass,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

/// Answers ListObjectVersions.
pub(super) async fn list(
    ops: &Operations,
    request: S3Request<ListObjectVersionsInput>,
) -> S3Result<S3Response<ListObjectVersionsOutput>> {
    let (input, asked) = take("ListObjectVersions", request)?;
    let max = names::page(input.max_keys, "max-keys", PAGE_ENTRIES_MAX)?;
    check_encoding(input.encoding_type.as_ref())?;
    let key_marker = input.key_marker.filter(|marker| !marker.is_empty());
    let version_marker = input.version_id_marker.filter(|marker| !marker.is_empty());
    if version_marker.is_some() && key_marker.is_none() {
        return Err(s3_error!(InvalidArgument, "A version-id marker cannot be specified without a key marker."));
    }
    let prefix = input.prefix.unwrap_or_default();
    let delimiter = input.delimiter.filter(|delimiter| !delimiter.is_empty());
    let request = ListVersions {
        bucket: names::bucket(&input.bucket)?,
        prefix: prefix.clone(),
        delimiter: delimiter.clone().unwrap_or_default(),
        key_after: key_marker.clone(),
        version_after: names::version(version_marker.as_deref())?,
        max,
    };
    let page = ops.objects.list_versions(&asked.caller, request).await;
    let page = page.map_err(|error| asked.refuse(&input.bucket, error))?;

    let echoed = [prefix.as_str(), key_marker.as_deref().unwrap_or_default(), delimiter.as_deref().unwrap_or_default()];
    let encoding = Encoding::choose(input.encoding_type.as_ref(), echoed.into_iter().chain(names_of(&page)));
    let (next_key, next_version) = page.next.map_or((None, None), |(key, version)| (Some(key), version));
    let (markers, versions): (Vec<_>, Vec<_>) = page.versions.into_iter().partition(|version| version.delete_marker);
    answer(ListObjectVersionsOutput {
        common_prefixes: Some(common_prefixes(page.common_prefixes, encoding)),
        delete_markers: Some(markers.into_iter().map(|marker| show_marker(&asked, marker, encoding)).collect()),
        delimiter: delimiter.map(|delimiter| encoding.write(delimiter)),
        encoding_type: encoding.to_dto(),
        is_truncated: Some(next_key.is_some()),
        key_marker: Some(encoding.write(key_marker.unwrap_or_default())),
        max_keys: Some(names::count(max)),
        name: Some(input.bucket),
        next_key_marker: next_key.map(|key| encoding.write(key)),
        next_version_id_marker: next_version.map(|version| version.to_string()),
        prefix: Some(encoding.write(prefix)),
        version_id_marker: version_marker,
        versions: Some(versions.into_iter().map(|version| show(&asked, version, encoding)).collect()),
        ..ListObjectVersionsOutput::default()
    })
}

fn names_of(page: &VersionsPage) -> impl Iterator<Item = &str> {
    let keys = page.versions.iter().map(|version| version.object.key.as_str());
    keys.chain(page.common_prefixes.iter().map(String::as_str)).chain(page.next.iter().map(|(key, _)| key.as_str()))
}

fn show(asked: &Asked, version: ListedVersion, encoding: Encoding) -> ObjectVersion {
    let object = version.object;
    ObjectVersion {
        checksum_algorithm: object.checksum.as_ref().map(|sum| vec![checksums::algorithm_to_dto(sum.algorithm())]),
        checksum_type: object.checksum.as_ref().map(|sum| checksums::kind_to_dto(sum.kind())),
        e_tag: Some(names::etag(&object.etag)),
        is_latest: Some(version.latest),
        key: Some(encoding.write(object.key)),
        last_modified: Some(times::to_dto(object.modified)),
        owner: Some(owners::owner(asked, object.owner)),
        size: Some(names::size(object.size)),
        // The schema has one class only, S3 prints the version's.
        storage_class: Some(ObjectVersionStorageClass::from(class(object.storage_class))),
        version_id: Some(version.version.to_string()),
        ..ObjectVersion::default()
    }
}

fn show_marker(asked: &Asked, marker: ListedVersion, encoding: Encoding) -> DeleteMarkerEntry {
    DeleteMarkerEntry {
        is_latest: Some(marker.latest),
        key: Some(encoding.write(marker.object.key)),
        last_modified: Some(times::to_dto(marker.object.modified)),
        owner: Some(owners::owner(asked, marker.object.owner)),
        version_id: Some(marker.version.to_string()),
    }
}
