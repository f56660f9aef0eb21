//! Requests in flight: bounded in all, for each address and for each account, until the last byte of the answer went.

use crate::Refusal;
use crate::door::Limits;
use axum::body::{Body, Bytes};
use axum::response::Response;
use cofre_iam::Network;
use cofre_types::AccountId;
use http_body::{Frame, SizeHint};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Of {
    All,
    Address(Option<Network>),
    Account(AccountId),
    /// What walks many records: searches, counts, archives.
    Walks,
    /// The same, of one account.
    AccountWalks(AccountId),
}

/// Walks in all, and of one account.
const WALKS_MAX: usize = 16;
const WALKS_PER_ACCOUNT_MAX: usize = 4;

/// Counts requests in flight. Cloning costs a reference count.
#[derive(Clone)]
pub(crate) struct InFlight {
    limits: Limits,
    counts: Arc<Mutex<HashMap<Of, usize>>>,
}

impl InFlight {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, counts: Arc::default() }
    }

    const fn max(&self, of: Of) -> usize {
        match of {
            Of::All => self.limits.requests_max,
            Of::Address(_) => self.limits.requests_per_address_max,
            Of::Account(_) => self.limits.requests_per_account_max,
            Of::Walks => WALKS_MAX,
            Of::AccountWalks(_) => WALKS_PER_ACCOUNT_MAX,
        }
    }

    /// One more walk of an account.
    pub(crate) fn enter_walk(&self, account: AccountId) -> Result<[Held; 2], Refusal> {
        let both = self.enter(Of::AccountWalks(account)).zip(self.enter(Of::Walks));
        both.map(|(one, other)| [one, other]).ok_or_else(Refusal::busy)
    }

    /// One more, for as long as what this gives lives; none if there are as many as may be.
    pub(crate) fn enter(&self, of: Of) -> Option<Held> {
        let mut counts = self.counts.lock();
        let count = counts.entry(of).or_default();
        if *count >= self.max(of) {
            return None;
        }
        *count += 1;
        Some(Held { counts: Arc::clone(&self.counts), of })
    }
}

/// A request in flight.
pub(crate) struct Held {
    counts: Arc<Mutex<HashMap<Of, usize>>>,
    of: Of,
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut counts = self.counts.lock();
        if let Some(count) = counts.get_mut(&self.of) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.of);
            }
        }
    }
}

/// An answer that is in flight until its body went.
pub(crate) fn until_sent(response: Response, held: Vec<Held>) -> Response {
    response.map(|body| Body::new(HeldBody { body, _held: held }))
}

pin_project_lite::pin_project! {
    struct HeldBody {
        #[pin]
        body: Body,
        _held: Vec<Held>,
    }
}

impl http_body::Body for HeldBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.project().body.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
