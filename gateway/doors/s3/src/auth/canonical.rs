//! The text of a request that its signature is over (AWS, "Create a signed AWS API request").

use super::query::Query;
use super::scope::Scope;
use aws_lc_rs::digest::{SHA256, digest};
use http::HeaderMap;
use http::request::Parts;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};

/// What stands as it is in a canonical query.
const IN_QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What stands as it is in a canonical path.
const IN_PATH: &AsciiSet = &IN_QUERY.remove(b'/');

/// The parameter that the signature itself is.
const SIGNATURE: &[u8] = b"X-Amz-Signature";

/// How the path of an address is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Path {
    /// Escaped as AWS describes it, whatever the client escapes.
    Escaped,
    /// As it came: some clients sign what they send.
    AsSent,
}

impl Path {
    /// The ways to write this path that may differ.
    pub(super) fn ways(path: &str) -> &'static [Self] {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~/".contains(&b);
        if path.bytes().all(is_plain) { &[Self::Escaped] } else { &[Self::Escaped, Self::AsSent] }
    }
}

/// The canonical request. Headers are bytes, so it is no string.
pub(super) fn request(parts: &Parts, query: &Query<'_>, signed_headers: &str, payload: &[u8], path: Path) -> Vec<u8> {
    let mut text = Vec::with_capacity(512);
    text.extend_from_slice(parts.method.as_str().as_bytes());
    text.push(b'\n');
    match path {
        Path::Escaped => {
            let decoded: Vec<u8> = percent_decode(parts.uri.path().as_bytes()).collect();
            percent_encode(&decoded, IN_PATH).for_each(|piece| text.extend_from_slice(piece.as_bytes()));
        }
        Path::AsSent => text.extend_from_slice(parts.uri.path().as_bytes()),
    }
    text.push(b'\n');
    push_query(&mut text, query);
    text.push(b'\n');
    for name in signed_headers.split(';') {
        push_header(&mut text, name, &parts.headers);
    }
    text.push(b'\n');
    text.extend_from_slice(signed_headers.as_bytes());
    text.push(b'\n');
    text.extend_from_slice(payload);
    text
}

/// What is signed: a canonical request, at a time, for a scope.
pub(super) fn string_to_sign(canonical: &[u8], date: &str, scope: &Scope<'_>) -> String {
    format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex::encode(digest(&SHA256, canonical)))
}

fn push_query(text: &mut Vec<u8>, query: &Query<'_>) {
    let encode = |bytes| percent_encode(bytes, IN_QUERY).to_string();
    let signed = query.pairs().filter(|(name, _)| *name != SIGNATURE);
    let mut pairs: Vec<_> = signed.map(|(name, value)| (encode(name), encode(value))).collect();
    pairs.sort();
    for (at, (name, value)) in pairs.iter().enumerate() {
        if at > 0 {
            text.push(b'&');
        }
        text.extend_from_slice(name.as_bytes());
        text.push(b'=');
        text.extend_from_slice(value.as_bytes());
    }
}

/// Several values of a name are joined; spaces around them go, and those within become one.
fn push_header(text: &mut Vec<u8>, name: &str, headers: &HeaderMap) {
    text.extend_from_slice(name.as_bytes());
    text.push(b':');
    for (at, value) in headers.get_all(name).iter().enumerate() {
        if at > 0 {
            text.push(b',');
        }
        let words = value.as_bytes().split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        for (at, word) in words.enumerate() {
            if at > 0 {
                text.push(b' ');
            }
            text.extend_from_slice(word);
        }
    }
    text.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderValue, Request};

    fn parts(uri: &str, headers: &[(&'static str, &'static str)]) -> Parts {
        let mut request = Request::builder().uri(uri).body(()).unwrap();
        for (name, value) in headers {
            request.headers_mut().append(*name, HeaderValue::from_static(value));
        }
        request.into_parts().0
    }

    /// AWS, "Examples: Signature Calculations in AWS Signature Version 4": GET Object.
    #[test]
    fn writes_the_example() {
        const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let parts = parts(
            "/test.txt",
            &[
                ("host", "examplebucket.s3.amazonaws.com"),
                ("range", "bytes=0-9"),
                ("x-amz-content-sha256", EMPTY),
                ("x-amz-date", "20130524T000000Z"),
            ],
        );
        let signed = "host;range;x-amz-content-sha256;x-amz-date";
        let canonical = request(&parts, &Query::default(), signed, EMPTY.as_bytes(), Path::Escaped);
        let scope = Scope { access_key: "AKIAIOSFODNN7EXAMPLE", date: "20130524", region: "us-east-1" };
        assert_eq!(
            string_to_sign(&canonical, "20130524T000000Z", &scope),
            "AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n\
             7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972"
        );
    }

    #[test]
    fn escapes_sorts_joins_and_collapses() {
        let uri = "/b/a%20b!%7E?z=1&a=%2F&a=+&e&X-Amz-Signature=x";
        let parts = parts(uri, &[("x-a", "  one   two "), ("x-a", "three")]);
        let query = Query::parse(parts.uri.query().unwrap());
        let text = |path| String::from_utf8(request(&parts, &query, "x-a;x-b", b"UNSIGNED-PAYLOAD", path)).unwrap();
        assert_eq!(
            text(Path::Escaped),
            "GET\n/b/a%20b%21~\na=%20&a=%2F&e=&z=1\nx-a:one two,three\nx-b:\n\nx-a;x-b\nUNSIGNED-PAYLOAD"
        );
        assert!(text(Path::AsSent).starts_with("GET\n/b/a%20b!%7E\n"));
        for path in ["/b/a!", "/b/a%20b", "/b/a%2Fb"] {
            assert_eq!(Path::ways(path), [Path::Escaped, Path::AsSent]);
        }
        assert_eq!(Path::ways("/b/a-b_c.d~e"), [Path::Escaped]);
    }
}
