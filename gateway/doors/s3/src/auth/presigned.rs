//! The parameters of a presigned address (AWS, "Authenticating Requests: Using Query Parameters").

use super::authorization::{ALGORITHM, ALGORITHM_OF_PAIRS};
use super::mechanism::PARAMETERS_MISSING;
use super::query::Query;
use super::scope::{Scope, ScopeError};
use super::words::{access_denied, mechanism_refused, parameters_malformed};
use crate::exchange::Exchange;
use crate::translate::times;
use cofre_types::Timestamp;
use s3s::{S3Error, S3Result};
use std::time::Duration;

/// How far the signer's clock may be ahead.
const AHEAD_MAX: Duration = Duration::from_secs(15 * 60);

/// Longest life of a presigned address, in seconds: a week.
const EXPIRES_SECS_MAX: i64 = 7 * 86_400;

/// The parameters, of their form and in time.
#[derive(Debug)]
pub(super) struct Presigned<'a> {
    pub(super) scope: Scope<'a>,
    pub(super) date: &'a str,
    pub(super) at: Timestamp,
    pub(super) signed_headers: &'a str,
    pub(super) signature: &'a str,
}

impl<'a> Presigned<'a> {
    /// Reads the parameters.
    pub(super) fn parse(
        query: &'a Query<'_>,
        regions: &'a [String],
        now: Timestamp,
        exchange: &Exchange,
    ) -> S3Result<Self> {
        let given = |name| query.single(name).filter(|value| !value.is_empty());
        let given = |name| given(name).ok_or_else(|| parameters_malformed(PARAMETERS_MISSING));
        let algorithm = given("X-Amz-Algorithm")?;
        let credential = given("X-Amz-Credential")?;
        let date = given("X-Amz-Date")?;
        let expires = given("X-Amz-Expires")?;
        let signed_headers = given("X-Amz-SignedHeaders")?;
        let signature = given("X-Amz-Signature")?;
        match algorithm {
            ALGORITHM => {}
            ALGORITHM_OF_PAIRS => return Err(mechanism_refused()),
            _ => return Err(parameters_malformed("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"")),
        }
        let scope = Scope::parse(credential, regions).map_err(|error| malformed_scope(&error, exchange))?;
        let at = times::parse_basic(date).ok_or_else(|| {
            parameters_malformed("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
        })?;
        if !date.starts_with(scope.date) {
            return Err(parameters_malformed(&format!(
                "Invalid credential date \"{}\". This date is not the same as X-Amz-Date: \"{}\".",
                scope.date,
                &date[..8]
            )));
        }
        in_time(at, expires, now, exchange)?;
        Ok(Self { scope, date, at, signed_headers, signature })
    }
}

fn in_time(at: Timestamp, expires: &str, now: Timestamp, exchange: &Exchange) -> S3Result<()> {
    let seconds: i64 = expires.parse().map_err(|_| parameters_malformed("X-Amz-Expires should be a number"))?;
    if seconds > EXPIRES_SECS_MAX {
        return Err(parameters_malformed(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than \
             604800 seconds",
        ));
    }
    let seconds = u64::try_from(seconds).map_err(|_| parameters_malformed("X-Amz-Expires must be non-negative"))?;
    if at > now.after(AHEAD_MAX) {
        exchange.detail("X-Amz-Date", times::to_iso(at));
        exchange.detail("ServerTime", times::to_iso(now));
        return Err(access_denied("Request is not valid yet"));
    }
    let end = at.after(Duration::from_secs(seconds));
    if now > end {
        exchange.detail("X-Amz-Expires", expires);
        return Err(expired(end, now, exchange));
    }
    Ok(())
}

/// An address whose time is over.
pub(super) fn expired(end: Timestamp, now: Timestamp, exchange: &Exchange) -> S3Error {
    exchange.detail("Expires", times::to_iso(end));
    exchange.detail("ServerTime", times::to_iso(now));
    access_denied("Request has expired")
}

fn malformed_scope(error: &ScopeError<'_>, exchange: &Exchange) -> S3Error {
    error.tell(exchange);
    parameters_malformed(&format!("Error parsing the X-Amz-Credential parameter; {error}"))
}
