//! What a request's address is about, as far as the gate must know before s3s parses it.

use super::payload::DigestOf;
use crate::errors;
use crate::host::{self, Domains};
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, Uri};
use s3s::S3Result;

/// Bucket and kind of a request.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    /// The bucket, as it is written in the address.
    pub(crate) bucket: Option<&'a str>,
    has_key: bool,
    query: &'a str,
}

impl<'a> Target<'a> {
    pub(crate) fn of(domains: &Domains, uri: &'a Uri, headers: &'a HeaderMap) -> Self {
        let path = uri.path().strip_prefix('/').unwrap_or_default();
        let (bucket, key) = match host::host(uri, headers).and_then(|host| domains.bucket(host)) {
            Some(bucket) => (bucket, path),
            None => path.split_once('/').unwrap_or((path, "")),
        };
        let bucket = (!bucket.is_empty()).then_some(bucket);
        Self { bucket, has_key: !key.is_empty(), query: uri.query().unwrap_or_default() }
    }

    /// Whether it is about an object, or an upload of one.
    pub(crate) fn is_of_object(&self) -> bool {
        self.has_key
    }

    /// Whether the body is content, which goes through as a stream; all others are small XML.
    pub(crate) fn streams(&self, method: &Method) -> bool {
        const OF_CONTENT: [&str; 4] = ["partNumber", "uploadId", "x-id", "versionId"];
        let is_content = |name: &str| {
            let starts = [SIGNATURE_PARAMETERS, HEADER_PARAMETERS];
            name.is_empty() || starts.iter().any(|start| name.starts_with(start)) || OF_CONTENT.contains(&name)
        };
        *method == Method::PUT && self.has_key && self.parameters().all(is_content)
    }

    /// What a checksum in the headers is of, where the body is XML.
    pub(super) fn digest_of(&self, method: &Method) -> DigestOf {
        let completes = *method == Method::POST && self.has_key && self.has_parameter("uploadId");
        if completes { DigestOf::Object } else { DigestOf::Body }
    }

    /// Whether its address has a parameter of this name.
    pub(super) fn has_parameter(&self, wanted: &str) -> bool {
        self.parameters().any(|name| name == wanted)
    }

    fn parameters(&self) -> impl Iterator<Item = &'a str> {
        self.query.split('&').map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name))
    }
}

/// What the parameters of a presigned address begin with.
const SIGNATURE_PARAMETERS: &str = "X-Amz-";

/// What headers begin with that stand in a presigned address. No sub-resource is called so.
const HEADER_PARAMETERS: &str = "x-amz-";

/// The address without the parameters of a signature that has been checked.
pub(crate) fn without_signature(uri: Uri) -> S3Result<Uri> {
    if !uri.query().is_some_and(|query| query.contains(SIGNATURE_PARAMETERS)) {
        return Ok(uri);
    }
    let kept: Vec<&str> =
        uri.query().unwrap_or_default().split('&').filter(|pair| !pair.starts_with(SIGNATURE_PARAMETERS)).collect();
    let address = if kept.is_empty() { uri.path().to_owned() } else { format!("{}?{}", uri.path(), kept.join("&")) };
    let mut parts = uri.into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(address).map_err(|_| errors::internal())?);
    Uri::from_parts(parts).map_err(|_| errors::internal())
}

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
            (target.bucket.map(str::to_owned), target.streams(&Method::PUT))
        };
        assert_eq!(case("/", &headers), (None, false));
        assert_eq!(case("/photos", &headers), (Some("photos".to_owned()), false));
        assert_eq!(case("/photos/", &headers), (Some("photos".to_owned()), false));
        assert_eq!(case("/photos/a/b", &headers), (Some("photos".to_owned()), true));
        assert_eq!(case("/photos/a?partNumber=1&uploadId=x", &headers), (Some("photos".to_owned()), true));
        assert_eq!(case("/photos/a?X-Amz-Signature=0&x-id=PutObject", &headers), (Some("photos".to_owned()), true));
        let presigned = "/photos/a?X-Amz-Signature=0&x-amz-request-payer=requester";
        assert_eq!(case(presigned, &headers), (Some("photos".to_owned()), true));
        assert_eq!(case("http://photos.s3.local/a", &headers), (Some("photos".to_owned()), true), "HTTP/2");
        assert_eq!(case("/photos/a?tagging", &headers), (Some("photos".to_owned()), false));
        headers.insert(header::HOST, "photos.s3.local:9000".parse().unwrap());
        assert_eq!(case("/a/b", &headers), (Some("photos".to_owned()), true));
    }

    #[test]
    fn drops_only_the_signature() {
        let dropped = |uri: &'static str| without_signature(Uri::from_static(uri)).unwrap().to_string();
        assert_eq!(dropped("/b/k?X-Amz-Date=1&versionId=null&X-Amz-Signature=2"), "/b/k?versionId=null");
        assert_eq!(dropped("/b/k?X-Amz-Signature=2"), "/b/k");
        assert_eq!(dropped("/b/k?tagging"), "/b/k?tagging");
    }
}
