//! CopyObject: a copy moves no bytes unless it is to be encrypted in another way.

use super::asked::{document, take};
use super::put_object::storage_class;
use super::{Operations, acl, owners};
use crate::translate::checksums::{self, Shown, with_checksum};
use crate::translate::{encryption, headers, lock, names, tags, times};
use cofre_objects::{CopyObject, CopyOutcome, WantedPut};
use s3s::dto::{CopyObjectInput, CopyObjectOutput, CopyObjectResult};
use s3s::xml::SerializeContent;
use s3s::{S3Request, S3Response, S3Result, s3_error};

/// Answers CopyObject.
pub(super) async fn copy(
    ops: &Operations,
    request: S3Request<CopyObjectInput>,
) -> S3Result<S3Response<CopyObjectOutput>> {
    let (input, asked) = take("CopyObject", request)?;
    let source = names::copy_source(input.copy_source)?;
    if let Some(expected) = &input.expected_source_bucket_owner {
        owners::expect(ops, &asked, &source.bucket, expected).await?;
    }
    let replaces_headers = replaces(input.metadata_directive.as_ref().map(|directive| directive.as_str()), "metadata")?;
    let replaces_tags = replaces(input.tagging_directive.as_ref().map(|directive| directive.as_str()), "tagging")?;
    let website_redirect = match replaces_headers {
        true => None,
        false => headers::website_redirect(input.website_redirect_location.clone())?,
    };
    let given = headers::Given {
        content_type: input.content_type,
        content_encoding: input.content_encoding,
        content_disposition: input.content_disposition,
        content_language: input.content_language,
        cache_control: input.cache_control,
        expires: input.expires,
        website_redirect_location: input.website_redirect_location,
        metadata: headers::with_unnamed(input.metadata, asked.headers()),
        missing: None,
    };
    let algorithm = input.checksum_algorithm.as_ref().map(|name| checksums::algorithm(name.as_str())).transpose()?;
    let (bucket, key) = (names::bucket(&input.bucket)?, names::key(input.key)?);
    let tags = if replaces_tags { Some(tags::from_header(input.tagging.as_deref(), &asked.exchange)?) } else { None };
    let lock = lock::wanted(
        input.object_lock_mode.as_ref(),
        input.object_lock_retain_until_date.as_ref(),
        input.object_lock_legal_hold_status.as_ref(),
    )?;
    let from = Some((&source.bucket, &source.key));
    let wanted = WantedPut { tags: tags.as_ref(), lock, source: from, ..WantedPut::object(&bucket, &key) };
    let conditions = asked.conditionals().write(&asked.exchange);
    let parsed = conditions.and_then(|conditions| Ok((conditions, asked.encrypt_as()?)));
    let (conditions, encryption) = asked.after_rights(parsed, ops.objects.may_put(&asked.caller, wanted)).await?;
    let acl = acl::given_to(ops, &asked, wanted).await?;
    let allowed = ops.objects.may_get(&asked.caller, &source.bucket, &source.key, source.version);
    let source_customer_key = asked.after_rights(asked.source_customer_key(), allowed).await?;
    let request = CopyObject {
        source_bucket: source.bucket.clone(),
        source_key: source.key.clone(),
        source_version: source.version,
        source_conditions: asked.conditionals().copy_source(),
        source_customer_key,
        bucket: bucket.clone(),
        key: key.clone(),
        headers: if replaces_headers { Some(headers::to_domain(given)?) } else { None },
        website_redirect,
        tags: tags.clone(),
        storage_class: storage_class(input.storage_class)?,
        checksum: algorithm,
        lock,
        acl,
        conditions,
        encryption,
    };
    // A missing key is the source's: the destination need not be there.
    let (bucket, key) = (request.source_bucket.clone(), request.source_key.clone());
    let outcome = ops.objects.copy_object(&asked.caller, request).await;
    let outcome = outcome.map_err(|error| asked.refuse_object(bucket.as_str(), key.as_str(), error))?;
    let headers = encryption::shown_of_write(outcome.encryption.as_ref());
    let (result, output) = show(outcome);
    // s3s writes it without its namespace.
    let mut response = document(&asked, "CopyObjectResult", |xml| result.serialize_content(xml))?;
    (response.output, response.headers) = (output, headers);
    Ok(response)
}

fn replaces(directive: Option<&str>, name: &str) -> S3Result<bool> {
    match directive {
        None | Some("COPY") => Ok(false),
        Some("REPLACE") => Ok(true),
        Some(_) => Err(s3_error!(InvalidArgument, "Unknown {name} directive.")),
    }
}

fn show(outcome: CopyOutcome) -> (CopyObjectResult, CopyObjectOutput) {
    let checksum = Shown::new(outcome.checksum.as_ref(), outcome.etag.parts());
    let result = CopyObjectResult {
        checksum_type: checksum.kind.clone(),
        e_tag: Some(names::etag(&outcome.etag)),
        last_modified: Some(times::to_dto(outcome.modified)),
        ..CopyObjectResult::default()
    };
    let output = CopyObjectOutput {
        copy_source_version_id: outcome.source_version.map(|version| version.to_string()),
        expiration: outcome.ending.map(times::to_expiration),
        version_id: names::made(outcome.version),
        ..CopyObjectOutput::default()
    };
    (with_checksum!(result, checksum), output)
}
