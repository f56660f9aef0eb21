//! One line of a server access log (AWS, "Amazon S3 server access log format"). Pure.
//!
//! A client chooses much of what stands in a line. None of it can end the line, a field or a quoted text:
//! quotes, backslashes, brackets, control characters and bytes beyond ASCII are percent-encoded, and so are spaces where
//! a field is not quoted. Long texts are cut.

use cofre_types::{AccountId, Timestamp};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_encode, utf8_percent_encode};
use std::fmt::{self, Display, Write};
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

/// Who asked for what a line tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogRequester {
    /// An account.
    Account(AccountId),
    /// The store itself, by a rule of the bucket; AWS calls itself `AmazonS3`.
    Store,
}

impl Display for LogRequester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(account) => account.fmt(f),
            Self::Store => f.write_str("AmazonS3"),
        }
    }
}

/// The fields, in their order. What is absent is written as `-`.
#[derive(Debug, Clone, Copy)]
pub struct LogFields<'a> {
    /// Who owns the bucket.
    pub bucket_owner: AccountId,
    /// The bucket.
    pub bucket: &'a str,
    /// When the request came.
    pub time: Timestamp,
    /// Where it came from.
    pub remote_ip: Option<IpAddr>,
    /// Who made it.
    pub requester: Option<LogRequester>,
    /// Its id.
    pub request_id: &'a str,
    /// Such as `REST.GET.OBJECT`.
    pub operation: &'a str,
    /// The key, as the object has it.
    pub key: Option<&'a str>,
    /// Method, address and version of the protocol, without secrets.
    pub request_uri: Option<&'a str>,
    /// Status of the answer.
    pub status: Option<u16>,
    /// Code of the error.
    pub error_code: Option<&'a str>,
    /// Bytes of the answer, without its head.
    pub bytes_sent: u64,
    /// Size of the whole object.
    pub object_size: Option<u64>,
    /// From its first byte to the last one of its answer.
    pub total_time: Option<Duration>,
    /// From its last byte to the first one of its answer.
    pub turn_around_time: Option<Duration>,
    /// Header `Referer`.
    pub referer: Option<&'a [u8]>,
    /// Header `User-Agent`.
    pub user_agent: Option<&'a [u8]>,
    /// The version that it is about.
    pub version_id: Option<&'a str>,
    /// The host that answered.
    pub host_id: Option<&'a str>,
    /// Cipher suite of TLS.
    pub cipher_suite: Option<&'a str>,
    /// `SigV2` or `SigV4`; none of an anonymous request or a form.
    pub signature_version: Option<&'a str>,
    /// `AuthHeader` or `QueryString`; none of an anonymous request or a form.
    pub authentication: Option<&'a str>,
    /// Header `Host`.
    pub host: Option<&'a [u8]>,
    /// Version of TLS.
    pub tls_version: Option<&'a str>,
    /// Whether it was allowed only by an access control list.
    pub acl_required: bool,
}

impl LogFields<'_> {
    /// The line, without its end.
    pub fn line(&self) -> String {
        let mut line = Line(String::with_capacity(512));
        line.0.push_str(&self.bucket_owner.to_string());
        line.bare(Some(self.bucket));
        line.ready(&time(self.time));
        line.shown(self.remote_ip.map(|ip| ip.to_canonical()));
        line.shown(self.requester);
        line.bare(Some(self.request_id));
        line.bare(Some(self.operation));
        line.shown(self.key.map(key));
        line.quoted(self.request_uri.map(str::as_bytes), ADDRESS_BYTES_MAX);
        line.shown(self.status);
        line.bare(self.error_code);
        line.shown(Some(self.bytes_sent).filter(|bytes| *bytes > 0));
        line.shown(self.object_size);
        line.shown(self.total_time.map(|time| time.as_millis()));
        line.shown(self.turn_around_time.map(|time| time.as_millis()));
        line.quoted(self.referer, TEXT_BYTES_MAX);
        line.quoted(self.user_agent, TEXT_BYTES_MAX);
        line.bare(self.version_id);
        line.bare(self.host_id);
        line.bare(self.signature_version);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn fields() -> LogFields<'static> {
        LogFields {
            bucket_owner: AccountId::from_bytes([0x79; 32]),
            bucket: "photos",
            time: Timestamp::from_secs(1_549_411_238),
            remote_ip: Some(IpAddr::from([192, 0, 2, 3])),
            requester: Some(LogRequester::Account(AccountId::from_bytes([0x79; 32]))),
            request_id: "3E57427F33A59F07",
            operation: "REST.PUT.OBJECT",
            key: Some("s3-dg.pdf"),
            request_uri: Some("PUT /photos/s3-dg.pdf HTTP/1.1"),
            status: Some(200),
            error_code: None,
            bytes_sent: 0,
            object_size: Some(4_406_583),
            total_time: Some(Duration::from_micros(41_754_999)),
            turn_around_time: Some(Duration::from_millis(28)),
            referer: None,
            user_agent: Some(b"S3Console/0.4"),
            version_id: None,
            host_id: Some("cofre"),
            cipher_suite: None,
            signature_version: Some("SigV4"),
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
        let absent = LogFields {
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
            signature_version: None,
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
            let line = LogFields {
                key: Some(evil),
                request_uri: Some(evil),
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
    fn a_key_is_encoded_twice() {
        assert_eq!(key("my photos/\u{e9}+.jpg"), "my%2520photos/%25C3%25A9%252B.jpg");
    }

    #[test]
    fn what_a_rule_did_has_no_request() {
        let line = LogFields {
            remote_ip: None,
            requester: Some(LogRequester::Store),
            operation: "S3.EXPIRE.OBJECT",
            request_uri: None,
            status: None,
            total_time: None,
            turn_around_time: None,
            user_agent: None,
            host_id: None,
            signature_version: None,
            authentication: None,
            host: None,
            ..fields()
        };
        let expected = format!(
            "{} photos [06/Feb/2019:00:00:38 +0000] - AmazonS3 3E57427F33A59F07 S3.EXPIRE.OBJECT s3-dg.pdf \
             \"-\" - - - 4406583 - - \"-\" \"-\" - - - - - - - - -",
            "79".repeat(32)
        );
        assert_eq!(line.line(), expected);
    }
}
