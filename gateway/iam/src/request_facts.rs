//! What a door tells of a request, and is told of how its questions are decided.

use crate::explanation::Explanation;
use cofre_types::Timestamp;
use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// What a door knows of a request. Asked only where a policy is, and only for what its conditions name.
pub trait RequestFacts: fmt::Debug + Send + Sync {
    /// The value of a header, by its name in lower case, as the operation takes it: none where it means
    /// nothing to the operation.
    fn header(&self, name: &str) -> Option<Cow<'_, str>>;

    /// The value of a query parameter of a listing, decoded; none of what is no listing.
    fn parameter(&self, name: &str) -> Option<Cow<'_, str>>;

    /// How it was signed; none for a request without credentials.
    fn signature(&self, now: Timestamp) -> Option<Signature>;

    /// Whether it wants to know that something was allowed only by an access control list. Finding out
    /// costs a second decision.
    fn wants_list_use(&self) -> bool {
        false
    }

    /// Is told that something was allowed only by an access control list.
    fn list_used(&self) {}

    /// Whether it wants to know why something is refused. Explaining costs two more decisions, whose steps it is told.
    fn wants_explanation(&self) -> bool {
        false
    }

    /// Is told why something is refused.
    fn explained(&self, _explanation: Explanation) {}
}

/// How a request was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    /// `REST-HEADER`, `REST-QUERY-STRING` or `POST`.
    pub auth_type: &'static str,
    /// `AWS4-HMAC-SHA256`, or `AWS` for version 2.
    pub version: &'static str,
    /// Since when it is signed, where its address says.
    pub age: Option<Duration>,
}
