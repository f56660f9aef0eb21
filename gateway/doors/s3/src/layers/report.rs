//! What is kept of a request that was refused, failed or took long. Secrets and signatures are left out here.

use super::access_log::{AccessLine, shown};
use crate::exchange::Noted;
use cofre_iam::{Explanation, RequestReport};
use cofre_types::Timestamp;
use http::{HeaderMap, HeaderName, StatusCode, header};
use std::borrow::Cow;
use std::time::Duration;

/// Codes of errors that people ask about. What is missing or taken explains itself.
const CODES: [&str; 3] = ["AccessDenied", "SignatureDoesNotMatch", "InvalidArgument"];

/// A request whose answer began later than this is kept although it succeeded.
const SLOW: Duration = Duration::from_secs(2);

/// Elements of an error that are told elsewhere, or that hold a signature.
const LEFT_OUT: [&str; 8] = [
    "Code",
    "Message",
    "RequestId",
    "HostId",
    "Resource",
    "SignatureProvided",
    "StringToSignBytes",
    "CanonicalRequestBytes",
];

/// Headers and parameters whose values are secrets; they may be among those that are signed.
const SECRET: [&str; 6] = [
    "authorization",
    "cookie",
    "x-amz-security-token",
    "x-amz-server-side-encryption-customer-key",
    "x-amz-copy-source-server-side-encryption-customer-key",
    "x-amz-signature",
];

/// Headers that proxies are known to change, the likeliest first, and how.
const CHANGED_BY_PROXIES: [(&str, &str); 10] = [
    ("accept-encoding", "proxies and CDNs rewrite it to what they can cache"),
    ("host", "a proxy must pass the client's Host on (nginx: proxy_set_header Host $http_host)"),
    ("expect", "proxies answer it themselves and take it off"),
    ("te", "it is for one hop alone (RFC 9110, section 7.6.1)"),
    ("connection", "it is for one hop alone (RFC 9110, section 7.6.1)"),
    ("content-length", "a proxy that sends the body in chunks takes it off"),
    ("content-type", "some proxies add a charset"),
    ("user-agent", "some proxies replace it"),
    ("cache-control", "proxies act on it and may change it"),
    ("x-forwarded-for", "every proxy adds to it"),
];

const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What tells that a proxy stands before this.
#[derive(Debug, Default)]
pub(crate) struct Forwarded {
    host: Option<String>,
    by_proxy: bool,
}

impl Forwarded {
    /// Looks for the traces of a proxy.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let by_proxy = [header::VIA, header::FORWARDED, FORWARDED_HOST, FORWARDED_FOR]
            .iter()
            .any(|name| headers.contains_key(name));
        let host = headers.get(FORWARDED_HOST).filter(|_| by_proxy);
        Self { host: shown(host).map(str::to_owned), by_proxy }
    }
}

/// Keeps the report of a request, if it is one to be asked about. `xml` is its error as the client gets it.
pub(super) fn keep(line: &AccessLine, status: StatusCode, xml: Option<&str>) {
    let now = line.clock.elapsed();
    let asked_about = line.code.as_deref().is_some_and(|code| CODES.contains(&code)) || status.is_server_error();
    if !asked_about && now.saturating_sub(line.began) < SLOW {
        return;
    }
    let report = line.exchange.noted(|noted| report(line, noted, status, xml, now));
    line.reports.keep(report);
}

fn report(line: &AccessLine, noted: &Noted, status: StatusCode, xml: Option<&str>, now: Duration) -> RequestReport {
    let elements = xml.map(elements).unwrap_or_default();
    let element = |wanted: &str| elements.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.clone());
    let host = shown(line.host.as_ref()).or(line.uri.host());
    let canonical = element("CanonicalRequest");
    let mut hints = Vec::new();
    if line.code.as_deref() == Some("SignatureDoesNotMatch") {
        hints = signature_hints(canonical.as_deref().unwrap_or_default(), &line.forwarded, host);
    }
    let told = elements.iter().filter(|(name, _)| !LEFT_OUT.contains(name));
    RequestReport {
        request_id: line.exchange.request_id(),
        at: Timestamp(line.clock.now_nanos()),
        account: noted.requester,
        access_key: noted.access_key.clone(),
        ip: line.exchange.origin().ip,
        method: line.method.to_string(),
        host: host.map(str::to_owned),
        path: line.uri.path().to_owned(),
        operation: noted.operation,
        status: status.as_u16(),
        code: line.code.clone(),
        message: element("Message"),
        cause: noted.cause.clone(),
        details: told.map(|(name, value)| ((*name).to_owned(), without_secrets(value))).collect(),
        decisions: noted.explanations.iter().cloned().map(seen_without_secrets).collect(),
        hints,
        parts: parts(line.began, noted, now),
    }
}

/// How long each part took, as far as the request came.
fn parts(began: Duration, noted: &Noted, now: Duration) -> Vec<(&'static str, Duration)> {
    let marks = [
        ("head and signature", noted.admitted_at),
        ("body held for the operation", noted.operation_at),
        ("operation", Some(now)),
    ];
    let mut before = began;
    let mut parts = Vec::new();
    for (name, at) in marks {
        let Some(at) = at else { continue };
        parts.push((name, at.saturating_sub(before)));
        before = at;
    }
    parts.extend(noted.penalty.map(|penalty| ("wait, since many requests were refused", penalty)));
    parts
}

/// The elements of an error, in their order, as text.
fn elements(xml: &str) -> Vec<(&str, String)> {
    let mut found = Vec::new();
    let Some((_, mut rest)) = xml.split_once("<Error>") else { return found };
    while let Some((_, after)) = rest.split_once('<') {
        let Some((name, after)) = after.split_once('>') else { break };
        let Some((value, after)) = after.split_once(&format!("</{name}>")) else { break };
        found.push((name, unescaped(value)));
        rest = after;
    }
    found
}

fn unescaped(value: &str) -> String {
    let mut text = Cow::Borrowed(value);
    for (entity, plain) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&#xd;", "\r"),
        ("&#xD;", "\r"),
        ("&amp;", "&"),
    ] {
        if text.contains(entity) {
            text = Cow::Owned(text.replace(entity, plain));
        }
    }
    text.into_owned()
}

/// A canonical request or a string to sign without the values of secrets, which may be among what is signed.
fn without_secrets(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            clean.push('\n');
        }
        match line.split_once(':') {
            Some((name, _)) if is_secret(name) => {
                clean.push_str(name);
                clean.push_str(":(left out)");
            }
            _ => query_without_secrets(line, &mut clean),
        }
    }
    clean
}

/// A line that may be a query string, or a resource with one, without the values of secrets.
fn query_without_secrets(line: &str, clean: &mut String) {
    for (index, pair) in line.split('&').enumerate() {
        if index > 0 {
            clean.push('&');
        }
        match pair.split_once('=') {
            Some((name, _)) if is_secret(name.rsplit('?').next().unwrap_or(name)) => {
                clean.push_str(name);
                clean.push_str("=(left out)");
            }
            _ => clean.push_str(pair),
        }
    }
}

fn is_secret(name: &str) -> bool {
    SECRET.iter().any(|secret| name.trim().eq_ignore_ascii_case(secret))
}

/// An explanation without what conditions saw of secrets.
fn seen_without_secrets(mut explanation: Explanation) -> Explanation {
    let conditions = explanation.statements.iter_mut().flat_map(|statement| &mut statement.conditions);
    for condition in conditions.filter(|condition| is_secret(condition.key.trim_start_matches("s3:"))) {
        for value in condition.saw.iter_mut().flatten() {
            *value = "(left out)".to_owned();
        }
    }
    explanation
}

/// What is likely to be the matter with a signature, the likeliest first.
fn signature_hints(canonical: &str, forwarded: &Forwarded, host: Option<&str>) -> Vec<String> {
    let mut hints = Vec::new();
    if let (Some(theirs), Some(ours)) = (&forwarded.host, host)
        && !theirs.eq_ignore_ascii_case(ours)
    {
        hints.push(format!(
            "host: a proxy says that the client sent it to {theirs}, and hands it on as {ours}: have it pass the client's Host on"
        ));
    }
    // Lines of a canonical request (AWS, "Create a signed AWS API request"): method, path, query, headers, names, hash.
    let signed = canonical.lines().skip(3).map_while(|line| line.split_once(':')).map(|(name, _)| name);
    let signed: Vec<&str> = signed.collect();
    for (name, how) in CHANGED_BY_PROXIES {
        let told = name == "host" && (!hints.is_empty() || !forwarded.by_proxy);
        if signed.contains(&name) && !told {
            hints.push(format!("{name} is signed: {how}"));
        }
    }
    let path = canonical.lines().nth(1).unwrap_or_default();
    if path.contains("//") || path.contains("/./") || path.contains("/../") || path.to_ascii_uppercase().contains("%2F")
    {
        hints.push("the path has what proxies tidy up (//, /./, %2F): have them pass it on as it came".to_owned());
    }
    hints.push("the secret access key may be another than the one of this access key id".to_owned());
    hints
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANONICAL: &str = "PUT\n/b//k\npartNumber=1&X-Amz-Security-Token=hidden1&uploadId=u\naccept-encoding:gzip\n\
        host:s3.example\nx-amz-server-side-encryption-customer-key:hidden2\n\nhost\nUNSIGNED-PAYLOAD";

    #[test]
    fn secrets_are_left_out_of_what_is_signed() {
        let clean = without_secrets(CANONICAL);
        assert!(!clean.contains("hidden"), "{clean}");
        for kept in ["partNumber=1&", "&uploadId=u", "host:s3.example", "customer-key:(left out)", "UNSIGNED-PAYLOAD"] {
            assert!(clean.contains(kept), "{kept}: {clean}");
        }
        let version2 = without_secrets("GET\n\n\n1\nx-amz-security-token:hidden\n/b/k?X-Amz-Signature=hidden&acl");
        assert!(!version2.contains("hidden") && version2.ends_with("&acl"), "{version2}");
    }

    #[test]
    fn the_likeliest_header_comes_first() {
        let forwarded = Forwarded { host: Some("public.example".to_owned()), by_proxy: true };
        let hints = signature_hints(CANONICAL, &forwarded, Some("s3.example"));
        assert!(hints[0].contains("public.example") && hints[0].contains("s3.example"), "{hints:?}");
        assert!(hints[1].starts_with("accept-encoding is signed"), "{hints:?}");
        assert!(hints.iter().any(|hint| hint.contains("//")), "{hints:?}");
        let direct = signature_hints("GET\n/\n\nhost:a\n\nhost\nx", &Forwarded::default(), Some("a"));
        assert_eq!(direct.len(), 1, "{direct:?}");
    }

    #[test]
    fn elements_are_read_back() {
        let xml = "<?xml version=\"1.0\"?><Error><Code>A</Code><CanonicalRequest>a&lt;b\nc&amp;lt;</CanonicalRequest></Error>";
        assert_eq!(elements(xml), [("Code", "A".to_owned()), ("CanonicalRequest", "a<b\nc&lt;".to_owned())]);
        assert_eq!(elements("<Error><Code>A"), []);
        assert_eq!(elements(""), []);
    }
}
