use crate::metrics::render;
use crate::routes::Routes;
use crate::{Admin, ApiError};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use cofre_admin_types::Scope;
use std::sync::Arc;
use utoipa_axum::routes;

/// The media type that Prometheus asks for.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(super) fn add(routes: Routes) -> Routes {
    routes.scoped(Scope::Read, routes!(metrics))
}

/// Metrics, in the OpenMetrics text format that Prometheus reads.
///
/// Give Prometheus a token of the scope `read` as its `authorization`.
#[utoipa::path(get, path = "/metrics", operation_id = "metrics", tag = "metrics",
    responses((status = 200, description = "Every metric.", body = String, content_type = "text/plain")))]
async fn metrics(
    State(admin): State<Arc<Admin>>,
) -> Result<([(axum::http::HeaderName, &'static str); 1], String), ApiError> {
    let text = render(&admin).await.map_err(|error| ApiError::Internal(error.to_string()))?;
    Ok(([(CONTENT_TYPE, OPENMETRICS)], text))
}
