use crate::auth::Actor;
use crate::extract::{Path, Query};
use crate::routes::Routes;
use crate::{Admin, ApiError, paging};
use axum::extract::State;
use cofre_admin_types::{Job, JobProblem, Page, PageQuery, Problem, Scope};
use cofre_jobs::JobStatus;
use std::sync::Arc;
use utoipa_axum::routes;

pub(super) fn add(routes: Routes) -> Routes {
    routes.scoped(Scope::Read, routes!(list)).scoped(Scope::Read, routes!(get)).scoped(Scope::Operate, routes!(wake))
}

/// Every background job of this process.
#[utoipa::path(get, path = "/v1/jobs", operation_id = "list_jobs", tag = "jobs", params(PageQuery),
    responses((status = 200, description = "A page of jobs.", body = Page<Job>)))]
async fn list(
    State(admin): State<Arc<Admin>>,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<Page<Job>>, ApiError> {
    let mut jobs: Vec<_> = admin.jobs.status().into_iter().map(job).collect();
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
    find(&admin, &name).map(axum::Json)
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
    find(&admin, &name)?;
    admin.catalog.record_event("job.woken", &name, &actor).await?;
    admin.jobs.wake(&name);
    find(&admin, &name).map(axum::Json)
}

fn find(admin: &Admin, name: &str) -> Result<Job, ApiError> {
    let found = admin.jobs.status().into_iter().find(|status| status.name == name);
    found.map(job).ok_or_else(|| ApiError::NotFound(format!("job {name}")))
}

fn job(status: JobStatus) -> Job {
    let JobStatus { name, worker, figures } = status;
    let problem = |(subject, reason)| JobProblem { subject, reason };
    Job {
        name: name.to_owned(),
        busy: worker.busy,
        steps: worker.steps,
        errors: worker.errors,
        last_error: worker.last_error,
        done: figures.done,
        done_bytes: figures.done_bytes,
        waiting: figures.waiting,
        passes: figures.passes,
        actions: figures.actions.into_iter().map(|(action, count)| (action.to_owned(), count)).collect(),
        problems: figures.problems.into_iter().map(problem).collect(),
    }
}
