use crate::convert::time_text;
use crate::extract::Path;
use crate::routes::Routes;
use crate::{Admin, ApiError};
use axum::extract::State;
use cofre_admin_types::{
    Problem, ReportCondition, ReportDecision, ReportDetail, ReportPart, ReportStatement, RequestReport, Scope,
};
use cofre_iam::{ConditionTrace, Explanation, RequestId, StatementTrace};
use std::sync::Arc;
use utoipa_axum::routes;

pub(super) fn add(routes: Routes) -> Routes {
    routes.scoped(Scope::Read, routes!(explain))
}

/// Why a request to the S3 API was refused, failed or took long.
///
/// Kept are the latest that ended in AccessDenied, SignatureDoesNotMatch, InvalidArgument or a status of 500 and above, and
/// those that took more than two seconds to be answered: 512 of each kind, in memory. Secrets and signatures are left out.
#[utoipa::path(get, path = "/v1/requests/{id}", operation_id = "explain_request", tag = "requests",
    params(("id" = String, Path, description = "Id of the request: `x-amz-request-id` of its answer.")),
    responses(
        (status = 200, description = "What is known of it.", body = RequestReport),
        (status = 404, description = "No such request is kept.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn explain(
    State(admin): State<Arc<Admin>>,
    Path(id): Path<String>,
) -> Result<axum::Json<RequestReport>, ApiError> {
    let found = RequestId::parse(&id).and_then(|id| admin.reports.find(id));
    let found = found.ok_or_else(|| ApiError::NotFound("request of that id that is kept".to_owned()))?;
    Ok(axum::Json(shown(found)))
}

fn shown(report: cofre_iam::RequestReport) -> RequestReport {
    let micros = |duration: std::time::Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    RequestReport {
        request_id: report.request_id.to_string(),
        at: time_text(report.at),
        account: report.account.map(|account| account.to_string()),
        access_key_id: report.access_key,
        ip: report.ip.map(|ip| ip.to_string()),
        method: report.method,
        host: report.host,
        path: report.path,
        operation: Some(report.operation.to_owned()).filter(|operation| !operation.is_empty()),
        status: report.status,
        code: report.code,
        message: report.message,
        cause: report.cause,
        details: report.details.into_iter().map(|(name, value)| ReportDetail { name, value }).collect(),
        decisions: report.decisions.into_iter().map(decision).collect(),
        hints: report.hints,
        parts: report
            .parts
            .into_iter()
            .map(|(name, duration)| ReportPart { name: name.to_owned(), duration_us: micros(duration) })
            .collect(),
    }
}

fn decision(decision: Explanation) -> ReportDecision {
    ReportDecision {
        action: decision.action.to_string(),
        resource: decision.resource,
        rule: decision.rule.to_string(),
        statements: decision.statements.into_iter().map(statement).collect(),
    }
}

fn statement(statement: StatementTrace) -> ReportStatement {
    ReportStatement {
        index: statement.index as u64,
        effect: statement.effect().to_owned(),
        sid: statement.id,
        principal: statement.principal,
        resource: statement.resource,
        conditions: statement.conditions.into_iter().map(condition).collect(),
        applies: statement.applies,
    }
}

fn condition(condition: ConditionTrace) -> ReportCondition {
    let ConditionTrace { operator, key, saw, holds } = condition;
    ReportCondition { operator, key, saw, holds }
}
