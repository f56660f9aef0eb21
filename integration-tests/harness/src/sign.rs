//! Signature version 4, as the AWS page "Signature Calculations for the Authorization Header" has it.

use crate::fill::sha256_hex;
use crate::http::Request;
use aws_lc_rs::hmac;
use cofre_runtime::Clock;
use parking_lot::Mutex;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::fmt::Write;
use std::time::Duration;
use time::OffsetDateTime;

/// What RFC 3986 calls unreserved stays as it is.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// In a path the slash does too.
const PATH: &AsciiSet = &VALUE.remove(b'/');

/// A key, encoded for the path of a request.
pub fn encode_key(key: &str) -> String {
    utf8_percent_encode(key, PATH).to_string()
}

/// A value, encoded for the query of a request.
pub fn encode_value(value: &str) -> String {
    utf8_percent_encode(value, VALUE).to_string()
}

/// What the signature says of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payload<'a> {
    /// Its SHA-256.
    Signed,
    /// Nothing.
    Unsigned,
    /// These words in place of a hash: a form of streaming, or a hash that is known.
    Named(&'a str),
}

/// Signs requests with one access key.
#[derive(Debug)]
pub struct Signer {
    /// Access key id.
    pub access_key: String,
    /// Its secret.
    pub secret_key: String,
    /// Region that the signature names.
    pub region: String,
    clock: Clock,
    /// The key of one day, which costs four HMACs to make.
    day: Mutex<Option<(String, hmac::Key)>>,
}

impl Clone for Signer {
    fn clone(&self) -> Self {
        Self::new(&self.access_key, &self.secret_key)
    }
}

impl Signer {
    /// A signer for `us-east-1`.
    pub fn new(access_key: &str, secret_key: &str) -> Self {
        Self {
            access_key: access_key.to_owned(),
            secret_key: secret_key.to_owned(),
            region: "us-east-1".to_owned(),
            clock: Clock::system(),
            day: Mutex::new(None),
        }
    }

    /// The same signer, by a clock that is that much ahead.
    #[must_use]
    pub fn ahead(mut self, by: Duration) -> Self {
        self.clock = Clock::system_ahead(by);
        self
    }

    /// Adds date, content hash and authorization to a request; all headers that it has are signed.
    #[must_use]
    pub fn sign(&self, mut request: Request, payload: Payload<'_>) -> Request {
        let stamp = self.stamp();
        let hash = match payload {
            Payload::Signed => sha256_hex(&request.body),
            Payload::Unsigned => "UNSIGNED-PAYLOAD".to_owned(),
            Payload::Named(words) => words.to_owned(),
        };
        request = request.header("x-amz-date", &stamp).header("x-amz-content-sha256", &hash);
        let (names, signature) = self.signature(&request, &stamp, &hash);
        let scope = self.scope(&stamp);
        let value = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
            self.access_key
        );
        request.header("authorization", &value)
    }

    /// Signs a request in its query, for someone else to send within `valid`. Headers that it has
    /// are signed, and must be sent as they are.
    #[must_use]
    pub fn presign(&self, mut request: Request, valid: Duration) -> Request {
        let stamp = self.stamp();
        let credential = encode_value(&format!("{}/{}", self.access_key, self.scope(&stamp)));
        let names = encode_value(&signed_names(&request));
        let glue = if request.target.contains('?') { '&' } else { '?' };
        let _ = write!(
            request.target,
            "{glue}X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={credential}&X-Amz-Date={stamp}\
             &X-Amz-Expires={}&X-Amz-SignedHeaders={names}",
            valid.as_secs()
        );
        let (_, signature) = self.signature(&request, &stamp, "UNSIGNED-PAYLOAD");
        let _ = write!(request.target, "&X-Amz-Signature={signature}");
        request
    }

    /// Now, as `YYYYMMDDTHHMMSSZ`.
    fn stamp(&self) -> String {
        let nanos = i128::from(self.clock.now_nanos());
        let now = OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let (year, month, day) = now.to_calendar_date();
        let (hour, minute, second) = now.to_hms();
        format!("{year:04}{:02}{day:02}T{hour:02}{minute:02}{second:02}Z", u8::from(month))
    }

    fn scope(&self, stamp: &str) -> String {
        format!("{}/{}/s3/aws4_request", &stamp[..8], self.region)
    }

    /// Names of the signed headers, and the signature.
    fn signature(&self, request: &Request, stamp: &str, hash: &str) -> (String, String) {
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let mut parameters: Vec<String> = query
            .split('&')
            .filter(|parameter| !parameter.is_empty())
            .map(|parameter| if parameter.contains('=') { parameter.to_owned() } else { format!("{parameter}=") })
            .collect();
        parameters.sort();
        let names = signed_names(request);
        let mut canonical = format!("{}\n{path}\n{}\n", request.method, parameters.join("&"));
        for name in names.split(';') {
            let _ = writeln!(canonical, "{name}:{}", request.header_value(name).unwrap_or_default().trim());
        }
        let _ = write!(canonical, "\n{names}\n{hash}");
        let text = format!("AWS4-HMAC-SHA256\n{stamp}\n{}\n{}", self.scope(stamp), sha256_hex(canonical.as_bytes()));
        let signature = hex::encode(hmac::sign(&self.key_of(&stamp[..8]), text.as_bytes()));
        (names, signature)
    }

    fn key_of(&self, day: &str) -> hmac::Key {
        let mut cached = self.day.lock();
        if let Some((known, key)) = cached.as_ref()
            && known == day
        {
            return key.clone();
        }
        let mut key = hmac::Key::new(hmac::HMAC_SHA256, format!("AWS4{}", self.secret_key).as_bytes());
        for part in [day, &self.region, "s3", "aws4_request"] {
            key = hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&key, part.as_bytes()).as_ref());
        }
        *cached = Some((day.to_owned(), key.clone()));
        key
    }
}

/// Names of all headers of a request, as a signature lists them.
fn signed_names(request: &Request) -> String {
    let mut names: Vec<&str> = request.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names.join(";")
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofre_runtime::ManualClock;

    /// The first example of the AWS page.
    #[test]
    fn signs_the_example_of_the_documentation() {
        let mut signer = Signer::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
        signer.clock = ManualClock::at(1_369_353_600_000_000_000).clock();
        let request = Request::new("GET", "/test.txt")
            .header("host", "examplebucket.s3.amazonaws.com")
            .header("range", "bytes=0-9");
        let signed = signer.sign(request, Payload::Signed);
        let authorization = signed.header_value("authorization").unwrap();
        assert!(authorization.contains("SignedHeaders=host;range;x-amz-content-sha256;x-amz-date"));
        assert!(authorization.ends_with("f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"));
    }

    /// The example of the page on query parameters.
    #[test]
    fn presigns_the_example_of_the_documentation() {
        let mut signer = Signer::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
        signer.clock = ManualClock::at(1_369_353_600_000_000_000).clock();
        let request = Request::new("GET", "/test.txt").header("host", "examplebucket.s3.amazonaws.com");
        let target = signer.presign(request, Duration::from_secs(86_400)).target;
        assert!(target.ends_with("aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"), "{target}");
    }

    #[test]
    fn encodes_keys_and_values() {
        assert_eq!(encode_key("a/b c~ü"), "a/b%20c~%C3%BC");
        assert_eq!(encode_value("a/b"), "a%2Fb");
    }
}
