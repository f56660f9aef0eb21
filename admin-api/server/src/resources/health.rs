use crate::routes::Routes;
use crate::verdicts::{Seen, verdicts};
use crate::{Admin, convert, resources};
use axum::extract::State;
use axum::http::StatusCode;
use cofre_admin_types::{
    CatalogHealth, CatalogState, Health, HealthStatus, Latency, Live, Ready, RedundancyHealth, Scope, Severity,
};
use cofre_blobs::{BACKUPS_OF_REMOTE, Holdings, Restore, ShardView, TopologyError, Waiting, all_remote};
use cofre_jobs::JobStatus;
use cofre_objects::{CommitState, InUse, StoreState};
use cofre_runtime::spawn;
use cofre_settings::JobName;
use cofre_types::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use utoipa_axum::routes;

/// How long each question to the catalog or to a disk may take: one that hangs must not keep health from answering.
const ANSWER_MAX: Duration = Duration::from_secs(2);

/// How long a look is waited for, where what was seen a moment ago can be told instead.
const LOOK_WAIT: Duration = Duration::from_millis(50);

/// How long what was seen can be told instead.
const SEEN_MAX: Duration = Duration::from_secs(3);

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
/// It should while it is not about to end, its catalog reads, takes commits and is not damaged, and enough shards take
/// new blobs for the write quorum. A balancer asks here. It answers within seconds, whatever hangs.
#[utoipa::path(get, path = "/health/ready", operation_id = "ready", tag = "health", responses(
    (status = 200, description = "It should.", body = Ready),
    (status = 503, description = "It should not, for these reasons.", body = Ready),
))]
async fn ready(State(admin): State<Arc<Admin>>) -> (StatusCode, axum::Json<Ready>) {
    let reasons = admin.unready().await;
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, axum::Json(Ready { ready: reasons.is_empty(), reasons }))
}

impl Admin {
    /// Why the process should get no requests; empty if it should. It answers within seconds, whatever hangs, and at once
    /// where it looked a moment ago.
    pub async fn unready(self: &Arc<Self>) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.draining.has_begun() {
            reasons.push("the process is about to end".to_owned());
        }
        // Anyone may ask here, so paths stay out of the reasons.
        let state = self.catalog.state();
        match state.commits {
            CommitState::Taken => {}
            CommitState::Slow(waiting) => {
                reasons.push(format!("the catalog's disk has not answered for {} s", waiting.as_secs()));
            }
            CommitState::Full => reasons.push("the catalog's disk is full".to_owned()),
            CommitState::Refused(_) => reasons.push("the catalog takes no commits".to_owned()),
        }
        if state.damage.is_some() {
            reasons.push("a part of the catalog cannot be read".to_owned());
        }
        reasons.extend(self.unready_by_look().await);
        reasons
    }

    /// What a look at catalog and shards says. Where that takes longer than [`LOOK_WAIT`], what was seen last says it, if
    /// that was within [`SEEN_MAX`]; the look goes on.
    async fn unready_by_look(self: &Arc<Self>) -> Vec<String> {
        let (admin, asked) = (Arc::clone(self), self.clock.elapsed());
        let mut look = spawn(async move {
            let _turn = admin.looking.lock().await;
            let seen = admin.seen.lock().clone();
            if let Some((_, reasons)) = seen.filter(|(began, _)| *began >= asked) {
                return reasons;
            }
            let began = admin.clock.elapsed();
            let reasons = admin.look().await;
            *admin.seen.lock() = Some((began, reasons.clone()));
            reasons
        });
        let failed = |_| vec!["the look at catalog and shards failed".to_owned()];
        if let Ok(looked) = timeout(LOOK_WAIT, &mut look).await {
            return looked.unwrap_or_else(failed);
        }
        let seen = self.seen.lock().clone();
        match seen.filter(|(began, _)| self.clock.elapsed().saturating_sub(*began) < SEEN_MAX) {
            Some((_, reasons)) => reasons,
            None => look.await.unwrap_or_else(failed),
        }
    }

    async fn look(&self) -> Vec<String> {
        if !matches!(timeout(ANSWER_MAX, self.catalog.check()).await, Ok(Ok(()))) {
            return vec!["the catalog does not read".to_owned()];
        }
        match timeout(ANSWER_MAX, self.topology.list()).await {
            Ok(Ok(shards)) => {
                let quorum = self.write_quorum();
                let domains = crate::verdicts::writable_domains(&shards);
                let lacks = domains < quorum;
                lacks
                    .then(|| format!("{domains} shards take new blobs, and a write needs {quorum}"))
                    .into_iter()
                    .collect()
            }
            Ok(Err(_)) | Err(_) => vec!["the shards cannot be read from the catalog".to_owned()],
        }
    }
}

/// What the catalog says of shards and blobs.
#[derive(Default)]
struct Told {
    shards: Vec<ShardView>,
    away: Holdings,
    /// Places in `shards` of those that hold something and do not answer.
    unanswering: Vec<usize>,
    waiting: Waiting,
    in_use: Vec<InUse>,
    /// That the catalog was restored from a backup.
    restore: Option<Restore>,
}

impl Told {
    async fn read(admin: &Admin) -> Result<Self, String> {
        let unread = |error: TopologyError| error.to_string();
        let mut told = Self { shards: admin.topology.list().await.map_err(unread)?, ..Self::default() };
        for (at, view) in told.shards.iter().enumerate() {
            if view.readable() && !view.record.mode.is_given_up() {
                continue;
            }
            let held = admin.topology.holdings(view.record.id).await.map_err(unread)?;
            told.away.blobs += held.blobs;
            told.away.bytes += held.bytes;
            if held.blobs > 0 && !view.readable() {
                told.unanswering.push(at);
            }
        }
        told.waiting = admin.topology.waiting_for_heal().await.map_err(unread)?;
        told.in_use = admin.upkeep.redundancies_in_use().await.map_err(|error| error.to_string())?;
        told.restore = admin.topology.restore().await.map_err(unread)?;
        Ok(told)
    }
}

/// Health in detail: every promise that is in danger, and what it stands on.
#[utoipa::path(get, path = "/v1/health", operation_id = "health", tag = "health",
    responses((status = 200, description = "Health, good or bad.", body = Health)))]
async fn detail(State(admin): State<Arc<Admin>>) -> axum::Json<Health> {
    axum::Json(seen(&admin).await.0)
}

/// Health as it is now, and the shards that it stands on.
pub(crate) async fn seen(admin: &Admin) -> (Health, Vec<ShardView>) {
    // What is told of a shard is no older than this request.
    admin.topology.look().await;
    let told = timeout(ANSWER_MAX, Told::read(admin)).await;
    let told = told.unwrap_or_else(|_| Err(format!("it has not answered for {} s", ANSWER_MAX.as_secs())));
    let (told, unread) = match told {
        Ok(told) => (told, None),
        Err(error) => (Told::default(), Some(error)),
    };
    let (catalog, state) = catalog(admin, unread).await;
    let Told { shards, away, unanswering, waiting, in_use, restore } = told;
    let unanswering: Vec<_> = unanswering.into_iter().map(|at| &shards[at]).collect();
    let jobs = admin.jobs.status();
    let heal = jobs.iter().find(|job| job.name == JobName::Heal.as_str());
    // What left the queue since the last pass can be read, or is gone.
    let unreadable = heal.map_or(0, |heal| heal.figures.unreadable).min(waiting.blobs);
    let seen = Seen {
        draining: admin.draining.has_begun(),
        catalog: &state,
        catalog_error: catalog.error.as_deref().filter(|_| catalog.state == CatalogState::Unreadable),
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
        backup_due: backup_due(admin, &jobs, &shards),
        concerns: (admin.concerns)(),
        now_nanos: admin.clock.now_nanos(),
    };
    let verdicts = verdicts(&seen);
    let worst = verdicts.first().map(|verdict| verdict.severity);
    let health = Health {
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
        shards: shards.iter().cloned().map(resources::shards::shard).collect(),
    };
    (health, shards)
}

/// How the catalog does, and what its engine says. `unread` is why it could not be asked.
async fn catalog(admin: &Admin, unread: Option<String>) -> (CatalogHealth, StoreState) {
    let figures = admin.catalog.figures();
    let state = admin.catalog.state();
    let (checked, disk_bytes) =
        tokio::join!(timeout(ANSWER_MAX, admin.catalog.check()), timeout(ANSWER_MAX, admin.catalog.disk_bytes()));
    let checked = match checked {
        Ok(checked) => checked.map_err(|error| error.to_string()),
        Err(_) => Err(format!("it has not answered for {} s", ANSWER_MAX.as_secs())),
    };
    let (told, error) = match unread.or(checked.err()) {
        Some(error) => (CatalogState::Unreadable, Some(error)),
        None => told(&state),
    };
    let millis = |micros: u64| micros as f64 / 1000.0;
    let health = CatalogHealth {
        ok: told == CatalogState::Good,
        state: told,
        error,
        commits: figures.commits,
        groups: figures.group_commits.count,
        commit_latency: Latency {
            mean_ms: figures.commit_micros.mean() / 1000.0,
            p50_ms: millis(figures.commit_micros.quantile(0.5)),
            p99_ms: millis(figures.commit_micros.quantile(0.99)),
        },
        last_backup: last_backup(&admin.jobs.status()).map(convert::time_text),
        disk_bytes: disk_bytes.ok().flatten(),
    };
    (health, state)
}

/// What is late of the catalog's backups, and what to do about it: none within two intervals, or no place for any.
fn backup_due(admin: &Admin, jobs: &[JobStatus], shards: &[ShardView]) -> Option<String> {
    let interval = Duration::from_secs(admin.settings.current().timers.catalog_backup_secs);
    if interval.is_zero() {
        return None;
    }
    if all_remote(shards) {
        return Some(format!("no backup of it is taken: {BACKUPS_OF_REMOTE}"));
    }
    let now = Timestamp(admin.clock.now_nanos());
    let last = last_backup(jobs);
    if last.map_or_else(|| admin.uptime(), |ended| now.since(ended)) <= 2 * interval {
        return None;
    }
    let due = match last {
        Some(ended) => format!("the last backup that Cofre took is of {}", convert::time_text(ended)),
        None => "Cofre has taken no backup of it yet".to_owned(),
    };
    Some(format!("{due}: look at the job catalog-backup, or take one with `cofre catalog backup`"))
}

/// When the last backup of the catalog ended that the job took.
pub(crate) fn last_backup(jobs: &[JobStatus]) -> Option<Timestamp> {
    let job = jobs.iter().find(|job| job.name == JobName::CatalogBackup.as_str())?;
    job.figures.pass_ended.filter(|ended| *ended != Timestamp::default())
}

/// The worst of a state, and what is wrong.
fn told(state: &StoreState) -> (CatalogState, Option<String>) {
    let refusal = state.refusal().map(|refusal| refusal.to_string());
    match (&state.commits, &state.damage) {
        (CommitState::Refused(_), _) => (CatalogState::Refusing, refusal),
        (_, Some(damage)) => (CatalogState::Damaged, Some(damage.clone())),
        (CommitState::Full, None) => (CatalogState::Full, refusal),
        (CommitState::Slow(_), None) => (CatalogState::Slow, refusal),
        (CommitState::Taken, None) => (CatalogState::Good, None),
    }
}
