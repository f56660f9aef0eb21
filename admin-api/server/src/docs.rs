//! The document's outline, and the page that shows it.

use crate::routes::SECURITY_SCHEME;
use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::middleware::{Next, from_fn};
use cofre_admin_types::Problem;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder};
use utoipa_swagger_ui::SwaggerUi;

/// The page needs its own scripts and styles; nothing comes from elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data:; font-src 'self'; connect-src 'self'; frame-ancestors 'none'";

/// The document without its routes.
pub(crate) fn outline() -> OpenApi {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An admin token. Its scope is read, operate or admin; each includes the ones before it."))
        .build();
    let cookie = ApiKeyValue::with_description("cofre", "The session of a browser; `__Host-cofre` over TLS.");
    let components = ComponentsBuilder::new()
        .schema_from::<Problem>()
        .security_scheme(SECURITY_SCHEME, SecurityScheme::Http(bearer))
        .security_scheme(cofre_browse::SECURITY_SCHEME, SecurityScheme::ApiKey(ApiKey::Cookie(cookie)))
        .build();
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Cofre admin API")
                .version("1")
                .description(Some("Watches and steers a Cofre. Errors are problem documents (RFC 9457)."))
                .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()))
                .build(),
        )
        .components(Some(components))
        .build()
}

/// `/docs` and `/openapi.json`, open to all: they hold nothing that the source does not.
pub(crate) fn router<S: Clone + Send + Sync + 'static>(document: OpenApi) -> Router<S> {
    let page: Router<S> = SwaggerUi::new("/docs").url("/openapi.json", document).into();
    page.layer(from_fn(|request, next: Next| async move {
        let mut response = next.run(request).await;
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        response
    }))
}
