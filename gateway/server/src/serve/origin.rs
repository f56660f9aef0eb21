//! Where a request came from, as its socket tells it, for doors that are routers.

use cofre_iam::Origin;
use http::Request;
use hyper::service::Service;

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
