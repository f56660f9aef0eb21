//! ListObjectVersions.

use super::asked::{Asked, document, take};
use super::list_objects::{check_encoding, common_prefixes};
use super::list_uploads::class;
use super::{Operations, owners};
use crate::translate::text::Encoding;
use crate::translate::{checksums, names, times};
use cofre_objects::{ListVersions, ListedVersion, PAGE_ENTRIES_MAX};
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

    let encoding = Encoding::of(input.encoding_type.as_ref());
    let write = |name| asked.write(encoding, name);
    let (next_key, next_version) = page.next.map_or((None, None), |(key, version)| (Some(key), version));
    let texts = [
        ("Name", Some(input.bucket)),
        ("Prefix", Some(write(prefix))),
        ("KeyMarker", Some(write(key_marker.unwrap_or_default()))),
        ("VersionIdMarker", Some(version_marker.unwrap_or_default())),
        ("NextKeyMarker", next_key.map(write)),
        ("NextVersionIdMarker", next_version.map(|version| version.to_string())),
        ("Delimiter", delimiter.map(write)),
    ];
    let prefixes = common_prefixes(&asked, page.common_prefixes, encoding);
    let truncated = texts.iter().any(|(name, text)| *name == "NextKeyMarker" && text.is_some());
    // s3s' output has two lists, and so loses the order of versions and delete markers.
    document(&asked, "ListVersionsResult", |xml| {
        for (name, text) in &texts {
            if let Some(text) = text {
                xml.content(name, text)?;
            }
        }
        xml.content("MaxKeys", &names::count(max))?;
        if let Some(encoding) = encoding.to_dto() {
            xml.content("EncodingType", encoding.as_str())?;
        }
        xml.content("IsTruncated", &truncated)?;
        for version in page.versions {
            match version.delete_marker {
                true => xml.content("DeleteMarker", &show_marker(&asked, version, encoding))?,
                false => xml.content("Version", &show(&asked, version, encoding))?,
            }
        }
        xml.flattened_list("CommonPrefixes", &prefixes)
    })
}

fn show(asked: &Asked, version: ListedVersion, encoding: Encoding) -> ObjectVersion {
    let object = version.object;
    ObjectVersion {
        checksum_algorithm: object.checksum.as_ref().map(|sum| vec![checksums::algorithm_to_dto(sum.algorithm())]),
        checksum_type: object.checksum.as_ref().map(|sum| checksums::kind_to_dto(sum.kind())),
        e_tag: Some(names::etag(&object.etag)),
        is_latest: Some(version.latest),
        key: Some(asked.write(encoding, object.key)),
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
        key: Some(asked.write(encoding, marker.object.key)),
        last_modified: Some(times::to_dto(marker.object.modified)),
        owner: Some(owners::owner(asked, marker.object.owner)),
        version_id: Some(marker.version.to_string()),
    }
}
