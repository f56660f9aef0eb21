//! Why a request was refused, for the account that made it: `GET /.cofre/requests/ID`, signed with a key of the account
//! and answered in JSON. No bucket can have that name, and no operation of S3 that address.
//!
//! An account is told of its own requests alone, and of another account's policy only that it decided.

use super::{Gate, admit_caller};
use crate::auth::Authenticated;
use crate::errors;
use crate::exchange::Exchange;
use crate::host::{self, Domains};
use cofre_iam::{ConditionTrace, Explanation, RequestId, RequestReport, StatementTrace};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use s3s::{Body, HttpRequest, HttpResponse, S3Error, S3ErrorCode, S3Result};
use serde_json::{Value, json};

/// What the address begins with.
const PREFIX: &str = "/.cofre/requests/";

/// The id of the request that is asked about, if a request asks that. A bucket's host has objects at every address.
pub(super) fn asked<'a>(domains: &Domains, method: &Method, uri: &'a Uri, headers: &HeaderMap) -> Option<&'a str> {
    let id = uri.path().strip_prefix(PREFIX).filter(|_| *method == Method::GET)?;
    let of_bucket = host::host(uri, headers).and_then(|host| domains.bucket(host));
    of_bucket.is_none().then_some(id)
}

impl Gate {
    /// Answers what is asked about a request.
    pub(super) async fn explain(&self, request: HttpRequest, id: &str, exchange: &Exchange) -> S3Result<HttpResponse> {
        exchange.note(|noted| noted.operation = "ExplainRequest");
        let (mut parts, body) = request.into_parts();
        let Authenticated { access_key, .. } = self.authenticator.authenticate(&mut parts, body, exchange).await?;
        let caller = admit_caller(&self.credentials, &self.admission, access_key.as_deref(), exchange).await?;
        let Some(account) = caller.principal.account_id() else {
            return Err(S3Error::with_message(S3ErrorCode::AccessDenied, "Access Denied"));
        };
        let kept = RequestId::parse(id).and_then(|id| self.reports.find(id));
        let Some(report) = kept.and_then(|report| report.told_to(account)) else {
            let message = "No request of your account with this id is kept.";
            return Err(errors::custom("NoSuchRequest", StatusCode::NOT_FOUND, message));
        };
        let mut response = HttpResponse::new(Body::from(shown(&report).to_string()));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(response)
    }
}

fn shown(report: &RequestReport) -> Value {
    let details = report.details.iter().map(|(name, value)| json!({"name": name, "value": value}));
    let micros = |(name, duration): &(&str, std::time::Duration)| json!({"name": name, "duration_us": duration.as_micros() as u64});
    json!({
        "request_id": report.request_id.to_string(),
        "method": report.method,
        "host": report.host,
        "path": report.path,
        "operation": report.operation,
        "status": report.status,
        "code": report.code,
        "message": report.message,
        "decisions": report.decisions.iter().map(decision).collect::<Vec<_>>(),
        "details": details.collect::<Vec<_>>(),
        "hints": report.hints,
        "parts": report.parts.iter().map(micros).collect::<Vec<_>>(),
    })
}

fn decision(decision: &Explanation) -> Value {
    json!({
        "action": decision.action.to_string(),
        "resource": decision.resource,
        "rule": decision.rule.to_string(),
        "statements": decision.statements.iter().map(statement).collect::<Vec<_>>(),
    })
}

fn statement(statement: &StatementTrace) -> Value {
    json!({
        "index": statement.index,
        "sid": statement.id,
        "effect": statement.effect(),
        "principal": statement.principal,
        "resource": statement.resource,
        "conditions": statement.conditions.iter().map(condition).collect::<Vec<_>>(),
        "applies": statement.applies,
    })
}

fn condition(condition: &ConditionTrace) -> Value {
    json!({"operator": condition.operator, "key": condition.key, "saw": condition.saw, "holds": condition.holds})
}
