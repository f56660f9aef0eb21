//! Tags, from the `x-amz-tagging` header and from XML.

use cofre_types::{Invalid, Tags, TagsLimit};
use s3s::xml::{Deserialize, Deserializer};
use s3s::{S3Error, S3ErrorCode, dto, s3_error};

/// Reads `x-amz-tagging`: pairs as in a query string. An empty header is no tags: Velero sends it.
pub(crate) fn from_header(header: Option<&str>) -> Result<Tags, S3Error> {
    let Some(header) = header.filter(|header| !header.is_empty()) else { return Ok(Tags::default()) };
    let pair = |pair: &str| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        Some((decode(key)?, decode(value)?))
    };
    let pairs: Option<Vec<_>> = header.split('&').filter(|text| !text.is_empty()).map(pair).collect();
    let pairs = pairs.ok_or_else(|| {
        s3_error!(InvalidArgument, "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.")
    })?;
    Tags::new(pairs, TagsLimit::Object).map_err(|invalid| refuse(&invalid))
}

/// Reads a `Tagging` document, as a form has it. An empty one is no tags.
pub(crate) fn from_xml(document: Option<&str>) -> Result<Tags, S3Error> {
    let Some(document) = document.filter(|document| !document.trim().is_empty()) else { return Ok(Tags::default()) };
    let mut xml = Deserializer::new(document.as_bytes());
    let read = dto::Tagging::deserialize(&mut xml).and_then(|tagging| xml.expect_eof().map(|()| tagging));
    let tagging = read.map_err(|_| S3Error::new(S3ErrorCode::MalformedXML))?;
    from_dto(tagging.tag_set, TagsLimit::Object)
}

/// Reads a `TagSet`.
pub(crate) fn from_dto(set: dto::TagSet, limit: TagsLimit) -> Result<Tags, S3Error> {
    let pairs = set.into_iter().map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default())).collect();
    Tags::new(pairs, limit).map_err(|invalid| refuse(&invalid))
}

/// Writes a `TagSet`.
pub(crate) fn to_dto(tags: &Tags) -> dto::TagSet {
    let tag = |(key, value): &(String, String)| dto::Tag { key: Some(key.clone()), value: Some(value.clone()) };
    tags.pairs().iter().map(tag).collect()
}

fn refuse(invalid: &Invalid) -> S3Error {
    S3Error::with_message(S3ErrorCode::InvalidTag, invalid.reason)
}

/// Decodes a part of a query string: `+` is a space.
fn decode(text: &str) -> Option<String> {
    let text = text.replace('+', " ");
    percent_encoding::percent_decode_str(&text).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_header() {
        let tags = from_header(Some("a=1&b%2Fc=x+y&empty")).unwrap();
        let pairs: Vec<_> = tags.pairs().iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(pairs, [("a", "1"), ("b/c", "x y"), ("empty", "")]);
    }

    #[test]
    fn no_header_and_an_empty_one_are_no_tags() {
        assert!(from_header(None).unwrap().is_empty());
        assert!(from_header(Some("")).unwrap().is_empty());
    }

    #[test]
    fn refuses_in_s3s_words() {
        let code = |header: &str| from_header(Some(header)).unwrap_err().code().as_str().to_owned();
        assert_eq!(code("a=1&a=2"), "InvalidTag");
        assert_eq!(code("a=%ff"), "InvalidArgument");
        assert_eq!(code(&format!("{}=1", "k".repeat(129))), "InvalidTag");
        let eleven = (0..11).map(|i| format!("k{i}=v")).collect::<Vec<_>>().join("&");
        assert_eq!(code(&eleven), "InvalidTag");
    }
}
