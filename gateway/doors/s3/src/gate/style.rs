//! Requests in virtual-host style to a server that was not told of their domain: the bucket stands in the host, and
//! the path is taken for it. They get an answer that says so.

use super::table::Resource;
use crate::auth::query::Query;
use crate::host::{self, Domains};
use cofre_objects::Objects;
use cofre_types::BucketName;
use http::{HeaderMap, Method, Uri};
use s3s::{S3Error, s3_error};
use std::net::IpAddr;

/// Labels of a host that a bucket's name is looked for in. A bucket's name may have dots.
const LABELS_MAX: usize = 4;

/// Parameters of listings of a bucket, which a listing of buckets has not.
const OF_LISTINGS: [&str; 4] = ["delimiter", "list-type", "marker", "max-keys"];

/// A host that is no address and none of the domains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ForeignHost(String);

impl ForeignHost {
    /// The host of a request, if it may have a bucket before its domain.
    pub(super) fn of(domains: &Domains, uri: &Uri, headers: &HeaderMap) -> Option<Self> {
        let host = host::host(uri, headers)?;
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => host,
        };
        let is_address = name.parse::<IpAddr>().is_ok() || name.starts_with('[');
        let may = name.contains('.') && !is_address && domains.bucket(host).is_none();
        may.then(|| Self(name.to_owned()))
    }

    /// Refuses what is about a bucket by its method or parameters and names none in its path.
    pub(super) fn check_service(&self, method: &Method, resource: Resource, query: &Query<'_>) -> Result<(), S3Error> {
        if resource != Resource::Service {
            return Ok(());
        }
        let is_of_bucket = |name: &[u8]| {
            let name = std::str::from_utf8(name).unwrap_or_default();
            super::is_sub_resource(name) || OF_LISTINGS.contains(&name)
        };
        if *method == Method::GET && !query.pairs().any(|(name, _)| is_of_bucket(name)) {
            return Ok(());
        }
        let (bucket, domain) = self.0.split_once('.').unwrap_or((&self.0, ""));
        Err(s3_error!(InvalidRequest, "{}", self.hint(bucket, domain)))
    }

    /// What to tell of a host that begins with a bucket that is there; none if it does not.
    pub(super) async fn hint_of_bucket(&self, objects: &Objects) -> Option<String> {
        let ends = self.0.match_indices('.').map(|(at, _)| at).take(LABELS_MAX);
        for end in ends {
            let (bucket, domain) = (&self.0[..end], &self.0[end + 1..]);
            let Ok(name) = BucketName::parse(bucket) else { continue };
            if objects.bucket_owner(&name).await.is_ok() {
                return Some(self.hint(bucket, domain));
            }
        }
        None
    }

    fn hint(&self, bucket: &str, domain: &str) -> String {
        format!(
            "The host {} may name a bucket (virtual-host style), but this server was not told of its domain: start it \
             with --domain {domain}, or use path style, http://{domain}/{bucket}/KEY (boto3: \
             Config(s3={{'addressing_style': 'path'}}), AWS CLI: s3.addressing_style = path).",
            self.0
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderValue, header};

    #[test]
    fn only_names_with_labels_may_have_a_bucket() {
        let domains = Domains::new(&["s3.local".to_owned()]);
        let of = |host: &'static str| {
            let headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static(host))]);
            ForeignHost::of(&domains, &Uri::from_static("/"), &headers).map(|host| host.0)
        };
        for host in ["localhost:9000", "127.0.0.1:9000", "127.0.0.1", "[::1]:9000", "photos.s3.local", "gateway"] {
            assert_eq!(of(host), None, "{host}");
        }
        assert_eq!(of("photos.example.com:9000").as_deref(), Some("photos.example.com"));
    }
}
