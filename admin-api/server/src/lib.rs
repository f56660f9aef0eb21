//! The admin API: HTTP routes over the domain, for operators and their programs; beside it the console and its door.
//!
//! # Invariants
//! - A route is declared with the scope that it asks for, or expressly open, in `routes`: there is
//!   no other way to add one.
//! - Every error is a problem document that names the field it is about.
//! - A secret appears in the answer that makes it and nowhere else.
//!
//! # Limits
//! A body has at most [`BODY_BYTES_MAX`] bytes, one that holds all that a Cofre should have [`DOCUMENT_BYTES_MAX`], a page at most [`cofre_admin_types::PAGE_ITEMS_MAX`]
//! items. Connections, header time-outs and TLS are the listener's.

mod admin;
mod auth;
mod catalog;
mod convert;
mod docs;
mod edge;
mod error;
mod etag;
mod extract;
mod metrics;
mod paging;
pub mod provision;
mod resources;
mod routes;
mod variants;
mod verdicts;

pub use admin::{Admin, AdminParts, Concerns};
pub use catalog::{BackupProgress, Catalog, CatalogError, CatalogFigures, Distribution};
pub use cofre_browse::{Limits as BrowseLimits, LinksTo};
pub use error::ApiError;
pub use extract::{BODY_BYTES_MAX, DOCUMENT_BYTES_MAX};
pub use metrics::Process;

use axum::Router;
use axum::middleware::from_fn_with_state;
use routes::Routes;
use std::sync::Arc;
use utoipa::openapi::OpenApi;

/// The service: every route, ready to be served.
pub fn router(admin: Arc<Admin>) -> Router {
    let (router, document) = build(Arc::clone(&admin));
    router
        .merge(docs::router(document))
        .merge(cofre_console::router())
        .layer(axum::Extension(cofre_browse::WithOperations))
        .layer(from_fn_with_state(Arc::clone(&admin), edge::edge))
        .with_state(admin)
}

/// The service of the console alone: its pages and its door, without the admin API.
pub fn console_router(admin: Arc<Admin>) -> Router {
    let (door, _) = cofre_browse::router(Arc::clone(&admin.door)).split_for_parts();
    door.fallback(|| async { ApiError::NotFound("such page".to_owned()) })
        .method_not_allowed_fallback(|| async { ApiError::MethodNotAllowed })
        .merge(cofre_console::router())
        .layer(from_fn_with_state(Arc::clone(&admin), edge::edge))
        .with_state(admin)
}

/// The OpenAPI document of the routes.
pub fn document(admin: Arc<Admin>) -> OpenApi {
    build(admin).1
}

fn build(admin: Arc<Admin>) -> (Router<Arc<Admin>>, OpenApi) {
    let door = cofre_browse::router(Arc::clone(&admin.door));
    resources::add(Routes::new(admin, docs::outline())).beside(door).finish()
}
