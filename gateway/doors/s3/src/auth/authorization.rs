//! The `Authorization` header (AWS, "Authenticating Requests: Using the Authorization Header").

use super::scope::{Scope, ScopeError};
use super::words::{header_malformed, invalid_argument, mechanism_refused};
use crate::exchange::Exchange;
use http::HeaderValue;
use s3s::{S3Error, S3Result};

/// The one algorithm of version 4 that is taken.
pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The one of signatures by key pairs.
pub(super) const ALGORITHM_OF_PAIRS: &str = "AWS4-ECDSA-P256-SHA256";

/// What version 2 begins with.
const VERSION_2: &str = "AWS";

/// The three components, of their form.
#[derive(Debug)]
pub(super) struct Authorization<'a> {
    pub(super) scope: Scope<'a>,
    pub(super) signed_headers: &'a str,
    pub(super) signature: &'a str,
}

impl<'a> Authorization<'a> {
    /// Reads the header.
    pub(super) fn parse(value: &'a HeaderValue, regions: &'a [String], exchange: &Exchange) -> S3Result<Self> {
        let lossy = || String::from_utf8_lossy(value.as_bytes()).into_owned();
        let split = value.to_str().ok().and_then(|text| text.trim().split_once(' '));
        let Some((algorithm, components)) = split else {
            let why = "Authorization header is invalid -- one and only one ' ' (space) required.";
            return Err(invalid_argument(exchange, "Authorization", lossy(), why));
        };
        match algorithm {
            ALGORITHM => {}
            VERSION_2 | ALGORITHM_OF_PAIRS => return Err(mechanism_refused()),
            _ => {
                let why = "Unsupported Authorization Type";
                return Err(invalid_argument(exchange, "Authorization", lossy(), why));
            }
        }
        let [credential, signed_headers, signature] = components_of(components)?;
        let scope = Scope::parse(credential, regions).map_err(|error| malformed_scope(&error, exchange))?;
        Ok(Self { scope, signed_headers, signature })
    }
}

/// Reads the components, which come in any order.
fn components_of(text: &str) -> S3Result<[&str; 3]> {
    const NAMES: [&str; 3] = ["Credential", "SignedHeaders", "Signature"];
    let mut found = [None; 3];
    let mut count = 0;
    for component in text.split(',').map(str::trim) {
        count += 1;
        let Some((name, value)) = component.split_once('=') else {
            return Err(header_malformed(&format!("the authorization component \"{component}\" is malformed.")));
        };
        if value.contains('=') {
            return Err(header_malformed(&format!("the authorization component \"{component}\" is malformed.")));
        }
        if let Some(at) = NAMES.iter().position(|known| *known == name)
            && found[at].replace(value).is_some()
        {
            return Err(header_malformed(&format!("the authorization component \"{component}\" is malformed.")));
        }
    }
    if count != NAMES.len() {
        return Err(header_malformed(
            "the authorization header requires three components: Credential, SignedHeaders, and Signature.",
        ));
    }
    match found {
        [None, ..] => Err(header_malformed("missing Credential.")),
        [_, None, _] => Err(header_malformed("missing SignedHeaders.")),
        [.., None] => Err(header_malformed("missing Signature.")),
        [Some(credential), Some(signed_headers), Some(signature)] => Ok([credential, signed_headers, signature]),
    }
}

fn malformed_scope(error: &ScopeError<'_>, exchange: &Exchange) -> S3Error {
    error.tell(exchange);
    header_malformed(&error.to_string())
}
