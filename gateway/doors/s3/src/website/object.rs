//! The headers of an object that is shown as a page: those that a GET of it has on the REST endpoint.

use crate::translate::headers::{encoded_words, is_told};
use crate::translate::{encryption, times};
use cofre_objects::{HeadOutcome, Header};
use cofre_types::ResolvedRange;
use http::{HeaderMap, HeaderName, HeaderValue, header};

const VERSION_ID: HeaderName = HeaderName::from_static("x-amz-version-id");
const EXPIRATION: HeaderName = HeaderName::from_static("x-amz-expiration");
const STORAGE_CLASS: HeaderName = HeaderName::from_static("x-amz-storage-class");
const REDIRECT: HeaderName = HeaderName::from_static("x-amz-website-redirect-location");

/// The headers of an object, and how many of its bytes are sent.
pub(super) fn headers(head: &HeadOutcome) -> (HeaderMap, u64) {
    let info = &head.info;
    let range = head.range.unwrap_or(ResolvedRange { start: 0, end: info.size });
    let mut headers = encryption::shown(info.encryption.as_ref());
    let mut set = |name: HeaderName, value: &str| {
        // What cannot be a header's value was none when the object was written.
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set(header::ACCEPT_RANGES, "bytes");
    set(header::CONTENT_LENGTH, &range.len().to_string());
    set(header::ETAG, &format!("\"{}\"", info.etag));
    set(header::LAST_MODIFIED, &times::to_http(info.modified));
    if head.range.is_some() && !range.is_empty() {
        set(header::CONTENT_RANGE, &format!("bytes {}-{}/{}", range.start, range.end - 1, info.size));
    }
    for (of, value) in &info.headers.system {
        set(name_of(*of), value);
    }
    for (name, value) in info.headers.user.iter().filter(|(name, value)| is_told(name, value)) {
        if let Ok(name) = HeaderName::try_from(format!("x-amz-meta-{name}")) {
            set(name, &encoded_words(value));
        }
    }
    if let Some(version) = info.version {
        set(VERSION_ID, &version.to_string());
    }
    if let Some(ending) = info.ending.clone() {
        set(EXPIRATION, &times::to_expiration(ending));
    }
    if !info.storage_class.is_empty() {
        set(STORAGE_CLASS, &info.storage_class);
    }
    (headers, range.len())
}

const fn name_of(header: Header) -> HeaderName {
    match header {
        Header::ContentType => header::CONTENT_TYPE,
        Header::ContentEncoding => header::CONTENT_ENCODING,
        Header::ContentDisposition => header::CONTENT_DISPOSITION,
        Header::ContentLanguage => header::CONTENT_LANGUAGE,
        Header::CacheControl => header::CACHE_CONTROL,
        Header::Expires => header::EXPIRES,
        Header::WebsiteRedirectLocation => REDIRECT,
    }
}
