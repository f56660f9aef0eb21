use crate::metrics::{Format, render};
use crate::routes::Routes;
use crate::{Admin, ApiError};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE, VARY};
use cofre_admin_types::Scope;
use std::sync::Arc;
use utoipa_axum::routes;

pub(super) fn add(routes: Routes) -> Routes {
    routes.scoped(Scope::Read, routes!(metrics))
}

/// Metrics, for Prometheus.
///
/// In the OpenMetrics text format if `Accept` asks for `application/openmetrics-text`, else in Prometheus' own, version
/// 0.0.4. Buckets have series of their own as long as they are among the 500 largest. Give Prometheus a token of the scope `read` as its `authorization`.
#[utoipa::path(get, path = "/metrics", operation_id = "metrics", tag = "metrics",
    responses((status = 200, description = "Every metric.", body = String, content_type = "text/plain")))]
async fn metrics(
    State(admin): State<Arc<Admin>>,
    headers: HeaderMap,
) -> Result<([(axum::http::HeaderName, &'static str); 2], String), ApiError> {
    let format = Format::asked(headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()));
    let text = render(&admin, format).await.map_err(|error| ApiError::Internal(error.to_string()))?;
    Ok(([(CONTENT_TYPE, format.media_type()), (VARY, "Accept")], text))
}
