//! The console's pages: static files that are part of the program.
//!
//! # Invariants
//! - Nothing is fetched from elsewhere, and no page runs or draws what is not in a file of its own: the policy of
//!   `index.html` says so to the browser. The import map is the one exception, named by its digest.
//! - Every address of a page is answered with the one page, which finds out what to show.

use aws_lc_rs::digest::{SHA256, digest};
use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::sync::LazyLock;

/// A file of `site/`, with its bytes as they are and compressed.
struct File {
    name: &'static str,
    plain: &'static [u8],
    gzip: &'static [u8],
}

const FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

const PAGE: &str = "index.html";

/// Addresses of pages.
const PAGES: [&str; 9] =
    ["/", "/signin", "/me", "/files", "/files/", "/files/{*rest}", "/ops", "/ops/", "/ops/{*rest}"];

/// What every answer carries. No page of another origin may hold, open or read it.
const HEADERS: [(HeaderName, &str); 5] = [
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
];

/// A file as it is answered.
struct Served {
    file: &'static File,
    /// Of its bytes; another one for the compressed ones (RFC 9110, section 8.8.3.3).
    tags: [HeaderValue; 2],
    media_type: HeaderValue,
    policy: HeaderValue,
}

static SITE: LazyLock<Vec<Served>> = LazyLock::new(|| FILES.iter().map(served).collect());

/// The routes of the pages and of their files, which are below `/a/`.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    PAGES.iter().fold(Router::new(), |router, path| router.route(path, get(page))).route("/a/{*name}", get(file))
}

async fn page(headers: HeaderMap) -> Response {
    answer(PAGE, &headers)
}

async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    answer(&name, &headers)
}

fn served(file: &'static File) -> Served {
    let hash = hex::encode(&digest(&SHA256, file.plain).as_ref()[..16]);
    let value = |text: &str| HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("\"\""));
    let media_type = match file.name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        _ => "application/octet-stream",
    };
    let policy =
        if file.name == PAGE { policy() } else { "default-src 'none'; frame-ancestors 'none'; sandbox".to_owned() };
    Served {
        file,
        tags: [value(&format!("\"{hash}\"")), value(&format!("\"{hash}-gzip\""))],
        media_type: HeaderValue::from_static(media_type),
        policy: value(&policy),
    }
}

/// The policy of the page (Content Security Policy Level 3; Trusted Types).
fn policy() -> String {
    let page = FILES.iter().find(|file| file.name == PAGE).map_or(&[][..], |file| file.plain);
    let map = digest(&SHA256, import_map(page).as_bytes());
    format!(
        "default-src 'none'; script-src 'self' 'sha256-{}'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; \
         form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; \
         trusted-types 'none'",
        BASE64_STANDARD.encode(map)
    )
}

/// What stands in the import map of the page, byte for byte.
fn import_map(page: &[u8]) -> &str {
    let page = std::str::from_utf8(page).unwrap_or_default();
    let behind = page.split_once("<script type=\"importmap\">").map_or("", |(_, behind)| behind);
    behind.split_once("</script>").map_or("", |(map, _)| map)
}

fn answer(name: &str, headers: &HeaderMap) -> Response {
    let Some(served) = SITE.iter().find(|served| served.file.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let is_compressed = takes_gzip(headers);
    let tag = &served.tags[usize::from(is_compressed)];
    let mut response = match is_known(headers, tag) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => (if is_compressed { served.file.gzip } else { served.file.plain }).into_response(),
    };
    let to = response.headers_mut();
    for (name, value) in HEADERS {
        to.insert(name, HeaderValue::from_static(value));
    }
    to.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    to.insert(header::CONTENT_SECURITY_POLICY, served.policy.clone());
    to.insert(header::CONTENT_TYPE, served.media_type.clone());
    to.insert(header::ETAG, tag.clone());
    to.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if is_compressed {
        to.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let texts = headers.get_all(header::ACCEPT_ENCODING).into_iter().filter_map(|value| value.to_str().ok());
    let mut codings = texts.flat_map(|text| text.split(','));
    codings.any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        name.trim().eq_ignore_ascii_case("gzip") && !weight.trim().starts_with("q=0")
    })
}

fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let texts = headers.get_all(header::IF_NONE_MATCH).into_iter().filter_map(|value| value.to_str().ok());
    let mut known = texts.flat_map(|text| text.split(',')).map(|text| text.trim().trim_start_matches("W/"));
    known.any(|known| known == "*" || known.as_bytes() == tag.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::http::Request;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    async fn ask(path: &str, headers: &[(&str, &str)]) -> (StatusCode, HeaderMap, Vec<u8>) {
        let mut request = Request::builder().uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = router::<()>().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        (parts.status, parts.headers, body.collect().await.unwrap().to_bytes().to_vec())
    }

    #[tokio::test]
    async fn every_address_is_the_page_and_its_policy_lets_nothing_in() {
        for path in ["/", "/signin", "/files", "/files/photos/", "/ops/jobs"] {
            let (status, headers, body) = ask(path, &[]).await;
            assert_eq!(status, StatusCode::OK, "{path}");
            assert!(body.starts_with(b"<!doctype html>"), "{path}");
            let policy = headers["content-security-policy"].to_str().unwrap();
            assert!(policy.starts_with("default-src 'none'; script-src 'self' 'sha256-"), "{policy}");
            assert!(!policy.contains("unsafe") && !policy.contains("http") && !policy.contains('*'), "{policy}");
            assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
            assert_eq!(headers["x-content-type-options"], "nosniff");
            assert_eq!(headers["referrer-policy"], "no-referrer");
        }
        assert!(import_map(FILES.iter().find(|file| file.name == PAGE).unwrap().plain).contains("preact"));
        let page = std::str::from_utf8(FILES.iter().find(|file| file.name == PAGE).unwrap().plain).unwrap();
        assert!(page.contains("href=\"/a/files/folder.js\"") && !page.contains("/a/ops/") && !page.contains("<!--"));
        assert!(
            !page.contains("http:") && !page.contains("https:") && !page.contains("style=") && !page.contains(" on")
        );
    }

    #[tokio::test]
    async fn files_are_compressed_and_known_again() {
        for file in FILES {
            let path = format!("/a/{}", file.name);
            let (_, plain_headers, plain) = ask(&path, &[]).await;
            let (_, headers, gzip) = ask(&path, &[("accept-encoding", "br, gzip")]).await;
            assert_eq!(plain, file.plain, "{path}");
            assert_eq!(&gzip[..2], b"\x1f\x8b", "{path}");
            assert_eq!(headers["content-encoding"], "gzip");
            assert_ne!(headers["etag"], plain_headers["etag"]);
            let tag = headers["etag"].to_str().unwrap();
            let again = ask(&path, &[("accept-encoding", "gzip"), ("if-none-match", tag)]).await;
            assert_eq!((again.0, again.2.len()), (StatusCode::NOT_MODIFIED, 0), "{path}");
            assert_eq!(ask(&path, &[("if-none-match", tag)]).await.0, StatusCode::OK, "{path}");
        }
        assert_eq!(ask("/a/../Cargo.toml", &[]).await.0, StatusCode::NOT_FOUND);
        assert_eq!(ask("/a/none.js", &[]).await.0, StatusCode::NOT_FOUND);
    }

    #[test]
    fn both_languages_say_the_same() {
        let keys = |name: &str| -> Vec<String> {
            let file = FILES.iter().find(|file| file.name == name).unwrap();
            let lines = std::str::from_utf8(file.plain).unwrap().lines();
            let texts = lines.filter_map(|line| line.split_once(": ").map(|(key, _)| key.to_owned()));
            texts.filter(|key| !key.contains(' ')).collect()
        };
        let both = |name: &str| [keys(&format!("words/{name}.js")), keys(&format!("words/{name}.ops.js"))].concat();
        let (english, portuguese) = (both("en"), both("pt-BR"));
        assert!(english.len() > 200, "{}", english.len());
        assert_eq!(english, portuguese);
    }

    #[test]
    fn all_script_fits_its_budget() {
        let script = FILES.iter().filter(|file| file.name.ends_with(".js"));
        let bytes: usize = script.map(|file| file.gzip.len()).sum();
        assert!(bytes <= 100 * 1024, "{bytes} bytes of compressed script");
    }
}
