use super::register::{check_fields, invalid};
use super::remote::S3Change;
use super::{ShardPlace, ShardView, TRIES_MAX, Topology, TopologyError, info, place_text};
use cofre_catalog::records::{ShardMode, ShardRecord};
use cofre_catalog::{Batch, CommitError, keys};
use cofre_types::ShardId;

/// A change of a shard. What is absent stays as it is.
#[derive(Debug, Clone, Default)]
pub struct ShardChange {
    /// Whether it takes no new blobs; not while it drains.
    pub read_only: Option<bool>,
    /// Whether it drains. A drain that is cancelled leaves it active.
    pub draining: Option<bool>,
    /// Another failure domain; `Some(None)` makes it one of its own.
    pub failure_domain: Option<Option<String>>,
    /// How much it takes relative to its capacity, in percent.
    pub weight_percent: Option<u32>,
    /// Labels, which replace the ones it has.
    pub labels: Option<Vec<(String, String)>>,
    /// Where a remote shard is, and who we are there.
    pub s3: Option<S3Change>,
    /// Another directory where the shard stands now: an absolute path.
    pub path: Option<String>,
}

impl Topology {
    /// Changes a shard, on top of the revision `expected` if one is given. A change that changes
    /// nothing commits nothing. Another endpoint or key of a remote shard is tried out first; in another directory the
    /// same shard must stand.
    ///
    /// # Errors
    /// [`TopologyError::Invalid`] names the field; [`TopologyError::Copied`] if the shard stands in both directories; [`TopologyError::Changed`] if another revision is
    /// there; [`TopologyError::Unusable`] if the shard does not open as changed; nothing changed then.
    pub async fn change(
        &self,
        id: ShardId,
        change: &ShardChange,
        expected: Option<u64>,
        actor: &str,
    ) -> Result<ShardView, TopologyError> {
        for _ in 0..TRIES_MAX {
            let found = self.found(id).await?;
            let current = found.entry.revision.0;
            if expected.is_some_and(|expected| expected != current) {
                return Err(TopologyError::Changed { current });
            }
            let (mut record, mut details) = apply(&found.record, change)?;
            let mut reopened = None;
            if let Some(s3) = &change.s3 {
                record.place = s3.apply(&record.place, &*self.0.opener)?;
                if record.place != found.record.place {
                    details.extend(place_details(&found.record.place, &record.place));
                    let opened = self.open(&record).await;
                    reopened = Some(opened.map_err(|error| TopologyError::Unusable(error.to_string()))?);
                }
            }
            let mut moved = false;
            if let Some(path) = &change.path {
                record.place = self.place_at(&found.record, path).await?;
                moved = record.place != found.record.place;
            }
            if moved {
                let (from, to) = (place_text(&found.record.place), place_text(&record.place));
                details.push(("path".to_owned(), format!("{from} -> {to}")));
            }
            if details.is_empty() {
                return self.get(id).await;
            }
            let mut batch = Batch::new();
            batch.unchanged(keys::shard(id), Some(found.entry.revision));
            batch.put(keys::shard(id), self.encoded(&record));
            if moved {
                self.note_left(&mut batch, &found.record, &record).await?;
            }
            batch.writes.push(self.event("shard.changed", id, actor, details).append(0));
            match self.0.store.commit(batch).await {
                Ok(_) => {
                    match reopened {
                        None if moved => self.reopen(&record).await,
                        None => self.0.shards.update(info(&record)),
                        Some(backend) => self.attached(&record, backend).await,
                    }
                    if record.mode != found.record.mode {
                        self.0.drains.forget(id);
                    }
                    return self.get(id).await;
                }
                Err(CommitError::Failed(_)) => {}
                Err(CommitError::Store(error)) => return Err(error.into()),
            }
        }
        Err(TopologyError::Conflict)
    }
}

/// What changed of a place for the event. A secret is only said to be another.
fn place_details(from: &ShardPlace, to: &ShardPlace) -> Vec<(String, String)> {
    let mut details = Vec::new();
    if let (ShardPlace::S3(from), ShardPlace::S3(to)) = (from, to) {
        let mut note = |name: &str, from: &str, to: &str| details.push((name.to_owned(), format!("{from} -> {to}")));
        if from.endpoint != to.endpoint {
            note("endpoint", &from.endpoint, &to.endpoint);
        }
        if (&from.access_key_id, &from.sealed_secret) != (&to.access_key_id, &to.sealed_secret) {
            note("access_key_id", &from.access_key_id, &to.access_key_id);
        }
        if from.ca_pem != to.ca_pem {
            note("ca_pem", "before", "others");
        }
        if from.capacity_bytes != to.capacity_bytes {
            note("capacity_bytes", &from.capacity_bytes.to_string(), &to.capacity_bytes.to_string());
        }
    }
    details
}

/// The changed record, and what changed for the event.
fn apply(record: &ShardRecord, change: &ShardChange) -> Result<(ShardRecord, Vec<(String, String)>), TopologyError> {
    let mut next = record.clone();
    if record.mode.is_unreconciled() && (change.draining.is_some() || change.read_only.is_some()) {
        return Err(invalid("mode", "cannot change while the shard is given up; take it back first, or remove it"));
    }
    match (change.draining, change.read_only) {
        (Some(true), _) => next.mode = ShardMode::Draining,
        (Some(false), _) if next.mode == ShardMode::Draining => next.mode = ShardMode::Active,
        (None, Some(_)) if next.mode == ShardMode::Draining => {
            return Err(invalid("read_only", "cannot change while the shard drains; cancel the drain first"));
        }
        (None, Some(true)) => next.mode = ShardMode::ReadOnly,
        (None, Some(false)) => next.mode = ShardMode::Active,
        (None | Some(false), _) => {}
    }
    if let Some(domain) = &change.failure_domain {
        next.failure_domain.clone_from(domain);
    }
    next.weight_percent = change.weight_percent.unwrap_or(next.weight_percent);
    if let Some(labels) = &change.labels {
        next.labels.clone_from(labels);
    }
    check_fields(next.failure_domain.as_deref(), next.weight_percent, &next.labels)?;
    let mut details = Vec::new();
    let mut note = |name: &str, from: String, to: String| {
        if from != to {
            details.push((name.to_owned(), format!("{from} -> {to}")));
        }
    };
    note("mode", format!("{:?}", record.mode), format!("{:?}", next.mode));
    note("failure_domain", format!("{:?}", record.failure_domain), format!("{:?}", next.failure_domain));
    note("weight_percent", record.weight_percent.to_string(), next.weight_percent.to_string());
    note("labels", format!("{:?}", record.labels), format!("{:?}", next.labels));
    Ok((next, details))
}
