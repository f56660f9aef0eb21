//! The default redundancy: named by a boot setting, kept in the catalog.
//!
//! # Invariants
//! A start that names none goes on with the one there was: a flag that is forgotten converts nothing.

use super::boot::{ACTOR, warn_unrecorded};
use anyhow::{Result, bail};
use cofre_blobs::{ShardView, domains};
use cofre_catalog::records::{DefaultRedundancyRecord, EventRecord, Record};
use cofre_catalog::{Batch, CommitError, ReadExt, Revision, Store, StoreError, keys};
use cofre_runtime::Clock;
use cofre_settings::DynamicSettings;
use cofre_types::{Scheme, Timestamp};

/// What a Cofre has that was never told another.
pub(super) const FIRST: Scheme = Scheme::Replicas { count: 1 };

/// A redundancy that the shards cannot give is better said now than at each write.
pub(super) fn check_width(scheme: Scheme, domains: usize) -> Result<()> {
    if domains < scheme.width() {
        bail!(
            "redundancy: {scheme} wants {} failure domains, and there are {domains}; \
             name more directories with --shard, or lower --redundancy",
            scheme.width()
        );
    }
    Ok(())
}

/// The default redundancy of a start.
pub(super) struct DefaultRedundancy {
    /// The one that is in force where bucket, class and dynamic settings ask for no other.
    pub(super) scheme: Scheme,
    given: bool,
    recorded: Option<(Scheme, Revision)>,
}

impl DefaultRedundancy {
    /// The one that the boot settings name, else the one that is recorded.
    pub(super) async fn choose(given: Option<Scheme>, store: &dyn Store) -> Result<Self> {
        let entry = store.get(keys::default_redundancy()).await?;
        let recorded = match entry {
            Some(entry) => Some((DefaultRedundancyRecord::decode(&entry.value)?.scheme, entry.revision)),
            None => None,
        };
        let scheme = given.or(recorded.map(|(scheme, _)| scheme)).unwrap_or(FIRST);
        Ok(Self { scheme, given: given.is_some(), recorded })
    }

    /// Holds it against the shards there are and `more` that are to be registered, each a failure domain of its own. One
    /// that nobody asks for at this start keeps nobody from reading.
    pub(super) fn check(&self, shards: &[ShardView], more: usize) -> Result<()> {
        let domains = domains(shards) + more;
        if self.given {
            return check_width(self.scheme, domains);
        }
        let wanted = self.scheme.width();
        if domains >= wanted {
            return Ok(());
        }
        tracing::warn!(redundancy = %self.scheme, wanted, domains, "there are fewer failure domains than the redundancy of an \
            earlier start wants: name more directories with --shard, or lower --redundancy");
        Ok(())
    }

    /// Records it for the starts to come, and says what changes.
    pub(super) async fn keep(&self, store: &dyn Store, dynamic: &DynamicSettings, clock: &Clock) -> Result<()> {
        let recorded = self.recorded.map(|(scheme, _)| scheme);
        if recorded == Some(self.scheme) {
            return Ok(());
        }
        let then = match dynamic.current().redundancy {
            None => "what stands is converted in the background",
            Some(_) => "the dynamic setting `redundancy` stays in force",
        };
        let mut batch = Batch::new();
        batch.unchanged(keys::default_redundancy(), self.recorded.map(|(_, revision)| revision));
        batch.put(keys::default_redundancy(), DefaultRedundancyRecord { scheme: self.scheme }.encode());
        if let Some(before) = recorded {
            batch.writes.push(self.event(before, then, clock).append(0));
        }
        match store.commit(batch).await {
            Ok(_) => {}
            Err(CommitError::Failed(_)) => bail!("another process began to use the catalog at the same time"),
            Err(CommitError::Store(error @ (StoreError::Refused(_) | StoreError::Full))) => {
                warn_unrecorded("the default redundancy", &error);
            }
            Err(CommitError::Store(error)) => return Err(error.into()),
        }
        if let Some(from) = recorded {
            tracing::info!(%from, to = %self.scheme, "the default redundancy is another than at the last start: {then}");
        }
        Ok(())
    }

    fn event(&self, before: Scheme, then: &str, clock: &Clock) -> EventRecord {
        EventRecord {
            at: Timestamp(clock.now_nanos()),
            kind: "redundancy.default_changed".to_owned(),
            subject: "default".to_owned(),
            actor: ACTOR.to_owned(),
            details: vec![
                ("from".to_owned(), before.to_string()),
                ("to".to_owned(), self.scheme.to_string()),
                ("then".to_owned(), then.to_owned()),
            ],
        }
    }
}
