//! One line of a server access log (AWS, "Amazon S3 server access log format"). Pure.
//!
//! A client chooses much of what stands in a line. None of it can end the line, a field or a quoted text:
//! quotes, backslashes, brackets, control characters and bytes beyond ASCII are percent-encoded, and so are spaces where
//! a field is not quoted. Long texts are cut.

use cofre_types::{AccountId, Timestamp};
use http::{Method, Uri, Version};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_decode_str, percent_encode, utf8_percent_encode};
use std::fmt::{Display, Write};
use std::net::IpAddr;
use std::time::Duration;
use time::OffsetDateTime;

/// Longest header in a line, in bytes as it came.
const TEXT_BYTES_MAX: usize = 1_024;

/// Longest address in a line, in bytes as it came.
const ADDRESS_BYTES_MAX: usize = 8_192;

/// What cannot stand in a quoted text.
/// Simple readers take a bracket for the bound of the time wherever it stands.
const QUOTED: &AsciiSet = &CONTROLS.add(b'"').add(b'\\').add(b'[').add(b']');

/// What cannot stand in a field without quotes.
const BARE: &AsciiSet = &QUOTED.add(b' ');

/// What a key is encoded as, twice: unreserved characters (RFC 3986, section 2.3) and `/` stay.
const KEY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// Parameters of an address that would let its reader do what its maker may.
const SECRET_PARAMETERS: [&str; 3] = ["X-Amz-Signature", "X-Amz-Security-Token", "Signature"];

/// The fields, in their order. What is absent is written as `-`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a> {
    pub(crate) bucket_owner: AccountId,
    pub(crate) bucket: &'a str,
    pub(crate) time: Timestamp,
    pub(crate) remote_ip: Option<IpAddr>,
    pub(crate) requester: Option<AccountId>,
    pub(crate) request_id: &'a str,
    /// Such as `REST.GET.OBJECT`.
    pub(crate) operation: &'a str,
    /// The key, as the object has it.
    pub(crate) key: Option<&'a str>,
    /// Method, address and version of the protocol; see [`request_uri`].
    pub(crate) request_uri: &'a str,
    pub(crate) status: Option<u16>,
    pub(crate) error_code: Option<&'a str>,
    pub(crate) bytes_sent: u64,
    pub(crate) object_size: Option<u64>,
    pub(crate) total_time: Duration,
    pub(crate) turn_around_time: Option<Duration>,
    pub(crate) referer: Option<&'a [u8]>,
    pub(crate) user_agent: Option<&'a [u8]>,
    pub(crate) version_id: Option<&'a str>,
    pub(crate) host_id: &'a str,
    pub(crate) cipher_suite: Option<&'a str>,
    /// `AuthHeader` or `QueryString`, both by version 4; none of an anonymous request or a form.
    pub(crate) authentication: Option<&'a str>,
    pub(crate) host: Option<&'a [u8]>,
    pub(crate) tls_version: Option<&'a str>,
    /// Whether it was allowed only by an access control list.
    pub(crate) acl_required: bool,
}

impl Fields<'_> {
    /// The line, without its end.
    pub(crate) fn line(&self) -> String {
        let mut line = Line(String::with_capacity(512));
        line.0.push_str(&self.bucket_owner.to_string());
        line.bare(Some(self.bucket));
        line.ready(&time(self.time));
        line.shown(self.remote_ip.map(|ip| ip.to_canonical()));
        line.shown(self.requester);
        line.bare(Some(self.request_id));
        line.bare(Some(self.operation));
        line.shown(self.key.map(key));
        line.quoted(Some(self.request_uri.as_bytes()), ADDRESS_BYTES_MAX);
        line.shown(self.status);
        line.bare(self.error_code);
        line.shown(Some(self.bytes_sent).filter(|bytes| *bytes > 0));
        line.shown(self.object_size);
        line.shown(Some(self.total_time.as_millis()));
        line.shown(self.turn_around_time.map(|time| time.as_millis()));
        line.quoted(self.referer, TEXT_BYTES_MAX);
        line.quoted(self.user_agent, TEXT_BYTES_MAX);
        line.bare(self.version_id);
        line.bare(Some(self.host_id));
        line.bare(self.authentication.map(|_| "SigV4"));
        line.bare(self.cipher_suite);
        line.bare(self.authentication);
        line.bytes(self.host);
        line.bare(self.tls_version);
        // There are no access points.
        line.ready("-");
        line.ready(if self.acl_required { "Yes" } else { "-" });
        line.0
    }
}

struct Line(String);

impl Line {
    /// Adds a field that is safe.
    fn ready(&mut self, text: &str) {
        self.0.push(' ');
        self.0.push_str(text);
    }

    /// Adds a field whose printed form is safe.
    fn shown(&mut self, value: Option<impl Display>) {
        match value {
            // Writing to a string does not fail.
            Some(value) => drop(write!(self.0, " {value}")),
            None => self.ready("-"),
        }
    }

    fn bare(&mut self, text: Option<&str>) {
        self.bytes(text.map(str::as_bytes));
    }

    fn bytes(&mut self, bytes: Option<&[u8]>) {
        match bytes.filter(|bytes| !bytes.is_empty()) {
            Some(bytes) => {
                self.0.push(' ');
                self.0.extend(percent_encode(cut(bytes, TEXT_BYTES_MAX), BARE));
            }
            None => self.ready("-"),
        }
    }

    fn quoted(&mut self, bytes: Option<&[u8]>, max: usize) {
        let bytes = bytes.filter(|bytes| !bytes.is_empty()).unwrap_or(b"-");
        self.0.push_str(" \"");
        self.0.extend(percent_encode(cut(bytes, max), QUOTED));
        self.0.push('"');
    }
}

fn cut(bytes: &[u8], max: usize) -> &[u8] {
    &bytes[..bytes.len().min(max)]
}

/// `[06/Feb/2019:00:00:38 +0000]`.
fn time(at: Timestamp) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.0)).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let month = MONTHS[usize::from(u8::from(at.month()) - 1)];
    let (hour, minute, second) = at.to_hms();
    format!("[{:02}/{month}/{:04}:{hour:02}:{minute:02}:{second:02} +0000]", at.day(), at.year())
}

fn key(key: &str) -> String {
    let once = utf8_percent_encode(key, KEY).to_string();
    utf8_percent_encode(&once, KEY).to_string()
}

/// Method, address and version of a request, without what would let a reader repeat it.
pub(crate) fn request_uri(method: &Method, uri: &Uri, version: Version) -> String {
    let mut text = format!("{method} {}", uri.path());
    for (index, pair) in uri.query().into_iter().flat_map(|query| query.split('&')).enumerate() {
        text.push(if index == 0 { '?' } else { '&' });
        let name = pair.split_once('=').map_or(pair, |(name, _)| name);
        let decoded = percent_decode_str(name).decode_utf8_lossy();
        if SECRET_PARAMETERS.iter().any(|secret| decoded.eq_ignore_ascii_case(secret)) {
            text.push_str(name);
            text.push_str("=REDACTED");
        } else {
            text.push_str(pair);
        }
    }
    let _ = write!(text, " {version:?}");
    text
}

/// What the sub-resource of a request, or none, is called in the name of its operation.
const RESOURCES: [(&str, &str); 30] = [
    ("accelerate", "ACCELERATE"),
    ("acl", "ACL"),
    ("analytics", "ANALYTICS"),
    ("attributes", "OBJECT_ATTRIBUTES"),
    ("cors", "CORS"),
    ("delete", "MULTI_OBJECT_DELETE"),
    ("encryption", "ENCRYPTION"),
    ("intelligent-tiering", "INTELLIGENT_TIERING"),
    ("inventory", "INVENTORY"),
    ("legal-hold", "OBJECT_LOCK_LEGALHOLD"),
    ("lifecycle", "LIFECYCLE"),
    ("location", "LOCATION"),
    ("logging", "LOGGING_STATUS"),
    ("metrics", "METRICS"),
    ("notification", "NOTIFICATION"),
    ("object-lock", "OBJECT_LOCK_CONFIGURATION"),
    ("ownershipControls", "OWNERSHIP_CONTROLS"),
    ("policy", "BUCKETPOLICY"),
    ("policyStatus", "POLICY_STATUS"),
    ("publicAccessBlock", "PUBLIC_ACCESS_BLOCK"),
    ("replication", "REPLICATION"),
    ("requestPayment", "REQUEST_PAYMENT"),
    ("restore", "RESTORE"),
    ("retention", "OBJECT_LOCK_RETENTION"),
    ("select", "SELECT"),
    ("tagging", "TAGGING"),
    ("uploads", "UPLOADS"),
    ("versioning", "VERSIONING"),
    ("versions", "BUCKETVERSIONS"),
    ("website", "WEBSITE"),
];

/// Names an operation by its request alone, so that one that was refused before anyone knew it has a name
/// too.
pub(crate) fn operation(method: &Method, has_key: bool, query: &str, copies: bool) -> String {
    let names = || query.split('&').map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name));
    let is_part = has_key && names().any(|name| name == "uploadId");
    let named = names().find_map(|name| RESOURCES.iter().find(|(own, _)| *own == name));
    let resource = match named {
        Some(("tagging", _)) if has_key => "OBJECT_TAGGING",
        Some((_, resource)) => resource,
        None if is_part && *method == Method::PUT => "PART",
        None if is_part => "UPLOAD",
        None if *method == Method::OPTIONS => "PREFLIGHT",
        // A form names its key in its body.
        None if has_key || *method == Method::POST => "OBJECT",
        None => "BUCKET",
    };
    if copies && *method == Method::PUT && has_key && named.is_none() {
        return format!("REST.COPY.{resource}");
    }
    format!("REST.{method}.{resource}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields() -> Fields<'static> {
        Fields {
            bucket_owner: AccountId::from_bytes([0x79; 32]),
            bucket: "photos",
            time: Timestamp::from_secs(1_549_411_238),
            remote_ip: Some(IpAddr::from([192, 0, 2, 3])),
            requester: Some(AccountId::from_bytes([0x79; 32])),
            request_id: "3E57427F33A59F07",
            operation: "REST.PUT.OBJECT",
            key: Some("s3-dg.pdf"),
            request_uri: "PUT /photos/s3-dg.pdf HTTP/1.1",
            status: Some(200),
            error_code: None,
            bytes_sent: 0,
            object_size: Some(4_406_583),
            total_time: Duration::from_micros(41_754_999),
            turn_around_time: Some(Duration::from_millis(28)),
            referer: None,
            user_agent: Some(b"S3Console/0.4"),
            version_id: None,
            host_id: "cofre",
            cipher_suite: None,
            authentication: Some("AuthHeader"),
            host: Some(b"s3.local:9000"),
            tls_version: None,
            acl_required: false,
        }
    }

    #[test]
    fn a_line_has_the_fields_of_aws_in_their_order() {
        let id = "79".repeat(32);
        let expected = format!(
            "{id} photos [06/Feb/2019:00:00:38 +0000] 192.0.2.3 {id} 3E57427F33A59F07 REST.PUT.OBJECT s3-dg.pdf \
             \"PUT /photos/s3-dg.pdf HTTP/1.1\" 200 - - 4406583 41754 28 \"-\" \"S3Console/0.4\" - cofre SigV4 - \
             AuthHeader s3.local:9000 - - -"
        );
        assert_eq!(fields().line(), expected);
        let absent = Fields {
            remote_ip: None,
            requester: None,
            key: None,
            status: None,
            error_code: Some("AccessDenied"),
            bytes_sent: 7,
            object_size: None,
            turn_around_time: None,
            referer: Some(b"http://a.example/"),
            user_agent: None,
            version_id: Some("3/L4kqtJlcpXroDTDmJ"),
            cipher_suite: Some("TLS_AES_128_GCM_SHA256"),
            authentication: None,
            host: None,
            tls_version: Some("TLSv1.3"),
            acl_required: true,
            ..fields()
        };
        let expected = format!(
            "{id} photos [06/Feb/2019:00:00:38 +0000] - - 3E57427F33A59F07 REST.PUT.OBJECT - \
             \"PUT /photos/s3-dg.pdf HTTP/1.1\" - AccessDenied 7 - 41754 - \"http://a.example/\" \"-\" \
             3/L4kqtJlcpXroDTDmJ cofre - TLS_AES_128_GCM_SHA256 - - TLSv1.3 - Yes"
        );
        assert_eq!(absent.line(), expected);
    }

    #[test]
    fn nothing_that_a_client_sends_breaks_a_line() {
        let evil = "a\"b c\nd\r\\e]\u{e9}\0";
        let long = vec![b'"'; 100_000];
        for user_agent in [evil.as_bytes(), &long] {
            let line = Fields {
                key: Some(evil),
                request_uri: evil,
                error_code: Some(evil),
                referer: Some(evil.as_bytes()),
                user_agent: Some(user_agent),
                version_id: Some(evil),
                host: Some(evil.as_bytes()),
                ..fields()
            };
            let line = line.line();
            assert!(line.bytes().all(|b| b.is_ascii_graphic() || b == b' '), "{line}");
            assert_eq!(line.matches('"').count(), 6, "{line}");
            // Fields, where a quoted text and the time are one each.
            let (mut count, mut inside) = (1, false);
            for b in line.bytes() {
                match b {
                    b'"' | b'[' | b']' => inside = !inside,
                    b' ' if !inside => count += 1,
                    _ => {}
                }
            }
            assert_eq!(count, 26, "{line}");
            assert!(line.len() < 32 * 1024);
        }
    }

    #[test]
    fn a_key_is_encoded_twice_and_a_signature_left_out() {
        assert_eq!(key("my photos/\u{e9}+.jpg"), "my%2520photos/%25C3%25A9%252B.jpg");
        let uri = Uri::from_static("/b/k?versionId=1&X-Amz-Signature=abc&x-amz-security%2Dtoken=t&empty");
        assert_eq!(
            request_uri(&Method::GET, &uri, Version::HTTP_11),
            "GET /b/k?versionId=1&X-Amz-Signature=REDACTED&x-amz-security%2Dtoken=REDACTED&empty HTTP/1.1"
        );
    }

    #[test]
    fn operations_have_the_names_of_aws() {
        for (method, has_key, query, copies, name) in [
            (Method::GET, true, "", false, "REST.GET.OBJECT"),
            (Method::HEAD, true, "versionId=1", false, "REST.HEAD.OBJECT"),
            (Method::GET, false, "list-type=2", false, "REST.GET.BUCKET"),
            (Method::GET, false, "logging", false, "REST.GET.LOGGING_STATUS"),
            (Method::PUT, false, "policy=", false, "REST.PUT.BUCKETPOLICY"),
            (Method::PUT, true, "", true, "REST.COPY.OBJECT"),
            (Method::PUT, true, "partNumber=1&uploadId=x", true, "REST.COPY.PART"),
            (Method::PUT, true, "partNumber=1&uploadId=x", false, "REST.PUT.PART"),
            (Method::POST, true, "uploads", false, "REST.POST.UPLOADS"),
            (Method::POST, true, "uploadId=x", false, "REST.POST.UPLOAD"),
            (Method::DELETE, true, "uploadId=x", false, "REST.DELETE.UPLOAD"),
            (Method::POST, false, "delete", false, "REST.POST.MULTI_OBJECT_DELETE"),
            (Method::GET, true, "tagging", false, "REST.GET.OBJECT_TAGGING"),
            (Method::GET, false, "tagging", false, "REST.GET.TAGGING"),
            (Method::POST, false, "", false, "REST.POST.OBJECT"),
            (Method::OPTIONS, true, "", false, "REST.OPTIONS.PREFLIGHT"),
        ] {
            assert_eq!(operation(&method, has_key, query, copies), name, "{query}");
        }
    }
}
