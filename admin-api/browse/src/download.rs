//! Downloads. The bytes of an object are a stranger's: they go out as an attachment and never as a page.

use crate::edge::Browser;
use crate::extract::{self, Path, Query};
use crate::{Door, Refusal};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cofre_admin_types::{ObjectQuery, Problem};
use cofre_objects::{GetObject, GetOutcome, RangeOf, ReadConditions};
use cofre_types::{ByteRange, ETag, ResolvedRange};
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::sync::Arc;

/// Most characters of the name of a file.
const NAME_CHARS_MAX: usize = 120;

/// Characters of them that are the end of a longer one.
const NAME_END_CHARS: usize = 20;

/// What stands for itself in RFC 8187, section 3.2.1 (`attr-char`), as far as it does no harm elsewhere.
const NOT_PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

/// Download an object, or a range of it.
///
/// It comes as an attachment of the type `application/octet-stream`, whatever its own type is.
#[utoipa::path(get, path = "/console/v1/buckets/{bucket}/object", operation_id = "console_get_object", tag = "console",
    params(("bucket" = String, Path, description = "Name of the bucket."), ObjectQuery,
        ("Range" = Option<String>, Header, description = "One range of bytes."),
        ("If-Range" = Option<String>, Header, description = "Entity tag of the object that the range is of.")),
    responses(
        (status = 200, description = "The bytes.", content_type = "application/octet-stream", body = String),
        (status = 206, description = "The bytes of the range.", content_type = "application/octet-stream", body = String),
        (status = 404, description = "There is no such object.", body = Problem, content_type = "application/problem+json"),
        (status = 416, description = "No byte of the range is in the object.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn get(
    State(door): State<Arc<Door>>,
    browser: Browser,
    Path(bucket): Path<String>,
    Query(query): Query<ObjectQuery>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let name = file_name(&query.key);
    let request = GetObject {
        bucket: extract::bucket(&bucket)?,
        version: extract::version(query.version.as_deref())?,
        key: extract::key(query.key)?,
        range: headers.get(header::RANGE).and_then(|value| range(value.as_bytes())),
        range_of: range_of(&headers),
        part: None,
        customer_key: None,
        conditions: ReadConditions::default(),
    };
    let mut response = sent(door.objects.get_object(&browser.caller, request).await?);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    // A name without what harms a header always is one.
    if let Ok(value) = HeaderValue::from_str(&disposition(&name)) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

/// The bytes of an object with what tells which they are. What they are is for the route to say.
pub(crate) fn sent(found: GetOutcome) -> Response {
    let (info, range) = (found.head.info, found.head.range);
    let sent = range.unwrap_or(ResolvedRange { start: 0, end: info.size });
    let body = Body::from_stream(read_ahead(found.body.map_err(|error| error.0)));
    let status = if range.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(sent.len()));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    let texts = [
        (header::ETAG, Some(format!("\"{}\"", info.etag))),
        (header::CONTENT_RANGE, range.and_then(|range| content_range(range, info.size))),
    ];
    for (name, text) in texts {
        if let Some(value) = text.and_then(|text| HeaderValue::from_str(&text).ok()) {
            headers.insert(name, value);
        }
    }
    response
}

/// Pieces of a body that are read before they are sent.
const AHEAD_MAX: usize = 2;

/// A stream that is read where its request is carried out, and not where its connection is served: the thread of the admin
/// listener has health to answer.
pub(crate) fn read_ahead<E: Send + 'static>(
    stream: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
) -> impl Stream<Item = Result<Bytes, E>> + Send + 'static {
    let (to, from) = tokio::sync::mpsc::channel(AHEAD_MAX);
    drop(cofre_runtime::spawn(async move {
        let mut stream = std::pin::pin!(stream);
        while let Some(piece) = stream.next().await {
            // Whoever reads has gone.
            if to.send(piece).await.is_err() {
                break;
            }
        }
    }));
    stream::unfold(from, async |mut from| from.recv().await.map(|piece| (piece, from)))
}

fn content_range(range: ResolvedRange, size: u64) -> Option<String> {
    let last = range.end.checked_sub(1)?;
    Some(format!("bytes {}-{last}/{size}", range.start))
}

/// One range of a `Range` header (RFC 9110, section 14.2); what it is not is the whole object.
pub(crate) fn range(header: &[u8]) -> Option<ByteRange> {
    let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    let (first, last) = std::str::from_utf8(header).ok()?.strip_prefix("bytes=")?.split_once('-')?;
    match (first, last) {
        ("", last) => Some(ByteRange::Suffix { length: number(last)? }),
        (first, "") => Some(ByteRange::From { first: number(first)?, last: None }),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(ByteRange::From { first, last: Some(last) })
        }
    }
}

fn range_of(headers: &HeaderMap) -> RangeOf {
    match headers.get(header::IF_RANGE) {
        None => RangeOf::Any,
        Some(tag) => RangeOf::Tagged(tag.to_str().ok().and_then(|tag| ETag::parse(tag).ok())),
    }
}

/// The name that a browser saves an object under: the last segment of its key, without what means something to a file
/// system, to a shell's window or to the eye.
pub(crate) fn file_name(key: &str) -> String {
    segment_name(key.split('/').rfind(|segment| !segment.is_empty()).unwrap_or_default())
}

/// One segment of a key as the name of a file. Of a long one its end stays too, which tells the type.
pub(crate) fn segment_name(segment: &str) -> String {
    let chars = segment.chars().count();
    let cut = chars.saturating_sub(NAME_CHARS_MAX);
    let kept = segment
        .chars()
        .enumerate()
        .filter(|(at, _)| *at < NAME_CHARS_MAX - NAME_END_CHARS || *at >= cut + NAME_CHARS_MAX - NAME_END_CHARS);
    let safe: String = kept.map(|(_, c)| if is_harmful(c) { '_' } else { c }).collect();
    // A name that begins with a dot is hidden; one that ends with a dot or a space loses it on Windows.
    let safe = safe.trim_end_matches(['.', ' ']).trim_start_matches([' ']);
    let safe = safe.strip_prefix('.').map_or_else(|| safe.to_owned(), |rest| format!("_{rest}"));
    if safe.is_empty() { "object".to_owned() } else { safe }
}

/// Controls, separators of paths, what Windows refuses, and characters that turn the direction of text or cannot be
/// seen (Unicode Standard Annex 9, section 2).
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\\' | '/' | ':' | '*' | '?' | '"' | '<' | '>' | '|')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{61c}')
}

/// `Content-Disposition` (RFC 6266), with a plain name for old clients and the true one beside it.
pub(crate) fn disposition(name: &str) -> String {
    // Some clients decode what follows a percent sign (RFC 6266, appendix D).
    let plain: String = name.chars().map(|c| if c.is_ascii() && c != '%' { c } else { '_' }).collect();
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{}", utf8_percent_encode(name, NOT_PLAIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_do_no_harm() {
        for (key, name) in [
            ("photos/cat.jpg", "cat.jpg"),
            ("a/b/", "b"),
            ("../../etc/passwd", "passwd"),
            ("..", "object"),
            (".", "object"),
            (".bashrc", "_bashrc"),
            ("/", "object"),
            ("a\\..\\b.exe", "a_.._b.exe"),
            ("x\"; filename=\"evil.html", "x_; filename=_evil.html"),
            ("line\r\nSet-Cookie: a=b", "line__Set-Cookie_ a=b"),
            ("annexe\u{202e}gpj.exe", "annexe_gpj.exe"),
            ("trailing. . ", "trailing"),
            ("São João.txt", "São João.txt"),
        ] {
            assert_eq!(file_name(key), name, "{key:?}");
            assert!(HeaderValue::from_str(&disposition(&file_name(key))).is_ok());
        }
        let long = file_name(&("x".repeat(2_000) + ".jpg"));
        assert!(long.len() <= NAME_CHARS_MAX && long.ends_with("xxx.jpg"), "{long}");
        let both = disposition("São João.txt");
        assert_eq!(both, "attachment; filename=\"S_o Jo_o.txt\"; filename*=UTF-8''S%C3%A3o%20Jo%C3%A3o.txt");
    }

    #[test]
    fn one_range_is_read_and_others_are_passed_over() {
        assert_eq!(range(b"bytes=2-5"), Some(ByteRange::From { first: 2, last: Some(5) }));
        assert_eq!(range(b"bytes=2-"), Some(ByteRange::From { first: 2, last: None }));
        assert_eq!(range(b"bytes=-5"), Some(ByteRange::Suffix { length: 5 }));
        for header in ["bytes=-", "bytes=5-2", "bytes=0-1,3-4", "items=0-1", "bytes=+1-2", ""] {
            assert_eq!(range(header.as_bytes()), None, "{header}");
        }
    }
}
