//! Signatures of version 4, in a header or in the address.

use super::authorization::Authorization;
use super::canonical::{self, Path};
use super::payload::CONTENT_SHA256;
use super::presigned::Presigned;
use super::promoted::Promoted;
use super::query::Query;
use super::scope::{Scope, SigningKey};
use super::words::{access_denied, header_malformed, parameters_malformed};
use crate::credentials::Credentials;
use crate::exchange::Exchange;
use crate::translate::times;
use cofre_iam::Credential;
use cofre_types::Timestamp;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};
use std::borrow::Cow;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

const AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");

/// Headers that need not be among the signed ones: what is signed holds them anyway.
const SIGNED_ANYWAY: [HeaderName; 2] = [AMZ_DATE, CONTENT_SHA256];

/// What a signature of an address is over, where its body is not.
const UNSIGNED_PAYLOAD: &[u8] = b"UNSIGNED-PAYLOAD";

/// How far the clock of a client may be from ours.
const SKEW_MAX: Duration = Duration::from_secs(15 * 60);

/// Who a request says has signed it.
pub(super) struct Claim<'a> {
    scope: Scope<'a>,
    /// When, in ISO 8601's basic form.
    date: Cow<'a, str>,
    at: Timestamp,
    signed_headers: &'a str,
    signature: &'a str,
    in_query: bool,
}

/// Who has signed a request.
pub(super) struct Sender {
    access_key: String,
    /// What chunks of the body go on from; none of addresses of version 2.
    pub(super) chain: Option<Chain>,
}

/// Signatures that go on from that of the request.
#[derive(Clone)]
pub(super) struct Chain {
    pub(super) key: SigningKey,
    /// Date and scope, a line each.
    pub(super) date_and_scope: String,
    /// The signature that the next one goes on from, in hexadecimal.
    pub(super) previous: String,
}

impl Sender {
    pub(super) fn of_version_2(access_key: &str) -> Self {
        Self { access_key: access_key.to_owned(), chain: None }
    }

    pub(super) fn into_access_key(self) -> String {
        self.access_key
    }
}

impl<'a> Claim<'a> {
    /// The claim of an `Authorization` header.
    pub(super) fn of_header(
        authorization: &'a HeaderValue,
        headers: &'a HeaderMap,
        regions: &'a [String],
        now: Timestamp,
        exchange: &Exchange,
    ) -> S3Result<Self> {
        let Authorization { scope, signed_headers, signature } =
            Authorization::parse(authorization, regions, exchange)?;
        let (date, at) = date_of(headers)
            .ok_or_else(|| access_denied("AWS authentication requires a valid Date or x-amz-date header"))?;
        if now.since(at).max(at.since(now)) > SKEW_MAX {
            exchange.detail("RequestTime", date);
            exchange.detail("ServerTime", times::to_iso(now));
            exchange.detail("MaxAllowedSkewMilliseconds", SKEW_MAX.as_millis().to_string());
            return Err(S3Error::with_message(
                S3ErrorCode::RequestTimeTooSkewed,
                "The difference between the request time and the current time is too large.",
            ));
        }
        if !date.starts_with(scope.date) {
            return Err(header_malformed(&format!(
                "Invalid credential date \"{}\". This date is not the same as X-Amz-Date: \"{}\".",
                scope.date,
                date.get(..8).unwrap_or_default()
            )));
        }
        if !headers.contains_key(&CONTENT_SHA256) {
            return Err(s3_error!(InvalidRequest, "Missing required header for this request: x-amz-content-sha256"));
        }
        Ok(Self { scope, date, at, signed_headers, signature, in_query: false })
    }

    /// The claim of a presigned address.
    pub(super) fn of_query(
        query: &'a Query<'_>,
        regions: &'a [String],
        now: Timestamp,
        exchange: &Exchange,
    ) -> S3Result<Self> {
        let Presigned { scope, date, at, signed_headers, signature } = Presigned::parse(query, regions, now, exchange)?;
        Ok(Self { scope, date: Cow::Borrowed(date), at, signed_headers, signature, in_query: true })
    }

    /// When it was signed.
    pub(super) const fn at(&self) -> Timestamp {
        self.at
    }

    /// Holds the claim against the secret of its key.
    pub(super) async fn verify(
        &self,
        credentials: &Credentials,
        parts: &Parts,
        query: &Query<'_>,
        promoted: &Promoted,
        exchange: &Exchange,
    ) -> S3Result<Sender> {
        let access_key = self.scope.access_key;
        let credential = credential_of(credentials, access_key, exchange).await?;
        self.signs_what_it_must(&parts.headers, promoted, exchange)?;
        let key = self.scope.signing_key(credential.secret.expose());
        let mut first = None;
        for payload in self.payloads(&parts.headers, promoted) {
            for path in Path::ways(parts.uri.path()) {
                let canonical = canonical::request(parts, query, self.signed_headers, payload, *path);
                let text = canonical::string_to_sign(&canonical, &self.date, &self.scope);
                if key.verify(text.as_bytes(), self.signature) {
                    let date_and_scope = format!("{}\n{}", self.date, self.scope);
                    let chain = Chain { key, date_and_scope, previous: self.signature.to_owned() };
                    return Ok(Sender { access_key: access_key.to_owned(), chain: Some(chain) });
                }
                first.get_or_insert((canonical, text));
            }
        }
        let (canonical, text) = first.unwrap_or_default();
        Err(mismatch(exchange, access_key, self.signature, &text, Some(&canonical)))
    }

    /// The host and every `x-amz-` header must be among what is signed: else the holder of a signed request could
    /// make another one of it.
    fn signs_what_it_must(&self, headers: &HeaderMap, promoted: &Promoted, exchange: &Exchange) -> S3Result<()> {
        self.names_each_once()?;
        let is_signed = |name: &str| self.signed_headers.split(';').any(|signed| signed.eq_ignore_ascii_case(name));
        let mut unsigned: Vec<&str> = headers
            .keys()
            .filter(|name| name.as_str().starts_with("x-amz-"))
            .filter(|name| !SIGNED_ANYWAY.contains(name) && !promoted.contains(name))
            .map(HeaderName::as_str)
            .chain([header::HOST.as_str()])
            .filter(|name| !is_signed(name))
            .collect();
        if unsigned.is_empty() {
            return Ok(());
        }
        unsigned.sort_unstable();
        exchange.detail("HeadersNotSigned", unsigned.join(", "));
        Err(access_denied("There were headers present in the request which were not signed"))
    }

    /// A name that is repeated would put its values into the canonical request as often: a head of 16 KiB could make
    /// tens of megabytes of it.
    fn names_each_once(&self) -> S3Result<()> {
        let mut names: Vec<String> = self.signed_headers.split(';').map(str::to_ascii_lowercase).collect();
        names.sort_unstable();
        if !names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Ok(());
        }
        let why = "SignedHeaders names a header more than once.";
        Err(if self.in_query { parameters_malformed(why) } else { header_malformed(why) })
    }

    /// What the canonical request may end in: what is said of the body, and for an address that nothing is.
    fn payloads<'b>(&self, headers: &'b HeaderMap, promoted: &'b Promoted) -> Vec<&'b [u8]> {
        let given = promoted.get(&CONTENT_SHA256).or_else(|| headers.get(&CONTENT_SHA256));
        let given = given.map(HeaderValue::as_bytes);
        match (self.in_query, given) {
            (false, given) => vec![given.unwrap_or_default()],
            (true, None | Some(UNSIGNED_PAYLOAD)) => vec![UNSIGNED_PAYLOAD],
            (true, Some(given)) => vec![UNSIGNED_PAYLOAD, given],
        }
    }
}

/// The credential of a key; a key that is none is named to who asks.
pub(crate) async fn credential_of(
    credentials: &Credentials,
    access_key: &str,
    exchange: &Exchange,
) -> S3Result<Arc<Credential>> {
    credentials.credential(access_key).await.inspect_err(|error| {
        if *error.code() == S3ErrorCode::InvalidAccessKeyId {
            exchange.detail("AWSAccessKeyId", access_key);
        }
    })
}

/// When a request was signed. One may be dated by `Date` alone.
fn date_of(headers: &HeaderMap) -> Option<(Cow<'_, str>, Timestamp)> {
    if let Some(date) = headers.get(&AMZ_DATE) {
        let date = date.to_str().ok()?.trim();
        if let Some(at) = times::parse_basic(date) {
            return Some((Cow::Borrowed(date), at));
        }
        let at = parse_date(date)?;
        return Some((Cow::Owned(times::to_basic(at)), at));
    }
    let at = parse_date(headers.get(header::DATE)?.to_str().ok()?)?;
    Some((Cow::Owned(times::to_basic(at)), at))
}

/// Reads a date as HTTP has it, or with the zone as mail does (RFC 5322, section 3.3), which botocore writes.
fn parse_date(text: &str) -> Option<Timestamp> {
    let text = text.trim().trim_end_matches(" -0000").trim_end_matches(" +0000").trim_end_matches(" GMT");
    times::parse_http(&format!("{text} GMT")).or_else(|| times::parse_basic(text))
}

/// A signature that is wrong, and what it should have been over.
pub(super) fn mismatch(
    exchange: &Exchange,
    access_key: &str,
    signature: &str,
    text: &str,
    canonical: Option<&[u8]>,
) -> S3Error {
    exchange.detail("AWSAccessKeyId", access_key);
    exchange.detail("StringToSign", text);
    exchange.detail("SignatureProvided", signature);
    exchange.detail("StringToSignBytes", bytes_of(text.as_bytes()));
    if let Some(canonical) = canonical {
        exchange.detail("CanonicalRequest", String::from_utf8_lossy(canonical));
        exchange.detail("CanonicalRequestBytes", bytes_of(canonical));
    }
    S3Error::with_message(
        S3ErrorCode::SignatureDoesNotMatch,
        "The request signature we calculated does not match the signature you provided. Check your key and signing \
         method.",
    )
}

fn bytes_of(text: &[u8]) -> String {
    let mut shown = String::with_capacity(text.len() * 3);
    for (at, byte) in text.iter().enumerate() {
        // Writing to a string does not fail.
        let _ = write!(shown, "{}{byte:02x}", if at > 0 { " " } else { "" });
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_dated_in_one_of_its_ways() {
        let dated = |pairs: &[(HeaderName, &'static str)]| {
            let headers: HeaderMap =
                pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
            date_of(&headers).map(|(date, _)| date.into_owned())
        };
        let same = Some("20151021T072800Z".to_owned());
        for text in ["Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 07:28:00 -0000", "20151021T072800Z"] {
            assert_eq!(dated(&[(header::DATE, text)]), same, "{text}");
            assert_eq!(dated(&[(AMZ_DATE, text)]), same, "{text}");
        }
        let late = "Wed, 21 Oct 2015 08:28:00 GMT";
        assert_eq!(dated(&[(AMZ_DATE, "20151021T072800Z"), (header::DATE, late)]), same);
        for text in ["", "yesterday", "Wed, 21 Oct 2015 07:28:00 +0200"] {
            assert_eq!(dated(&[(header::DATE, text)]), None, "{text}");
            assert_eq!(dated(&[(AMZ_DATE, text), (header::DATE, late)]), None, "{text}");
        }
    }
}
