//! RestoreObject. Objects of every storage class can be read as they are, so there is nothing to restore.

use super::Operations;
use super::asked::{answer, take};
use crate::translate::names;
use s3s::dto::{RestoreObjectInput, RestoreObjectOutput};
use s3s::{S3Request, S3Response, S3Result};

/// Answers RestoreObject as S3 does for an object that is not archived.
pub(super) async fn restore(
    ops: &Operations,
    request: S3Request<RestoreObjectInput>,
) -> S3Result<S3Response<RestoreObjectOutput>> {
    let (input, asked) = take("RestoreObject", request)?;
    let at = names::object(&input.bucket, input.key, input.version_id.as_deref())?;
    let key = at.key.clone();
    let restored = ops.objects.restore_object(&asked.caller, at).await;
    restored.map_err(|error| asked.refuse_object(&input.bucket, key.as_str(), error))?;
    answer(RestoreObjectOutput::default())
}
