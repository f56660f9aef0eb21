//! Who pays for requests to a bucket.

use super::Operations;
use super::asked::{answer, take};
use crate::errors;
use crate::translate::lock::malformed;
use crate::translate::names;
use cofre_objects::{BucketConfig, ConfigKind, Error, Payer};
use s3s::dto::{
    self, GetBucketRequestPaymentInput, GetBucketRequestPaymentOutput, PutBucketRequestPaymentInput,
    PutBucketRequestPaymentOutput,
};
use s3s::{S3Request, S3Response, S3Result};

/// Answers GetBucketRequestPayment. The owner of a bucket pays unless something else is set.
pub(super) async fn get(
    ops: &Operations,
    request: S3Request<GetBucketRequestPaymentInput>,
) -> S3Result<S3Response<GetBucketRequestPaymentOutput>> {
    let (input, asked) = take("GetBucketRequestPayment", request)?;
    let bucket = names::bucket(&input.bucket)?;
    let payer = match ops.objects.bucket_config(&asked.caller, &bucket, ConfigKind::RequestPayment).await {
        Ok(BucketConfig::RequestPayment(payer)) => payer,
        Ok(_) => return Err(errors::internal()),
        Err(Error::NoSuchConfiguration(_)) => Payer::BucketOwner,
        Err(error) => return Err(asked.refuse(&input.bucket, error)),
    };
    let name = match payer {
        Payer::BucketOwner => dto::Payer::BUCKET_OWNER,
        Payer::Requester => dto::Payer::REQUESTER,
    };
    answer(GetBucketRequestPaymentOutput { payer: Some(dto::Payer::from_static(name)) })
}

/// Answers PutBucketRequestPayment.
pub(super) async fn put(
    ops: &Operations,
    request: S3Request<PutBucketRequestPaymentInput>,
) -> S3Result<S3Response<PutBucketRequestPaymentOutput>> {
    let (input, asked) = take("PutBucketRequestPayment", request)?;
    let payer = match input.request_payment_configuration.payer.as_str() {
        dto::Payer::BUCKET_OWNER => Payer::BucketOwner,
        dto::Payer::REQUESTER => Payer::Requester,
        _ => return Err(malformed()),
    };
    let config = BucketConfig::RequestPayment(payer);
    let put = ops.objects.put_bucket_config(&asked.caller, &names::bucket(&input.bucket)?, config).await;
    put.map_err(|error| asked.refuse(&input.bucket, error))?;
    answer(PutBucketRequestPaymentOutput::default())
}
