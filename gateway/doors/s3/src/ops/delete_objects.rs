//! DeleteObjects: up to a thousand keys, each with an answer of its own.

use super::Operations;
use super::asked::{Asked, answer, take};
use crate::errors;
use crate::exchange::DeletedKey;
use crate::translate::{conditions, names, times};
use cofre_objects::{DeleteConditions, DeleteObject, DeleteOutcome};
use s3s::dto::{DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, Error, ObjectIdentifier};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

/// Most keys of a request (AWS, "DeleteObjects").
const KEYS_MAX: usize = 1000;

/// Answers DeleteObjects. The gate has checked the digest of the list.
pub(super) async fn delete(
    ops: &Operations,
    request: S3Request<DeleteObjectsInput>,
) -> S3Result<S3Response<DeleteObjectsOutput>> {
    let (input, asked) = take("DeleteObjects", request)?;
    let named = input.delete.objects;
    if named.is_empty() || named.len() > KEYS_MAX {
        return Err(S3Error::new(S3ErrorCode::MalformedXML));
    }
    let bucket = names::bucket(&input.bucket)?;
    let quiet = input.delete.quiet.unwrap_or(false);
    let bypass = input.bypass_governance_retention.unwrap_or(false);
    let wanted: Vec<S3Result<DeleteObject>> = named.iter().map(|object| to_domain(object, bypass)).collect();
    let good = wanted.iter().filter_map(|wanted| wanted.as_ref().ok().cloned()).collect();
    let outcomes = ops.objects.delete_objects(&asked.caller, &bucket, good).await;
    let mut outcomes = outcomes.map_err(|error| asked.refuse(&input.bucket, error))?.into_iter();

    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for (object, wanted) in named.into_iter().zip(wanted) {
        let outcome = wanted.and_then(|_| match outcomes.next() {
            Some(outcome) => outcome.map_err(|error| asked.refuse_object(&input.bucket, &object.key, error)),
            None => Err(errors::internal()),
        });
        if asked.exchange.is_logged() {
            let error = outcome.as_ref().err().map(|error| error.code().as_str().to_owned());
            let deleted = DeletedKey { key: object.key.clone(), version: object.version_id.clone(), error };
            asked.exchange.note(|noted| noted.deleted.push(deleted));
        }
        match outcome {
            Ok(outcome) if !quiet => deleted.push(show(&asked, object, outcome)),
            Ok(_) => {}
            Err(error) => {
                if *error.code() == S3ErrorCode::AccessDenied {
                    asked.exchange.key_refused();
                }
                errors.push(show_error(&asked, object, &error));
            }
        }
    }
    answer(DeleteObjectsOutput { deleted: Some(deleted), errors: Some(errors), ..DeleteObjectsOutput::default() })
}

fn to_domain(object: &ObjectIdentifier, bypass_governance: bool) -> S3Result<DeleteObject> {
    // A version id that is not of our form names no version.
    let version = names::version(object.version_id.as_deref()).map_err(|_| S3Error::new(S3ErrorCode::NoSuchVersion))?;
    Ok(DeleteObject {
        key: names::key(object.key.clone())?,
        version,
        conditions: DeleteConditions {
            if_match: object.e_tag.as_ref().map(|tag| conditions::parse_tags(tag.value())),
            if_modified_at: object.last_modified_time.as_ref().map(times::from_dto),
            if_size: object.size.map(conditions::size),
        },
        bypass_governance,
    })
}

fn show(asked: &Asked, object: ObjectIdentifier, outcome: DeleteOutcome) -> DeletedObject {
    let version = outcome.version.map(|version| version.to_string());
    DeletedObject {
        delete_marker: outcome.delete_marker.then_some(true),
        delete_marker_version_id: version.filter(|_| outcome.delete_marker),
        key: Some(asked.escape(object.key)),
        version_id: object.version_id,
    }
}

fn show_error(asked: &Asked, object: ObjectIdentifier, error: &S3Error) -> Error {
    Error {
        code: Some(error.code().as_str().to_owned()),
        key: Some(asked.escape(object.key)),
        message: error.message().map(str::to_owned),
        version_id: object.version_id,
    }
}
