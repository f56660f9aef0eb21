//! Walks through the names below a prefix: a search, and a count. Each is bounded, and ends with its connection.

use crate::download::read_ahead;
use crate::edge::Browser;
use crate::entries::object_entry;
use crate::extract::{self, Path, Query};
use crate::facts::Facts;
use crate::in_flight::Held;
use crate::{Door, Refusal};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use cofre_admin_types::{FolderQuery, Measured, SearchLine, SearchQuery};
use cofre_iam::Caller;
use cofre_objects::{ListObjects, ListPage, Objects, PAGE_ENTRIES_MAX};
use cofre_types::BucketName;
use futures_util::{StreamExt, stream};
use std::sync::Arc;

/// Most keys that one search looks at.
const SEARCHED_MAX: u64 = 200_000;

/// Most objects that one search finds.
const HITS_MAX: usize = 1_000;

/// Most characters that are looked for.
const NEEDLE_CHARS_MAX: usize = 200;

/// Most keys that one count looks at.
const MEASURED_MAX: u64 = 200_000;

/// A walk through the objects below a prefix, page by page. Each page is a snapshot of its own.
pub(crate) struct Walk {
    objects: Objects,
    caller: Caller,
    list: ListObjects,
    over: bool,
}

impl Walk {
    pub(crate) fn new(door: &Door, caller: Caller, bucket: BucketName, prefix: String, after: Option<String>) -> Self {
        let list = ListObjects { bucket, prefix, delimiter: String::new(), after, max: PAGE_ENTRIES_MAX };
        Self { objects: door.objects.clone(), caller, list, over: false }
    }

    /// The next page; none behind the last one.
    pub(crate) async fn next(&mut self) -> Result<Option<ListPage>, cofre_objects::Error> {
        if self.over {
            return Ok(None);
        }
        let page = self.objects.list_objects(&self.caller, self.list.clone()).await?;
        self.list.after.clone_from(&page.next);
        self.over = page.next.is_none();
        Ok(Some(page))
    }
}

/// A search under way.
struct Search {
    walk: Walk,
    needle: String,
    prefix_bytes: usize,
    read: u64,
    hits: usize,
    over: bool,
    _held: [Held; 2],
}

impl Search {
    /// The lines that the next page makes. A failure is an error of the stream: the answer is cut off.
    async fn step(&mut self) -> Result<Option<Bytes>, cofre_objects::Error> {
        if self.over {
            return Ok(None);
        }
        let mut lines = Vec::new();
        let Some(page) = self.walk.next().await? else {
            self.over = true;
            push(&mut lines, &SearchLine { read: Some(self.read), end: Some(true), ..SearchLine::default() });
            return Ok(Some(lines.into()));
        };
        for object in page.objects {
            self.read += 1;
            let rest = object.key.get(self.prefix_bytes..).unwrap_or_default();
            if !rest.to_lowercase().contains(&self.needle) {
                continue;
            }
            self.hits += 1;
            let key = object.key.clone();
            push(&mut lines, &SearchLine { hit: Some(object_entry(object)), ..SearchLine::default() });
            if self.hits >= HITS_MAX {
                return Ok(Some(self.stop(lines, key)));
            }
        }
        match page.next {
            Some(next) if self.read >= SEARCHED_MAX => return Ok(Some(self.stop(lines, next))),
            _ => push(&mut lines, &SearchLine { read: Some(self.read), ..SearchLine::default() }),
        }
        Ok(Some(lines.into()))
    }

    /// Ends where it may not go on.
    fn stop(&mut self, mut lines: Vec<u8>, next: String) -> Bytes {
        self.over = true;
        push(&mut lines, &SearchLine { read: Some(self.read), next: Some(next), ..SearchLine::default() });
        lines.into()
    }
}

fn push(lines: &mut Vec<u8>, line: &SearchLine) {
    // Texts and numbers always are JSON, and writing to memory cannot fail.
    let _ = serde_json::to_writer(&mut *lines, line);
    lines.push(b'\n');
}

/// Find objects below a prefix whose key holds a text behind it.
///
/// The answer is a stream of JSON lines, one `SearchLine` each. A search looks at 200,000 keys and finds 1,000 objects at
/// the most; its last line says where another one goes on.
#[utoipa::path(get, path = "/console/v1/buckets/{bucket}/search", operation_id = "console_search_objects", tag = "console",
    params(("bucket" = String, Path, description = "Name of the bucket."), SearchQuery),
    responses((status = 200, description = "Lines.", body = SearchLine, content_type = "application/x-ndjson")))]
pub(crate) async fn search(
    State(door): State<Arc<Door>>,
    browser: Browser,
    headers: HeaderMap,
    Path(bucket): Path<String>,
    Query(query): Query<SearchQuery>,
) -> Result<Response, Refusal> {
    if !(1..=NEEDLE_CHARS_MAX).contains(&query.q.chars().count()) {
        return Err(Refusal::invalid("q", "must have 1 to 200 characters"));
    }
    let held = door.in_flight.enter_walk(browser.signed_in.session.account)?;
    let caller = Facts::listing(&browser.caller, &headers, &query.prefix, "", PAGE_ENTRIES_MAX);
    let mut search = Search {
        needle: query.q.to_lowercase(),
        prefix_bytes: query.prefix.len(),
        walk: Walk::new(&door, caller, extract::bucket(&bucket)?, query.prefix, query.after),
        read: 0,
        hits: 0,
        over: false,
        _held: held,
    };
    // The first page tells whether the account may look at all.
    let first = search.step().await?;
    let rest = stream::try_unfold(search, async |mut search| {
        let lines = search.step().await?;
        Ok::<_, cofre_objects::Error>(lines.map(|lines| (lines, search)))
    });
    let first = stream::iter(first.map(Ok));
    let mut response = Body::from_stream(read_ahead(first.chain(rest))).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    Ok(response)
}

/// Count what is in a folder and below it. At most 200,000 objects are looked at.
#[utoipa::path(get, path = "/console/v1/buckets/{bucket}/measure", operation_id = "console_measure_folder", tag = "console",
    params(("bucket" = String, Path, description = "Name of the bucket."), FolderQuery),
    responses((status = 200, description = "How much there is, or how much at least.", body = Measured)))]
pub(crate) async fn measure(
    State(door): State<Arc<Door>>,
    browser: Browser,
    headers: HeaderMap,
    Path(bucket): Path<String>,
    Query(query): Query<FolderQuery>,
) -> Result<axum::Json<Measured>, Refusal> {
    let _held = door.in_flight.enter_walk(browser.signed_in.session.account)?;
    let caller = Facts::listing(&browser.caller, &headers, &query.prefix, "", PAGE_ENTRIES_MAX);
    let mut walk = Walk::new(&door, caller, extract::bucket(&bucket)?, query.prefix, None);
    let mut measured = Measured::default();
    while measured.objects < MEASURED_MAX {
        let Some(page) = walk.next().await? else {
            measured.whole = true;
            break;
        };
        measured.objects += page.objects.len() as u64;
        measured.bytes += page.objects.iter().map(|object| object.size).sum::<u64>();
    }
    Ok(axum::Json(measured))
}
