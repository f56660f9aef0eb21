//! Requester Pays: who says that they pay, and who is told that they did. Who must pay is decided in the
//! domain.

use cofre_iam::Caller;
use cofre_objects::Objects;
use cofre_types::BucketName;
use http::{HeaderMap, HeaderName, HeaderValue};
use s3s::dto::CopySource;

const PAYER: HeaderName = HeaderName::from_static("x-amz-request-payer");
const CHARGED: HeaderName = HeaderName::from_static("x-amz-request-charged");
const COPY_SOURCE: HeaderName = HeaderName::from_static("x-amz-copy-source");
const REQUESTER: HeaderValue = HeaderValue::from_static("requester");

/// Whether a request says that its sender pays for it. What a presigned address says is a header by now.
pub(crate) fn pays(headers: &HeaderMap) -> bool {
    headers.get(PAYER).is_some_and(|value| value == REQUESTER)
}

/// A request whose sender said that they pay.
pub(crate) struct Charge {
    caller: Caller,
    /// The buckets that it is about: two if it copies.
    buckets: Vec<BucketName>,
}

impl Charge {
    pub(crate) fn of(caller: &Caller, bucket: Option<&str>, headers: &HeaderMap) -> Self {
        let source = headers.get(COPY_SOURCE).and_then(|source| CopySource::parse(source.to_str().ok()?).ok());
        let source = source.as_ref().and_then(|source| match source {
            CopySource::Bucket { bucket, .. } => Some(bucket.as_ref()),
            CopySource::AccessPoint { .. } | CopySource::Outpost { .. } => None,
        });
        let names = bucket.into_iter().chain(source);
        Self { caller: caller.clone(), buckets: names.filter_map(|name| BucketName::parse(name).ok()).collect() }
    }

    /// Tells in the answer to a request that has succeeded that it was its sender's to pay, if it was.
    pub(crate) async fn tell(&self, objects: &Objects, response: &mut HeaderMap) {
        for bucket in &self.buckets {
            if objects.is_charged(&self.caller, bucket).await.unwrap_or(false) {
                response.insert(CHARGED, REQUESTER);
            }
        }
    }
}
