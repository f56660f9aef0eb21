//! Addresses signed by version 2 (AWS, "Signing and authenticating REST requests", "Query string request
//! authentication alternative"): what boto3 and the AWS CLI make in us-east-1 unless told otherwise.
//!
//! Version 2 signs the method, the path, some sub-resources and the `x-amz-` headers. A sub-resource that it does not
//! sign is refused: whoever holds the address could add it.

use super::presigned::expired;
use super::promoted::{self, Promoted};
use super::query::Query;
use super::verified::{Sender, credential_of, mismatch};
use super::words::access_denied;
use crate::credentials::Credentials;
use crate::exchange::Exchange;
use crate::gate::is_sub_resource;
use aws_lc_rs::hmac::{self, HMAC_SHA1_FOR_LEGACY_USE_ONLY};
use base64::{Engine, prelude::BASE64_STANDARD};
use cofre_types::Timestamp;
use http::request::Parts;
use http::{HeaderMap, header};
use s3s::S3Result;

/// Parameters that are signed, in their order.
const SIGNED: [&str; 35] = [
    "accelerate",
    "acl",
    "analytics",
    "cors",
    "defaultObjectAcl",
    "delete",
    "inventory",
    "lifecycle",
    "location",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "partNumber",
    "policy",
    "replication",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "select",
    "select-type",
    "storageClass",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
];

/// What such an address carries.
pub(super) struct Address<'a> {
    access_key: &'a str,
    expires: &'a str,
    signature: &'a str,
}

impl<'a> Address<'a> {
    /// Reads the parameters, which must be in time.
    pub(super) fn of(query: &'a Query<'_>, now: Timestamp, exchange: &Exchange) -> S3Result<Self> {
        let given = |name| query.single(name).filter(|value| !value.is_empty());
        let (Some(access_key), Some(expires), Some(signature)) =
            (given("AWSAccessKeyId"), given("Expires"), given("Signature"))
        else {
            return Err(access_denied(
                "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters",
            ));
        };
        let end = expires
            .parse()
            .map_err(|_| access_denied(format!("Invalid date (should be seconds since epoch): {expires}")));
        // A date that no clock here reaches is as good as never.
        let end = Timestamp::from_secs(u64::min(end?, u64::MAX / 1_000_000_000));
        if now > end {
            return Err(expired(end, now, exchange));
        }
        Ok(Self { access_key, expires, signature })
    }

    /// Holds the signature against the secret of its key. `bucket` is that of the host's name.
    pub(super) async fn verify(
        &self,
        credentials: &Credentials,
        parts: &Parts,
        query: &Query<'_>,
        promoted: &Promoted,
        bucket: Option<&str>,
        exchange: &Exchange,
    ) -> S3Result<Sender> {
        let credential = credential_of(credentials, self.access_key, exchange).await?;
        if let Some(unsigned) = unsigned(query) {
            exchange.detail("ArgumentName", unsigned.as_str());
            return Err(access_denied(format!("Signature version 2 does not sign the parameter {unsigned}")));
        }
        let text = self.string_to_sign(parts, query, promoted, bucket);
        let key = hmac::Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, credential.secret.expose().as_bytes());
        // A `+` that the client did not escape has become a space.
        let given = BASE64_STANDARD.decode(self.signature.replace(' ', "+")).ok();
        if given.is_some_and(|given| hmac::verify(&key, &text, &given).is_ok()) {
            return Ok(Sender::of_version_2(self.access_key));
        }
        Err(mismatch(exchange, self.access_key, self.signature, &String::from_utf8_lossy(&text), None))
    }

    fn string_to_sign(&self, parts: &Parts, query: &Query<'_>, promoted: &Promoted, bucket: Option<&str>) -> Vec<u8> {
        let mut text = parts.method.as_str().as_bytes().to_vec();
        for name in ["content-md5", header::CONTENT_TYPE.as_str()] {
            text.push(b'\n');
            text.extend_from_slice(parts.headers.get(name).map(|value| value.as_bytes()).unwrap_or_default());
        }
        text.push(b'\n');
        text.extend_from_slice(self.expires.as_bytes());
        text.push(b'\n');
        push_headers(&mut text, &parts.headers, promoted);
        if let Some(bucket) = bucket {
            text.push(b'/');
            text.extend_from_slice(bucket.as_bytes());
        }
        text.extend_from_slice(parts.uri.path().as_bytes());
        push_parameters(&mut text, query);
        text
    }
}

/// A parameter that says what a request does and is not signed.
fn unsigned(query: &Query<'_>) -> Option<String> {
    let names = query.pairs().map(|(name, _)| String::from_utf8_lossy(name));
    let mut names = names.filter(|name| is_sub_resource(name) && !SIGNED.contains(&name.as_ref()));
    names.next().map(|name| name.into_owned())
}

/// Names in their order, values of a name joined, whether they stand in headers or in the address.
fn push_headers(text: &mut Vec<u8>, headers: &HeaderMap, promoted: &Promoted) {
    let in_headers =
        headers.iter().filter(|(name, _)| promoted::is_header(name.as_str().as_bytes()) || *name == "x-amz-date");
    let in_headers = in_headers.filter(|(name, _)| !promoted.contains(name));
    let mut all: Vec<_> = in_headers.chain(promoted.iter()).collect();
    all.sort_by_key(|(name, _)| name.as_str());
    let mut last = None;
    for (name, value) in all {
        if last == Some(name) {
            // The values of a name are one line.
            text.pop();
            text.push(b',');
        } else {
            text.extend_from_slice(name.as_str().as_bytes());
            text.push(b':');
        }
        text.extend_from_slice(value.as_bytes().trim_ascii());
        text.push(b'\n');
        last = Some(name);
    }
}

fn push_parameters(text: &mut Vec<u8>, query: &Query<'_>) {
    let mut signed: Vec<_> =
        query.pairs().filter(|(name, _)| std::str::from_utf8(name).is_ok_and(|name| SIGNED.contains(&name))).collect();
    signed.sort_by_key(|(name, _)| *name);
    for (at, (name, value)) in signed.into_iter().enumerate() {
        text.push(if at == 0 { b'?' } else { b'&' });
        text.extend_from_slice(name);
        if !value.is_empty() {
            text.push(b'=');
            text.extend_from_slice(value);
        }
    }
}
