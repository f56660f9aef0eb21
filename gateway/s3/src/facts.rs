//! What a request brings, as conditions of bucket policies ask for it. Made by moving what the request
//! has, so that it costs nothing until a policy asks.

use crate::exchange::Exchange;
use crate::translate::conditions::Conditionals;
use cofre_iam::{RequestFacts, Signature};
use cofre_types::Timestamp;
use http::{HeaderMap, HeaderValue, Uri};
use percent_encoding::percent_decode_str;
use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// How a request was signed, as the gate saw it.
#[derive(Debug, Clone, Default)]
pub(crate) enum Signed {
    /// Not at all.
    #[default]
    Not,
    /// By its `Authorization` header, at this time.
    Header(Timestamp),
    /// By its address, at this time.
    Query(Timestamp),
    /// By its address, in version 2, which does not say when.
    QueryOfVersion2,
    /// By a form's policy.
    Form,
    /// By a form's policy, in version 2.
    FormOfVersion2,
}

/// The facts of one request.
pub(crate) struct Facts {
    /// Headers, less those that the gate takes out.
    pub(crate) headers: HeaderMap,
    pub(crate) conditionals: Conditionals,
    pub(crate) uri: Uri,
    pub(crate) signed: Signed,
    /// Where it is noted that an access control list decided.
    pub(crate) exchange: Exchange,
}

/// Headers may hold keys and tokens.
impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Facts")
    }
}

impl RequestFacts for Facts {
    fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        let value = match name {
            "if-match" => self.conditionals.if_match(),
            "if-none-match" => self.conditionals.if_none_match(),
            name => self.headers.get(name),
        };
        value.map(|value| String::from_utf8_lossy(HeaderValue::as_bytes(value)))
    }

    fn parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        parameter(self.uri.query().unwrap_or_default(), name)
    }

    fn signature(&self, now: Timestamp) -> Option<Signature> {
        const V2: &str = "AWS";
        const V4: &str = "AWS4-HMAC-SHA256";
        let (auth_type, version, at) = match self.signed {
            Signed::Not => return None,
            Signed::Header(at) => ("REST-HEADER", V4, Some(at)),
            Signed::Query(at) => ("REST-QUERY-STRING", V4, Some(at)),
            Signed::QueryOfVersion2 => ("REST-QUERY-STRING", V2, None),
            Signed::Form => ("POST", V4, None),
            Signed::FormOfVersion2 => ("POST", V2, None),
        };
        let age = at.map(|at| Duration::from_nanos(now.0.saturating_sub(at.0)));
        Some(Signature { auth_type, version, age })
    }

    fn wants_list_use(&self) -> bool {
        self.exchange.is_logged()
    }

    fn list_used(&self) {
        self.exchange.note(|noted| noted.list_used = true);
    }
}

/// The value of a parameter of a query string, decoded.
pub(crate) fn parameter<'a>(query: &'a str, wanted: &str) -> Option<Cow<'a, str>> {
    query.split('&').find_map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name) == wanted).then(|| decode(value))
    })
}

/// Decodes a part of a query string: `+` is a space.
fn decode(text: &str) -> Cow<'_, str> {
    if text.contains('+') {
        let spaced = text.replace('+', " ");
        return percent_decode_str(&spaced).decode_utf8_lossy().into_owned().into();
    }
    percent_decode_str(text).decode_utf8_lossy()
}
