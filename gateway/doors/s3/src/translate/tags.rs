//! Tags, from the `x-amz-tagging` header and from XML.

use super::document;
use super::text::has_whole_escapes;
use crate::errors::custom;
use crate::exchange::Exchange;
use bytes::Bytes;
use cofre_types::{Tags, TagsError, TagsLimit};
use http::StatusCode;
use s3s::xml::{Deserialize, Deserializer};
use s3s::{S3Error, S3ErrorCode, S3Result, dto, s3_error};

/// Reads `x-amz-tagging`: pairs as in a query string. An empty header is no tags: Velero sends it.
pub(crate) fn from_header(header: Option<&str>, told: &Exchange) -> S3Result<Tags> {
    let Some(header) = header.filter(|header| !header.is_empty()) else { return Ok(Tags::default()) };
    let malformed = || {
        told.argument("x-amz-tagging", header);
        s3_error!(
            InvalidArgument,
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates."
        )
    };
    let pair = |pair: &str| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        Some((decode(key).filter(|key| !key.is_empty())?, decode(value)?))
    };
    let pairs: Option<Vec<_>> = header.split('&').filter(|text| !text.is_empty()).map(pair).collect();
    Tags::new(pairs.ok_or_else(malformed)?, TagsLimit::Object).map_err(|error| match error {
        TagsError::Twice(_) => malformed(),
        TagsError::TooMany(_) => too_many(&error),
        error => refuse(error, told),
    })
}

/// Reads a `Tagging` document, as a form has it. An empty one is no tags.
pub(crate) fn from_xml(document: Option<&str>, told: &Exchange) -> S3Result<Tags> {
    let Some(document) = document.filter(|document| !document.trim().is_empty()) else { return Ok(Tags::default()) };
    let document = document::plain(Bytes::copy_from_slice(document.as_bytes()));
    let mut xml = Deserializer::new(&document);
    let read = dto::Tagging::deserialize(&mut xml).and_then(|tagging| xml.expect_eof().map(|()| tagging));
    let tagging = read.map_err(|_| S3Error::new(S3ErrorCode::MalformedXML))?;
    from_dto(tagging.tag_set, TagsLimit::Object, told)
}

/// Reads a `TagSet`. Too many tags of an object are no tag set, as s3-tests have it.
pub(crate) fn from_dto(set: dto::TagSet, limit: TagsLimit, told: &Exchange) -> S3Result<Tags> {
    let pairs = set.into_iter().map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default())).collect();
    Tags::new(pairs, limit).map_err(|error| match error {
        TagsError::TooMany(TagsLimit::Bucket) => too_many(&error),
        error => refuse(error, told),
    })
}

/// Writes a `TagSet`.
pub(crate) fn to_dto(tags: &Tags) -> dto::TagSet {
    let tag = |(key, value): &(String, String)| dto::Tag { key: Some(key.clone()), value: Some(value.clone()) };
    tags.pairs().iter().map(tag).collect()
}

fn too_many(error: &TagsError) -> S3Error {
    custom("BadRequest", StatusCode::BAD_REQUEST, error.to_string())
}

fn refuse(error: TagsError, told: &Exchange) -> S3Error {
    let words = error.to_string();
    match error {
        TagsError::TooMany(_) => {}
        TagsError::Key(key) | TagsError::Reserved(key) | TagsError::Twice(key) => told.detail("TagKey", key),
        TagsError::Value(key, value) => {
            told.detail("TagKey", key);
            told.detail("TagValue", value);
        }
    }
    S3Error::with_message(S3ErrorCode::InvalidTag, words)
}

/// Decodes a part of a query string: `+` is a space. None if an escape in it is none, or it is not UTF-8.
fn decode(text: &str) -> Option<String> {
    if !has_whole_escapes(text.as_bytes()) {
        return None;
    }
    let text = text.replace('+', " ");
    percent_encoding::percent_decode_str(&text).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_header() {
        let tags = from_header(Some("a=1&b%2Fc=x+y&empty"), &Exchange::of_test()).unwrap();
        let pairs: Vec<_> = tags.pairs().iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(pairs, [("a", "1"), ("b/c", "x y"), ("empty", "")]);
    }

    #[test]
    fn no_header_and_an_empty_one_are_no_tags() {
        for none in [None, Some(""), Some("&"), Some("&&&")] {
            assert!(from_header(none, &Exchange::of_test()).unwrap().is_empty());
        }
    }

    #[test]
    fn refuses_in_s3s_words() {
        let told = Exchange::of_test();
        let code = |header: &str| from_header(Some(header), &told).unwrap_err().code().as_str().to_owned();
        for malformed in ["a=1&a=2", "a=&a=", "=", "=v", "a=%ff", "a=%zz", "a%", "a=%2"] {
            assert_eq!(code(malformed), "InvalidArgument", "{malformed}");
        }
        for invalid in ["k?=v", "k=v!", "k=%26", "aws:k=v", &format!("{}=1", "k".repeat(129))] {
            assert_eq!(code(invalid), "InvalidTag", "{invalid}");
        }
        let eleven = (0..11).map(|i| format!("k{i}=v")).collect::<Vec<_>>().join("&");
        assert_eq!(code(&eleven), "BadRequest");
    }

    #[test]
    fn a_refusal_names_the_tag() {
        let told = Exchange::of_test();
        from_header(Some("k=v!"), &told).unwrap_err();
        let named = [("TagKey", "k".to_owned()), ("TagValue", "v!".to_owned())];
        told.noted(|noted| assert_eq!(noted.details, named));
    }
}
