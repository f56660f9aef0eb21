//! The first start: a root account with a key, and an admin token.
//!
//! # Crash recovery
//! The secrets are random, so they must reach the operator before they count. [`Iam::bootstrap`] only
//! makes them up; the caller writes them where the operator finds them ([`FirstStart::write_files`]),
//! and [`FirstStart::commit`] then makes them true. After a crash in between, the catalog still has no
//! root, so the next start makes up new ones and overwrites the files: what was in them never worked.
//! After a crash behind the commit the files are there and right.

use crate::access_keys::IssuedKey;
use crate::accounts::{AccountIssue, NewAccount, ROOT_NAME};
use crate::admin_tokens::{IssuedToken, NewToken};
use crate::error::IamError;
use crate::lookup::Lookup;
use crate::private_file::write_private_file;
use crate::secret::GivenKey;
use crate::service::{Iam, Inner};
use cofre_catalog::keys::{self, family};
use cofre_catalog::records::{AccessKeyRecord, Record, Scope};
use cofre_catalog::{Committed, ReadExt, Scan};
use std::path::Path;
use std::sync::Arc;

/// Who the events of the first start name.
const ACTOR: &str = "internal:bootstrap";

/// What a start found.
#[derive(Debug)]
pub enum Bootstrap {
    /// Nobody is there yet: hand the secrets out, then commit.
    First(Box<FirstStart>),
    /// There is a root account; its secrets are not told again.
    Done,
}

/// Secrets of a first start, before they count.
pub struct FirstStart {
    inner: Arc<Inner>,
    issue: AccountIssue,
    token: IssuedToken,
}

impl std::fmt::Debug for FirstStart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FirstStart").field("root_key", self.root_key()).finish_non_exhaustive()
    }
}

impl Iam {
    /// Looks whether there is a root account, and makes one up if not: with the `preset` key, or a
    /// random one. If there is one, checks that the master key opens what stands in the catalog.
    ///
    /// # Errors
    /// [`IamError::WrongMasterKey`] if it does not: better now than at each request.
    pub async fn bootstrap(&self, preset: Option<GivenKey>) -> Result<Bootstrap, IamError> {
        let root = self.0.store.get(keys::account_name(ROOT_NAME)).await?;
        if root.is_some() {
            self.0.check_master_key().await?;
            self.warn_of_unused_preset(preset).await?;
            return Ok(Bootstrap::Done);
        }
        let account = NewAccount { name: ROOT_NAME.to_owned(), key: preset, ..NewAccount::default() };
        let mut issue = self.0.issue_account(account, true, ACTOR)?;
        let token = NewToken { scope: Scope::Admin, expires: None, note: "first start".to_owned() };
        let token = self.0.issue_token(&mut issue.batch, issue.events, token, ACTOR)?;
        Ok(Bootstrap::First(Box::new(FirstStart { inner: Arc::clone(&self.0), issue, token })))
    }
}

impl Iam {
    /// An operator who changes the preset expects the key to change, which would be a back door: who can
    /// set a variable could take root over. It is said rather than done.
    async fn warn_of_unused_preset(&self, preset: Option<GivenKey>) -> Result<(), IamError> {
        let Some(preset) = preset else { return Ok(()) };
        let in_force = match self.lookup(&preset.id).await? {
            Lookup::Active(credential) => credential.secret.is(&preset.secret),
            Lookup::Unknown | Lookup::Disabled | Lookup::Expired => false,
        };
        if !in_force {
            tracing::warn!(access_key_id = %preset.id, "the preset root credentials are not in force: \
                they count at the first start only; make or rotate keys through the admin API");
        }
        Ok(())
    }
}

impl FirstStart {
    /// The root account's key.
    pub fn root_key(&self) -> &IssuedKey {
        &self.issue.created.key
    }

    /// The first admin token.
    pub fn admin_token(&self) -> &IssuedToken {
        &self.token
    }

    /// Writes `credentials`, an AWS shared credentials file with the profile `default` and the region that requests are
    /// signed for, and `admin-token` into `directory`, mode 0600, in place of what was there. Blocks; on disk when it
    /// returns.
    ///
    /// # Errors
    /// [`IamError::File`].
    pub fn write_files(&self, directory: &Path, region: &str) -> Result<(), IamError> {
        let key = self.root_key();
        let credentials = zeroize::Zeroizing::new(format!(
            "[default]\naws_access_key_id = {}\naws_secret_access_key = {}\nregion = {region}\n",
            key.id,
            key.secret.expose()
        ));
        write_private_file(&directory.join("credentials"), &credentials)?;
        let token = zeroize::Zeroizing::new(format!("{}\n", self.token.text.expose()));
        write_private_file(&directory.join("admin-token"), &token)
    }

    /// Makes the secrets true.
    ///
    /// # Errors
    /// [`IamError::Conflict`] if another process had its first start meanwhile.
    pub async fn commit(&self) -> Result<(), IamError> {
        match self.issue.batch.clone().commit(&*self.inner.store).await? {
            Committed::Done(_) => Ok(()),
            Committed::Refused(_) | Committed::Changed => Err(IamError::Conflict),
        }
    }
}

impl Inner {
    async fn check_master_key(&self) -> Result<(), IamError> {
        let any = self.store.page(Scan::prefix(&[family::ACCESS_KEY]), 1).await?.pop();
        if let Some((_, entry)) = any {
            let key = AccessKeyRecord::decode(&entry.value)?;
            self.master.open(&key.id, &key.sealed_secret)?;
        }
        Ok(())
    }
}
