//! RestoreObject. Objects of every storage class can be read as they are, so there is nothing to restore.

use super::Operations;
use super::asked::take;
use crate::translate::names;
use s3s::dto::{RestoreObjectInput, RestoreObjectOutput};
use s3s::{S3Request, S3Response, S3Result, s3_error};

/// Answers RestoreObject as S3 does for an object that is not archived.
pub(super) async fn restore(
    ops: &Operations,
    request: S3Request<RestoreObjectInput>,
) -> S3Result<S3Response<RestoreObjectOutput>> {
    let (input, asked) = take("RestoreObject", request)?;
    let (bucket, key) = (names::bucket(&input.bucket)?, names::key(input.key)?);
    let version = names::version(input.version_id.as_deref())?;
    let allowed = ops.objects.may_restore(&asked.caller, &bucket, &key, version).await;
    allowed.map_err(|error| asked.refuse_object(&input.bucket, key.as_str(), error))?;
    Err(s3_error!(InvalidObjectState, "Restore is not allowed for the object's current storage class"))
}
