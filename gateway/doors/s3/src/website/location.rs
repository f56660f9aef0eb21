//! Where browsers are sent. What is of a request is encoded, so that it stays part of the path; what an owner
//! wrote stays as it is, but for what no address may hold.

use crate::errors;
use cofre_objects::Moved;
use http::{HeaderValue, StatusCode, header};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::{Body, HttpResponse, S3Result};

/// What stands encoded in the path that a key makes (RFC 3986, section 3.3).
const KEY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

/// What stands encoded in what an owner wrote: it may have a query, and be encoded already.
const GIVEN: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\').add(b'^').add(b'`').add(b'{').add(b'|').add(b'}');

/// The address that a rule sends a request to. The request's query goes along.
pub(super) fn of(protocol: &str, host: &str, moved: Moved<'_>, query: Option<&str>) -> String {
    let (given, kept) = (utf8_percent_encode(moved.given, GIVEN), utf8_percent_encode(moved.kept, KEY));
    let slash = if moved.given.starts_with('/') { "" } else { "/" };
    let address = format!("{protocol}://{host}{slash}{given}{kept}");
    match query {
        Some(query) if moved.given.contains('?') => format!("{address}&{query}"),
        Some(query) => format!("{address}?{query}"),
        None => address,
    }
}

/// The path of a folder whose key came without its slash. A slash that begins a key is encoded: two would
/// lead to another host.
pub(super) fn of_folder(key: &str) -> String {
    let rest = key.trim_start_matches('/');
    let slashes = "%2F".repeat(key.len() - rest.len());
    format!("/{slashes}{}/", utf8_percent_encode(rest, KEY))
}

/// The address that an object is said to be at.
pub(super) fn as_given(location: &str) -> String {
    utf8_percent_encode(location, GIVEN).to_string()
}

/// Sends a browser on.
pub(super) fn answer(status: StatusCode, location: &str) -> S3Result<HttpResponse> {
    let mut response = HttpResponse::new(Body::empty());
    *response.status_mut() = status;
    let location = HeaderValue::from_str(location).map_err(|_| errors::internal())?;
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved<'a>(given: &'a str, kept: &'a str) -> Moved<'a> {
        Moved { status: 301, protocol: None, host: None, given, kept }
    }

    #[test]
    fn what_is_of_a_request_stays_in_the_path() {
        let to = |given, kept, query| of("http", "h", moved(given, kept), query);
        assert_eq!(to("", "a/b c?d#e%\"<é>\r\n", None), "http://h/a/b%20c%3Fd%23e%25%22%3C%C3%A9%3E%0D%0A");
        assert_eq!(to("", "", Some("q=1")), "http://h/?q=1");
        assert_eq!(to("resize?key=", "a.png", None), "http://h/resize?key=a.png");
        assert_eq!(to("resize?key=", "a.png", Some("q=1")), "http://h/resize?key=a.png&q=1");
        assert_eq!(to("/documents/", "a", None), "http://h/documents/a");
    }

    #[test]
    fn a_folder_is_on_this_host() {
        assert_eq!(of_folder("a/b"), "/a/b/");
        assert_eq!(of_folder("/evil.example"), "/%2Fevil.example/");
        assert_eq!(of_folder("//evil.example"), "/%2F%2Fevil.example/");
        assert_eq!(of_folder("\\evil.example"), "/%5Cevil.example/");
    }

    #[test]
    fn no_address_splits_an_answer() {
        assert_eq!(as_given("/a\r\nSet-Cookie: b"), "/a%0D%0ASet-Cookie:%20b");
        assert!(answer(StatusCode::FOUND, &as_given("/\u{0}é\n")).is_ok());
    }
}
