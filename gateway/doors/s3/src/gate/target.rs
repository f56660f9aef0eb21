//! What a request's address is about, as far as the gate must know before s3s parses it.

use super::payload::DigestOf;
use super::table::Resource;
use crate::errors;
use crate::facts::{Signed, parameter};
use crate::host::{self, Domains};
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, Uri};
use percent_encoding::percent_decode_str;
use s3s::S3Result;
use std::borrow::Cow;

/// Bucket and kind of a request.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    /// The bucket, as it is written in the address.
    pub(crate) bucket: Option<&'a str>,
    has_key: bool,
}

impl<'a> Target<'a> {
    pub(crate) fn of(domains: &Domains, uri: &'a Uri, headers: &'a HeaderMap) -> Self {
        Self::at(domains, uri, host::host(uri, headers))
    }

    /// As [`Target::of`], with the host that the request is for.
    pub(crate) fn at(domains: &Domains, uri: &'a Uri, host: Option<&'a str>) -> Self {
        let path = uri.path().strip_prefix('/').unwrap_or_default();
        let (bucket, key) = match host.and_then(|host| domains.bucket(host)) {
            Some(bucket) => (bucket, path),
            None => path.split_once('/').unwrap_or((path, "")),
        };
        let bucket = (!bucket.is_empty()).then_some(bucket);
        Self { bucket, has_key: !key.is_empty() }
    }

    /// Whether it is about an object, or an upload of one.
    pub(crate) fn is_of_object(&self) -> bool {
        self.has_key
    }

    /// What it is about.
    pub(crate) fn resource(&self) -> Resource {
        match (self.bucket, self.has_key) {
            (None, _) => Resource::Service,
            (Some(_), false) => Resource::Bucket,
            (Some(_), true) => Resource::Object,
        }
    }

    /// What its body is.
    pub(super) fn content(&self, method: &Method, sub_resource: Option<&str>) -> Content {
        match (method, sub_resource) {
            (&Method::PUT, None | Some("uploadId")) if self.has_key => Content::Object,
            (&Method::POST, Some("uploadId")) => Content::Xml(DigestOf::Object),
            _ => Content::Xml(DigestOf::Body),
        }
    }
}

/// What the body of a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Content of an object, which goes through as a stream.
    Object,
    /// Small XML, and what a checksum in the headers is of.
    Xml(DigestOf),
}

/// The parameter that sets a header of the answer, and that s3s takes only as a date.
const RESPONSE_EXPIRES: &str = "response-expires";

/// The address without `response-expires`, and what that says.
pub(crate) fn without_response_expires(uri: Uri) -> S3Result<(Uri, Option<String>)> {
    let query = uri.query().unwrap_or_default();
    let Some(given) = parameter(query, RESPONSE_EXPIRES).map(Cow::into_owned) else { return Ok((uri, None)) };
    let is_it = |pair: &str| pair.split('=').next() == Some(RESPONSE_EXPIRES);
    Ok((without(uri, is_it)?, Some(given)))
}

/// The address without the parameters of a signature that has been checked, and without those that have become
/// headers.
pub(crate) fn without_signature(uri: Uri, signed: &Signed) -> S3Result<Uri> {
    let of_version_2 = matches!(signed, Signed::QueryOfVersion2);
    let is_of_signature = |pair: &str| {
        let name = pair.split_once('=').map_or(pair, |(name, _)| name);
        let name = percent_decode_str(name).decode_utf8_lossy();
        let is_header = name.get(..HEADERS.len()).is_some_and(|start| start.eq_ignore_ascii_case(HEADERS));
        is_header || of_version_2 && OF_VERSION_2.contains(&name.as_ref())
    };
    if !uri.query().unwrap_or_default().split('&').any(is_of_signature) {
        return Ok(uri);
    }
    without(uri, is_of_signature)
}

/// The address without some of its parameters.
fn without(uri: Uri, is_left_out: impl Fn(&str) -> bool) -> S3Result<Uri> {
    let kept: Vec<&str> = uri.query().unwrap_or_default().split('&').filter(|pair| !is_left_out(pair)).collect();
    let address = if kept.is_empty() { uri.path().to_owned() } else { format!("{}?{}", uri.path(), kept.join("&")) };
    let mut parts = uri.into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(address).map_err(|_| errors::internal())?);
    Uri::from_parts(parts).map_err(|_| errors::internal())
}

/// What the parameters of a presigned address begin with, those of its signature and those that are headers.
const HEADERS: &str = "x-amz-";

/// The parameters of a signature of version 2.
const OF_VERSION_2: [&str; 3] = ["AWSAccessKeyId", "Expires", "Signature"];

#[cfg(test)]
mod tests {
    use super::*;
    use http::header;

    #[test]
    fn knows_bucket_and_content() {
        let domains = Domains::new(&["s3.local".to_owned()]);
        let mut headers = HeaderMap::new();
        let case = |uri: &'static str, headers: &HeaderMap| {
            let uri = Uri::from_static(uri);
            let target = Target::of(&domains, &uri, headers);
            (target.bucket.map(str::to_owned), target.resource())
        };
        let photos = || Some("photos".to_owned());
        assert_eq!(case("/", &headers), (None, Resource::Service));
        assert_eq!(case("/photos", &headers), (photos(), Resource::Bucket));
        assert_eq!(case("/photos/", &headers), (photos(), Resource::Bucket));
        assert_eq!(case("/photos/a/b", &headers), (photos(), Resource::Object));
        assert_eq!(case("http://photos.s3.local/a", &headers), (photos(), Resource::Object), "HTTP/2");
        headers.insert(header::HOST, "photos.s3.local:9000".parse().unwrap());
        assert_eq!(case("/a/b", &headers), (photos(), Resource::Object));

        let uri = Uri::from_static("/photos/a");
        let target = Target::of(&domains, &uri, &headers);
        assert_eq!(target.content(&Method::PUT, None), Content::Object);
        assert_eq!(target.content(&Method::PUT, Some("uploadId")), Content::Object);
        assert_eq!(target.content(&Method::PUT, Some("acl")), Content::Xml(DigestOf::Body));
        assert_eq!(target.content(&Method::POST, Some("uploadId")), Content::Xml(DigestOf::Object));
    }

    #[test]
    fn drops_only_the_signature_and_headers() {
        let dropped =
            |uri: &'static str, signed| without_signature(Uri::from_static(uri), &signed).unwrap().to_string();
        let at = Signed::Query(cofre_types::Timestamp(0));
        assert_eq!(dropped("/b/k?X-Amz-Date=1&versionId=null&X-Amz-Signature=2", at.clone()), "/b/k?versionId=null");
        assert_eq!(dropped("/b/k?X%2DAmz-Signature=2&x-amz-acl=private", at.clone()), "/b/k");
        assert_eq!(dropped("/b/k?tagging", at.clone()), "/b/k?tagging");
        let of_version_2 = "/b/k?AWSAccessKeyId=a&Expires=1&Signature=s&acl";
        assert_eq!(dropped(of_version_2, Signed::QueryOfVersion2), "/b/k?acl");
        assert_eq!(dropped(of_version_2, at), of_version_2);
    }
}
