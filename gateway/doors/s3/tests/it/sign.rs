//! Signature Version 4 as a client makes it (AWS, "Create a signed AWS API request"), written from
//! the description rather than with s3s' own functions.

use aws_lc_rs::{digest, hmac};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, header};
use http_body_util::Full;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::time::{SystemTime, UNIX_EPOCH};
use time::OffsetDateTime;

const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const PATH: &AsciiSet = &QUERY.remove(b'/');

pub const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A key that signs.
#[derive(Clone)]
pub struct Key {
    pub id: String,
    pub secret: String,
}

pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes))
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text).as_ref().to_vec()
}

/// Encodes a key for a path.
pub fn encode_path(path: &str) -> String {
    utf8_percent_encode(path, PATH).to_string()
}

/// Seconds since 1970.
pub fn now_secs() -> i64 {
    #[allow(clippy::disallowed_methods, reason = "the bed runs by the system's clock")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    i64::try_from(now).unwrap()
}

/// The moment as signatures write it.
pub fn amz_date(offset_secs: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp(now_secs() + offset_secs).unwrap();
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// A request that is to be signed.
pub struct Draft {
    pub method: Method,
    /// Path, percent-encoded, and query.
    pub address: String,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
    /// `x-amz-content-sha256`; the body's own digest if absent.
    pub payload: Option<String>,
    pub date: String,
}

impl Draft {
    pub fn new(method: Method, address: &str) -> Self {
        Self {
            method,
            address: address.to_owned(),
            headers: Vec::new(),
            body: Bytes::new(),
            payload: None,
            date: amz_date(0),
        }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    pub fn payload(mut self, payload: &str) -> Self {
        self.payload = Some(payload.to_owned());
        self
    }

    fn host(&self) -> String {
        let given = self.headers.iter().find(|(name, _)| name == "host");
        given.map_or_else(|| "localhost:9000".to_owned(), |(_, host)| host.clone())
    }

    /// Without a signature.
    pub fn anonymous(self) -> Request<Full<Bytes>> {
        self.build(Vec::new())
    }

    /// With the signature in the headers. Also tells the signature, from which chunks go on.
    pub fn signed_seed(self, key: &Key) -> (Request<Full<Bytes>>, String) {
        let payload = self.payload.clone().unwrap_or_else(|| sha256(&self.body));
        let mut signed = vec![
            ("host".to_owned(), self.host()),
            ("x-amz-content-sha256".to_owned(), payload.clone()),
            ("x-amz-date".to_owned(), self.date.clone()),
        ];
        signed.extend(self.headers.iter().filter(|(name, _)| name != "host").cloned());
        signed.sort();
        let names = signed.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");
        let (path, query) = self.address.split_once('?').unwrap_or((&self.address, ""));
        let canonical = canonical(&self.method, path, query, &signed, &names, &payload);
        let signature = signature(key, &self.date, &canonical);
        let scope = scope(&self.date);
        let authorization =
            format!("AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}", key.id);
        let extra = vec![
            ("x-amz-content-sha256".to_owned(), payload),
            ("x-amz-date".to_owned(), self.date.clone()),
            ("authorization".to_owned(), authorization),
        ];
        (self.build(extra), signature)
    }

    /// With the signature in the headers.
    pub fn signed(self, key: &Key) -> Request<Full<Bytes>> {
        self.signed_seed(key).0
    }

    /// With the signature in the headers, over `date` instead of `x-amz-date`.
    pub fn dated_by_date(self, key: &Key) -> Request<Full<Bytes>> {
        let d = &self.date;
        let iso = format!("{}-{}-{}T{}:{}:{}Z", &d[..4], &d[4..6], &d[6..8], &d[9..11], &d[11..13], &d[13..15]);
        let mut http = Vec::new();
        let at = s3s::dto::Timestamp::parse(s3s::dto::TimestampFormat::DateTime, &iso).unwrap();
        at.format(s3s::dto::TimestampFormat::HttpDate, &mut http).unwrap();
        let http = String::from_utf8(http).unwrap();
        let signed = vec![
            ("date".to_owned(), http.clone()),
            ("host".to_owned(), self.host()),
            ("x-amz-content-sha256".to_owned(), EMPTY_SHA256.to_owned()),
        ];
        let names = "date;host;x-amz-content-sha256";
        let signature =
            signature(key, &self.date, &canonical(&self.method, &self.address, "", &signed, names, EMPTY_SHA256));
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={names}, Signature={signature}",
            key.id,
            scope(&self.date)
        );
        self.build(vec![
            ("date".to_owned(), http),
            ("x-amz-content-sha256".to_owned(), EMPTY_SHA256.to_owned()),
            ("authorization".to_owned(), authorization),
        ])
    }

    /// With the signature in the address, which only covers the host and the headers given here.
    /// `unsigned` headers are sent but not signed.
    pub fn presigned(mut self, key: &Key, expires_secs: u32, unsigned: &[(&str, &str)]) -> Request<Full<Bytes>> {
        let mut signed = vec![("host".to_owned(), self.host())];
        signed.extend(self.headers.iter().filter(|(name, _)| name != "host").cloned());
        signed.sort();
        let names = signed.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");
        let credential = format!("{}/{}", key.id, scope(&self.date));
        let parameters = [
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            ("X-Amz-Credential", &credential),
            ("X-Amz-Date", &self.date),
            ("X-Amz-Expires", &expires_secs.to_string()),
            ("X-Amz-SignedHeaders", &names),
        ]
        .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, QUERY)))
        .join("&");
        let joint = if self.address.contains('?') { '&' } else { '?' };
        self.address = format!("{}{joint}{parameters}", self.address);
        let (path, query) = self.address.split_once('?').unwrap();
        let canonical = canonical(&self.method, path, query, &signed, &names, "UNSIGNED-PAYLOAD");
        let signature = signature(key, &self.date, &canonical);
        self.address = format!("{}&X-Amz-Signature={signature}", self.address);
        let unsigned = unsigned.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.build(unsigned)
    }

    /// With a signature of version 2 in the address, as boto3 makes it: over the method, the path, sub-resources given as
    /// `resource`, and the headers given here.
    pub fn presigned_v2(mut self, key: &Key, expires: i64, resource: &str) -> Request<Full<Bytes>> {
        let header = |wanted: &str| {
            let found = self.headers.iter().find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.as_str()).unwrap_or_default()
        };
        let query = self.address.split_once('?').map(|(_, query)| query).unwrap_or_default();
        let mut amz: Vec<String> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), percent_decode_str(value).decode_utf8().unwrap().into_owned()))
            .chain(self.headers.iter().cloned())
            .filter(|(name, _)| name.starts_with("x-amz-"))
            .map(|(name, value)| format!("{name}:{value}\n"))
            .collect();
        amz.sort();
        let (amz, md5, kind) = (amz.concat(), header("content-md5"), header("content-type"));
        let text = format!("{}\n{md5}\n{kind}\n{expires}\n{amz}{resource}", self.method);
        let signing = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key.secret.as_bytes());
        let signature = crate::bed::base64(hmac::sign(&signing, text.as_bytes()).as_ref());
        let signature = utf8_percent_encode(&signature, QUERY);
        let joint = if self.address.contains('?') { '&' } else { '?' };
        self.address =
            format!("{}{joint}AWSAccessKeyId={}&Signature={signature}&Expires={expires}", self.address, key.id);
        self.build(Vec::new())
    }

    fn build(self, extra: Vec<(String, String)>) -> Request<Full<Bytes>> {
        let host = self.host();
        let mut request = Request::builder().method(self.method.clone()).uri(&self.address);
        let headers = request.headers_mut().unwrap();
        headers.insert(header::HOST, HeaderValue::from_str(&host).unwrap());
        if !self.body.is_empty() || self.method == Method::PUT || self.method == Method::POST {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(self.body.len()));
        }
        for (name, value) in self.headers.into_iter().chain(extra).filter(|(name, _)| name != "host") {
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        request.body(Full::new(self.body)).unwrap()
    }
}

fn scope(date: &str) -> String {
    format!("{}/us-east-1/s3/aws4_request", &date[..8])
}

fn canonical(
    method: &Method,
    path: &str,
    query: &str,
    headers: &[(String, String)],
    names: &str,
    payload: &str,
) -> String {
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let again =
                |text: &str| utf8_percent_encode(&percent_decode_str(text).decode_utf8().unwrap(), QUERY).to_string();
            (again(name), again(value))
        })
        .collect();
    pairs.sort();
    let query = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
    let headers: String = headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
    format!("{method}\n{path}\n{query}\n{headers}\n{names}\n{payload}")
}

fn signing_key(key: &Key, date: &str) -> Vec<u8> {
    let day = mac(format!("AWS4{}", key.secret).as_bytes(), &date.as_bytes()[..8]);
    mac(&mac(&mac(&day, b"us-east-1"), b"s3"), b"aws4_request")
}

fn signature(key: &Key, date: &str, canonical: &str) -> String {
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{}\n{}", scope(date), sha256(canonical.as_bytes()));
    hex::encode(mac(&signing_key(key, date), text.as_bytes()))
}

/// The body of a signed chunked upload: chunks, each signed on from the one before, and an end.
pub fn signed_chunks(key: &Key, date: &str, seed: &str, chunks: &[&[u8]]) -> Bytes {
    let signing_key = signing_key(key, date);
    let mut previous = seed.to_owned();
    let mut body = Vec::new();
    for chunk in chunks.iter().copied().chain([&[][..]]) {
        let text =
            format!("AWS4-HMAC-SHA256-PAYLOAD\n{date}\n{}\n{previous}\n{EMPTY_SHA256}\n{}", scope(date), sha256(chunk));
        previous = hex::encode(mac(&signing_key, text.as_bytes()));
        body.extend_from_slice(format!("{:x};chunk-signature={previous}\r\n", chunk.len()).as_bytes());
        body.extend_from_slice(chunk);
        body.extend_from_slice(b"\r\n");
    }
    body.into()
}

/// The body of an unsigned chunked upload with trailers.
pub fn chunks_with_trailer(chunks: &[&[u8]], trailer: &str) -> Bytes {
    let mut body = Vec::new();
    for chunk in chunks {
        body.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        body.extend_from_slice(chunk);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("0\r\n{trailer}\r\n").as_bytes());
    body.into()
}

/// The signature of a form's policy.
pub fn sign_policy(key: &Key, date: &str, policy: &str) -> String {
    hex::encode(mac(&signing_key(key, date), policy.as_bytes()))
}
