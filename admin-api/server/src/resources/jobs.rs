use crate::auth::Actor;
use crate::extract::{Path, Query};
use crate::routes::Routes;
use crate::{Admin, ApiError, convert, paging};
use axum::extract::State;
use cofre_admin_types::{Job, JobProblem, JobShard, Page, PageQuery, Problem, Scope};
use cofre_jobs::JobStatus;
use cofre_settings::{JobName, Patch, SettingsError};
use serde_json::json;
use std::sync::Arc;
use utoipa_axum::routes;

/// How often a change of the settings is tried anew on what another left.
const TRIES_MAX: usize = 16;

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .scoped(Scope::Read, routes!(list))
        .scoped(Scope::Read, routes!(get))
        .scoped(Scope::Operate, routes!(wake))
        .scoped(Scope::Operate, routes!(run))
        .scoped(Scope::Operate, routes!(pause))
        .scoped(Scope::Operate, routes!(resume))
}

/// Every background job of this process.
#[utoipa::path(get, path = "/v1/jobs", operation_id = "list_jobs", tag = "jobs", params(PageQuery),
    responses((status = 200, description = "A page of jobs.", body = Page<Job>)))]
async fn list(
    State(admin): State<Arc<Admin>>,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<Page<Job>>, ApiError> {
    let mut jobs = Vec::new();
    for status in admin.jobs.report().await {
        jobs.push(job(&admin, status).await?);
    }
    jobs.sort_by(|a, b| a.name.cmp(&b.name));
    paging::page(jobs, query.after.as_deref(), paging::limit(query.limit)?, |job| job.name.clone()).map(axum::Json)
}

/// One background job.
#[utoipa::path(get, path = "/v1/jobs/{name}", operation_id = "get_job", tag = "jobs",
    params(("name" = String, Path, description = "Name of the job.")),
    responses(
        (status = 200, description = "The job.", body = Job),
        (status = 404, description = "There is no such job.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn get(State(admin): State<Arc<Admin>>, Path(name): Path<String>) -> Result<axum::Json<Job>, ApiError> {
    report(&admin, parse(&name)?).await
}

/// End the rest of a job: it looks for work at once.
#[utoipa::path(post, path = "/v1/jobs/{name}/wake", operation_id = "wake_job", tag = "jobs",
    params(("name" = String, Path, description = "Name of the job.")),
    responses(
        (status = 200, description = "The job.", body = Job),
        (status = 404, description = "There is no such job.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn wake(
    State(admin): State<Arc<Admin>>,
    Actor(actor): Actor,
    Path(name): Path<String>,
) -> Result<axum::Json<Job>, ApiError> {
    let name = parse(&name)?;
    admin.catalog.record_event("job.woken", name.as_str(), &actor, Vec::new()).await?;
    admin.jobs.wake(name);
    report(&admin, name).await
}

/// Run a job now: one that makes passes begins the next one though it is not due.
///
/// A job that is paused begins once it is resumed.
#[utoipa::path(post, path = "/v1/jobs/{name}/run", operation_id = "run_job", tag = "jobs",
    params(("name" = String, Path, description = "Name of the job.")),
    responses(
        (status = 200, description = "The job.", body = Job),
        (status = 404, description = "There is no such job.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn run(
    State(admin): State<Arc<Admin>>,
    Actor(actor): Actor,
    Path(name): Path<String>,
) -> Result<axum::Json<Job>, ApiError> {
    let name = parse(&name)?;
    admin.catalog.record_event("job.run", name.as_str(), &actor, Vec::new()).await?;
    admin.jobs.run(name);
    report(&admin, name).await
}

/// Pause a job. The settings hold it, across restarts, until it is resumed.
///
/// What the job is for waits meanwhile: nothing is healed, given back or moved.
#[utoipa::path(post, path = "/v1/jobs/{name}/pause", operation_id = "pause_job", tag = "jobs",
    params(("name" = String, Path, description = "Name of the job.")),
    responses(
        (status = 200, description = "The job.", body = Job),
        (status = 404, description = "There is no such job.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn pause(
    State(admin): State<Arc<Admin>>,
    Actor(actor): Actor,
    Path(name): Path<String>,
) -> Result<axum::Json<Job>, ApiError> {
    set_paused(&admin, parse(&name)?, true, &actor).await
}

/// Resume a job that is paused.
#[utoipa::path(post, path = "/v1/jobs/{name}/resume", operation_id = "resume_job", tag = "jobs",
    params(("name" = String, Path, description = "Name of the job.")),
    responses(
        (status = 200, description = "The job.", body = Job),
        (status = 404, description = "There is no such job.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn resume(
    State(admin): State<Arc<Admin>>,
    Actor(actor): Actor,
    Path(name): Path<String>,
) -> Result<axum::Json<Job>, ApiError> {
    set_paused(&admin, parse(&name)?, false, &actor).await
}

/// Changes the settings, so that it is in their history as every change is.
async fn set_paused(admin: &Admin, name: JobName, paused: bool, actor: &str) -> Result<axum::Json<Job>, ApiError> {
    for _ in 0..TRIES_MAX {
        let patch = Patch {
            expected: admin.settings.revised().revision,
            merge: json!({"jobs": {name.section(): {"paused": paused}}}),
            author: actor.to_owned(),
            note: String::new(),
        };
        match admin.settings.patch(patch).await {
            Ok(_) => return report(admin, name).await,
            Err(SettingsError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(ApiError::Conflict("others changed the settings at the same time; try again".to_owned()))
}

fn parse(name: &str) -> Result<JobName, ApiError> {
    JobName::parse(name).ok_or_else(|| ApiError::NotFound(format!("job {name}")))
}

async fn report(admin: &Admin, name: JobName) -> Result<axum::Json<Job>, ApiError> {
    let status = admin.jobs.report_of(name).await;
    let status = status.ok_or_else(|| ApiError::NotFound(format!("job {} in this process", name.as_str())))?;
    job(admin, status).await.map(axum::Json)
}

async fn job(admin: &Admin, status: JobStatus) -> Result<Job, ApiError> {
    let JobStatus { name, state, remaining, speed, worker, figures } = status;
    let problem = |problem: cofre_jobs::JobProblem| JobProblem {
        subject: problem.subject,
        reason: problem.why,
        times: problem.times,
    };
    let mut shards = Vec::with_capacity(figures.shards.len());
    for pass in figures.shards {
        let held = match admin.topology.get(pass.shard).await {
            Ok(_) => Some(admin.topology.holdings(pass.shard).await?),
            Err(cofre_blobs::TopologyError::NoSuchShard(_)) => None,
            Err(error) => return Err(error.into()),
        };
        shards.push(JobShard {
            shard: pass.shard.0,
            copies: pass.copies,
            bytes: pass.bytes,
            of_copies: held.map(|held| held.blobs),
            of_bytes: held.map(|held| held.bytes),
            bad: pass.bad,
            unreachable: pass.unreachable,
        });
    }
    Ok(Job {
        name: name.to_owned(),
        state: match state {
            cofre_jobs::JobState::Idle => cofre_admin_types::JobState::Idle,
            cofre_jobs::JobState::Running => cofre_admin_types::JobState::Running,
            cofre_jobs::JobState::Paused => cofre_admin_types::JobState::Paused,
            cofre_jobs::JobState::Stuck => cofre_admin_types::JobState::Stuck,
        },
        remaining_objects: remaining.objects,
        remaining_bytes: remaining.bytes,
        objects_per_second: speed.objects_per_second,
        bytes_per_second: speed.bytes_per_second,
        seconds_left: speed.time_left.map(|left| left.as_secs()),
        finished: figures.finished.map(convert::time_text),
        passes: figures.passes,
        pass_began: figures.pass_began.map(convert::time_text),
        pass_ended: figures.pass_ended.map(convert::time_text),
        done: figures.done,
        done_bytes: figures.done_bytes,
        waiting: figures.waiting,
        actions: figures.actions.into_iter().map(|(action, count)| (action.to_owned(), count)).collect(),
        shards,
        problems: figures.problems.into_iter().map(problem).collect(),
        steps: worker.steps,
        errors: worker.errors,
        last_error: worker.last_error,
    })
}
