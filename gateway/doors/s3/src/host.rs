//! Which bucket a host name is about. Only the configured domains have buckets before them: a bare
//! host, another domain or an address is path style, never a bucket's name.

use http::{HeaderMap, Uri, header};
use s3s::S3Result;
use s3s::host::{S3Host, VirtualHost};
use std::sync::Arc;

/// The configured domains, in lower case. Cloning costs a reference count.
#[derive(Debug, Clone)]
pub(crate) struct Domains(Arc<[String]>);

impl Domains {
    pub(crate) fn new(domains: &[String]) -> Self {
        Self(domains.iter().map(|domain| domain.trim_matches('.').to_ascii_lowercase()).collect())
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bucket of a host, with or without a port.
    pub(crate) fn bucket<'a>(&self, host: &'a str) -> Option<&'a str> {
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => host,
        };
        self.0.iter().find_map(|domain| {
            let split = name.len().checked_sub(domain.len())?;
            let (before, after) = name.split_at_checked(split)?;
            let bucket = before.strip_suffix('.')?;
            (after.eq_ignore_ascii_case(domain) && !bucket.is_empty()).then_some(bucket)
        })
    }
}

/// The host that a request is for: in HTTP/2 it stands in the address (RFC 9113, section 8.3.1).
pub(crate) fn host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    match headers.get(header::HOST) {
        Some(host) => host.to_str().ok(),
        None => Some(uri.authority()?.as_str()),
    }
}

impl S3Host for Domains {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let parsed = VirtualHost::new(host);
        Ok(match self.bucket(host) {
            Some(bucket) => parsed.with_bucket(bucket),
            None => parsed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_configured_domains_have_buckets() {
        let domains = Domains::new(&["S3.Example.com".to_owned(), "s3.local".to_owned()]);
        assert_eq!(domains.bucket("photos.s3.example.com"), Some("photos"));
        assert_eq!(domains.bucket("a.b.S3.EXAMPLE.COM:9000"), Some("a.b"));
        assert_eq!(domains.bucket("photos.s3.local:80"), Some("photos"));
        for host in [
            "s3.example.com",
            "gateway",
            "gateway:9000",
            "127.0.0.1:9000",
            "[::1]:9000",
            "xs3.example.com",
            ".s3.local",
        ] {
            assert_eq!(domains.bucket(host), None, "{host}");
        }
        assert_eq!(Domains::new(&[]).bucket("photos.s3.example.com"), None);
    }
}
