//! What there should be, by file and environment, made so at a start.
//!
//! The file counts: what was changed by hand since it was carried out last is told, and is as the file says again. What
//! the file does not name, or names no more, stays.
//!
//! # Crash recovery
//! A start that ends in the middle is gone on with by the next one. Secrets that are made stand in their file before
//! their keys count.

use super::boot::{ACTOR, warn_unrecorded};
use crate::provision::{ProvisionFile, make_secrets};
use anyhow::{Context, Result, anyhow};
use cofre_admin_server::provision::{Prepared, apply, between, check, prepare};
use cofre_admin_server::{Admin, ApiError};
use cofre_admin_types::provision::{Provision, ProvisionBucket, ProvisionStep};
use cofre_catalog::records::EventRecord;
use cofre_events::EventLog;
use cofre_iam::write_private_file;
use cofre_runtime::{Clock, Random, blocking};
use cofre_settings::BootSettings;
use cofre_types::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// What the file said when it was carried out last, without secrets.
pub(super) const PROVISIONED: &str = "provisioned.json";

/// Secrets that a start made for keys of the file.
pub(super) const PROVISIONED_CREDENTIALS: &str = "provisioned-credentials";

/// Who events name.
const PROVISIONER: &str = "internal:provision";

/// Version of [`PROVISIONED`].
const VERSION: u32 = 1;

/// Steps of a start that are told one by one; of more the number is.
const TOLD_MAX: usize = 32;

/// What stands in [`PROVISIONED`].
#[derive(Serialize, Deserialize)]
struct Last {
    version: u32,
    document: Provision,
}

/// Reads the file and checks it by itself: one that is wrong stops the start before anything is made.
pub(super) async fn read(settings: &BootSettings) -> Result<Option<ProvisionFile>> {
    let Some(path) = settings.provision.clone() else { return Ok(None) };
    let file = blocking(move || ProvisionFile::read(&path)).await.context("provision")?;
    check(&file.document).map_err(|error| explain(&file, error))?;
    Ok(Some(file))
}

/// Makes what there should be.
pub(super) async fn carry_out(
    settings: &BootSettings,
    admin: &Admin,
    file: Option<ProvisionFile>,
    first: bool,
    (events, clock, random): (&EventLog, &Clock, &Random),
) -> Result<()> {
    if first && !settings.buckets.is_empty() {
        first_buckets(settings, admin).await?;
    }
    let Some(file) = file else { return Ok(()) };
    let start = Start { settings, admin, events, clock, random };
    match start.provision(&file).await {
        Ok(()) => Ok(()),
        Err(error @ (ApiError::Internal(_) | ApiError::Unavailable(_))) => {
            warn_unrecorded("what the file of --provision says", &error);
            Ok(())
        }
        Err(error) => Err(explain(&file, error)),
    }
}

/// The buckets of `COFRE_BUCKETS`.
async fn first_buckets(settings: &BootSettings, admin: &Admin) -> Result<()> {
    let bucket =
        |name: &cofre_types::BucketName| ProvisionBucket { name: name.to_string(), ..ProvisionBucket::default() };
    let document = Provision { buckets: settings.buckets.iter().map(bucket).collect(), ..Provision::default() };
    apply(admin, ACTOR, document, false, |_| Ok(())).await.map_err(|error| anyhow!("buckets: {error}"))?;
    tracing::info!(buckets = settings.buckets.len(), "the first start made the buckets of COFRE_BUCKETS");
    Ok(())
}

fn explain(file: &ProvisionFile, error: ApiError) -> anyhow::Error {
    match error {
        ApiError::Invalid { field, reason } => file.wrong(&field, &reason).context("provision"),
        error => file.wrong("", &error.to_string()).context("provision"),
    }
}

/// What a start works with.
struct Start<'a> {
    settings: &'a BootSettings,
    admin: &'a Admin,
    events: &'a EventLog,
    clock: &'a Clock,
    random: &'a Random,
}

impl Start<'_> {
    async fn provision(&self, file: &ProvisionFile) -> Result<(), ApiError> {
        let mut document = file.document.clone();
        let prepared = prepare(self.admin, document.clone(), false).await?;
        let keys: HashSet<String> = prepared.keys_without_secrets().map(str::to_owned).collect();
        if !keys.is_empty() {
            self.make_secrets(&mut document, &keys).await?;
        }
        let last = self.last().await;
        let done = apply(self.admin, PROVISIONER, document, false, keeps_owners).await?;
        self.tell(&done, last.as_ref()).await;
        self.note(done.document()).await
    }

    async fn make_secrets(&self, document: &mut Provision, keys: &HashSet<String>) -> Result<(), ApiError> {
        let path = self.settings.data.join(PROVISIONED_CREDENTIALS);
        let (made, at) = (make_secrets(document, keys, self.random), path.clone());
        let written = blocking(move || made.write(&at)).await;
        written.map_err(|error| ApiError::Conflict(format!("{}: {error:#}", path.display())))?;
        tracing::info!(
            keys = keys.len(),
            path = %path.display(),
            "made the secrets of keys that the file of --provision leaves to Cofre; only this user can read them"
        );
        Ok(())
    }

    /// What the file said when it was carried out last.
    async fn last(&self) -> Option<Provision> {
        let path = self.settings.data.join(PROVISIONED);
        let text = blocking(move || std::fs::read(path)).await.ok()?;
        let last: Last = serde_json::from_slice(&text).ok()?;
        (last.version == VERSION).then_some(last.document)
    }

    async fn note(&self, document: &Provision) -> Result<(), ApiError> {
        let mut document = document.clone();
        for key in document.accounts.iter_mut().flat_map(|account| &mut account.keys) {
            key.secret_access_key = None;
        }
        let path: PathBuf = self.settings.data.join(PROVISIONED);
        let text = serde_json::to_string_pretty(&Last { version: VERSION, document });
        let text = text.map_err(|error| ApiError::Internal(error.to_string()))?;
        let written = blocking(move || write_private_file(&path, &text)).await;
        written.map_err(|error| ApiError::Unavailable(error.to_string()))
    }

    /// Says what was done, and which of it somebody had changed by hand.
    async fn tell(&self, done: &Prepared, last: Option<&Provision>) {
        let of_file = last.map(|last| between(last, done.document()));
        if let Some(of_file) = &of_file {
            for step in of_file.kept.iter().take(TOLD_MAX) {
                let what = what(step);
                tracing::info!(
                    what,
                    "the file of --provision has it no more, and it stays; cofre admin apply --prune deletes it"
                );
            }
        }
        let named = |step: &ProvisionStep| (step.subject.clone(), step.setting.clone());
        let of_file: Option<HashSet<_>> = of_file.map(|plan| plan.steps.iter().map(named).collect());
        // Which secret the file had last is kept nowhere: another one is taken for the file's.
        let is_secret = |step: &ProvisionStep| step.setting.as_deref() == Some("secret_access_key");
        let by_hand = |step: &&ProvisionStep| {
            !is_secret(step) && of_file.as_ref().is_some_and(|of_file| !of_file.contains(&named(step)))
        };
        let (drift, ours): (Vec<_>, Vec<_>) = done.steps().partition(by_hand);
        for step in drift.iter().take(TOLD_MAX) {
            let (what, was) = (what(step), shown(&step.before));
            tracing::warn!(
                what,
                was,
                "it was changed by hand since the last start, and is as the file of --provision says again"
            );
        }
        for step in ours.iter().take(TOLD_MAX) {
            tracing::info!(what = what(step), "made as the file of --provision says");
        }
        if drift.len() + ours.len() > 0 {
            tracing::info!(changed = ours.len(), put_back = drift.len(), "carried out the file of --provision");
        }
        for (kind, steps) in [("provision.drifted", drift), ("provision.applied", ours)] {
            if !steps.is_empty()
                && let Err(error) = self.events.record(&self.event(kind, &steps)).await
            {
                warn_unrecorded("an event of provisioning", &error);
            }
        }
    }

    fn event(&self, kind: &str, steps: &[&ProvisionStep]) -> EventRecord {
        let path = self.settings.provision.as_deref().unwrap_or(Path::new(""));
        let told = steps
            .iter()
            .take(TOLD_MAX)
            .map(|step| (what(step), format!("{} -> {}", shown(&step.before), shown(&step.after))));
        let more = steps.len().saturating_sub(TOLD_MAX);
        EventRecord {
            at: Timestamp(self.clock.now_nanos()),
            kind: kind.to_owned(),
            subject: path.display().to_string(),
            actor: PROVISIONER.to_owned(),
            details: told.chain((more > 0).then(|| ("further changes".to_owned(), more.to_string()))).collect(),
        }
    }
}

/// A file takes no bucket from its owner while nobody looks: who reads the plan may.
fn keeps_owners(prepared: &Prepared) -> Result<(), ApiError> {
    let taken = prepared.steps().find(|step| step.setting.as_deref() == Some("owner"));
    taken.map_or(Ok(()), |step| {
        let why = format!(
            "{} is there and belongs to {}: hand it over with `cofre admin bucket hand-over` or `cofre admin apply`, or name \
             another",
            step.subject,
            step.before.as_str().unwrap_or("another account")
        );
        Err(ApiError::invalid(step.field.clone(), why))
    })
}

/// A step in words, as `bucket photos: quota`.
fn what(step: &ProvisionStep) -> String {
    step.setting.as_ref().map_or_else(|| step.subject.clone(), |setting| format!("{}: {setting}", step.subject))
}

/// Characters of a value that are told.
const SHOWN_CHARS_MAX: usize = 100;

fn shown(value: &serde_json::Value) -> String {
    let text = if value.is_null() { "none".to_owned() } else { value.to_string() };
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What version 1 has written, which later ones read.
    const GOLDEN: &str = r#"{"version": 1, "document": {
        "settings": {"quotas": {"grace_multiple": 5}},
        "accounts": [{"name": "ana", "quota": {"bytes_max": 5}, "keys": [{"access_key_id": "ana-app", "note": "app"}]}],
        "key_policies": [{"key": "eu", "policy": "{}"}],
        "buckets": [{"name": "photos", "owner": "ana", "unset": ["cors"], "versioning": "enabled",
            "object_lock": {"default_retention": {"mode": "governance", "days": 3}},
            "acl": [{"group": "all_users", "permission": "read"}], "tags": {"a": "b"},
            "lifecycle": [{"id": "x", "enabled": true, "expiration": {"days": 7}}]}]}}"#;

    #[test]
    fn what_was_carried_out_last_is_read_in_its_older_form() {
        let last: Last = serde_json::from_str(GOLDEN).unwrap();
        assert_eq!(last.version, VERSION);
        let again: serde_json::Value = serde_json::to_value(&last).unwrap();
        assert_eq!(again, serde_json::from_str::<serde_json::Value>(GOLDEN).unwrap());
    }
}
