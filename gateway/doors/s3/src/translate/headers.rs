//! System headers and user metadata of objects.

use crate::errors::custom;
use base64::{Engine, prelude::BASE64_STANDARD};
use cofre_objects::{Header, Headers};
use http::{HeaderMap, HeaderName, StatusCode};
use s3s::{S3Error, dto, s3_error};
use std::borrow::Cow;

/// Most bytes of user metadata, names and values together (AWS, "Working with object metadata").
const USER_METADATA_BYTES_MAX: usize = 2048;

/// Most bytes of all headers of an object, names and values together (AWS, "Working with object metadata").
const HEADERS_BYTES_MAX: usize = 8192;

/// Longest website redirect location, in bytes (AWS, "(Optional) Configuring a webpage redirect").
const REDIRECT_BYTES_MAX: usize = 2048;

/// The type of an object whose writer named none.
const CONTENT_TYPE_DEFAULT: &str = "binary/octet-stream";

/// The headers that a write may name, as s3s' inputs hold them.
#[derive(Default)]
pub(crate) struct Given {
    pub(crate) content_type: Option<String>,
    pub(crate) content_encoding: Option<String>,
    pub(crate) content_disposition: Option<String>,
    pub(crate) content_language: Option<String>,
    pub(crate) cache_control: Option<String>,
    pub(crate) expires: Option<String>,
    pub(crate) website_redirect_location: Option<String>,
    pub(crate) metadata: Option<dto::Metadata>,
    /// Metadata that no header can tell, by number: entries without a name, or with characters that are not to be
    /// printed (AWS, "Working with object metadata", `x-amz-missing-meta`). Of answers only.
    pub(crate) missing: Option<i32>,
}

/// The headers of an input that writes an object, which all such inputs have under the same names.
macro_rules! given {
    ($input:ident, $asked:expr) => {
        $crate::translate::headers::Given {
            content_type: $input.content_type,
            content_encoding: $input.content_encoding,
            content_disposition: $input.content_disposition,
            content_language: $input.content_language,
            cache_control: $input.cache_control,
            expires: $input.expires,
            website_redirect_location: $input.website_redirect_location,
            metadata: $crate::translate::headers::with_unnamed($input.metadata, $asked.headers()),
            missing: None,
        }
    };
}

pub(crate) use given;

/// The name of metadata without a name.
const UNNAMED: HeaderName = HeaderName::from_static("x-amz-meta-");

/// Adds to metadata what stands under no name, which s3s passes over.
pub(crate) fn with_unnamed(metadata: Option<dto::Metadata>, headers: &HeaderMap) -> Option<dto::Metadata> {
    let Some(value) = headers.get(UNNAMED) else { return metadata };
    let mut metadata = metadata.unwrap_or_default();
    metadata.insert(String::new(), String::from_utf8_lossy(value.as_bytes()).into_owned());
    Some(metadata)
}

/// Collects the headers of a write.
pub(crate) fn to_domain(given: Given) -> Result<Headers, S3Error> {
    let mut system = Vec::new();
    let content_type = given.content_type.unwrap_or_else(|| CONTENT_TYPE_DEFAULT.to_owned());
    system.push((Header::ContentType, content_type));
    let optional = [
        (Header::ContentEncoding, given.content_encoding),
        (Header::ContentDisposition, given.content_disposition),
        (Header::ContentLanguage, given.content_language),
        (Header::CacheControl, given.cache_control),
        (Header::Expires, given.expires),
        (Header::WebsiteRedirectLocation, website_redirect(given.website_redirect_location)?),
    ];
    system.extend(optional.into_iter().filter_map(|(header, value)| Some((header, value?))));
    let mut user: Vec<_> = given.metadata.into_iter().flatten().collect();
    user.sort_unstable();
    let user_bytes: usize = user.iter().map(|(name, value)| name.len() + value.len()).sum();
    if user_bytes > USER_METADATA_BYTES_MAX {
        return Err(too_large(
            user_bytes,
            USER_METADATA_BYTES_MAX,
            "Your metadata headers exceed the maximum allowed metadata size",
        ));
    }
    let bytes = user_bytes + system.iter().map(|(header, value)| name_of(*header).len() + value.len()).sum::<usize>();
    if bytes > HEADERS_BYTES_MAX {
        return Err(too_large(bytes, HEADERS_BYTES_MAX, "The headers of the object have more than 8,192 bytes in all"));
    }
    Ok(Headers { system, user })
}

fn too_large(bytes: usize, max: usize, why: &str) -> S3Error {
    s3_error!(MetadataTooLarge, "{why}: {bytes} bytes of {max}.")
}

/// The name of a header that is kept.
const fn name_of(header: Header) -> &'static str {
    match header {
        Header::ContentType => "Content-Type",
        Header::ContentEncoding => "Content-Encoding",
        Header::ContentDisposition => "Content-Disposition",
        Header::ContentLanguage => "Content-Language",
        Header::CacheControl => "Cache-Control",
        Header::Expires => "Expires",
        Header::WebsiteRedirectLocation => "x-amz-website-redirect-location",
    }
}

/// Checks where a website is to send who asks for an object. An empty header is none.
pub(crate) fn website_redirect(location: Option<String>) -> Result<Option<String>, S3Error> {
    let Some(location) = location.filter(|location| !location.is_empty()) else { return Ok(None) };
    let invalid = |why| Err(custom("InvalidRedirectLocation", StatusCode::BAD_REQUEST, why));
    if !["/", "http://", "https://"].iter().any(|start| location.starts_with(start)) {
        return invalid("The website redirect location must have a prefix of 'http://' or 'https://' or '/'.");
    }
    if location.len() > REDIRECT_BYTES_MAX {
        return invalid("The length of website redirect location cannot exceed 2,048 characters.");
    }
    Ok(Some(location))
}

/// Whether a header can tell an entry of metadata.
pub(crate) fn is_told(name: &str, value: &str) -> bool {
    !name.is_empty() && !value.chars().any(char::is_control)
}

/// Gives the headers of an object back as s3s' outputs hold them.
pub(crate) fn from_domain(headers: Headers) -> Given {
    let mut given = Given::default();
    for (header, value) in headers.system {
        *match header {
            Header::ContentType => &mut given.content_type,
            Header::ContentEncoding => &mut given.content_encoding,
            Header::ContentDisposition => &mut given.content_disposition,
            Header::ContentLanguage => &mut given.content_language,
            Header::CacheControl => &mut given.cache_control,
            Header::Expires => &mut given.expires,
            Header::WebsiteRedirectLocation => &mut given.website_redirect_location,
        } = Some(value);
    }
    let (told, missing): (Vec<_>, Vec<_>) = headers.user.into_iter().partition(|(name, value)| is_told(name, value));
    given.metadata = (!told.is_empty()).then(|| told.into_iter().collect());
    given.missing = (!missing.is_empty()).then(|| i32::try_from(missing.len()).unwrap_or(i32::MAX));
    given
}

/// Most bytes of a text in one encoded word, which has at most 75 characters (RFC 2047, section 2).
const WORD_BYTES_MAX: usize = 45;

/// Writes a value of user metadata for a header: as it is, or as encoded words where a header cannot hold it.
pub(crate) fn encoded_words(value: &str) -> Cow<'_, str> {
    if value.bytes().all(|b| (0x20..0x7f).contains(&b)) {
        return Cow::Borrowed(value);
    }
    let mut words = Vec::new();
    let mut rest = value;
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.floor_char_boundary(WORD_BYTES_MAX));
        words.push(format!("=?UTF-8?B?{}?=", BASE64_STANDARD.encode(word)));
        rest = after;
    }
    Cow::Owned(words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use s3s::S3ErrorCode;

    #[test]
    fn headers_survive() {
        let given = Given {
            content_type: Some("text/plain".to_owned()),
            cache_control: Some("no-cache".to_owned()),
            metadata: Some([("b".to_owned(), "2".to_owned()), ("a".to_owned(), "1".to_owned())].into_iter().collect()),
            ..Given::default()
        };
        let headers = to_domain(given).unwrap();
        assert_eq!(headers.user, [("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())]);
        let back = from_domain(headers);
        assert_eq!(back.content_type.as_deref(), Some("text/plain"));
        assert_eq!(back.cache_control.as_deref(), Some("no-cache"));
        assert_eq!(back.expires, None);
        assert_eq!(back.metadata.map(|metadata| metadata.len()), Some(2));
    }

    #[test]
    fn metadata_that_no_header_tells_is_counted() {
        let mut headers = HeaderMap::new();
        headers.insert(UNNAMED, "value".parse().unwrap());
        let metadata: dto::Metadata =
            [("bell", "\u{7}"), ("plain", "text"), ("accent", "\u{e9}")].map(|(k, v)| (k.into(), v.into())).into();
        let given = Given { metadata: with_unnamed(Some(metadata), &headers), ..Given::default() };
        let back = from_domain(to_domain(given).unwrap());
        let mut told: Vec<_> = back.metadata.unwrap().into_keys().collect();
        told.sort_unstable();
        assert_eq!(told, ["accent", "plain"]);
        assert_eq!(back.missing, Some(2));
    }

    #[test]
    fn metadata_is_bounded() {
        let of = |bytes: usize| Given {
            metadata: Some([("k".to_owned(), "v".repeat(bytes - 1))].into_iter().collect()),
            ..Given::default()
        };
        assert!(to_domain(of(USER_METADATA_BYTES_MAX)).is_ok());
        let refused = to_domain(of(USER_METADATA_BYTES_MAX + 1)).unwrap_err();
        assert_eq!(refused.code(), &S3ErrorCode::MetadataTooLarge);
    }

    #[test]
    fn all_headers_together_are_bounded() {
        let of = |bytes: usize| Given { cache_control: Some("v".repeat(bytes)), ..Given::default() };
        let others = "Content-Type".len() + CONTENT_TYPE_DEFAULT.len() + "Cache-Control".len();
        assert!(to_domain(of(HEADERS_BYTES_MAX - others)).is_ok());
        let refused = to_domain(of(HEADERS_BYTES_MAX - others + 1)).unwrap_err();
        assert_eq!(refused.code(), &S3ErrorCode::MetadataTooLarge);
    }

    #[test]
    fn what_a_header_cannot_hold_is_encoded() {
        assert_eq!(encoded_words("plain text"), "plain text");
        assert_eq!(encoded_words("é"), "=?UTF-8?B?w6k=?=");
        let long = encoded_words(&"é".repeat(30)).into_owned();
        assert_eq!(long.split(' ').count(), 2);
        assert!(long.split(' ').all(|word| word.len() <= 75), "{long}");
    }

    #[test]
    fn a_redirect_leads_to_an_address() {
        let of = |location: &str| {
            let redirect = website_redirect(Some(location.to_owned()));
            redirect.map_err(|error| error.code().as_str().to_owned())
        };
        for good in ["/page", "http://a.example/b", "https://a.example"] {
            assert_eq!(of(good), Ok(Some(good.to_owned())));
        }
        assert_eq!(of(""), Ok(None));
        for bad in ["page", "ftp://a.example", "javascript:alert(1)", &format!("/{}", "a".repeat(REDIRECT_BYTES_MAX))] {
            assert_eq!(of(bad), Err("InvalidRedirectLocation".to_owned()), "{bad}");
        }
    }
}
