//! Headers as s3s can read them, where S3 takes what s3s does not or reads it otherwise. The signature has been checked
//! over them as they came.

use crate::exchange::Exchange;
use crate::translate::text::has_whole_escapes;
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode, percent_encode};
use s3s::{S3Error, S3Result, s3_error};

const COPY_SOURCE: HeaderName = HeaderName::from_static("x-amz-copy-source");

/// What the names of user metadata begin with.
const METADATA: &str = "x-amz-meta-";

/// What is escaped of a copy source for s3s: bytes that a header's text cannot have.
const ESCAPED: &AsciiSet = &CONTROLS.add(b' ');

/// Puts headers as s3s can read them.
pub(super) fn settle(headers: &mut HeaderMap, exchange: &Exchange) -> S3Result<()> {
    copy_source(headers, exchange)?;
    metadata(headers);
    Ok(())
}

/// A copy source is encoded as a form is: `+` is a space. What is no encoding is refused.
fn copy_source(headers: &mut HeaderMap, exchange: &Exchange) -> S3Result<()> {
    let mut sources = headers.get_all(COPY_SOURCE).iter();
    // Several are one text to a signature: s3s refuses them, so none of them may go here.
    let (Some(source), None) = (sources.next(), sources.next()) else { return Ok(()) };
    let is_plain = |b: &u8| b.is_ascii_graphic() && !matches!(b, b'+' | b'%');
    if source.as_bytes().iter().all(is_plain) {
        return Ok(());
    }
    let refused = || -> S3Error {
        exchange.argument("x-amz-copy-source", String::from_utf8_lossy(source.as_bytes()));
        s3_error!(InvalidArgument, "Invalid copy source encoding")
    };
    let is_text = percent_decode(source.as_bytes()).decode_utf8().is_ok();
    if !is_text || !has_whole_escapes(source.as_bytes()) {
        return Err(refused());
    }
    let spaced: Vec<u8> = source.as_bytes().iter().map(|&b| if b == b'+' { b' ' } else { b }).collect();
    let escaped = percent_encode(&spaced, ESCAPED).to_string();
    let escaped = HeaderValue::try_from(escaped).map_err(|_| refused())?;
    headers.insert(COPY_SOURCE, escaped);
    Ok(())
}

/// Joins metadata of one name by commas (AWS, "Working with object metadata"). A value that is not UTF-8 is text of
/// ISO-8859-1, as headers were for long (RFC 9110, section 5.5).
fn metadata(headers: &mut HeaderMap) {
    let is_odd = |name: &&HeaderName| {
        let is_text = |value: &HeaderValue| std::str::from_utf8(value.as_bytes()).is_ok();
        let values = headers.get_all(*name);
        name.as_str().starts_with(METADATA) && (values.iter().count() > 1 || !values.iter().all(is_text))
    };
    let odd: Vec<HeaderName> = headers.keys().filter(is_odd).cloned().collect();
    for name in odd {
        let text = |value: &HeaderValue| match std::str::from_utf8(value.as_bytes()) {
            Ok(text) => text.to_owned(),
            Err(_) => value.as_bytes().iter().copied().map(char::from).collect(),
        };
        let values: Vec<String> = headers.get_all(&name).iter().map(text).collect();
        if let Ok(joined) = HeaderValue::from_bytes(values.join(",").as_bytes()) {
            headers.insert(name, joined);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(name: &'static str, values: &[&[u8]]) -> Result<Vec<u8>, String> {
        let name = HeaderName::from_static(name);
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name.clone(), HeaderValue::from_bytes(value).unwrap());
        }
        let settled = settle(&mut headers, &Exchange::of_test());
        settled.map_err(|error| error.code().as_str().to_owned())?;
        let values: Vec<_> = headers.get_all(&name).iter().map(|value| value.as_bytes().to_vec()).collect();
        assert_eq!(values.len(), 1);
        Ok(values.concat())
    }

    #[test]
    fn a_plus_in_a_copy_source_is_a_space() {
        for (before, after) in [
            ("b/p+q", "b/p%20q"),
            ("b/p%2Bq", "b/p%2Bq"),
            ("b%2Fp%20q", "b%2Fp%20q"),
            ("b/p q", "b/p%20q"),
            ("b/\u{e9}", "b/%C3%A9"),
            ("/b/k?versionId=null", "/b/k?versionId=null"),
        ] {
            assert_eq!(settled("x-amz-copy-source", &[before.as_bytes()]), Ok(after.as_bytes().to_vec()));
        }
        for bad in [&b"b/%zz"[..], b"b/k%", b"b/%2", b"b/%ff", b"b/\xff"] {
            assert_eq!(settled("x-amz-copy-source", &[bad]), Err("InvalidArgument".to_owned()));
        }
    }

    #[test]
    fn metadata_of_one_name_is_joined() {
        assert_eq!(settled("x-amz-meta-a", &[b"1", b"2"]), Ok(b"1,2".to_vec()));
        assert_eq!(settled("x-amz-meta-a", &[b"1"]), Ok(b"1".to_vec()));
        assert_eq!(settled("x-amz-meta-a", &["\u{e9}".as_bytes()]), Ok("\u{e9}".as_bytes().to_vec()));
        assert_eq!(settled("x-amz-meta-a", &[b"caf\xe9"]), Ok("caf\u{e9}".as_bytes().to_vec()));
        assert_eq!(settled("x-amz-meta-", &[b"a", b"\xe9"]), Ok("a,\u{e9}".as_bytes().to_vec()));
    }
}
