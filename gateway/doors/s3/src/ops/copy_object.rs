//! CopyObject: a copy moves no bytes unless it is to be encrypted in another way.

use super::asked::{document, take};
use super::put_object::storage_class;
use super::{Operations, acl, owners};
use crate::translate::acl::{ListOf, from_headers};
use crate::translate::checksums::{self, Shown, with_checksum};
use crate::translate::{encryption, headers, lock, names, tags, times};
use cofre_objects::{CopyContent, CopyOutcome, NewCopy, NewObject};
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
    let given = headers::given!(input, asked);
    let algorithm = input.checksum_algorithm.as_ref().map(|name| checksums::algorithm(name.as_str())).transpose()?;
    let (bucket, key) = (names::bucket(&input.bucket)?, names::key(input.key)?);
    let tags = if replaces_tags { Some(tags::from_header(input.tagging.as_deref(), &asked.exchange)?) } else { None };
    let lock = lock::wanted(
        input.object_lock_mode.as_ref(),
        input.object_lock_retain_until_date.as_ref(),
        input.object_lock_legal_hold_status.as_ref(),
    )?;
    let list = from_headers(asked.headers(), ListOf::Object)?;
    // A missing key is the source's: the destination need not be there.
    let (source_bucket, source_key) = (source.bucket.clone(), source.key.clone());
    let refuse = |error| asked.refuse_object(source_bucket.as_str(), source_key.as_str(), error);
    let copies_tags = tags.is_none();
    let to = NewObject { bucket, key, tags: tags.unwrap_or_default(), lock, acl: acl::unresolved(list.as_ref()) };
    let ticket = ops.objects.begin_copy(&asked.caller, NewCopy { to, copies_tags, from: source }).await;
    let parsed = || {
        let conditions = asked.conditionals().write(&asked.exchange)?;
        Ok((conditions, asked.encrypt_as()?, asked.source_customer_key()?))
    };
    let (mut ticket, (conditions, encryption, source_customer_key)) = asked.after_rights(ticket, parsed(), refuse)?;
    if let Some(acl) = acl::resolved(ops, list).await? {
        ticket.give_acl(acl).map_err(refuse)?;
    }
    let content = CopyContent {
        source_conditions: asked.conditionals().copy_source(),
        source_customer_key,
        headers: if replaces_headers { Some(headers::to_domain(given)?) } else { None },
        website_redirect,
        storage_class: storage_class(input.storage_class)?,
        checksum: algorithm,
        conditions,
        encryption,
    };
    let outcome = ticket.store(content).await.map_err(refuse)?;
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
