use super::remote::{NewPlace, same_place};
use super::{SHARDS_MAX, ShardView, TRIES_MAX, Topology, TopologyError, place_text};
use cofre_catalog::records::{RemovedShardRecord, ShardMode, ShardPlace, ShardRecord};
use cofre_catalog::{Batch, CommitError, ReadExt, keys};
use cofre_types::{ShardId, Timestamp};

/// Most labels of a shard.
pub const LABELS_MAX: usize = 64;

/// Longest name or value of a label, and longest failure domain, in bytes.
pub const LABEL_BYTES_MAX: usize = 256;

/// Largest weight, in percent.
pub const WEIGHT_PERCENT_MAX: u32 = 10_000;

/// Longest path of a directory, in bytes: as long as Linux takes.
const PATH_BYTES_MAX: usize = 4096;

/// Why a place that leads back here is no shard.
const LEADS_BACK: &str =
    "the endpoint is this Cofre itself; a shard cannot be a bucket of the Cofre that it belongs to";

/// Name of the counter that numbers shards.
const COUNTER: &str = "shards";

/// A shard to register.
#[derive(Debug, Clone)]
pub struct NewShard {
    /// Where it is.
    pub place: NewPlace,
    /// Two copies of a blob never share a failure domain. `None`: the shard is its own.
    pub failure_domain: Option<String>,
    /// How much it takes relative to its capacity, in percent, 0 to [`WEIGHT_PERCENT_MAX`].
    pub weight_percent: u32,
    /// Labels for people, at most [`LABELS_MAX`].
    pub labels: Vec<(String, String)>,
}

impl NewShard {
    /// A shard in a directory, with the defaults.
    pub const fn at_path(path: String) -> Self {
        Self::at(NewPlace::Filesystem { path })
    }

    /// A shard somewhere, with the defaults.
    pub const fn at(place: NewPlace) -> Self {
        Self { place, failure_domain: None, weight_percent: 100, labels: Vec::new() }
    }
}

impl Topology {
    /// Registers a shard and puts it into the pool.
    ///
    /// # Errors
    /// [`TopologyError::Invalid`], [`TopologyError::Taken`], [`TopologyError::Unusable`]; nothing is
    /// registered then.
    pub async fn register(&self, new: NewShard, actor: &str) -> Result<ShardView, TopologyError> {
        check_place(&new.place)?;
        let place = new.place.sealed(&*self.0.opener)?;
        check_fields(new.failure_domain.as_deref(), new.weight_percent, &new.labels)?;
        for _ in 0..TRIES_MAX {
            let counter = self.0.store.get(keys::counter(COUNTER)).await?;
            self.check_free(&place).await?;
            let (wanted, began) = (self.0.random.bytes(), Timestamp(self.0.clock.now_nanos()));
            let created = self.0.opener.create(&place, wanted).await;
            let identity = created.map_err(|error| TopologyError::Unusable(error.to_string()))?;
            self.check_new(identity, &place).await?;
            if self.0.opener.leads_back(&place, identity, began).await? {
                return Err(TopologyError::Unusable(LEADS_BACK.to_owned()));
            }
            let record = ShardRecord {
                id: ShardId(next(counter.as_ref().map(|entry| entry.value.as_slice()))),
                identity,
                place: place.clone(),
                mode: ShardMode::Active,
                failure_domain: new.failure_domain.clone(),
                weight_percent: new.weight_percent,
                labels: new.labels.clone(),
                registered: Timestamp(self.0.clock.now_nanos()),
            };
            let details = vec![("place".to_owned(), place_text(&record.place))];
            let mut batch = Batch::new();
            batch.unchanged(keys::counter(COUNTER), counter.map(|entry| entry.revision));
            batch.unchanged(keys::shard(record.id), None);
            batch.add(keys::counter(COUNTER), vec![1]);
            batch.put(keys::shard(record.id), self.encoded(&record));
            for RemovedShardRecord { id, identity: removed, path, .. } in self.removed().await? {
                if removed == identity || same_place(&ShardPlace::Filesystem { path }, &place) {
                    batch.delete(keys::removed_shard(id));
                }
            }
            batch.writes.push(self.event("shard.registered", record.id, actor, details).append(0));
            match self.0.store.commit(batch).await {
                Ok(_) => {
                    self.attach(&record).await;
                    return self.get(record.id).await;
                }
                Err(CommitError::Failed(_)) => {}
                Err(CommitError::Store(error)) => return Err(error.into()),
            }
        }
        Err(TopologyError::Conflict)
    }

    /// A directory that is a shard already may be reached by another path as well.
    async fn check_new(&self, identity: [u8; 16], place: &ShardPlace) -> Result<(), TopologyError> {
        let records = self.records().await?;
        match records.iter().find(|found| found.record.identity == identity) {
            Some(found) => Err(TopologyError::Taken { place: place_text(place), id: found.record.id }),
            None => Ok(()),
        }
    }

    async fn check_free(&self, place: &ShardPlace) -> Result<(), TopologyError> {
        let records = self.records().await?;
        if records.len() >= SHARDS_MAX {
            return Err(TopologyError::TooMany);
        }
        match records.iter().find(|found| same_place(&found.record.place, place)) {
            Some(found) => Err(TopologyError::Taken { place: place_text(place), id: found.record.id }),
            None => Ok(()),
        }
    }
}

/// Shards are numbered from 1.
fn next(counter: Option<&[u8]>) -> u32 {
    let bytes = counter.and_then(|value| value.get(..8)).and_then(|bytes| bytes.try_into().ok());
    u32::try_from(bytes.map_or(0, i64::from_le_bytes)).unwrap_or(u32::MAX - 1) + 1
}

/// The fields of a remote place are checked by who opens it.
fn check_place(place: &NewPlace) -> Result<(), TopologyError> {
    let NewPlace::Filesystem { path } = place else { return Ok(()) };
    check_path("place.path", path)
}

/// A directory of this machine.
pub(super) fn check_path(field: &'static str, path: &str) -> Result<(), TopologyError> {
    if !std::path::Path::new(path).is_absolute() {
        return Err(invalid(field, "must be an absolute path of the server"));
    }
    if path.len() > PATH_BYTES_MAX || path.contains('\0') {
        return Err(invalid(field, "must have at most 4,096 bytes and no NUL"));
    }
    Ok(())
}

pub(super) fn check_fields(
    failure_domain: Option<&str>,
    weight_percent: u32,
    labels: &[(String, String)],
) -> Result<(), TopologyError> {
    if failure_domain.is_some_and(|domain| domain.is_empty() || domain.len() > LABEL_BYTES_MAX) {
        return Err(invalid("failure_domain", "must have 1 to 256 bytes"));
    }
    if weight_percent > WEIGHT_PERCENT_MAX {
        return Err(invalid("weight_percent", "must be 0 to 10,000"));
    }
    if labels.len() > LABELS_MAX {
        return Err(invalid("labels", "must be at most 64"));
    }
    let fits = |text: &str| text.len() <= LABEL_BYTES_MAX;
    if labels.iter().any(|(name, value)| name.is_empty() || !fits(name) || !fits(value)) {
        return Err(invalid("labels", "must have names of 1 to 256 bytes and values of at most 256"));
    }
    Ok(())
}

pub(super) fn invalid(field: &'static str, reason: &str) -> TopologyError {
    TopologyError::Invalid { field, reason: reason.to_owned() }
}
