//! ListObjects, versions 1 and 2.

use super::asked::{Asked, answer, take};
use super::{Operations, owners};
use crate::translate::text::Encoding;
use crate::translate::{checksums, names, text, times, token};
use cofre_objects::{ListObjects, ListPage, ListedObject, PAGE_ENTRIES_MAX};
use s3s::dto::{
    CommonPrefix, EncodingType, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output, Object,
    ObjectStorageClass,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

/// Answers ListObjects.
pub(super) async fn v1(
    ops: &Operations,
    request: S3Request<ListObjectsInput>,
) -> S3Result<S3Response<ListObjectsOutput>> {
    let (input, asked) = take("ListObjects", request)?;
    let max = names::page(input.max_keys, "max-keys", PAGE_ENTRIES_MAX)?;
    check_encoding(input.encoding_type.as_ref())?;
    let prefix = input.prefix.unwrap_or_default();
    let delimiter = input.delimiter.filter(|delimiter| !delimiter.is_empty());
    let marker = input.marker.unwrap_or_default();
    let after = (!marker.is_empty()).then(|| marker.clone());
    let page = page(ops, &asked, &input.bucket, &prefix, delimiter.as_deref(), after, max).await?;

    let encoding = Encoding::of(input.encoding_type.as_ref());
    let write = |name| asked.write(encoding, name);
    // S3 tells the next marker only with a delimiter; without one it is the last key.
    let next = page.next.clone().filter(|_| delimiter.is_some());
    answer(ListObjectsOutput {
        name: Some(input.bucket),
        is_truncated: Some(page.next.is_some()),
        contents: Some(page.objects.into_iter().map(|object| show(&asked, object, encoding, true)).collect()),
        common_prefixes: Some(common_prefixes(&asked, page.common_prefixes, encoding)),
        // botocore decodes every name of this answer but the prefix, so that stays plain if it can.
        prefix: Some(if text::is_writable(&prefix) { prefix } else { write(prefix) }),
        marker: Some(write(marker)),
        next_marker: next.map(write),
        delimiter: delimiter.map(write),
        max_keys: Some(names::count(max)),
        encoding_type: encoding.to_dto(),
        ..ListObjectsOutput::default()
    })
}

/// Answers ListObjectsV2.
pub(super) async fn v2(
    ops: &Operations,
    request: S3Request<ListObjectsV2Input>,
) -> S3Result<S3Response<ListObjectsV2Output>> {
    let (input, asked) = take("ListObjectsV2", request)?;
    let max = names::page(input.max_keys, "max-keys", PAGE_ENTRIES_MAX)?;
    check_encoding(input.encoding_type.as_ref())?;
    let prefix = input.prefix.unwrap_or_default();
    let delimiter = input.delimiter.filter(|delimiter| !delimiter.is_empty());
    let start_after = input.start_after.filter(|start| !start.is_empty());
    let after = match &input.continuation_token {
        Some(given) if given.is_empty() => start_after.clone(),
        Some(given) => Some(token::decode(given).ok_or_else(token::refuse)?),
        None => start_after.clone(),
    };
    let page = page(ops, &asked, &input.bucket, &prefix, delimiter.as_deref(), after, max).await?;

    let encoding = Encoding::of(input.encoding_type.as_ref());
    let write = |name| asked.write(encoding, name);
    let with_owner = input.fetch_owner.unwrap_or(false);
    answer(ListObjectsV2Output {
        name: Some(input.bucket),
        is_truncated: Some(page.next.is_some()),
        key_count: Some(names::count(page.objects.len() + page.common_prefixes.len())),
        contents: Some(page.objects.into_iter().map(|object| show(&asked, object, encoding, with_owner)).collect()),
        common_prefixes: Some(common_prefixes(&asked, page.common_prefixes, encoding)),
        prefix: Some(write(prefix)),
        continuation_token: input.continuation_token,
        next_continuation_token: page.next.as_deref().map(token::encode),
        start_after: start_after.map(write),
        delimiter: delimiter.map(write),
        max_keys: Some(names::count(max)),
        encoding_type: encoding.to_dto(),
        ..ListObjectsV2Output::default()
    })
}

async fn page(
    ops: &Operations,
    asked: &Asked,
    bucket: &str,
    prefix: &str,
    delimiter: Option<&str>,
    after: Option<String>,
    max: usize,
) -> S3Result<ListPage> {
    let request = ListObjects {
        bucket: names::bucket(bucket)?,
        prefix: prefix.to_owned(),
        delimiter: delimiter.unwrap_or_default().to_owned(),
        after,
        max,
    };
    ops.objects.list_objects(&asked.caller, request).await.map_err(|error| asked.refuse(bucket, error))
}

/// Refuses an encoding that S3 does not have.
pub(super) fn check_encoding(asked: Option<&EncodingType>) -> S3Result<()> {
    match asked.map(EncodingType::as_str) {
        None | Some("" | EncodingType::URL) => Ok(()),
        Some(_) => Err(s3_error!(InvalidArgument, "Invalid Encoding Method specified in Request")),
    }
}

/// Common prefixes as S3 prints them.
pub(super) fn common_prefixes(asked: &Asked, prefixes: Vec<String>, encoding: Encoding) -> Vec<CommonPrefix> {
    let one = |prefix| CommonPrefix { prefix: Some(asked.write(encoding, prefix)) };
    prefixes.into_iter().map(one).collect()
}

fn show(asked: &Asked, object: ListedObject, encoding: Encoding, with_owner: bool) -> Object {
    let class = if object.storage_class.is_empty() { ObjectStorageClass::STANDARD } else { &object.storage_class };
    let storage_class = ObjectStorageClass::from(class.to_owned());
    Object {
        checksum_algorithm: object.checksum.as_ref().map(|sum| vec![checksums::algorithm_to_dto(sum.algorithm())]),
        checksum_type: object.checksum.as_ref().map(|sum| checksums::kind_to_dto(sum.kind())),
        e_tag: Some(names::etag(&object.etag)),
        key: Some(asked.write(encoding, object.key)),
        last_modified: Some(times::to_dto(object.modified)),
        owner: with_owner.then(|| owners::owner(asked, object.owner)),
        size: Some(names::size(object.size)),
        storage_class: Some(storage_class),
        ..Object::default()
    }
}
