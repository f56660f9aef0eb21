//! What a browser is told once its file is there: a redirect, or a status that the form chose (AWS, "POST
//! Object").

use super::fields::Fields;
use crate::host::Domains;
use crate::translate::{checksums, encryption, names, times};
use cofre_objects::PutOutcome;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::{Body, HttpResponse};

/// Unreserved characters (RFC 3986, section 2.3) stand as they are.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// In a path slashes do too.
const PATH: &AsciiSet = &VALUE.remove(b'/');

const EXPIRATION: HeaderName = HeaderName::from_static("x-amz-expiration");
const VERSION_ID: HeaderName = HeaderName::from_static("x-amz-version-id");

/// Where and what a form has put.
pub(crate) struct Made<'a> {
    pub(crate) bucket: &'a str,
    pub(crate) key: &'a str,
    /// `http` or `https`.
    pub(crate) scheme: &'a str,
    pub(crate) host: &'a str,
    pub(crate) outcome: PutOutcome,
}

impl Made<'_> {
    /// The answer that the form asks for; `key` is the key as an XML answer can hold it.
    pub(crate) fn answer(self, fields: &Fields, domains: &Domains, key: &str) -> HttpResponse {
        let etag = self.outcome.etag.to_string();
        let asked = fields.get("success_action_redirect").or_else(|| fields.get("redirect"));
        let redirect = asked.and_then(|address| self.redirect(address, &etag));
        let location = self.location(domains);
        let (status, body) = match (&redirect, fields.get("success_action_status")) {
            (Some(_), _) => (StatusCode::SEE_OTHER, Body::empty()),
            (None, Some("200")) => (StatusCode::OK, Body::empty()),
            (None, Some("201")) => (StatusCode::CREATED, Body::from(self.document(&location, key, &etag))),
            (None, _) => (StatusCode::NO_CONTENT, Body::empty()),
        };
        let mut response = HttpResponse::new(body);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        *headers = self.headers();
        set(headers, header::LOCATION, redirect.as_deref().unwrap_or(&location));
        if status == StatusCode::CREATED {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
        }
        response
    }

    /// The address to go to, which learns what was made. One that is no address of the web counts as none.
    fn redirect(&self, address: &str, etag: &str) -> Option<String> {
        let parsed: Uri = address.parse().ok()?;
        if !matches!(parsed.scheme_str(), Some("http" | "https")) {
            return None;
        }
        let (address, fragment) = address.split_once('#').map_or((address, None), |(a, f)| (a, Some(f)));
        let joint = if address.contains('?') { '&' } else { '?' };
        let value = |text: &str| utf8_percent_encode(text, VALUE).to_string();
        let etag = value(&format!("\"{etag}\""));
        let fragment = fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
        Some(format!("{address}{joint}bucket={}&key={}&etag={etag}{fragment}", value(self.bucket), value(self.key)))
    }

    /// The address of the object.
    fn location(&self, domains: &Domains) -> String {
        let key = utf8_percent_encode(self.key, PATH);
        match domains.bucket(self.host) {
            Some(_) => format!("{}://{}/{key}", self.scheme, self.host),
            None => format!("{}://{}/{}/{key}", self.scheme, self.host, self.bucket),
        }
    }

    fn document(&self, location: &str, key: &str, etag: &str) -> String {
        let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<PostResponse><Location>{}</Location><Bucket>{}</Bucket>\
             <Key>{}</Key><ETag>&quot;{etag}&quot;</ETag></PostResponse>",
            escape(location),
            escape(self.bucket),
            escape(key)
        )
    }

    /// The headers that an answer to a PUT has.
    fn headers(&self) -> HeaderMap {
        let outcome = &self.outcome;
        let mut headers = encryption::shown_of_write(outcome.encryption.as_ref());
        headers.extend(checksums::to_headers(outcome.checksum.as_ref()));
        set(&mut headers, header::ETAG, &format!("\"{}\"", outcome.etag));
        if let Some(version) = names::made(outcome.version) {
            set(&mut headers, VERSION_ID, &version);
        }
        if let Some(ending) = outcome.ending.clone() {
            set(&mut headers, EXPIRATION, &times::to_expiration(ending));
        }
        headers
    }
}

/// What is no header value is left out: a host of an odd client, say.
fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
