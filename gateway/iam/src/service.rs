use crate::admin_tokens::CachedToken;
use crate::cache::Cache;
use crate::error::IamError;
use crate::lookup::CachedKey;
use crate::master_key::MasterKey;
use crate::sessions::CachedSession;
use cofre_catalog::records::{EventRecord, Record};
use cofre_catalog::{Batch, CommitError, ReadExt, Revision, Store, Write};
use cofre_runtime::{Clock, Random};
use cofre_types::{AccessKeyId, Timestamp};
use std::fmt;
use std::sync::Arc;

/// Most items on a page of accounts, keys or tokens.
pub const PAGE_ITEMS_MAX: usize = 1_000;

/// How often a change is tried anew when another one came between.
pub(crate) const TRIES_MAX: usize = 8;

/// Accounts, access keys and admin tokens of one Cofre. Cloning is cheap.
///
/// Every method that changes something takes the `actor`, as events name who did it, and returns once
/// the change and its event are durable.
#[derive(Clone)]
pub struct Iam(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) master: MasterKey,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) keys: Cache<AccessKeyId, CachedKey>,
    pub(crate) tokens: Cache<String, CachedToken>,
    pub(crate) sessions: Cache<String, CachedSession>,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items, in order.
    pub items: Vec<T>,
    /// What to ask after for the next page; none if this is the last.
    pub next: Option<String>,
}

/// A record and the commit that wrote it.
pub(crate) struct Found<R> {
    pub(crate) record: R,
    pub(crate) revision: Revision,
}

/// A detail of an event: its name and its value, never a secret.
pub(crate) type Fact<'a> = (&'a str, &'a (dyn fmt::Display + Sync));

impl Iam {
    /// Over a catalog, with the key that seals secrets.
    pub fn new(store: Arc<dyn Store>, master: MasterKey, clock: Clock, random: Random) -> Self {
        Self(Arc::new(Inner {
            store,
            master,
            clock,
            random,
            keys: Cache::new(),
            tokens: Cache::new(),
            sessions: Cache::new(),
        }))
    }

    /// Identities for what neither seals nor opens the secret of an access key, such as admin tokens. What would is
    /// refused as under a wrong master key.
    ///
    /// # Errors
    /// [`IamError::MasterKey`] if the cipher takes no key.
    pub fn without_master_key(store: Arc<dyn Store>, clock: Clock, random: Random) -> Result<Self, IamError> {
        let opens_nothing = MasterKey::from_bytes(random.bytes())?;
        Ok(Self::new(store, opens_nothing, clock, random))
    }
}

impl fmt::Debug for Iam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Iam")
    }
}

impl Inner {
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp(self.clock.now_nanos())
    }

    pub(crate) async fn read<R: Record>(&self, key: Vec<u8>) -> Result<Option<Found<R>>, IamError> {
        let entry = self.store.get(key).await?;
        entry.map(|entry| Ok(Found { record: R::decode(&entry.value)?, revision: entry.revision })).transpose()
    }

    /// Commits; false if a check did not hold, so that it is decided anew.
    pub(crate) async fn commit(&self, batch: Batch) -> Result<bool, IamError> {
        match self.store.commit(batch).await {
            Ok(_) => Ok(true),
            Err(CommitError::Failed(_)) => Ok(false),
            Err(CommitError::Store(error)) => Err(error.into()),
        }
    }

    /// The write of an event; `index` tells the events of one batch apart.
    pub(crate) fn event(
        &self,
        index: u8,
        kind: &str,
        subject: impl fmt::Display,
        actor: &str,
        details: &[Fact<'_>],
    ) -> Write {
        let details = details.iter().map(|(name, value)| ((*name).to_owned(), value.to_string())).collect();
        let (kind, actor) = (kind.to_owned(), actor.to_owned());
        EventRecord { at: self.now(), kind, subject: subject.to_string(), actor, details }.append(index)
    }
}

/// Checks a text that an operator gave for people to read.
pub(crate) fn readable(field: &'static str, text: &str, chars_max: usize) -> Result<(), IamError> {
    let reason = if text.chars().count() > chars_max {
        "is too long"
    } else if text.chars().any(char::is_control) {
        "may not have control characters"
    } else {
        return Ok(());
    };
    Err(cofre_types::Invalid { field, reason }.into())
}
