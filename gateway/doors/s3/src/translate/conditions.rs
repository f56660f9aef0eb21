//! Conditional headers (RFC 9110, section 13) and S3's variants for writes and copies.

use super::{range, times};
use crate::exchange::Exchange;
use cofre_objects::{RangeOf, ReadConditions, TagMatch, WriteConditions};
use cofre_types::{ByteRange, ETag, Timestamp};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use s3s::{S3Result, s3_error};

/// The headers that s3s reads more strictly than S3 does: an entity tag list, a date that is none
/// or several ranges are errors to it. They are taken out of the request before s3s parses it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Conditionals {
    if_match: Option<HeaderValue>,
    if_none_match: Option<HeaderValue>,
    if_modified_since: Option<HeaderValue>,
    if_unmodified_since: Option<HeaderValue>,
    copy_if_match: Option<HeaderValue>,
    copy_if_none_match: Option<HeaderValue>,
    copy_if_modified_since: Option<HeaderValue>,
    copy_if_unmodified_since: Option<HeaderValue>,
    if_range: Option<HeaderValue>,
    range: Option<HeaderValue>,
    object_size: Option<HeaderValue>,
}

const OBJECT_SIZE: HeaderName = HeaderName::from_static("x-amz-mp-object-size");
const COPY_IF_MATCH: HeaderName = HeaderName::from_static("x-amz-copy-source-if-match");
const COPY_IF_NONE_MATCH: HeaderName = HeaderName::from_static("x-amz-copy-source-if-none-match");
const COPY_IF_MODIFIED_SINCE: HeaderName = HeaderName::from_static("x-amz-copy-source-if-modified-since");
const COPY_IF_UNMODIFIED_SINCE: HeaderName = HeaderName::from_static("x-amz-copy-source-if-unmodified-since");

impl Conditionals {
    /// Takes the headers out of a request.
    pub(crate) fn take(headers: &mut HeaderMap) -> Self {
        Self {
            if_match: headers.remove(header::IF_MATCH),
            if_none_match: headers.remove(header::IF_NONE_MATCH),
            if_modified_since: headers.remove(header::IF_MODIFIED_SINCE),
            if_unmodified_since: headers.remove(header::IF_UNMODIFIED_SINCE),
            copy_if_match: headers.remove(COPY_IF_MATCH),
            copy_if_none_match: headers.remove(COPY_IF_NONE_MATCH),
            copy_if_modified_since: headers.remove(COPY_IF_MODIFIED_SINCE),
            copy_if_unmodified_since: headers.remove(COPY_IF_UNMODIFIED_SINCE),
            if_range: headers.remove(header::IF_RANGE),
            range: headers.remove(header::RANGE),
            object_size: headers.remove(OBJECT_SIZE),
        }
    }

    /// `If-Match` of a write or a deletion, as conditions of policies see it: none if no entity tag is named, which
    /// nothing fits.
    pub(crate) fn seen_if_match(&self) -> Option<&HeaderValue> {
        let named = |tags| matches!(&tags, TagMatch::Any) || matches!(&tags, TagMatch::OneOf(tags) if !tags.is_empty());
        self.if_match.as_ref().filter(|value| tags(Some(value)).is_some_and(named))
    }

    /// `If-None-Match` of a write, as conditions of policies see it: none if it lets anything be replaced.
    pub(crate) fn seen_if_none_match(&self) -> Option<&HeaderValue> {
        self.if_none_match.as_ref().filter(|value| tags(Some(value)) == Some(TagMatch::Any))
    }

    /// The range that is asked for.
    pub(crate) fn range(&self) -> Option<ByteRange> {
        range::parse(self.range.as_ref()?.as_bytes())
    }

    /// What the range is of.
    pub(crate) fn range_of(&self) -> RangeOf {
        self.if_range.as_ref().map_or(RangeOf::Any, range_of)
    }

    /// `x-amz-mp-object-size`: bytes that a completed object must have.
    pub(crate) fn object_size(&self) -> S3Result<Option<u64>> {
        let Some(value) = &self.object_size else { return Ok(None) };
        let text = value.to_str().unwrap_or_default().trim();
        match text.parse::<i64>() {
            Ok(size) => u64::try_from(size).map(Some).map_err(|_| {
                s3_error!(InvalidRequest, "Value for x-amz-mp-object-size header is less than zero: '{size}'")
            }),
            Err(_) => Err(s3_error!(InvalidRequest, "Value for x-amz-mp-object-size header is invalid: '{text}'")),
        }
    }

    /// Conditions of a GET or HEAD.
    pub(crate) fn read(&self) -> ReadConditions {
        ReadConditions {
            if_match: tags(self.if_match.as_ref()),
            if_none_match: tags(self.if_none_match.as_ref()),
            if_modified_since: date(self.if_modified_since.as_ref()),
            if_unmodified_since: date(self.if_unmodified_since.as_ref()),
        }
    }

    /// Conditions on the source of a copy.
    pub(crate) fn copy_source(&self) -> ReadConditions {
        ReadConditions {
            if_match: tags(self.copy_if_match.as_ref()),
            if_none_match: tags(self.copy_if_none_match.as_ref()),
            if_modified_since: date(self.copy_if_modified_since.as_ref()),
            if_unmodified_since: date(self.copy_if_unmodified_since.as_ref()),
        }
    }

    /// Conditions on what a write replaces. `If-None-Match` is `*` there (AWS, "PutObject"): any other value would
    /// replace what it was sent to keep.
    pub(crate) fn write(&self, exchange: &Exchange) -> S3Result<WriteConditions> {
        let if_none_match = tags(self.if_none_match.as_ref());
        if if_none_match.as_ref().is_some_and(|tags| *tags != TagMatch::Any) {
            exchange.detail("Header", "If-None-Match");
            return Err(s3_error!(
                NotImplemented,
                "A header you provided implies functionality that is not implemented"
            ));
        }
        Ok(WriteConditions { if_match: tags(self.if_match.as_ref()), if_none_match })
    }

    /// `If-Match` of a DELETE.
    pub(crate) fn delete(&self) -> Option<TagMatch> {
        tags(self.if_match.as_ref())
    }
}

/// Reads `If-Range` (RFC 9110, section 13.1.5): an entity tag, compared strongly, or a date. What is neither is of no
/// object.
fn range_of(value: &HeaderValue) -> RangeOf {
    let text = value.to_str().unwrap_or_default().trim();
    match times::parse_http(text) {
        Some(date) => RangeOf::ModifiedAt(date),
        None => RangeOf::Tagged(ETag::parse(text).ok()),
    }
}

/// The size that a DELETE is conditional on. A negative one is no object's.
pub(crate) fn size(given: i64) -> u64 {
    u64::try_from(given).unwrap_or(u64::MAX)
}

/// A date that cannot be read is ignored (RFC 9110, section 13.1.3).
fn date(value: Option<&HeaderValue>) -> Option<Timestamp> {
    times::parse_http(value?.to_str().ok()?)
}

fn tags(value: Option<&HeaderValue>) -> Option<TagMatch> {
    value.map(|value| parse_tags(&String::from_utf8_lossy(value.as_bytes())))
}

/// Reads a list of entity tags, with or without quotes, weak or strong. What is not of S3's form
/// matches nothing, so it is left out; the list may end up empty.
pub(crate) fn parse_tags(list: &str) -> TagMatch {
    if list.trim() == "*" {
        return TagMatch::Any;
    }
    let one = |tag: &str| {
        let tag = tag.trim();
        ETag::parse(tag.strip_prefix("W/").unwrap_or(tag)).ok()
    };
    TagMatch::OneOf(list.split(',').filter_map(one).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TAG: &str = "acbd18db4cc2f85cedef654fccc4a4d8";

    #[test]
    fn reads_tags_quoted_bare_weak_and_listed() {
        let one = TagMatch::OneOf(vec![ETag::parse(TAG).unwrap()]);
        assert_eq!(parse_tags(&format!("\"{TAG}\"")), one);
        assert_eq!(parse_tags(TAG), one);
        assert_eq!(parse_tags(&format!("W/\"{TAG}\"")), one);
        assert_eq!(parse_tags(&format!("\"other\", \"{TAG}\"")), one);
        assert_eq!(parse_tags(" * "), TagMatch::Any);
        assert_eq!(parse_tags("\"ABCORZ\""), TagMatch::OneOf(vec![]));
    }

    #[test]
    fn takes_the_headers_out() {
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_MATCH, HeaderValue::from_static("*"));
        headers.insert(header::IF_MODIFIED_SINCE, HeaderValue::from_static("not a date"));
        headers.insert(header::RANGE, HeaderValue::from_static("bytes=0-1"));
        let taken = Conditionals::take(&mut headers);
        assert!(headers.is_empty());
        assert_eq!(taken.read().if_match, Some(TagMatch::Any));
        assert_eq!(taken.read().if_modified_since, None);
        assert!(taken.range.is_some());
    }

    proptest! {
        #[test]
        fn any_text_is_a_list(text in ".{0,80}") {
            let _ = parse_tags(&text);
        }

        #[test]
        fn every_tag_of_a_list_is_found(digests in proptest::collection::vec(any::<[u8; 16]>(), 1..6)) {
            let all: Vec<ETag> = digests.into_iter().map(ETag::of_md5).collect();
            let list = all.iter().map(|tag| format!("\"{tag}\"")).collect::<Vec<_>>().join(", ");
            prop_assert_eq!(parse_tags(&list), TagMatch::OneOf(all));
        }
    }
}
