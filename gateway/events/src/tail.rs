//! The live log: what is there, then what comes, as it comes.
//!
//! # Ordering and failure
//! Before each page the reader notes how often the log was touched, and it waits only for a touch
//! after that: an event that is committed between page and wait ends the wait at once. A stream that
//! ended, by an error or by a client that went away, is resumed after the last event it gave.
//!
//! # Limits
//! A stream holds at most one page of [`TAIL_PAGE_EVENTS`] events, however slow its reader is.

use crate::EventLog;
use crate::cursor::Cursor;
use crate::error::EventsError;
use crate::page::{Event, Order, PageRequest};
use cofre_catalog::Slot;
use cofre_catalog::keys::family;
use futures_util::{Stream, stream};
use std::collections::VecDeque;

/// Most events that a stream reads ahead.
const TAIL_PAGE_EVENTS: usize = 256;

/// What a tail gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tailed {
    /// The next event.
    Event(Event),
    /// Events between the last one given and the next were trimmed and cannot be had any more.
    Gap {
        /// The place behind them.
        until: Cursor,
    },
}

struct Reader {
    log: EventLog,
    after: Cursor,
    kind_prefix: String,
    ready: VecDeque<Tailed>,
}

impl EventLog {
    /// All events after `after` whose kind begins with `kind_prefix`, oldest first, and then each new
    /// one soon after its commit. It ends only with an error. Dropping it costs nothing.
    pub fn tail(
        &self,
        after: Cursor,
        kind_prefix: &str,
    ) -> impl Stream<Item = Result<Tailed, EventsError>> + Send + use<> {
        let reader = Reader { log: self.clone(), after, kind_prefix: kind_prefix.to_owned(), ready: VecDeque::new() };
        stream::unfold(Some(reader), |reader| async {
            let mut reader = reader?;
            match reader.next().await {
                Ok(item) => Some((Ok(item), Some(reader))),
                Err(error) => Some((Err(error), None)),
            }
        })
    }
}

impl Reader {
    async fn next(&mut self) -> Result<Tailed, EventsError> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Ok(item);
            }
            let slot = Slot::of_family(family::EVENT);
            let seen = self.log.store.freshness(slot);
            let more = self.read().await?;
            if self.ready.is_empty() && !more {
                self.log.store.wait_changed(slot, seen).await;
            }
        }
    }

    /// Reads a page; tells whether there may be more.
    async fn read(&mut self) -> Result<bool, EventsError> {
        let request = PageRequest {
            after: Some(self.after),
            order: Order::OldestFirst,
            limit: TAIL_PAGE_EVENTS,
            kind_prefix: self.kind_prefix.clone(),
        };
        let page = self.log.page(request).await?;
        if page.gap {
            let until = page.events.first().map(|event| event.cursor).or(page.next).unwrap_or(self.after);
            self.ready.push_back(Tailed::Gap { until });
        }
        self.after = page.next.unwrap_or(self.after);
        self.ready.extend(page.events.into_iter().map(Tailed::Event));
        Ok(page.more)
    }
}
