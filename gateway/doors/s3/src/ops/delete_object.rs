//! DeleteObject.

use super::Operations;
use super::asked::{answer, take};
use crate::translate::{conditions, names, times};
use cofre_objects::{DeleteConditions, DeleteObject};
use s3s::dto::{DeleteObjectInput, DeleteObjectOutput};
use s3s::{S3Request, S3Response, S3Result};

/// Answers DeleteObject. Deleting what is not there is fine.
pub(super) async fn delete(
    ops: &Operations,
    request: S3Request<DeleteObjectInput>,
) -> S3Result<S3Response<DeleteObjectOutput>> {
    let (input, asked) = take("DeleteObject", request)?;
    let bucket = names::bucket(&input.bucket)?;
    let wanted = DeleteObject {
        key: names::key(input.key)?,
        version: names::version(input.version_id.as_deref())?,
        conditions: DeleteConditions {
            if_match: asked.conditionals().delete(),
            if_modified_at: input.if_match_last_modified_time.as_ref().map(times::from_dto),
            if_size: input.if_match_size.map(conditions::size),
        },
        bypass_governance: input.bypass_governance_retention.unwrap_or(false),
    };
    let key = wanted.key.clone();
    let outcome = ops.objects.delete_object(&asked.caller, &bucket, wanted).await;
    let outcome = outcome.map_err(|error| asked.refuse_object(&input.bucket, key.as_str(), error))?;
    answer(DeleteObjectOutput {
        delete_marker: outcome.delete_marker.then_some(true),
        version_id: outcome.version.map(|version| version.to_string()),
        ..DeleteObjectOutput::default()
    })
}
