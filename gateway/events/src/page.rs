use crate::cursor::Cursor;
use crate::error::EventsError;
use crate::{EventLog, trim};
use cofre_catalog::records::{EventRecord, Record};
use cofre_catalog::{Direction, ReadExt, Revision, Scan, Visit, VisitStep, keys};
use std::ops::Bound;

/// Most events on a page.
pub const PAGE_EVENTS_MAX: usize = 1_000;

/// Most events that a page looks at. A filter that few events pass gives short pages rather than long waits.
pub const PAGE_LOOKED_AT_MAX: usize = 20_000;

/// An event and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its place; continue after it.
    pub cursor: Cursor,
    /// The event.
    pub record: EventRecord,
}

/// Which way a page goes through the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// As things happened.
    #[default]
    OldestFirst,
    /// The latest first.
    NewestFirst,
}

/// What a page should hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// Where the page before ended ([`EventPage::next`]); the log's end in this order if absent.
    pub after: Option<Cursor>,
    /// Which way to go.
    pub order: Order,
    /// Most events; held to 1 to [`PAGE_EVENTS_MAX`].
    pub limit: usize,
    /// What the kind begins with: `bucket.` for all of buckets; empty for all events.
    pub kind_prefix: String,
}

/// A page of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPage {
    /// The events, in the order that was asked for.
    pub events: Vec<Event>,
    /// Where to continue; none only if nothing was asked after and nothing was found.
    pub next: Option<Cursor>,
    /// Whether the page ended by its bounds, so that the next one may have more.
    pub more: bool,
    /// Whether events that would stand here were trimmed: oldest first, between `after` and the first
    /// event that is kept; newest first, behind the last event of the log.
    pub gap: bool,
}

impl EventLog {
    /// Reads a page, from one state of the catalog.
    ///
    /// # Errors
    /// [`EventsError::Store`] or [`EventsError::Damaged`].
    pub async fn page(&self, request: PageRequest) -> Result<EventPage, EventsError> {
        let snapshot = self.store.snapshot().await?;
        let trimmed = trim::mark(snapshot.as_ref()).await?;
        let collector = Collect {
            kind_prefix: request.kind_prefix,
            events_max: request.limit.clamp(1, PAGE_EVENTS_MAX),
            looked_at: 0,
            events: Vec::new(),
            last: None,
            more: false,
            damaged: None,
        };
        let found = snapshot.scan(range(request.after, request.order), collector).await?;
        if let Some(reason) = found.damaged {
            return Err(EventsError::Damaged(reason));
        }
        let gap = match request.order {
            Order::OldestFirst => trimmed.is_some_and(|trimmed| request.after.unwrap_or(Cursor::START) < trimmed),
            Order::NewestFirst => trimmed.is_some() && !found.more,
        };
        // A reader that was told of the gap goes on behind it.
        let behind_gap = trimmed.filter(|_| gap && request.order == Order::OldestFirst);
        let next = found.last.or(behind_gap).or(request.after);
        Ok(EventPage { events: found.events, next, more: found.more, gap })
    }
}

fn range(after: Option<Cursor>, order: Order) -> Scan {
    let range = Scan::prefix(&keys::events());
    match (order, after) {
        (Order::OldestFirst, None) => range,
        (Order::OldestFirst, Some(after)) => range.after(after.key()),
        (Order::NewestFirst, None) => range.reversed(),
        (Order::NewestFirst, Some(after)) => {
            Scan { to: Bound::Excluded(after.key()), direction: Direction::Reverse, ..range }
        }
    }
}

struct Collect {
    kind_prefix: String,
    events_max: usize,
    looked_at: usize,
    events: Vec<Event>,
    last: Option<Cursor>,
    more: bool,
    damaged: Option<String>,
}

impl Visit for Collect {
    fn visit(&mut self, key: &[u8], _: Revision, value: &[u8]) -> VisitStep {
        if self.events.len() == self.events_max || self.looked_at == PAGE_LOOKED_AT_MAX {
            self.more = true;
            return VisitStep::Stop;
        }
        self.looked_at += 1;
        let event = match (Cursor::of_key(key), EventRecord::decode(value)) {
            (Some(cursor), Ok(record)) => Event { cursor, record },
            (None, _) => return self.stop("a key is not a cursor".to_owned()),
            (_, Err(error)) => return self.stop(error.to_string()),
        };
        self.last = Some(event.cursor);
        if event.record.kind.starts_with(&self.kind_prefix) {
            self.events.push(event);
        }
        VisitStep::Continue
    }
}

impl Collect {
    fn stop(&mut self, reason: String) -> VisitStep {
        self.damaged = Some(reason);
        VisitStep::Stop
    }
}
