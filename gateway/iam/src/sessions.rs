//! Sessions of the console: `<id>_<secret>`, in a cookie.
//!
//! # Invariants
//! - A session has the rights of the access key that it was begun with, as that key is now: a key that is disabled,
//!   deleted, expired or made anew under the same id ends its sessions with the next request.
//! - The secret has 256 random bits, so one SHA-256 of it is enough at rest. It ends unused after its idle time, and
//!   used after its whole time.
//!
//! # Limits
//! An account has at most [`SESSIONS_PER_ACCOUNT_MAX`] sessions: one more ends the one that was used the longest time ago.

use crate::error::IamError;
use crate::lookup::{Credential, Lookup};
use crate::secret::{Secret, random_alphanumeric, random_text};
use crate::service::{Fact, Iam, Inner, TRIES_MAX};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Context, SHA256};
use cofre_catalog::keys::{self, family};
use cofre_catalog::records::{Record, SessionRecord};
use cofre_catalog::{Batch, Mark, ReadExt, Revision, Scan};
use cofre_types::{AccessKeyId, AccountId, Timestamp};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// Most sessions of one account.
pub const SESSIONS_PER_ACCOUNT_MAX: usize = 64;

/// Characters of a session's id: 16 of 36.
const ID_CHARS: usize = 16;

/// Characters of a session's secret: 43 of 62, or 256 bits.
const SECRET_CHARS: usize = 43;

const ID_ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// Most characters that are kept of what a browser calls itself.
const AGENT_CHARS_MAX: usize = 200;

/// How stale the time of the last use may be, as a part of the idle time: each use in between costs no commit.
const SEEN_PARTS: u32 = 48;

/// How long a session lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionLength {
    /// 12 hours without a use, 24 hours in all.
    Day,
    /// 7 days without a use, 30 days in all: for a device of one's own.
    Month,
}

impl SessionLength {
    const fn idle_secs(self) -> u32 {
        match self {
            Self::Day => 12 * 3600,
            Self::Month => 7 * 24 * 3600,
        }
    }

    /// From its beginning to its end, whatever its use.
    pub const fn whole(self) -> Duration {
        match self {
            Self::Day => Duration::from_secs(24 * 3600),
            Self::Month => Duration::from_secs(30 * 24 * 3600),
        }
    }
}

/// A session to begin.
#[derive(Debug, Clone, Copy)]
pub struct NewSession<'a> {
    /// The access key.
    pub key: &'a str,
    /// Its secret.
    pub secret: &'a Secret,
    /// How long it lasts.
    pub length: SessionLength,
    /// Where it is begun from.
    pub address: Option<IpAddr>,
    /// What the browser calls itself.
    pub agent: &'a str,
}

/// A session, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Public id.
    pub id: String,
    /// Whose session it is.
    pub account: AccountId,
    /// The access key that it was begun with.
    pub key: AccessKeyId,
    /// When it was begun.
    pub created: Timestamp,
    /// When it was last used, to a 48th of its idle time.
    pub seen: Timestamp,
    /// From when on it is refused unless it is used before.
    pub idle_end: Timestamp,
    /// From when on it is refused, whatever its use.
    pub expires: Timestamp,
    /// The address that it was begun from; empty if there was none.
    pub address: String,
    /// What the browser called itself, shortened.
    pub agent: String,
}

impl From<&SessionRecord> for Session {
    fn from(record: &SessionRecord) -> Self {
        Self {
            id: record.id.clone(),
            account: record.account,
            key: record.key.clone(),
            created: record.created,
            seen: record.seen,
            idle_end: record.seen.after(Duration::from_secs(record.idle_secs.into())),
            expires: record.expires,
            address: record.address.clone(),
            agent: record.agent.clone(),
        }
    }
}

/// A session in force, and whose rights it has.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The session.
    pub session: Session,
    /// The access key behind it, as it is now.
    pub credential: Arc<Credential>,
}

/// A session that was just begun. The text is not told again.
#[derive(Debug, Clone)]
pub struct IssuedSession {
    /// The session and its account.
    pub signed_in: SignedIn,
    /// What the browser keeps: `<id>_<secret>`.
    pub text: Secret,
}

#[derive(Clone)]
pub(crate) struct CachedSession {
    /// Absent while the catalog cannot say for how long it is fresh.
    mark: Option<Mark>,
    revision: Revision,
    record: Arc<SessionRecord>,
}

impl Iam {
    /// Begins a session, if key and secret belong together and may be used; none otherwise. Which of both is wrong is
    /// nobody's business.
    ///
    /// # Errors
    /// [`IamError::Store`], [`IamError::Damaged`] or [`IamError::WrongMasterKey`].
    pub async fn sign_in(&self, new: NewSession<'_>) -> Result<Option<IssuedSession>, IamError> {
        let Some(credential) = self.proved(new.key, new.secret).await? else { return Ok(None) };
        let Some(account) = credential.principal.account() else { return Ok(None) };
        let Some(key) = account.access_key.clone() else { return Ok(None) };
        let id = random_text(&self.0.random, ID_ALPHABET, ID_CHARS);
        let secret = random_alphanumeric(&self.0.random, SECRET_CHARS);
        let created = self.0.now();
        let record = SessionRecord {
            id: id.clone(),
            secret_sha256: sha256(&[secret.as_bytes()]),
            account: account.id,
            key,
            key_mark: key_mark(&secret, &credential),
            created,
            seen: created,
            idle_secs: new.length.idle_secs(),
            expires: created.after(new.length.whole()),
            address: new.address.map(|ip| ip.to_canonical().to_string()).unwrap_or_default(),
            agent: new.agent.chars().filter(|c| !c.is_control()).take(AGENT_CHARS_MAX).collect(),
        };
        let actor = credential.principal.to_string();
        for _ in 0..TRIES_MAX {
            let mut batch = Batch::new();
            batch.unchanged(keys::session(&id), None).put(keys::session(&id), record.encode());
            batch.put(keys::account_session(record.account, &id), Vec::new());
            self.make_room(record.account, &mut batch).await?;
            let details: [Fact<'_>; 2] = [("key", &record.key), ("address", &record.address)];
            batch.writes.push(self.0.event(0, "session.begun", &id, &actor, &details));
            if self.0.commit(batch).await? {
                let signed_in = SignedIn { session: Session::from(&record), credential: Arc::clone(&credential) };
                let text = Secret::new(format!("{id}_{secret}"));
                return Ok(Some(IssuedSession { signed_in, text }));
            }
        }
        Err(IamError::Conflict)
    }

    /// The session behind a text that a browser sent; none if it is malformed, unknown, wrong or over, or if its key may
    /// not be used any more.
    ///
    /// # Errors
    /// [`IamError::Store`], [`IamError::Damaged`] or [`IamError::WrongMasterKey`].
    pub async fn verify_session(&self, text: &str) -> Result<Option<SignedIn>, IamError> {
        let Some((id, secret)) = parse(text) else { return Ok(None) };
        let Some(cached) = self.0.read_session(id).await? else { return Ok(None) };
        let record = &cached.record;
        let is_right = verify_slices_are_equal(&sha256(&[secret.as_bytes()]), &record.secret_sha256).is_ok();
        if !is_right || !self.0.is_in_force(record) {
            return Ok(None);
        }
        let Lookup::Active(credential) = self.lookup(&record.key).await? else { return Ok(None) };
        let is_same_key = verify_slices_are_equal(&key_mark(secret, &credential), &record.key_mark).is_ok();
        if !is_same_key || credential.principal.account_id() != Some(record.account) {
            return Ok(None);
        }
        let session = Session::from(record.as_ref());
        self.0.note_use(cached).await;
        Ok(Some(SignedIn { session, credential }))
    }

    /// The sessions of an account that are in force, those used last first.
    ///
    /// # Errors
    /// [`IamError::Store`] or [`IamError::Damaged`].
    pub async fn list_sessions(&self, account: AccountId) -> Result<Vec<Session>, IamError> {
        let records = self.0.sessions_of(account).await?;
        let in_force = records.iter().filter(|(_, record)| self.0.is_in_force(record));
        let mut sessions: Vec<_> = in_force.map(|(_, record)| Session::from(record)).collect();
        sessions.sort_by_key(|session| std::cmp::Reverse(session.seen));
        Ok(sessions)
    }

    /// Ends a session of an account, for good.
    ///
    /// # Errors
    /// [`IamError::NotFound`] if the account has no such session.
    pub async fn end_session(&self, account: AccountId, id: &str, actor: &str) -> Result<(), IamError> {
        for _ in 0..TRIES_MAX {
            let found = self.0.read::<SessionRecord>(keys::session(id)).await?;
            let found = found.filter(|found| found.record.account == account);
            let found = found.ok_or(IamError::NotFound { what: "session" })?;
            let mut batch = Batch::new();
            batch.unchanged(keys::session(id), Some(found.revision));
            delete(&mut batch, &found.record);
            batch.writes.push(self.0.event(0, "session.ended", id, actor, &[("key", &found.record.key)]));
            if self.0.commit(batch).await? {
                return Ok(());
            }
        }
        Err(IamError::Conflict)
    }

    /// The credential of a key whose secret is the one given. A key that is unknown takes a comparison too.
    async fn proved(&self, key: &str, secret: &Secret) -> Result<Option<Arc<Credential>>, IamError> {
        let lookup = match AccessKeyId::parse(key) {
            Ok(id) => self.lookup(&id).await?,
            Err(_) => Lookup::Unknown,
        };
        match lookup {
            Lookup::Active(credential) => Ok(is_same(&credential.secret, secret).then_some(credential)),
            Lookup::Unknown | Lookup::Disabled | Lookup::Expired => {
                std::hint::black_box(is_same(&Secret::access_key(&self.0.random), secret));
                Ok(None)
            }
        }
    }

    /// Adds to the batch that what is over of an account goes, and the session that was used the longest time ago where
    /// there are as many as may be.
    async fn make_room(&self, account: AccountId, batch: &mut Batch) -> Result<(), IamError> {
        let (mut in_force, over): (Vec<_>, Vec<_>) =
            self.0.sessions_of(account).await?.into_iter().partition(|(_, record)| self.0.is_in_force(record));
        in_force.sort_by_key(|(_, record)| record.seen);
        let surplus = (in_force.len() + 1).saturating_sub(SESSIONS_PER_ACCOUNT_MAX);
        for (_, record) in over.iter().chain(in_force.iter().take(surplus)) {
            delete(batch, record);
        }
        Ok(())
    }
}

impl Inner {
    fn is_in_force(&self, record: &SessionRecord) -> bool {
        let now = self.now();
        record.expires > now && now.since(record.seen) < Duration::from_secs(record.idle_secs.into())
    }

    async fn read_session(&self, id: &str) -> Result<Option<CachedSession>, IamError> {
        let holds = |cached: &CachedSession| cached.mark.is_some_and(|mark| mark.holds(self.store.as_ref()));
        if let Some(cached) = self.sessions.get(id).filter(holds) {
            return Ok(Some(cached));
        }
        let at = keys::session(id);
        let mark = Mark::of_key(self.store.as_ref(), &at);
        let Some(found) = self.read::<SessionRecord>(at).await? else { return Ok(None) };
        let cached = CachedSession { mark, revision: found.revision, record: Arc::new(found.record) };
        self.sessions.put(id.to_owned(), cached.clone());
        Ok(Some(cached))
    }

    /// Writes down that a session is used, unless that was done a short while ago. Where it cannot be, the session ends
    /// sooner.
    async fn note_use(&self, cached: CachedSession) {
        let (record, now) = (&cached.record, self.now());
        if now.since(record.seen) < Duration::from_secs((record.idle_secs / SEEN_PARTS).into()) {
            return;
        }
        let key = keys::session(&record.id);
        let mut batch = Batch::new();
        batch.unchanged(key.clone(), Some(cached.revision));
        batch.put(key, SessionRecord { seen: now, ..record.as_ref().clone() }.encode());
        if let Err(error) = self.commit(batch).await {
            tracing::debug!(%error, "the use of a session could not be noted");
        }
    }

    /// Every session of an account that has a record.
    async fn sessions_of(&self, account: AccountId) -> Result<Vec<(Vec<u8>, SessionRecord)>, IamError> {
        let prefix = keys::account_sessions(account);
        let snapshot = self.store.snapshot().await?;
        let places = snapshot.page(Scan::prefix(&prefix), 2 * SESSIONS_PER_ACCOUNT_MAX).await?;
        let of = |place: &[u8]| [&[family::SESSION], &place[prefix.len()..]].concat();
        let wanted: Vec<_> = places.iter().map(|(place, _)| of(place)).collect();
        let entries = snapshot.get_many(wanted.clone()).await?;
        let found = wanted.into_iter().zip(entries).filter_map(|(key, entry)| Some((key, entry?)));
        found.map(|(key, entry)| Ok((key, SessionRecord::decode(&entry.value)?))).collect()
    }

    /// Adds to a batch that every session of an account goes.
    pub(crate) async fn end_sessions(&self, account: AccountId, batch: &mut Batch) -> Result<(), IamError> {
        for (_, record) in self.sessions_of(account).await? {
            delete(batch, &record);
        }
        Ok(())
    }
}

fn delete(batch: &mut Batch, record: &SessionRecord) {
    batch.delete(keys::session(&record.id)).delete(keys::account_session(record.account, &record.id));
}

/// Compares digests, so that not even the lengths of secrets are told.
fn is_same(one: &Secret, other: &Secret) -> bool {
    let digest = |secret: &Secret| sha256(&[secret.expose().as_bytes()]);
    verify_slices_are_equal(&digest(one), &digest(other)).is_ok()
}

fn key_mark(secret: &str, credential: &Credential) -> [u8; 32] {
    sha256(&[secret.as_bytes(), credential.secret.expose().as_bytes()])
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    parts.iter().for_each(|part| context.update(part));
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

/// Id and secret of `<id>_<secret>`, if they have the right length and characters.
fn parse(text: &str) -> Option<(&str, &str)> {
    let (id, secret) = text.split_once('_')?;
    let legal = id.len() == ID_CHARS
        && id.bytes().all(|b| ID_ALPHABET.contains(&b))
        && secret.len() == SECRET_CHARS
        && secret.bytes().all(|b| b.is_ascii_alphanumeric());
    legal.then_some((id, secret))
}
