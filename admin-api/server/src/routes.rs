//! The one way to add a route: with the scope that it asks for, or expressly open.

use crate::auth::{self, Guard};
use crate::{Admin, ApiError, variants};
use axum::middleware::from_fn_with_state;
use cofre_admin_types::{Problem, Scope};
use std::sync::Arc;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, Response, ResponseBuilder};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter, UtoipaMethodRouterExt};

/// Name of the security scheme in the document.
pub(crate) const SECURITY_SCHEME: &str = "bearer";

/// Gathers routes and their documentation.
pub(crate) struct Routes {
    admin: Arc<Admin>,
    router: OpenApiRouter<Arc<Admin>>,
}

impl Routes {
    pub(crate) fn new(admin: Arc<Admin>, document: OpenApi) -> Self {
        Self { admin, router: OpenApiRouter::with_openapi(document) }
    }

    /// A route that anyone may call.
    pub(crate) fn open(mut self, mut route: UtoipaMethodRouter<Arc<Admin>>) -> Self {
        for operation in operations(&mut route) {
            operation.security = Some(Vec::new());
            describe_problem(operation, "default", "The request was not carried out.");
        }
        self.router = self.router.routes(route);
        self
    }

    /// A route for tokens that have at least this scope.
    pub(crate) fn scoped(mut self, scope: Scope, mut route: UtoipaMethodRouter<Arc<Admin>>) -> Self {
        for operation in operations(&mut route) {
            operation.security = Some(vec![SecurityRequirement::new(SECURITY_SCHEME, [scope.name()])]);
            describe_problem(operation, "401", "No token came, or none that is good.");
            describe_problem(operation, "403", &format!("The token's scope is below `{}`.", scope.name()));
            describe_problem(operation, "default", "The request was not carried out.");
        }
        let guard = Guard { admin: self.admin.clone(), scope };
        self.router = self.router.routes(route.layer(from_fn_with_state(guard, auth::guard)));
        self
    }

    /// Routes of another door, which guards them itself.
    pub(crate) fn beside(mut self, other: OpenApiRouter<Arc<Admin>>) -> Self {
        self.router = self.router.merge(other);
        self
    }

    /// The router and its document.
    pub(crate) fn finish(self) -> (axum::Router<Arc<Admin>>, OpenApi) {
        let (router, mut document) = self.router.split_for_parts();
        if let Some(components) = &mut document.components {
            variants::refer_in_pages(components);
            variants::name(components);
        }
        let router = router
            .fallback(|| async { ApiError::NotFound("such path; see /docs".to_owned()) })
            .method_not_allowed_fallback(|| async { ApiError::MethodNotAllowed });
        (router, document)
    }
}

fn operations(route: &mut UtoipaMethodRouter<Arc<Admin>>) -> impl Iterator<Item = &mut Operation> {
    route.1.paths.values_mut().flat_map(|item| {
        [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch].into_iter().flatten()
    })
}

/// Adds an answer that is a problem, unless the handler describes it itself.
fn describe_problem(operation: &mut Operation, status: &str, description: &str) {
    let problem = problem_response(description);
    operation.responses.responses.entry(status.to_owned()).or_insert(RefOr::T(problem));
}

/// A documented answer that is a problem.
pub(crate) fn problem_response(description: &str) -> Response {
    let schema = Ref::from_schema_name(<Problem as utoipa::ToSchema>::name());
    ResponseBuilder::new()
        .description(description)
        .content(cofre_admin_types::PROBLEM_MEDIA_TYPE, Content::new(Some(schema)))
        .build()
}
