//! Who sent a request: its signature, and what its body is to be held against (AWS, "Signature Version 4 for
//! API requests" and "Authenticating Requests: Using Query Parameters").
//!
//! A request is signed in one way or in none. Whatever of a signature it carries must be whole: half a signature
//! is an error, and never an anonymous request.
//!
//! # Order
//! Form of the signature, time, access key, what must be signed, the signature. Nothing of the body is read.

mod authorization;
mod body_errors;
mod canonical;
mod chunked;
mod mechanism;
mod payload;
mod presigned;
mod promoted;
pub(crate) mod query;
pub(crate) mod scope;
mod verified;
mod version2;
mod words;

pub(crate) use body_errors::{ChunkedError, PayloadError};
pub(crate) use chunked::Trailers;
pub(crate) use verified::credential_of;
pub(crate) use words::version_2_refused;

use crate::credentials::Credentials;
use crate::exchange::Exchange;
use crate::facts::Signed;
use crate::host::{self, Domains};
use cofre_runtime::Clock;
use cofre_types::Timestamp;
use http::request::Parts;
use http::{HeaderValue, Version, header};
use mechanism::Mechanism;
use payload::{Payload, SignedBy};
use promoted::Promoted;
use query::Query;
use s3s::{Body, S3Result, s3_error};
use std::sync::Arc;
use verified::{Claim, Sender};

/// Tells who sent a request.
pub(crate) struct Authenticator {
    pub(crate) credentials: Credentials,
    pub(crate) clock: Clock,
    pub(crate) domains: Domains,
    /// The regions that requests may be signed for.
    pub(crate) regions: Arc<[String]>,
    /// Whether addresses signed by version 2 are taken.
    pub(crate) takes_version_2: bool,
}

/// A request whose signature is good, or that has none.
pub(crate) struct Authenticated {
    /// The key that signed; none of an anonymous request.
    pub(crate) access_key: Option<String>,
    pub(crate) signed: Signed,
    /// Fails at its end if it is not what was signed.
    pub(crate) body: Body,
    /// Where what comes behind the body will be.
    pub(crate) trailers: Option<Trailers>,
}

impl Authenticator {
    /// Checks the signature of a request, and makes headers of what its address carries for them.
    pub(crate) async fn authenticate(
        &self,
        parts: &mut Parts,
        body: Body,
        exchange: &Exchange,
    ) -> S3Result<Authenticated> {
        name_host(parts)?;
        let query = Query::parse(parts.uri.query().unwrap_or_default());
        let mechanism = Mechanism::find(&parts.headers, &query, exchange)?;
        let promoted = Promoted::of(&query, &parts.headers, exchange)?;
        let payload = Payload::of(&parts.headers, &promoted, exchange)?;
        let now = Timestamp(self.clock.now_nanos());
        let (sender, signed) = match mechanism {
            Mechanism::None => (None, Signed::Not),
            Mechanism::Header(authorization) => {
                let claim = Claim::of_header(authorization, &parts.headers, &self.regions, now, exchange)?;
                let at = claim.at();
                let sender = claim.verify(&self.credentials, parts, &query, &promoted, exchange).await?;
                (Some(sender), Signed::Header(at))
            }
            Mechanism::Query => {
                let claim = Claim::of_query(&query, &self.regions, now, exchange)?;
                let at = claim.at();
                let sender = claim.verify(&self.credentials, parts, &query, &promoted, exchange).await?;
                (Some(sender), Signed::Query(at))
            }
            Mechanism::QueryOfVersion2 => {
                if !self.takes_version_2 {
                    return Err(version_2_refused());
                }
                let address = version2::Address::of(&query, now, exchange)?;
                let host = host::host(&parts.uri, &parts.headers);
                let bucket = host.and_then(|host| self.domains.bucket(host));
                let sender = address.verify(&self.credentials, parts, &query, &promoted, bucket, exchange).await?;
                (Some(sender), Signed::QueryOfVersion2)
            }
        };
        promoted.put_into(&mut parts.headers);
        let by = match (&sender, &signed) {
            (None, _) => SignedBy::Nobody,
            (Some(sender), Signed::Header(_)) => SignedBy::Header(sender),
            (Some(_), _) => SignedBy::Address,
        };
        let (body, trailers) = payload.guard(body, &mut parts.headers, by, exchange)?;
        Ok(Authenticated { access_key: sender.map(Sender::into_access_key), signed, body, trailers })
    }
}

/// A form is signed by its fields, and by nothing beside them.
pub(crate) fn refuse_beside_form(parts: &Parts, exchange: &Exchange) -> S3Result<()> {
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    match Mechanism::find(&parts.headers, &query, exchange)? {
        Mechanism::None => Ok(()),
        Mechanism::Header(value) => Err(mechanism::only_one(exchange, "Authorization", value.as_bytes())),
        Mechanism::Query | Mechanism::QueryOfVersion2 => Err(mechanism::only_one(exchange, "Signature", b"")),
    }
}

/// Makes a request of HTTP/2 name its host in a header, as signatures have it (RFC 9113, section 8.3.1). A request
/// names one host: what is signed, what is routed and what conditions see is the same.
fn name_host(parts: &mut Parts) -> S3Result<()> {
    if parts.headers.get_all(header::HOST).iter().count() > 1 {
        return Err(s3_error!(InvalidRequest, "The request names its host more than once."));
    }
    if matches!(parts.version, Version::HTTP_2 | Version::HTTP_3)
        && !parts.headers.contains_key(header::HOST)
        && let Some(authority) = parts.uri.authority()
        && let Ok(value) = HeaderValue::from_str(authority.as_str())
    {
        parts.headers.insert(header::HOST, value);
    }
    Ok(())
}
