use crate::auth::Proof;
use crate::extract::Query;
use crate::routes::Routes;
use crate::{Admin, ApiError, convert, paging};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Sse;
use axum::response::sse::{Event as SseEvent, KeepAlive};
use cofre_admin_types::{Event, EventsQuery, Page, Problem, Scope};
use cofre_events::{Cursor, EventsError, Order, PageRequest, Tailed};
use futures_util::{Stream, StreamExt};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use utoipa_axum::routes;

/// How often a silent stream shows that it lives.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Pages of the log that one request looks through for events that its filters let pass.
const PAGES_LOOKED_AT_MAX: usize = 8;

pub(super) fn add(routes: Routes) -> Routes {
    routes.scoped(Scope::Read, routes!(list)).scoped(Scope::Read, routes!(stream))
}

/// Events as they happened, from the oldest or up to the latest.
///
/// `next` is always there: with it the list goes on where it ended, also once there is more. A page
/// may be short or empty because of the filters.
#[utoipa::path(get, path = "/v1/events", operation_id = "list_events", tag = "events", params(EventsQuery),
    responses(
        (status = 200, description = "A page of events.", body = Page<Event>),
        (status = 400, description = "The cursor is none, or goes together with `latest`.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn list(
    State(admin): State<Arc<Admin>>,
    Query(query): Query<EventsQuery>,
) -> Result<axum::Json<Page<Event>>, ApiError> {
    let limit = paging::limit(query.limit)?;
    if query.latest == Some(true) {
        return latest(&admin, &query, limit).await;
    }
    let mut after = query.after.as_deref().map(|text| cursor("after", text)).transpose()?;
    let mut items = Vec::new();
    for _ in 0..PAGES_LOOKED_AT_MAX {
        let request = PageRequest {
            after,
            order: Order::OldestFirst,
            limit: limit - items.len(),
            kind_prefix: query.kind.clone().unwrap_or_default(),
        };
        let page = admin.events.page(request).await?;
        items.extend(page.events.into_iter().map(convert::event).filter(|event| passes(event, &query)));
        after = page.next;
        if !page.more || items.len() == limit {
            break;
        }
    }
    Ok(axum::Json(Page { items, next: after.map(|after| after.to_string()) }))
}

/// The last events that pass, in the order of time.
async fn latest(admin: &Admin, query: &EventsQuery, limit: usize) -> Result<axum::Json<Page<Event>>, ApiError> {
    if query.after.is_some() {
        return Err(ApiError::invalid("latest", "cannot go together with `after`"));
    }
    // What comes while this looks is behind `next`.
    let end = admin.events.end().await?;
    let (mut before, mut items) = (Some(end), Vec::new());
    for _ in 0..PAGES_LOOKED_AT_MAX {
        let request = PageRequest {
            after: before,
            order: Order::NewestFirst,
            limit: limit - items.len(),
            kind_prefix: query.kind.clone().unwrap_or_default(),
        };
        let page = admin.events.page(request).await?;
        items.extend(page.events.into_iter().map(convert::event).filter(|event| passes(event, query)));
        before = page.next;
        if !page.more || items.len() == limit {
            break;
        }
    }
    items.reverse();
    Ok(axum::Json(Page { items, next: Some(end.to_string()) }))
}

/// Events as they happen, as server-sent events.
///
/// Each has its cursor as id. Without Last-Event-ID and `after` only what is to come is sent; with
/// either, first what happened since. An event of the type `gap` says that events were trimmed before
/// they could be sent. A comment comes every 15 seconds of silence.
#[utoipa::path(get, path = "/v1/events/stream", operation_id = "stream_events", tag = "events",
    params(EventsQuery, ("Last-Event-ID" = Option<String>, Header, description = "Cursor of the last event that came.")),
    responses(
        (status = 200, description = "The stream; it ends when the server does, or when the token or session is refused.", body = String, content_type = "text/event-stream"),
        (status = 400, description = "The cursor is none.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn stream(
    State(admin): State<Arc<Admin>>,
    proof: Proof,
    headers: HeaderMap,
    Query(query): Query<EventsQuery>,
) -> Result<Sse<impl Stream<Item = Result<SseEvent, Infallible>>>, ApiError> {
    if query.latest.is_some() {
        return Err(ApiError::invalid("latest", "a stream goes on from `after` or Last-Event-ID"));
    }
    let last = headers.get("last-event-id").map(|value| value.to_str().unwrap_or_default());
    let after = match (last, query.after.as_deref()) {
        (Some(last), _) => cursor("Last-Event-ID", last)?,
        (None, Some(after)) => cursor("after", after)?,
        (None, None) => admin.events.end().await?,
    };
    let tail = admin.events.tail(after, query.kind.as_deref().unwrap_or_default());
    let (draining, refused) = (admin.draining.clone(), proof.ended(Arc::clone(&admin)));
    let over = async move {
        tokio::select! {
            () = draining.begun() => {}
            () = refused => {}
        }
    };
    let events = tail.take_until(over).filter_map(move |tailed| std::future::ready(sse(tailed, &query))).map(Ok);
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

fn sse(tailed: Result<Tailed, EventsError>, query: &EventsQuery) -> Option<SseEvent> {
    match tailed {
        Ok(Tailed::Event(event)) => {
            let event = convert::event(event);
            let sse = SseEvent::default().id(event.cursor.clone());
            passes(&event, query).then(|| sse.json_data(&event).unwrap_or_default())
        }
        Ok(Tailed::Gap { until }) => Some(SseEvent::default().id(until.to_string()).event("gap").data("")),
        Err(error) => {
            tracing::warn!(%error, "an event stream ends");
            None
        }
    }
}

fn passes(event: &Event, query: &EventsQuery) -> bool {
    query.kind.as_ref().is_none_or(|kind| event.kind.starts_with(kind))
        && query.subject.as_ref().is_none_or(|subject| event.subject == *subject)
        && query.actor.as_ref().is_none_or(|actor| event.actor == *actor)
}

fn cursor(field: &str, text: &str) -> Result<Cursor, ApiError> {
    text.parse().map_err(|_| ApiError::invalid(field, "must be a cursor that this log gave"))
}
