//! In which way a request is signed.

use super::query::Query;
use super::words::{invalid_argument, parameters_malformed};
use crate::exchange::Exchange;
use http::{HeaderMap, HeaderValue, header};
use s3s::{S3Error, S3Result};

/// Parameters of which each says that an address is signed by version 4.
const OF_VERSION_4: [&str; 6] =
    ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-Signature", "X-Amz-SignedHeaders"];

/// Parameters of which each says that an address is signed by version 2. `Expires` alone says nothing.
const OF_VERSION_2: [&str; 2] = ["AWSAccessKeyId", "Signature"];

/// In which way a request is signed, by what it carries: that is not yet held to be whole or good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mechanism<'a> {
    None,
    Header(&'a HeaderValue),
    Query,
    QueryOfVersion2,
}

impl<'a> Mechanism<'a> {
    /// Finds the one way. Two are refused, whatever they are: what one says could turn around what the other is
    /// trusted for.
    pub(super) fn find(headers: &'a HeaderMap, query: &Query<'_>, exchange: &Exchange) -> S3Result<Self> {
        let mut authorizations = headers.get_all(header::AUTHORIZATION).iter();
        let authorization = authorizations.next();
        let by_version_4 = OF_VERSION_4.iter().any(|name| query.has(name));
        let by_version_2 = OF_VERSION_2.iter().any(|name| query.has(name));
        match (authorization, by_version_4, by_version_2) {
            (Some(one), false, false) if authorizations.next().is_none() => Ok(Self::Header(one)),
            (None, true, false) if query.has("X-Amz-Signature") => Ok(Self::Query),
            (None, true, false) => Err(parameters_malformed(PARAMETERS_MISSING)),
            (None, false, true) => Ok(Self::QueryOfVersion2),
            (None, false, false) => Ok(Self::None),
            (Some(one), _, _) => Err(only_one(exchange, "Authorization", one.as_bytes())),
            (None, true, true) => Err(only_one(exchange, "Signature", b"")),
        }
    }
}

/// What a presigned address must carry.
pub(super) const PARAMETERS_MISSING: &str = "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, \
     X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.";

/// Refuses a second way.
pub(super) fn only_one(exchange: &Exchange, name: &str, value: &[u8]) -> S3Error {
    invalid_argument(
        exchange,
        name,
        String::from_utf8_lossy(value),
        "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter \
         or the Authorization header should be specified",
    )
}
