//! Where a request came from, as its socket tells it, for doors that are routers.

use super::listen::Door;
use super::wrong_door::Guarded;
use cofre_iam::Origin;
use cofre_runtime::Random;
use http::Request;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;

/// A service whose requests carry the origin of their connection as an extension.
#[derive(Debug, Clone)]
pub(super) struct WithOrigin<S> {
    pub(super) service: S,
    pub(super) origin: Origin,
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for WithOrigin<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn call(&self, mut request: Request<B>) -> S::Future {
        request.extensions_mut().insert(self.origin);
        self.service.call(request)
    }
}

/// The service of each client of a router, which is behind a door beside the S3 API at a port.
pub(super) fn router_of<R: Clone>(
    router: R,
    (door, s3_port, random): (Door, u16, Random),
) -> impl Fn(Origin) -> Guarded<WithOrigin<TowerToHyperService<R>>> {
    move |origin| {
        let service = WithOrigin { service: TowerToHyperService::new(router.clone()), origin };
        Guarded { service, door, s3_port, console: None, random: random.clone() }
    }
}
