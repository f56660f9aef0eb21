use crate::auth::{Actor, Granted};
use crate::extract::{DOCUMENT_BYTES_MAX, Json};
use crate::provision::{self, Prepared};
use crate::routes::Routes;
use crate::{Admin, ApiError};
use axum::extract::State;
use cofre_admin_types::provision::{ApplyProvision, PlanProvision, Provision, ProvisionPlan};
use cofre_admin_types::{Problem, Scope};
use std::sync::Arc;
use utoipa_axum::routes;

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .scoped(Scope::Read, routes!(export))
        .scoped(Scope::Operate, routes!(plan))
        .scoped(Scope::Operate, routes!(apply))
}

/// All accounts, keys, buckets and settings as one document, without secrets.
///
/// Applied to this Cofre it changes nothing; applied to another, new one it makes that equal, with new secrets. The keys of
/// the root account, and keys that have expired, are not in it. It has at most 10,000 accounts and as many buckets.
#[utoipa::path(get, path = "/v1/provision", operation_id = "export_provision", tag = "provision", responses(
    (status = 200, description = "The document.", body = Provision),
    (status = 409, description = "There is more than a document has.", body = Problem, content_type = "application/problem+json"),
))]
async fn export(State(admin): State<Arc<Admin>>) -> Result<axum::Json<Provision>, ApiError> {
    provision::export(&admin).await.map(axum::Json)
}

/// What it takes to get to a document. Changes nothing.
///
/// A document that holds a secret needs a token of the scope `admin`.
#[utoipa::path(post, path = "/v1/provision/plan", operation_id = "plan_provision", tag = "provision",
    request_body = PlanProvision, responses(
        (status = 200, description = "The steps; none if all is as the document says.", body = ProvisionPlan),
        (status = 400, description = "A field is not valid.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn plan(
    State(admin): State<Arc<Admin>>,
    granted: Granted,
    Json(request): Json<PlanProvision, DOCUMENT_BYTES_MAX>,
) -> Result<axum::Json<ProvisionPlan>, ApiError> {
    may_hold_secrets(granted, &request.document)?;
    Ok(axum::Json(provision::prepare(&admin, request.document, request.prune).await?.into_plan()))
}

/// Carry a document out, step by step.
///
/// Each step asks for the scope that the change asks for by itself: `operate` to make and to delete buckets, for quotas and
/// for redundancy, `admin` for all else. A step that fails ends it; those before are done, and to send the
/// document again goes on with the others.
#[utoipa::path(post, path = "/v1/provision/apply", operation_id = "apply_provision", tag = "provision",
    request_body = ApplyProvision, responses(
        (status = 200, description = "The steps that were done.", body = ProvisionPlan),
        (status = 400, description = "A field is not valid, or its step is refused.", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "Other steps are due than those of the plan.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn apply(
    State(admin): State<Arc<Admin>>,
    Actor(actor): Actor,
    granted: Granted,
    Json(request): Json<ApplyProvision, DOCUMENT_BYTES_MAX>,
) -> Result<axum::Json<ProvisionPlan>, ApiError> {
    may_hold_secrets(granted, &request.document)?;
    let approve = |prepared: &Prepared| {
        prepared.allowed(granted)?;
        match &request.plan {
            Some(plan) if *plan != prepared.id() => Err(ApiError::PreconditionFailed(
                "something was changed since the plan was made: make it anew and look at it".to_owned(),
            )),
            _ => Ok(()),
        }
    };
    let done = provision::apply(&admin, &actor, request.document, request.prune, approve).await?;
    Ok(axum::Json(done.into_plan()))
}

/// Who asks whether a secret is that of a key could find it by asking often.
fn may_hold_secrets(granted: Granted, document: &Provision) -> Result<(), ApiError> {
    let mut keys = document.accounts.iter().flat_map(|account| &account.keys);
    if keys.any(|key| key.secret_access_key.is_some()) { granted.reaches(Scope::Admin) } else { Ok(()) }
}
