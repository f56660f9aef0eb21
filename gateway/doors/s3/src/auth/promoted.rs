//! Headers that stand in the address: a presigned address carries `x-amz-` headers as parameters, in any case, and
//! they count as the headers that they are.

use super::query::Query;
use super::words::invalid_argument;
use crate::exchange::Exchange;
use http::header::HeaderName;
use http::{HeaderMap, HeaderValue};
use s3s::S3Result;

/// What the names of such parameters begin with, in any case.
const PREFIX: &[u8] = b"x-amz-";

/// Parameters of the signature itself.
const OF_SIGNATURE: [&str; 7] = [
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-security-token",
    "x-amz-signature",
    "x-amz-signedheaders",
];

/// The headers that the parameters of an address are.
#[derive(Debug, Default)]
pub(super) struct Promoted(HeaderMap);

impl Promoted {
    /// Makes headers of parameters. One that is a header too must be the same there: else what was signed and what
    /// is done could differ.
    pub(super) fn of(query: &Query<'_>, headers: &HeaderMap, exchange: &Exchange) -> S3Result<Self> {
        let mut promoted = HeaderMap::new();
        for (name, value) in query.pairs() {
            if !is_header(name) {
                continue;
            }
            let header = HeaderName::from_bytes(name).ok().zip(HeaderValue::from_bytes(value).ok());
            let Some((name, value)) = header else {
                let (name, value) = (String::from_utf8_lossy(name), String::from_utf8_lossy(value));
                let why = "A query parameter that stands for a header must be one that a header can be.";
                return Err(invalid_argument(exchange, &name, value, why));
            };
            promoted.append(name, value);
        }
        for name in promoted.keys() {
            let differs = headers.contains_key(name) && !promoted.get_all(name).iter().eq(headers.get_all(name));
            if differs {
                let value = promoted.get(name).map(HeaderValue::as_bytes).unwrap_or_default();
                let value = String::from_utf8_lossy(value);
                let why = format!("The header {name} and the query parameter of that name differ: send one of them.");
                return Err(invalid_argument(exchange, name.as_str(), value, why));
            }
        }
        Ok(Self(promoted))
    }

    /// Whether a header stands in the address.
    pub(super) fn contains(&self, name: &HeaderName) -> bool {
        self.0.contains_key(name)
    }

    /// The value of one.
    pub(super) fn get(&self, name: &HeaderName) -> Option<&HeaderValue> {
        self.0.get(name)
    }

    /// Names and values.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        self.0.iter()
    }

    /// Makes them headers of the request. Those that are headers already are the same.
    pub(super) fn put_into(self, headers: &mut HeaderMap) {
        for name in self.0.keys() {
            headers.remove(name);
        }
        headers.extend(self.0);
    }
}

/// Whether a parameter is a header.
pub(super) fn is_header(name: &[u8]) -> bool {
    name.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
        && !OF_SIGNATURE.iter().any(|part| name.eq_ignore_ascii_case(part.as_bytes()))
}
