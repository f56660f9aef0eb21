//! What the state means: which promise is in danger, in words, and what to do about it. Pure.

mod restored;

use cofre_admin_types::{Promise, Severity, Verdict};
use cofre_blobs::{Holdings, Restore, ShardMode, ShardSight, ShardState, ShardView, Waiting, domains, shared_devices};
use cofre_jobs::{JobState, JobStatus};
use cofre_objects::{CommitState, InUse, RedundancyOf, StoreState};
use cofre_types::{Scheme, ShardId};

/// With less free room than this share of the total, a shard is nearly full.
const NEARLY_FULL_SHARE: f64 = 0.1;

/// How long blobs may wait to be healed before someone should look.
const HEAL_LATE_NANOS: u64 = 3_600 * 1_000_000_000;

/// What is known when the verdicts are made.
pub(crate) struct Seen<'a> {
    pub(crate) draining: bool,
    /// What the catalog's engine says.
    pub(crate) catalog: &'a StoreState,
    /// Why the catalog does not read.
    pub(crate) catalog_error: Option<&'a str>,
    pub(crate) shards: &'a [ShardView],
    pub(crate) waiting: Waiting,
    /// Blobs among them that cannot be read.
    pub(crate) unreadable: u64,
    /// Copies on shards that do not answer or were given up.
    pub(crate) away: Holdings,
    /// Shards that hold something and do not answer.
    pub(crate) unanswering: &'a [&'a ShardView],
    /// Every redundancy that new blobs get, the default first.
    pub(crate) in_use: &'a [InUse],
    pub(crate) scheme: Scheme,
    /// Copies or pieces to spare that the settings ask of a write.
    pub(crate) spares_min: Option<u8>,
    pub(crate) jobs: &'a [JobStatus],
    /// That the catalog was restored from a backup.
    pub(crate) restore: Option<&'a Restore>,
    /// What is late of the catalog's backups.
    pub(crate) backup_due: Option<String>,
    /// What other parts of the process say.
    pub(crate) concerns: Vec<Verdict>,
    pub(crate) now_nanos: u64,
}

/// Failure domains that take new blobs now.
pub(crate) fn writable_domains(shards: &[ShardView]) -> usize {
    let takes = |view: &&ShardView| {
        let state = match &view.sight {
            ShardSight::Attached(status) => status.state,
            ShardSight::Unopened(_) => return false,
        };
        view.record.mode == ShardMode::Active
            && view.record.weight_percent > 0
            && matches!(state, ShardState::Healthy | ShardState::Suspect)
    };
    domains(shards.iter().filter(takes))
}

/// Every promise that is in danger, worst first.
pub(crate) fn verdicts(seen: &Seen<'_>) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    if let Some(error) = seen.catalog_error {
        let message = format!("the catalog does not read, so no request is answered: {error}");
        verdicts.push(
            verdict(Severity::Critical, Promise::Availability, "catalog-unreadable", "catalog", message)
                .with("why", error),
        );
    }
    catalog(seen.catalog, &mut verdicts);
    if let Some(due) = &seen.backup_due {
        verdicts.push(verdict(Severity::Warning, Promise::Durability, "backup-due", "catalog", due.clone()));
    }
    if seen.draining {
        let message = "the process is about to end and refuses new connections".to_owned();
        verdicts.push(verdict(Severity::Warning, Promise::Availability, "process-ends", "process", message));
    }
    for in_use in seen.in_use {
        writes(seen, in_use, &mut verdicts);
        out_of_spares(seen, in_use, &mut verdicts);
    }
    for view in seen.shards.iter().filter(|view| !view.record.mode.is_unreconciled()) {
        shard(view, seen.scheme, &mut verdicts);
    }
    redundancy(seen, &mut verdicts);
    verdicts.extend(seen.restore.and_then(restored::verdict_of));
    verdicts.extend(shared_devices(seen.shards).iter().map(|shards| one_device(shards)));
    jobs(seen, &mut verdicts);
    verdicts.extend(seen.concerns.iter().cloned());
    verdicts.sort_by_key(|verdict| (std::cmp::Reverse(verdict.severity), verdict.promise));
    verdicts
}

/// Whether the catalog takes commits, and all of it reads.
fn catalog(state: &StoreState, verdicts: &mut Vec<Verdict>) {
    let refused = match &state.commits {
        CommitState::Taken => None,
        CommitState::Slow(waiting) => Some((
            Promise::Availability,
            "catalog-slow",
            waiting.as_secs().to_string(),
            format!(
                "its disk has not answered for {} s: writes are refused until it does; look at it",
                waiting.as_secs()
            ),
        )),
        CommitState::Full => Some((
            Promise::Space,
            "catalog-full",
            String::new(),
            "its disk is full: writes are refused, deletions are taken; free room on it".to_owned(),
        )),
        CommitState::Refused(why) => {
            Some((Promise::Availability, "catalog-refuses", why.to_string(), format!("writes are refused: {why}")))
        }
    };
    if let Some((promise, code, why, message)) = refused {
        verdicts.push(verdict(Severity::Critical, promise, code, "catalog", message).with("why", why));
    }
    if let Some(damage) = &state.damage {
        let message = format!(
            "a part of it cannot be read: {damage}; stop Cofre, look at the disk, and restore the newest backup or \
             salvage what reads (`cofre catalog salvage`)"
        );
        verdicts.push(
            verdict(Severity::Critical, Promise::Durability, "catalog-damaged", "catalog", message).with("why", damage),
        );
    }
}

/// A number of things: `1 blob`, `2 blobs`.
pub(crate) fn counted(count: u64, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}

/// What the copies of a scheme are called.
const fn copies_of(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Replicas { .. } => "copies",
        Scheme::Erasure { .. } => "pieces",
    }
}

fn verdict(
    severity: Severity,
    promise: Promise,
    code: &'static str,
    subject: impl Into<String>,
    message: String,
) -> Verdict {
    Verdict::new(severity, promise, code, subject, message)
}

/// How a redundancy is named, and what it means that it cannot be had: a storage class may have no objects.
fn told(in_use: &InUse) -> (String, Severity) {
    let scheme = in_use.scheme;
    match &in_use.of {
        RedundancyOf::Default => (scheme.to_string(), Severity::Critical),
        RedundancyOf::Class(name) => (format!("{scheme} of the storage class {name}"), Severity::Warning),
        RedundancyOf::Bucket { name, .. } => (format!("{scheme} of the bucket {name}"), Severity::Critical),
    }
}

/// Whether writes reach their quorum, and all of their redundancy.
fn writes(seen: &Seen<'_>, in_use: &InUse, verdicts: &mut Vec<Verdict>) {
    let (domains, scheme) = (writable_domains(seen.shards), in_use.scheme);
    let quorum = scheme.write_quorum_with(seen.spares_min);
    let (name, severity) = told(in_use);
    if domains < quorum {
        let message = format!(
            "{}, and a write of {name} needs {quorum}: writes are refused; add shards, free room or bring back the \
             ones that are away",
            taking(domains)
        );
        let verdict = verdict(severity, Promise::Availability, "writes-refused", "writes", message);
        verdicts.push(verdict.with("domains", domains).with("needed", quorum).with("redundancy", scheme));
    } else if domains < scheme.width() {
        let message = format!(
            "{}, and {name} wants {}: new blobs have fewer {} than they should until that many are back",
            taking(domains),
            scheme.width(),
            copies_of(scheme)
        );
        let verdict = verdict(Severity::Warning, Promise::Durability, "writes-short", "writes", message);
        verdicts.push(verdict.with("domains", domains).with("needed", scheme.width()).with("redundancy", scheme));
    }
}

fn taking(domains: usize) -> String {
    match domains {
        1 => "1 failure domain takes new blobs".to_owned(),
        _ => format!("{domains} failure domains take new blobs"),
    }
}

/// Whether more is away than a redundancy outlives.
fn out_of_spares(seen: &Seen<'_>, in_use: &InUse, verdicts: &mut Vec<Verdict>) {
    let scheme = in_use.scheme;
    let least = scheme.width() - scheme.needed() + 1;
    if domains(seen.unanswering.iter().copied()) < least
        || matches!(in_use.of, RedundancyOf::Bucket { holds: false, .. })
    {
        return;
    }
    let (name, severity) = told(in_use);
    let away = seen.unanswering.len();
    let (are, on) = match away {
        1 => ("1 shard is away".to_owned(), "it".to_owned()),
        _ => (format!("{away} shards are away"), format!("{least} of them")),
    };
    let message = format!(
        "{are}, more than {name} outlives: objects with {} on {on} cannot be read; bring the shards back, or restore the \
         objects from a backup",
        copies_of(scheme)
    );
    let verdict = verdict(severity, Promise::Availability, "shards-away", "shards", message);
    verdicts.push(verdict.with("away", away).with("redundancy", scheme));
}

fn shard(view: &ShardView, scheme: Scheme, verdicts: &mut Vec<Verdict>) {
    let subject = format!("shard {}", view.record.id);
    let status = match &view.sight {
        ShardSight::Attached(status) => status,
        ShardSight::Unopened(reason) => {
            verdicts.push(away(view.record.id, scheme, reason));
            return;
        }
    };
    let last_error = status.last_error.as_deref().unwrap_or("no reason is known");
    match status.state {
        ShardState::Unreachable => verdicts.push(away(view.record.id, scheme, last_error)),
        ShardState::Suspect => {
            let message = format!("its last calls failed: {last_error}; look at its disk, and probe it");
            let verdict = verdict(Severity::Warning, Promise::Availability, "shard-suspect", &subject, message);
            verdicts.push(verdict.with("why", last_error));
        }
        ShardState::Full => {
            let message = "it is full and takes no new blobs; add a shard, or delete objects".to_owned();
            verdicts.push(verdict(Severity::Warning, Promise::Space, "shard-full", &subject, message));
        }
        ShardState::Healthy => {}
    }
    if let Some(damage) = &status.damage {
        let message = format!(
            "its disk does not give {damage}: what stood there is made anew elsewhere where that is possible (job scrub); \
             add a shard, drain this one (`cofre admin shard drain {}`) and replace its disk",
            view.record.id
        );
        let verdict = verdict(Severity::Warning, Promise::Durability, "shard-damaged", &subject, message);
        verdicts.push(verdict.with("why", damage).with("shard", view.record.id));
    }
    if let Some(capacity) = status.capacity.filter(|_| status.state == ShardState::Healthy) {
        let free_share = capacity.free_bytes as f64 / capacity.total_bytes.max(1) as f64;
        if free_share < NEARLY_FULL_SHARE {
            let message = format!("{:.0} % of its room is free; add a shard before it is full", free_share * 100.0);
            let verdict = verdict(Severity::Warning, Promise::Space, "shard-nearly-full", &subject, message);
            verdicts.push(verdict.with("percent", format!("{:.0}", free_share * 100.0)));
        }
    }
}

/// What a missing shard means depends on whether another copy stands elsewhere.
fn away(id: ShardId, scheme: Scheme, reason: &str) -> Verdict {
    let subject = format!("shard {id}");
    if scheme.width() == 1 {
        let message = format!("it is away, and with {scheme} what is on it cannot be read: {reason}; bring it back");
        let verdict = verdict(Severity::Critical, Promise::Availability, "shard-away-bare", subject, message);
        return verdict.with("why", reason).with("redundancy", scheme);
    }
    let message = format!(
        "it is away, and what is on it has one copy or piece less: {reason}; bring it back; if it is lost for good: \
         `cofre admin shard declare-dead {id}`, and add another"
    );
    verdict(Severity::Warning, Promise::Durability, "shard-away", subject, message)
        .with("why", reason)
        .with("shard", id)
}

fn one_device(shards: &str) -> Verdict {
    let message = format!(
        "{shards} stand on one device and fail together: copies on them are no redundancy, and they share its room; put them \
         on devices of their own, or say what each fails with (`cofre admin shard set N --failure-domain NAME`)"
    );
    verdict(Severity::Warning, Promise::Durability, "shards-one-device", "shards", message).with("shards", shards)
}

fn redundancy(seen: &Seen<'_>, verdicts: &mut Vec<Verdict>) {
    if seen.away.blobs > 0 {
        let message = format!(
            "{} copies or pieces stand on shards that do not answer or were given up: their blobs have that many less \
             at hand",
            seen.away.blobs
        );
        let verdict = verdict(Severity::Warning, Promise::Durability, "copies-away", "redundancy", message);
        verdicts.push(verdict.with("copies", seen.away.blobs));
    }
    for view in seen.shards.iter().filter(|view| view.record.mode.is_unreconciled()) {
        let (code, message) = match view.record.mode {
            ShardMode::Returning => {
                ("shard-returns", "it is back, and is being held against the catalog (job reconcile)")
            }
            _ => (
                "shard-given-up",
                "it was given up, and what it held is made anew elsewhere (job rebuild); bring it back and take it back, \
                 or remove it once nothing names it",
            ),
        };
        let subject = format!("shard {}", view.record.id);
        verdicts.push(verdict(Severity::Warning, Promise::Durability, code, subject, message.to_owned()));
    }
    let unreadable = seen.unreadable;
    if unreadable > 0 {
        let message = format!(
            "{} cannot be read: too few whole copies or pieces are left; bring the shards back that held more \
             (`cofre admin shard take-back N` for one that was given up), or restore the objects from a backup; \
             `cofre admin job show heal` lists them",
            counted(unreadable, "blob")
        );
        let verdict = verdict(Severity::Critical, Promise::Durability, "blobs-unreadable", "blobs", message);
        verdicts.push(verdict.with("blobs", unreadable));
    }
    let waiting = seen.waiting.blobs.saturating_sub(unreadable);
    if waiting == 0 {
        return;
    }
    let late = seen.waiting.oldest.is_some_and(|oldest| seen.now_nanos.saturating_sub(oldest.0) > HEAL_LATE_NANOS);
    let bare = match seen.waiting.without_spare.saturating_sub(unreadable) {
        0 => String::new(),
        bare => format!(", {bare} of them with nothing to spare"),
    };
    let more = if seen.waiting.more { "more than " } else { "" };
    let advice = if late { "; the longest waits for over an hour: look at the shards and at the job heal" } else { "" };
    let message = format!(
        "{more}{} fewer copies or pieces than should be and {} to be healed{bare}{advice}",
        if waiting == 1 { "1 blob has".to_owned() } else { format!("{waiting} blobs have") },
        if waiting == 1 { "waits" } else { "wait" },
    );
    let code = if late { "blobs-waiting-long" } else { "blobs-waiting" };
    let verdict = verdict(Severity::Warning, Promise::Durability, code, "redundancy", message);
    verdicts.push(verdict.with("blobs", waiting));
}

fn jobs(seen: &Seen<'_>, verdicts: &mut Vec<Verdict>) {
    for job in seen.jobs {
        let subject = || format!("job {}", job.name);
        match job.state {
            JobState::Paused => {
                let message = "the settings hold it, and what it is for waits; resume it".to_owned();
                let verdict = verdict(Severity::Warning, Promise::Upkeep, "job-paused", subject(), message);
                verdicts.push(verdict.with("job", job.name));
            }
            JobState::Stuck => {
                let why = job.figures.problems.first();
                let why = why.map(|problem| format!(": {}: {}", problem.subject, problem.why));
                let why = why.unwrap_or_default();
                let message = format!("it has something to do and got nothing done for a minute{why}");
                let verdict = verdict(Severity::Warning, Promise::Upkeep, "job-stuck", subject(), message);
                verdicts.push(verdict.with("job", job.name).with("why", why));
            }
            JobState::Idle | JobState::Running => {}
        }
        if let Some(error) = &job.worker.last_error {
            let message = format!("its last step failed and is tried again: {error}");
            let verdict = verdict(Severity::Warning, Promise::Upkeep, "job-failed", subject(), message);
            verdicts.push(verdict.with("job", job.name).with("why", error));
        }
    }
}
