//! What conditions of policies may ask of a call.

use axum::http::{HeaderMap, header};
use cofre_iam::{Caller, RequestFacts, Signature};
use cofre_types::Timestamp;
use std::borrow::Cow;
use std::sync::Arc;

/// The facts of a call: what its browser says of itself, and what it lists.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    user_agent: Option<String>,
    referer: Option<String>,
    listing: Option<Listing>,
}

#[derive(Debug, Clone)]
struct Listing {
    prefix: String,
    delimiter: String,
    max_keys: String,
}

impl Facts {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Self { user_agent: text(header::USER_AGENT), referer: text(header::REFERER), listing: None }
    }

    /// A caller who lists: the parameters that the same listing would have in S3.
    pub(crate) fn listing(caller: &Caller, headers: &HeaderMap, prefix: &str, delimiter: &str, max: usize) -> Caller {
        let listing = Listing { prefix: prefix.to_owned(), delimiter: delimiter.to_owned(), max_keys: max.to_string() };
        let facts = Self { listing: Some(listing), ..Self::of(headers) };
        Caller { facts: Some(Arc::new(facts)), ..caller.clone() }
    }
}

impl RequestFacts for Facts {
    fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        match name {
            "user-agent" => self.user_agent.as_deref().map(Cow::Borrowed),
            "referer" => self.referer.as_deref().map(Cow::Borrowed),
            _ => None,
        }
    }

    fn parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        let listing = self.listing.as_ref()?;
        match name {
            "prefix" => Some(Cow::Borrowed(listing.prefix.as_str())),
            "delimiter" => Some(Cow::Borrowed(listing.delimiter.as_str())).filter(|delimiter| !delimiter.is_empty()),
            "max-keys" => Some(Cow::Borrowed(listing.max_keys.as_str())),
            _ => None,
        }
    }

    /// A session is no signature: a policy that asks for one does not hold.
    fn signature(&self, _: Timestamp) -> Option<Signature> {
        None
    }
}
