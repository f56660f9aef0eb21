//! Tokens of the admin API: `cofre_<id>_<secret>`.
//!
//! The secret has 256 random bits, so one SHA-256 of it is enough at rest: there is nothing to guess.
//! A verified token is read from memory while it did not change, as access keys are.

use crate::access_keys::NOTE_CHARS_MAX;
use crate::error::IamError;
use crate::secret::{Secret, random_alphanumeric, random_text};
use crate::service::{Fact, Iam, Inner, PAGE_ITEMS_MAX, Page, TRIES_MAX, readable};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use cofre_catalog::keys::{self, family};
use cofre_catalog::records::{AdminTokenRecord, Record, Scope};
use cofre_catalog::{Batch, Mark, ReadExt, Revision, Scan};
use cofre_types::{Invalid, Timestamp};
use std::sync::Arc;

/// Characters of a token's id: 12 of 36.
const ID_CHARS: usize = 12;

/// Characters of a token's secret: 43 of 62, or 256 bits.
const SECRET_CHARS: usize = 43;

/// What a token's id is made of.
const ID_ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// An admin token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminToken {
    /// Public id.
    pub id: String,
    /// What it is for.
    pub note: String,
    /// What it may do.
    pub scope: Scope,
    /// When it was made.
    pub created: Timestamp,
    /// From when on it is refused.
    pub expires: Option<Timestamp>,
}

impl From<AdminTokenRecord> for AdminToken {
    fn from(record: AdminTokenRecord) -> Self {
        let AdminTokenRecord { id, note, secret_sha256: _, scope, created, expires } = record;
        Self { id, note, scope, created, expires }
    }
}

/// A token to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// What it may do.
    pub scope: Scope,
    /// From when on it is refused; never if absent.
    pub expires: Option<Timestamp>,
    /// What it is for; at most [`NOTE_CHARS_MAX`] characters.
    pub note: String,
}

/// A token that was just made. The text is not told again.
#[derive(Debug, Clone)]
pub struct IssuedToken {
    /// The token.
    pub token: AdminToken,
    /// What a client sends: `cofre_<id>_<secret>`.
    pub text: Secret,
}

#[derive(Clone)]
pub(crate) struct CachedToken {
    mark: Mark,
    secret_sha256: [u8; 32],
    token: Arc<AdminToken>,
}

impl Iam {
    /// Makes a token.
    ///
    /// # Errors
    /// [`IamError::Invalid`].
    pub async fn create_token(&self, new: NewToken, actor: &str) -> Result<IssuedToken, IamError> {
        for _ in 0..TRIES_MAX {
            let mut batch = Batch::new();
            let issued = self.0.issue_token(&mut batch, 0, new.clone(), actor)?;
            if self.0.commit(batch).await? {
                return Ok(issued);
            }
        }
        Err(IamError::Conflict)
    }

    /// The token behind a text that a client sent; none if it is malformed, unknown, wrong, revoked or
    /// expired. Which of these is nobody's business: the answer is 401.
    ///
    /// # Errors
    /// [`IamError::Store`] or [`IamError::Damaged`].
    pub async fn verify_token(&self, text: &str) -> Result<Option<Arc<AdminToken>>, IamError> {
        let Some((id, secret)) = parse(text) else {
            return Ok(None);
        };
        let store = self.0.store.as_ref();
        let (secret_sha256, token) = match self.0.tokens.get(id).filter(|cached| cached.mark.holds(store)) {
            Some(cached) => (cached.secret_sha256, cached.token),
            None => {
                let at = keys::admin_token(id);
                let mark = Mark::of_key(store, &at);
                let Some(found) = self.0.read::<AdminTokenRecord>(at).await? else {
                    return Ok(None);
                };
                let secret_sha256 = found.record.secret_sha256;
                let token = Arc::new(AdminToken::from(found.record));
                if let Some(mark) = mark {
                    let cached = CachedToken { mark, secret_sha256, token: Arc::clone(&token) };
                    self.0.tokens.put(id.to_owned(), cached);
                }
                (secret_sha256, token)
            }
        };
        let right = verify_slices_are_equal(&sha256(secret), &secret_sha256).is_ok();
        let expired = token.expires.is_some_and(|expires| expires <= self.0.now());
        Ok((right && !expired).then_some(token))
    }

    /// Tokens by id, after `after`; at most `limit` and [`PAGE_ITEMS_MAX`].
    ///
    /// # Errors
    /// [`IamError::Store`] or [`IamError::Damaged`].
    pub async fn list_tokens(&self, after: Option<&str>, limit: usize) -> Result<Page<AdminToken>, IamError> {
        let limit = limit.clamp(1, PAGE_ITEMS_MAX);
        let mut range = Scan::prefix(&[family::ADMIN_TOKEN]);
        if let Some(after) = after {
            range = range.after(keys::admin_token(after));
        }
        let mut entries = self.0.store.page(range, limit + 1).await?;
        let more = entries.len() > limit;
        entries.truncate(limit);
        let decode = |value: &[u8]| AdminTokenRecord::decode(value).map(AdminToken::from);
        let items: Vec<_> = entries.iter().map(|(_, entry)| decode(&entry.value)).collect::<Result<_, _>>()?;
        let next = items.last().filter(|_| more).map(|last| last.id.clone());
        Ok(Page { items, next })
    }

    /// Refuses a token from now on, for good. The last token of the scope `admin` that is in force stays, unless
    /// `forced`: without one nobody can make another through the admin API.
    ///
    /// # Errors
    /// [`IamError::NotFound`]; [`IamError::Refused`] for the last one.
    pub async fn revoke_token(&self, id: &str, forced: bool, actor: &str) -> Result<(), IamError> {
        let key = keys::admin_token(id);
        for _ in 0..TRIES_MAX {
            let Some(found) = self.0.read::<AdminTokenRecord>(key.clone()).await? else {
                return Err(IamError::NotFound { what: "admin token" });
            };
            let mut batch = Batch::new();
            batch.unchanged(key.clone(), Some(found.revision)).delete(key.clone());
            if self.in_force(&found.record) && !forced {
                let (kept, revision) = self.another_admin(id).await?.ok_or(IamError::Refused {
                    reason: "it is the last token of the scope admin: make another first, or force it (then only `cofre \
                             token create --data DIR` on the server's machine makes one)",
                })?;
                batch.unchanged(kept, Some(revision));
            }
            batch.writes.push(self.0.event(0, "token.revoked", id, actor, &[("note", &found.record.note)]));
            if self.0.commit(batch).await? {
                return Ok(());
            }
        }
        Err(IamError::Conflict)
    }

    /// Whether a token lets its bearer make others now.
    fn in_force(&self, record: &AdminTokenRecord) -> bool {
        record.scope == Scope::Admin && record.expires.is_none_or(|expires| expires > self.0.now())
    }

    /// A token of the scope `admin` in force beside this one.
    async fn another_admin(&self, id: &str) -> Result<Option<(Vec<u8>, Revision)>, IamError> {
        let mut range = Scan::prefix(&[family::ADMIN_TOKEN]);
        loop {
            let page = self.0.store.page(range.clone(), PAGE_ITEMS_MAX).await?;
            let Some((last, _)) = page.last() else { return Ok(None) };
            range = range.after(last.clone());
            for (key, entry) in page {
                let record = AdminTokenRecord::decode(&entry.value)?;
                if record.id != id && self.in_force(&record) {
                    return Ok(Some((key, entry.revision)));
                }
            }
        }
    }
}

impl Inner {
    /// Adds a token to a batch; `index` is that of its event.
    pub(crate) fn issue_token(
        &self,
        batch: &mut Batch,
        index: u8,
        new: NewToken,
        actor: &str,
    ) -> Result<IssuedToken, IamError> {
        readable("note", &new.note, NOTE_CHARS_MAX)?;
        let created = self.now();
        if new.expires.is_some_and(|expires| expires <= created) {
            return Err(Invalid { field: "expires", reason: "must be in the future" }.into());
        }
        let id = random_text(&self.random, ID_ALPHABET, ID_CHARS);
        let secret = Secret::new(random_alphanumeric(&self.random, SECRET_CHARS));
        let record = AdminTokenRecord {
            id: id.clone(),
            note: new.note,
            secret_sha256: sha256(secret.expose()),
            scope: new.scope,
            created,
            expires: new.expires,
        };
        batch.unchanged(keys::admin_token(&id), None).put(keys::admin_token(&id), record.encode());
        let scope = format!("{:?}", record.scope).to_lowercase();
        let details: [Fact<'_>; 2] = [("scope", &scope), ("note", &record.note)];
        batch.writes.push(self.event(index, "token.created", &id, actor, &details));
        let text = Secret::new(format!("cofre_{id}_{}", secret.expose()));
        Ok(IssuedToken { token: record.into(), text })
    }
}

fn sha256(secret: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, secret.as_bytes()).as_ref());
    hash
}

/// Id and secret of `cofre_<id>_<secret>`, if they have the right length and characters.
fn parse(text: &str) -> Option<(&str, &str)> {
    let (id, secret) = text.strip_prefix("cofre_")?.split_once('_')?;
    let legal = id.len() == ID_CHARS
        && id.bytes().all(|b| ID_ALPHABET.contains(&b))
        && secret.len() == SECRET_CHARS
        && secret.bytes().all(|b| b.is_ascii_alphanumeric());
    legal.then_some((id, secret))
}
