//! Links that download an object: addresses that are signed for S3 (AWS, "Authenticating Requests: Using Query
//! Parameters"), with the access key of the session. They have its rights when they are used, and end with it.

use crate::download::{disposition, file_name};
use crate::edge::Browser;
use crate::extract::{self, Json, Path};
use crate::session::time_text;
use crate::{Door, Refusal};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use axum::extract::State;
use axum::http::{HeaderMap, Uri, header};
use cofre_admin_types::{Link, MakeLink, Problem};
use cofre_iam::Secret;
use cofre_objects::ObjectRef;
use cofre_types::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;

/// What stands as it is in a canonical query.
const IN_QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What stands as it is in a canonical path.
const IN_PATH: &AsciiSet = &IN_QUERY.remove(b'/');

/// Shortest and longest life of a link, in seconds.
const SECS_MIN: u32 = 60;
const SECS_MAX: u32 = 7 * 86_400;

/// Where links lead: the S3 API as those who use them reach it.
#[derive(Debug, Clone)]
pub struct LinksTo {
    /// Its URL, such as `https://s3.example`. Without one it is on the host of the console.
    pub url: Option<String>,
    /// Its port there.
    pub port: u16,
    /// Whether it speaks TLS there.
    pub tls: bool,
    /// The region to sign for.
    pub region: String,
}

impl LinksTo {
    /// Scheme and host with port, for who came to the console by this host.
    fn base(&self, host: &str) -> String {
        if let Some(url) = &self.url {
            return url.trim_end_matches('/').to_owned();
        }
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => host,
        };
        let (scheme, usual) = if self.tls { ("https", 443) } else { ("http", 80) };
        let port = if self.port == usual { String::new() } else { format!(":{}", self.port) };
        format!("{scheme}://{name}{port}")
    }
}

/// Make a link that downloads an object.
///
/// The account must be allowed to read it. Nobody can take a link back alone: it ends with its time, or with the access key.
#[utoipa::path(post, path = "/console/v1/buckets/{bucket}/links", operation_id = "console_make_link", tag = "console",
    params(("bucket" = String, Path, description = "Name of the bucket.")), request_body = MakeLink,
    responses(
        (status = 200, description = "The link. It is not kept.", body = Link),
        (status = 409, description = "No address leads to an object of this name.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn make(
    State(door): State<Arc<Door>>,
    browser: Browser,
    uri: Uri,
    headers: HeaderMap,
    Path(bucket): Path<String>,
    Json(request): Json<MakeLink>,
) -> Result<axum::Json<Link>, Refusal> {
    let (bucket, key) = (extract::bucket(&bucket)?, extract::key(request.key)?);
    let version = extract::version(request.version.as_deref())?;
    if !(SECS_MIN..=SECS_MAX).contains(&request.seconds) {
        return Err(Refusal::invalid("seconds", "must be 60 to 604,800"));
    }
    // Browsers take such segments out of an address, encoded or not (URL Standard, "path state").
    if key.as_str().split('/').any(|segment| segment == "." || segment == "..") {
        let detail = "no address leads to an object whose name has . or .. between slashes: rename it first";
        return Err(Refusal::conflict("NoAddress", detail));
    }
    let at = ObjectRef { bucket: bucket.clone(), key: key.clone(), version };
    drop(door.objects.begin_get(&browser.caller, at).await?);
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = uri.authority().map(axum::http::uri::Authority::as_str).or(host);
    let base = door.links.base(host.ok_or_else(|| Refusal::invalid("Host", "is missing"))?);
    let now = Timestamp(door.clock.now_nanos());
    let credential = &browser.signed_in.credential;
    let signed = Signed {
        base: &base,
        path: &format!("/{bucket}/{}", key.as_str()),
        key: browser.signed_in.session.key.as_str(),
        secret: &credential.secret,
        region: &door.links.region,
        now,
        seconds: request.seconds,
    };
    let mut more = vec![("response-content-disposition", disposition(&file_name(key.as_str())))];
    more.extend(version.map(|version| ("versionId", version.to_string())));
    let url = signed.url(&more).ok_or_else(|| Refusal::internal("the URL of the S3 API has no host".to_owned()))?;
    let expires = time_text(now.after(Duration::from_secs(request.seconds.into())));
    Ok(axum::Json(Link { url, expires }))
}

/// An address that is to be signed.
struct Signed<'a> {
    base: &'a str,
    path: &'a str,
    key: &'a str,
    secret: &'a Secret,
    region: &'a str,
    now: Timestamp,
    seconds: u32,
}

impl Signed<'_> {
    /// The address, with these parameters too.
    fn url(&self, more: &[(&str, String)]) -> Option<String> {
        let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.now.0)).ok()?;
        let day = format!("{:04}{:02}{:02}", at.year(), u8::from(at.month()), at.day());
        let date = format!("{day}T{:02}{:02}{:02}Z", at.hour(), at.minute(), at.second());
        let scope = format!("{day}/{}/s3/aws4_request", self.region);
        let own = [
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256".to_owned()),
            ("X-Amz-Credential", format!("{}/{scope}", self.key)),
            ("X-Amz-Date", date.clone()),
            ("X-Amz-Expires", self.seconds.to_string()),
            ("X-Amz-SignedHeaders", "host".to_owned()),
        ];
        let encode = |text: &str| utf8_percent_encode(text, IN_QUERY).to_string();
        let pairs = own.iter().chain(more).map(|(name, value)| format!("{}={}", encode(name), encode(value)));
        let mut pairs: Vec<_> = pairs.collect();
        pairs.sort();
        let (query, path) = (pairs.join("&"), utf8_percent_encode(self.path, IN_PATH).to_string());
        let host = self.base.split_once("://")?.1.to_ascii_lowercase();
        let canonical = format!("GET\n{path}\n{query}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD");
        let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex::encode(digest(&SHA256, canonical.as_bytes())));
        let sign = |key: &[u8], text: &str| hmac::sign(&hmac::Key::new(HMAC_SHA256, key), text.as_bytes());
        let mut key = sign(format!("AWS4{}", self.secret.expose()).as_bytes(), &day);
        for part in [self.region, "s3", "aws4_request"] {
            key = sign(key.as_ref(), part);
        }
        let signature = hex::encode(sign(key.as_ref(), &text));
        Some(format!("{}{path}?{query}&X-Amz-Signature={signature}", self.base))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// AWS, "Authenticating Requests: Using Query Parameters", its example.
    #[test]
    fn signs_the_example() {
        let secret = Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned());
        let signed = Signed {
            base: "https://examplebucket.s3.amazonaws.com",
            path: "/test.txt",
            key: "AKIAIOSFODNN7EXAMPLE",
            secret: &secret,
            region: "us-east-1",
            now: Timestamp::from_secs(1_369_353_600),
            seconds: 86_400,
        };
        let url = signed.url(&[]).unwrap();
        assert!(url.ends_with("aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"), "{url}");
        assert!(url.starts_with("https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm="), "{url}");
    }

    #[test]
    fn links_lead_to_the_port_of_s3() {
        let to = |url: Option<&str>, port, tls| LinksTo {
            url: url.map(str::to_owned),
            port,
            tls,
            region: "us-east-1".to_owned(),
        };
        assert_eq!(to(None, 9000, false).base("nas.local:9001"), "http://nas.local:9000");
        assert_eq!(to(None, 443, true).base("nas.local"), "https://nas.local");
        assert_eq!(to(None, 9000, true).base("[::1]:9001"), "https://[::1]:9000");
        assert_eq!(to(None, 9000, false).base("[::1]"), "http://[::1]:9000");
        assert_eq!(to(Some("https://s3.example/"), 9000, false).base("x"), "https://s3.example");
    }
}
