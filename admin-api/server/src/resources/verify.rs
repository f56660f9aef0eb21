use crate::extract::Query;
use crate::routes::Routes;
use crate::{Admin, ApiError};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use cofre_admin_types::{LINES_MEDIA_TYPE, Problem, Scope, VerifyLine, VerifyQuery, VerifyStage};
use cofre_objects::Verify;
use cofre_runtime::{Clock, Shutdown};
use futures_util::stream;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use utoipa_axum::routes;

/// Longest silence between two lines.
const PROGRESS_EVERY: Duration = Duration::from_secs(1);

pub(super) fn add(routes: Routes) -> Routes {
    routes.scoped(Scope::Operate, routes!(verify))
}

/// Hold the catalog against itself and against the shards.
///
/// The answer comes line by line while that is done: how far it is, what is wrong, and at last an `end`; without one it
/// was cut off. It ends early when the connection does. What healing can help with is queued to be healed.
#[utoipa::path(post, path = "/v1/verify", operation_id = "verify", tag = "truth", params(VerifyQuery),
    responses(
        (status = 200, description = "One JSON value a line.", body = VerifyLine, content_type = "application/x-ndjson"),
        (status = 409, description = "Another one is under way.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn verify(State(admin): State<Arc<Admin>>, Query(query): Query<VerifyQuery>) -> Result<Response, ApiError> {
    let turn = Arc::clone(&admin.verifying).try_acquire_owned();
    let turn = turn.map_err(|_| ApiError::Conflict("another verify is under way".to_owned()))?;
    let walk = Walk {
        verify: admin.upkeep.verify(query.deep),
        clock: admin.clock.clone(),
        draining: admin.draining.clone(),
        wrong: 0,
        unreachable: 0,
        records: 0,
        bytes: 0,
        last: None,
        ended: false,
        _turn: turn,
    };
    let lines = stream::unfold(walk, |mut walk| async move {
        let lines = walk.next().await?;
        Some((Ok::<_, Infallible>(Bytes::from(lines)), walk))
    });
    let response = Response::builder().header(CONTENT_TYPE, LINES_MEDIA_TYPE).body(Body::from_stream(lines));
    response.map_err(|error| ApiError::Internal(error.to_string()))
}

/// A walk that writes lines.
struct Walk {
    verify: Verify,
    clock: Clock,
    draining: Shutdown,
    wrong: u64,
    unreachable: u64,
    /// Records of all stages.
    records: u64,
    bytes: u64,
    /// The stage of the last step, and the records that it had looked at.
    last: Option<(cofre_objects::VerifyStage, u64)>,
    ended: bool,
    _turn: OwnedSemaphorePermit,
}

impl Walk {
    /// The lines of the steps of about a second; `None` after the end.
    async fn next(&mut self) -> Option<String> {
        if self.ended {
            return None;
        }
        let began = self.clock.elapsed();
        let mut lines = String::new();
        loop {
            if self.draining.has_begun() {
                self.ended = true;
                push(&mut lines, &VerifyLine::Failed { why: "the process is about to end".to_owned() });
                return Some(lines);
            }
            let step = match self.verify.step().await {
                Ok(Some(step)) => step,
                Ok(None) => {
                    self.ended = true;
                    let &mut Self { wrong, unreachable, records, bytes, .. } = self;
                    push(&mut lines, &VerifyLine::End { wrong, unreachable, records, bytes });
                    return Some(lines);
                }
                Err(error) => {
                    self.ended = true;
                    push(&mut lines, &VerifyLine::Failed { why: error.to_string() });
                    return Some(lines);
                }
            };
            self.wrong += step.wrong.len() as u64;
            self.unreachable = step.unreachable;
            self.bytes = step.bytes;
            let before = self.last.filter(|(stage, _)| *stage == step.stage).map_or(0, |(_, records)| records);
            self.records += step.records.saturating_sub(before);
            self.last = Some((step.stage, step.records));
            let found = !step.wrong.is_empty();
            for wrong in step.wrong {
                push(&mut lines, &VerifyLine::Wrong { subject: wrong.subject, why: wrong.why });
            }
            if found || self.clock.elapsed().saturating_sub(began) >= PROGRESS_EVERY {
                let stage = stage(step.stage);
                push(&mut lines, &VerifyLine::Progress { stage, records: step.records, bytes: step.bytes });
                return Some(lines);
            }
        }
    }
}

fn push(lines: &mut String, line: &VerifyLine) {
    // These values have a JSON form.
    lines.push_str(&serde_json::to_string(line).unwrap_or_default());
    lines.push('\n');
}

const fn stage(stage: cofre_objects::VerifyStage) -> VerifyStage {
    match stage {
        cofre_objects::VerifyStage::Copies => VerifyStage::Copies,
        cofre_objects::VerifyStage::Shards => VerifyStage::Shards,
        cofre_objects::VerifyStage::References => VerifyStage::References,
        cofre_objects::VerifyStage::Usage => VerifyStage::Usage,
    }
}
