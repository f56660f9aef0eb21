//! The tags of a bucket by its ARN: TagResource, UntagResource and ListTagsForResource of the S3 Control API, which s3s
//! does not have. They are the only way to set tags that count in policies (AWS, "Enabling ABAC in general purpose
//! buckets").
//!
//! A request is known by the header that all of that API have, and by its path, whatever host it is for: SDKs put the
//! account before the host that they are told.

use super::budget::Holder;
use super::documents::{self, Document, Sender};
use super::payload::{self, DigestOf};
use super::{Gate, admit_caller, check_expected_owner, target};
use crate::auth::Authenticated;
use crate::auth::query::Query;
use crate::errors;
use crate::exchange::Exchange;
use crate::facts::Signed;
use crate::ops::{Admitted, Asked};
use crate::translate::conditions::Conditionals;
use crate::translate::encryption::CustomerKeys;
use crate::translate::{names, tags};
use bytes::Bytes;
use cofre_iam::Action;
use cofre_types::{BucketName, TagsLimit};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use percent_encoding::percent_decode_str;
use s3s::xml::{DeError, Deserializer, Serializer};
use s3s::{Body, HttpRequest, HttpResponse, S3Error, S3ErrorCode, S3Result, dto, s3_error};

/// What every request of the S3 Control API has.
const ACCOUNT: HeaderName = HeaderName::from_static("x-amz-account-id");

/// What the path begins with; the ARN of the bucket follows, percent-encoded.
const PATH: &str = "/v20180820/tags/";

/// The namespace of the API's documents.
const NAMESPACE: &str = "http://awss3control.amazonaws.com/doc/2018-08-20/";

/// Most bytes of a document: fifty tags of 128 and 256 characters, each escaped.
const TAGS_BYTES_MAX: usize = 256 << 10;

/// Most keys that one request takes away (AWS, "UntagResource": as many as a bucket has).
const KEYS_MAX: usize = 50;

/// Whether a request is about the tags of a resource by its ARN.
pub(super) fn is_asked(uri: &Uri, headers: &HeaderMap) -> bool {
    uri.path().starts_with(PATH) && headers.contains_key(ACCOUNT)
}

impl Gate {
    /// Answers a request about the tags of a bucket.
    pub(super) async fn answer_tags(&self, request: HttpRequest, exchange: &Exchange) -> S3Result<HttpResponse> {
        let operation = match *request.method() {
            Method::GET => "ListTagsForResource",
            Method::POST => "TagResource",
            Method::DELETE => "UntagResource",
            _ => return Err(S3Error::new(S3ErrorCode::MethodNotAllowed)),
        };
        let (mut parts, body) = request.into_parts();
        let Authenticated { access_key, signed, body, trailers } =
            self.authenticator.authenticate(&mut parts, body, exchange).await?;
        let caller = admit_caller(&self.credentials, &self.admission, access_key.as_deref(), exchange).await?;
        let now = exchange.now();
        exchange.note(|noted| (noted.operation, noted.operation_at) = (operation, now));
        let uri = target::without_signature(parts.uri, &signed)?;
        let bucket = bucket_of(&uri)?;
        check_expected_owner(&self.objects, &caller, exchange, Some(&bucket), &parts.headers).await?;
        let may = self.may_send(&caller, exchange, Some(&bucket), &[Action::TagResource]);
        let document = Document { bytes_max: TAGS_BYTES_MAX, ..documents::UNBOUNDED };
        let (bytes, share) =
            self.documents.document(body, document, Sender { holder: Holder::of(&caller), may }).await?;
        let checked = payload::checked(bytes, &parts.headers, trailers.as_ref(), DigestOf::Body)?;
        let asked = self.asked(operation, caller, exchange, (parts.headers, uri), signed);
        let answered = match operation {
            "ListTagsForResource" => self.list_tags(&asked, &bucket).await,
            "TagResource" => self.tag(&asked, &bucket, &checked.bytes().unwrap_or_default()).await,
            _ => self.untag(&asked, &bucket).await,
        };
        drop(share);
        answered
    }

    fn asked(
        &self,
        operation: &'static str,
        caller: cofre_iam::Caller,
        exchange: &Exchange,
        (headers, uri): (HeaderMap, Uri),
        signed: Signed,
    ) -> Asked {
        let admitted = Admitted {
            caller,
            exchange: exchange.clone(),
            conditionals: Conditionals::default(),
            response_expires: None,
            trailers: None,
            signed,
            customer_keys: CustomerKeys::default(),
        };
        Asked::new(operation, admitted, headers, uri)
    }

    async fn list_tags(&self, asked: &Asked, bucket: &BucketName) -> S3Result<HttpResponse> {
        let found = self.objects.resource_tags(&asked.caller, bucket).await;
        let set = tags::to_dto(&found.map_err(|error| asked.refuse(bucket.as_str(), error))?);
        let mut text = Vec::with_capacity(1024);
        let mut xml = Serializer::new(&mut text);
        let written = xml.decl().and_then(|()| {
            xml.element_with_ns("ListTagsForResourceResult", NAMESPACE, |xml| xml.list("Tags", "Tag", &set))
        });
        written.map_err(|_| errors::internal())?;
        let mut response = HttpResponse::new(Body::from(Bytes::from(text)));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
        Ok(response)
    }

    async fn tag(&self, asked: &Asked, bucket: &BucketName, document: &[u8]) -> S3Result<HttpResponse> {
        let set = parse(document).ok_or_else(|| S3Error::new(S3ErrorCode::MalformedXML))?;
        let set = tags::from_dto(set, TagsLimit::Bucket, &asked.exchange)?;
        let tagged = self.objects.tag_bucket(&asked.caller, bucket, set).await;
        tagged.map_err(|error| asked.refuse(bucket.as_str(), error)).map(|()| no_content())
    }

    async fn untag(&self, asked: &Asked, bucket: &BucketName) -> S3Result<HttpResponse> {
        let query = Query::parse(asked.query());
        let given = query.pairs().filter(|(name, _)| *name == b"tagKeys");
        let keys: Vec<_> = given.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect();
        if !(1..=KEYS_MAX).contains(&keys.len()) {
            return Err(s3_error!(InvalidArgument, "tagKeys: name 1 to {KEYS_MAX} keys of tags"));
        }
        let untagged = self.objects.untag_bucket(&asked.caller, bucket, &keys).await;
        untagged.map_err(|error| asked.refuse(bucket.as_str(), error)).map(|()| no_content())
    }
}

fn no_content() -> HttpResponse {
    let mut response = HttpResponse::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// The bucket whose ARN stands in a path.
fn bucket_of(uri: &Uri) -> S3Result<BucketName> {
    let encoded = uri.path().strip_prefix(PATH).unwrap_or_default();
    let arn = percent_decode_str(encoded).decode_utf8_lossy();
    let mut parts = arn.splitn(6, ':');
    let resource = match [parts.next(), parts.next(), parts.next(), parts.next(), parts.next(), parts.next()] {
        [Some("arn"), Some(_), Some("s3"), Some(_), Some(_), Some(resource)] => resource,
        _ => "",
    };
    if resource.is_empty() || resource.contains('/') {
        return Err(s3_error!(
            InvalidArgument,
            "The resource ARN is not that of a bucket, such as arn:aws:s3:::bucket."
        ));
    }
    names::bucket(resource)
}

/// Reads a `TagResourceRequest`.
fn parse(document: &[u8]) -> Option<dto::TagSet> {
    let mut xml = Deserializer::new(document);
    let mut set = None;
    let read = xml.named_element("TagResourceRequest", |xml| {
        xml.for_each_element(|xml, name| match name {
            b"Tags" if set.is_none() => {
                set = Some(xml.list_content("Tag")?);
                Ok(())
            }
            _ => Err(DeError::UnexpectedTagName),
        })
    });
    read.and_then(|()| xml.expect_eof()).ok()?;
    set.filter(|set: &dto::TagSet| !set.is_empty())
}
