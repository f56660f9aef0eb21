//! Previews: bytes that a browser draws without running anything, under a type that the server finds in them.

use crate::copies::plain_get;
use crate::download::{range, sent};
use crate::edge::Browser;
use crate::extract::{self, Path, Query};
use crate::{Door, Refusal};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use cofre_admin_types::{ObjectQuery, Problem, TextBeginning};
use cofre_objects::{ByteStream, GetObject, ReadConditions, TagMatch};
use cofre_types::ByteRange;
use futures_util::TryStreamExt;
use std::sync::Arc;

/// Bytes that tell a type by.
const MAGIC_BYTES: u64 = 64;

/// Longest beginning of a text, in bytes.
const TEXT_BYTES_MAX: u64 = 1024 * 1024;

/// Show an image, a sound or a film.
///
/// Its type is found in its bytes, whatever it calls itself, and it is of this list or there is no preview: JPEG, PNG, GIF,
/// WebP, AVIF, BMP, MP4, WebM, Ogg, MP3, WAV, FLAC. Nothing of the list can run a script.
#[utoipa::path(get, path = "/console/v1/buckets/{bucket}/preview", operation_id = "console_preview_object", tag = "console",
    params(("bucket" = String, Path, description = "Name of the bucket."), ObjectQuery,
        ("Range" = Option<String>, Header, description = "One range of bytes.")),
    responses(
        (status = 200, description = "The bytes, under the type that was found.", content_type = "application/octet-stream", body = String),
        (status = 206, description = "The bytes of the range.", content_type = "application/octet-stream", body = String),
        (status = 415, description = "It is nothing that is shown.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn get(
    State(door): State<Arc<Door>>,
    browser: Browser,
    Path(bucket): Path<String>,
    Query(query): Query<ObjectQuery>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let plain = read(&bucket, query)?;
    let begin = GetObject { range: Some(ByteRange::From { first: 0, last: Some(MAGIC_BYTES - 1) }), ..plain.clone() };
    let found = door.objects.get_object(&browser.caller, begin).await.map_err(empty_is_nothing)?;
    let tag = found.head.info.etag;
    let magic = gather(found.body).await?;
    let media_type = type_of(&magic).ok_or_else(nothing)?;
    let whole = GetObject {
        range: headers.get(header::RANGE).and_then(|value| range(value.as_bytes())),
        // The same bytes that the type was found in.
        conditions: ReadConditions { if_match: Some(TagMatch::OneOf(vec![tag])), ..ReadConditions::default() },
        ..plain
    };
    let mut response = sent(door.objects.get_object(&browser.caller, whole).await?);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response.headers_mut().insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("inline"));
    Ok(response)
}

/// The beginning of a text: UTF-8 without what no text holds. Pages show it as text, and as nothing else.
#[utoipa::path(get, path = "/console/v1/buckets/{bucket}/text", operation_id = "console_text_of_object", tag = "console",
    params(("bucket" = String, Path, description = "Name of the bucket."), ObjectQuery),
    responses(
        (status = 200, description = "The text, as far as it goes.", body = TextBeginning),
        (status = 415, description = "It is no text.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn text(
    State(door): State<Arc<Door>>,
    browser: Browser,
    Path(bucket): Path<String>,
    Query(query): Query<ObjectQuery>,
) -> Result<axum::Json<TextBeginning>, Refusal> {
    let range = Some(ByteRange::From { first: 0, last: Some(TEXT_BYTES_MAX - 1) });
    let begin = GetObject { range, ..read(&bucket, query)? };
    let found = door.objects.get_object(&browser.caller, begin).await.map_err(empty_is_nothing)?;
    let more = found.head.info.size > TEXT_BYTES_MAX;
    let text = text_of(gather(found.body).await?, more).ok_or_else(nothing)?;
    Ok(axum::Json(TextBeginning { text, more }))
}

fn read(bucket: &str, query: ObjectQuery) -> Result<GetObject, Refusal> {
    let version = extract::version(query.version.as_deref())?;
    Ok(plain_get(extract::bucket(bucket)?, extract::key(query.key)?, version))
}

fn nothing() -> Refusal {
    Refusal::unsupported("NoPreview", "this is nothing that is shown here: download it")
}

/// No range is in an object without a byte.
fn empty_is_nothing(error: cofre_objects::Error) -> Refusal {
    match error {
        cofre_objects::Error::InvalidRange { size: 0 } => nothing(),
        other => other.into(),
    }
}

/// Bytes of a bounded read.
async fn gather(body: ByteStream) -> Result<Vec<u8>, Refusal> {
    let gathered = body.try_fold(Vec::new(), async |mut all: Vec<u8>, bytes| {
        all.extend_from_slice(&bytes);
        Ok(all)
    });
    gathered.await.map_err(|_| Refusal::unavailable("the content cannot be read now; try again"))
}

/// The type of these bytes, by their beginning (WHATWG, "MIME Sniffing", sections 6.1 and 6.2).
fn type_of(magic: &[u8]) -> Option<&'static str> {
    let at = |from: usize, wanted: &[u8]| magic.get(from..).is_some_and(|rest| rest.starts_with(wanted));
    let brand = |wanted: &[&[u8]]| at(4, b"ftyp") && wanted.iter().any(|brand| at(8, brand));
    let riff = |kind: &[u8]| at(0, b"RIFF") && at(8, kind);
    let known: [(bool, &str); 13] = [
        (at(0, b"\xff\xd8\xff"), "image/jpeg"),
        (at(0, b"\x89PNG\r\n\x1a\n"), "image/png"),
        (at(0, b"GIF87a") || at(0, b"GIF89a"), "image/gif"),
        (riff(b"WEBP"), "image/webp"),
        (brand(&[b"avif", b"avis"]), "image/avif"),
        (at(0, b"BM"), "image/bmp"),
        (brand(&[b"M4A ", b"M4B "]), "audio/mp4"),
        (
            brand(&[b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ", b"dash"]),
            "video/mp4",
        ),
        (at(0, b"\x1a\x45\xdf\xa3"), "video/webm"),
        (at(0, b"OggS\0"), "audio/ogg"),
        (at(0, b"ID3") || at(0, b"\xff\xfb") || at(0, b"\xff\xf3") || at(0, b"\xff\xf2"), "audio/mpeg"),
        (riff(b"WAVE"), "audio/wav"),
        (at(0, b"fLaC"), "audio/flac"),
    ];
    known.into_iter().find(|(is_it, _)| *is_it).map(|(_, media_type)| media_type)
}

/// The text that these bytes are; a character that is cut off at their end may be left out.
fn text_of(bytes: Vec<u8>, is_cut: bool) -> Option<String> {
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if is_cut && error.utf8_error().error_len().is_none() => {
            let end = error.utf8_error().valid_up_to();
            let mut bytes = error.into_bytes();
            bytes.truncate(end);
            String::from_utf8(bytes).ok()?
        }
        Err(_) => return None,
    };
    let is_odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}' | '\u{1b}');
    (!text.contains(is_odd)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_found_in_bytes() {
        for (magic, media_type) in [
            (&b"\xff\xd8\xff\xe0"[..], Some("image/jpeg")),
            (b"\x89PNG\r\n\x1a\n....", Some("image/png")),
            (b"RIFF\0\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"RIFF\0\0\0\0WAVEfmt ", Some("audio/wav")),
            (b"\0\0\0\x20ftypavif", Some("image/avif")),
            (b"\0\0\0\x20ftypisom", Some("video/mp4")),
            (b"\0\0\0\x20ftypqt  ", None),
            (b"<svg xmlns='http://www.w3.org/2000/svg'>", None),
            (b"<!doctype html>", None),
            (b"%PDF-1.7", None),
            (b"<?xml version='1.0'?>", None),
            (b"", None),
        ] {
            assert_eq!(type_of(magic), media_type, "{magic:?}");
        }
    }

    #[test]
    fn texts_are_plain() {
        assert_eq!(text_of("olá\n".into(), false).as_deref(), Some("olá\n"));
        assert_eq!(text_of(b"a\0b".to_vec(), false), None);
        assert_eq!(text_of(b"caf\xc3".to_vec(), true).as_deref(), Some("caf"));
        assert_eq!(text_of(b"caf\xc3".to_vec(), false), None);
        assert_eq!(text_of(b"caf\xff!".to_vec(), true), None);
    }
}
