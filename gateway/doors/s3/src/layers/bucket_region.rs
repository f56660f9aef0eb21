//! `x-amz-bucket-region`: where a bucket is, on answers about it that are no good, to HeadBucket and on listings. Clients
//! that sign for another region learn the right one (AWS, "HeadBucket").

use crate::gate::Target;
use crate::host::{self, Domains};
use cofre_objects::Objects;
use cofre_types::BucketName;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri};

const BUCKET_REGION: HeaderName = HeaderName::from_static("x-amz-bucket-region");

/// Parameters that say which listing, or narrow it; the others of listings have a hyphen, which no sub-resource of a
/// bucket but `object-lock` and the newer ones of inventories have.
const OF_LISTINGS: [&str; 5] = ["versions", "uploads", "prefix", "delimiter", "marker"];

/// What a request says of a bucket.
pub(crate) struct BucketRegion {
    method: Method,
    uri: Uri,
    host: Option<String>,
}

impl BucketRegion {
    pub(crate) fn of<B>(request: &Request<B>) -> Self {
        let host = host::host(request.uri(), request.headers()).map(str::to_owned);
        Self { method: request.method().clone(), uri: request.uri().clone(), host }
    }

    /// Adds the header to an answer that is to have it.
    pub(crate) async fn tell(
        &self,
        objects: &Objects,
        domains: &Domains,
        site: Option<&str>,
        status: StatusCode,
        headers: &mut HeaderMap,
    ) {
        let is_error = status.is_client_error() || status.is_server_error();
        if !is_error && !matches!(self.method, Method::GET | Method::HEAD) || headers.contains_key(BUCKET_REGION) {
            return;
        }
        let target = Target::at(domains, &self.uri, self.host.as_deref());
        if !is_error && (target.is_of_object() || !self.lists()) {
            return;
        }
        let Some(bucket) = site.or(target.bucket).and_then(|bucket| BucketName::parse(bucket).ok()) else { return };
        if let Some(region) = objects.bucket_region(&bucket).await
            && let Ok(region) = HeaderValue::try_from(region)
        {
            headers.insert(BUCKET_REGION, region);
        }
    }

    /// Whether a request about a bucket lists what is in it, or only asks whether it is there.
    fn lists(&self) -> bool {
        let query = self.uri.query().unwrap_or_default();
        let mut names = query.split('&').filter_map(|pair| pair.split('=').next()).filter(|name| !name.is_empty());
        names.all(|name| OF_LISTINGS.contains(&name) || name != "object-lock" && name.contains('-'))
    }
}
