use crate::routes::Routes;
use crate::verdicts::{Seen, verdicts};
use crate::{Admin, ApiError, convert, resources};
use axum::extract::State;
use axum::http::StatusCode;
use cofre_admin_types::{CatalogHealth, Health, HealthStatus, Latency, Live, Ready, RedundancyHealth, Scope, Severity};
use cofre_objects::Holdings;
use cofre_settings::JobName;
use std::sync::Arc;
use utoipa_axum::routes;

/// Version of the program, for people and support.
const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(super) fn add(routes: Routes) -> Routes {
    routes.open(routes!(live)).open(routes!(ready)).scoped(Scope::Read, routes!(detail))
}

/// Whether the process runs.
#[utoipa::path(get, path = "/health/live", operation_id = "live", tag = "health",
    responses((status = 200, description = "It runs.", body = Live)))]
async fn live() -> axum::Json<Live> {
    axum::Json(Live { live: true, version: VERSION.to_owned() })
}

/// Whether the process should get requests.
///
/// It should while it is not about to end, its catalog reads, and enough shards take new blobs for
/// the write quorum. A balancer asks here.
#[utoipa::path(get, path = "/health/ready", operation_id = "ready", tag = "health", responses(
    (status = 200, description = "It should.", body = Ready),
    (status = 503, description = "It should not, for these reasons.", body = Ready),
))]
async fn ready(State(admin): State<Arc<Admin>>) -> (StatusCode, axum::Json<Ready>) {
    let reasons = unready(&admin).await;
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, axum::Json(Ready { ready: reasons.is_empty(), reasons }))
}

async fn unready(admin: &Admin) -> Vec<String> {
    let mut reasons = Vec::new();
    if admin.draining.has_begun() {
        reasons.push("the process is about to end".to_owned());
    }
    if admin.catalog.check().await.is_err() {
        reasons.push("the catalog does not read".to_owned());
        return reasons;
    }
    match admin.topology.list().await {
        Ok(shards) => {
            let quorum = admin.write_quorum();
            let domains = crate::verdicts::writable_domains(&shards);
            if domains < quorum {
                reasons.push(format!("{domains} shards take new blobs, and a write needs {quorum}"));
            }
        }
        Err(_) => reasons.push("the shards cannot be read from the catalog".to_owned()),
    }
    reasons
}

/// Health in detail: every promise that is in danger, and what it stands on.
#[utoipa::path(get, path = "/v1/health", operation_id = "health", tag = "health",
    responses((status = 200, description = "Health, good or bad.", body = Health)))]
async fn detail(State(admin): State<Arc<Admin>>) -> Result<axum::Json<Health>, ApiError> {
    let catalog = catalog(&admin).await;
    // What is told of a shard is no older than this request.
    admin.topology.look().await;
    let shards = admin.topology.list().await?;
    let mut away = Holdings::default();
    let mut unanswering = Vec::new();
    for view in shards.iter().filter(|view| !view.readable() || view.record.mode.is_given_up()) {
        let held = admin.topology.holdings(view.record.id).await?;
        away.blobs += held.blobs;
        away.bytes += held.bytes;
        if held.blobs > 0 && !view.readable() {
            unanswering.push(view);
        }
    }
    let waiting = admin.topology.waiting_for_heal().await?;
    let in_use = admin.objects.redundancies_in_use().await?;
    let jobs = admin.jobs.status();
    let restore = admin.topology.restore().await?;
    let heal = jobs.iter().find(|job| job.name == JobName::Heal.as_str());
    // What left the queue since the last pass can be read, or is gone.
    let unreadable = heal.map_or(0, |heal| heal.figures.unreadable).min(waiting.blobs);
    let seen = Seen {
        draining: admin.draining.has_begun(),
        catalog_error: catalog.error.as_deref(),
        shards: &shards,
        waiting,
        unreadable,
        away,
        unanswering: &unanswering,
        in_use: &in_use,
        scheme: admin.scheme(),
        spares_min: admin.settings.current().writes.spares_min,
        jobs: &jobs,
        restore: restore.as_ref(),
        now_nanos: admin.clock.now_nanos(),
    };
    let verdicts = verdicts(&seen);
    let worst = verdicts.first().map(|verdict| verdict.severity);
    Ok(axum::Json(Health {
        status: match worst {
            None => HealthStatus::Ok,
            Some(Severity::Warning) => HealthStatus::Degraded,
            Some(Severity::Critical) => HealthStatus::Failing,
        },
        verdicts,
        draining: admin.draining.has_begun(),
        uptime_seconds: admin.uptime().as_secs(),
        version: VERSION.to_owned(),
        catalog,
        redundancy: RedundancyHealth {
            in_force: admin.scheme().to_string(),
            waiting_blobs: waiting.blobs,
            unreadable_blobs: unreadable,
            more: waiting.more,
            away_copies: away.blobs,
            away_bytes: away.bytes,
            oldest: waiting.oldest.map(convert::time_text),
        },
        shards: shards.into_iter().map(resources::shards::shard).collect(),
    }))
}

async fn catalog(admin: &Admin) -> CatalogHealth {
    let figures = admin.catalog.figures();
    let error = admin.catalog.check().await.err().map(|error| error.to_string());
    let millis = |micros: u64| micros as f64 / 1000.0;
    CatalogHealth {
        ok: error.is_none(),
        error,
        commits: figures.commits,
        groups: figures.group_commits.count,
        commit_latency: Latency {
            mean_ms: figures.commit_micros.mean() / 1000.0,
            p50_ms: millis(figures.commit_micros.quantile(0.5)),
            p99_ms: millis(figures.commit_micros.quantile(0.99)),
        },
        disk_bytes: admin.catalog.disk_bytes().await,
    }
}
