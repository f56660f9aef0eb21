//! The services that seal the keys of encrypted objects.
//!
//! # Invariants
//! A file of keys that was lost or replaced is noticed: the catalog knows the newest version of each key that
//! the file had at the last start. Only a catalog that knows none gets a new file.

use super::boot::warn_unrecorded;
use anyhow::{Context, Result, bail};
use cofre_catalog::records::{KnownKey, KnownKeysRecord, Record};
use cofre_catalog::{Batch, CommitError, ReadExt, Store, StoreError, keys};
use cofre_keys::{KeyFile, KeyMark, KeyRing, LocalKeys, Vault, VaultOptions, VaultToken};
use cofre_runtime::{Clock, Random, blocking};
use cofre_settings::{BootSettings, VaultSettings};
use std::path::Path;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Opens the file of keys, and Vault if there is one. What the file sealed before Vault came stays readable.
pub(super) async fn open(
    settings: &BootSettings,
    store: &dyn Store,
    clock: &Clock,
    random: &Random,
) -> Result<KeyRing> {
    let local = open_file(settings, store, clock, random).await.context("encryption_keys_file")?;
    let Some(vault) = settings.vault.clone() else {
        return Ok(KeyRing::new(Arc::new(local), Vec::new()));
    };
    let token = settings.secrets.vault_token.clone();
    let random = random.clone();
    let vault = blocking(move || Vault::new(options(vault, token), random)).await.context("vault_address")?;
    Ok(KeyRing::new(Arc::new(vault), vec![Arc::new(local)]))
}

/// Opens the file of keys if it has what it had before, and makes it if there never was one.
async fn open_file(settings: &BootSettings, store: &dyn Store, clock: &Clock, random: &Random) -> Result<LocalKeys> {
    let entry = store.get(keys::known_keys()).await?;
    let known = entry.as_ref().map(|entry| KnownKeysRecord::decode(&entry.value)).transpose()?.unwrap_or_default();
    let path = settings.encryption_keys_file.clone();
    if !settings.accept_lost_encryption_keys {
        let found = blocking(move || KeyFile::read(&path)).await?;
        hold(&known, found.as_ref(), &settings.encryption_keys_file)?;
    }
    let (path, clock, random) = (settings.encryption_keys_file.clone(), clock.clone(), random.clone());
    let (local, marks) = blocking(move || {
        let marks = KeyFile::open(&path, &clock, &random)?.marks();
        LocalKeys::open(path, clock, random).map(|local| (local, marks))
    })
    .await?;
    let now = KnownKeysRecord { keys: marks.into_iter().map(known_key).collect() };
    if now != known {
        let mut batch = Batch::new();
        batch.unchanged(keys::known_keys(), entry.map(|entry| entry.revision)).put(keys::known_keys(), now.encode());
        match store.commit(batch).await {
            Ok(_) => {}
            Err(CommitError::Failed(_)) => bail!("another process began to use the catalog at the same time"),
            Err(CommitError::Store(error @ (StoreError::Refused(_) | StoreError::Full))) => {
                warn_unrecorded("the encryption keys of the file", &error);
            }
            Err(CommitError::Store(error)) => return Err(error.into()),
        }
    }
    Ok(local)
}

/// Refuses a file that lacks a key that it had: what that sealed would look lost, and new objects would be sealed by
/// keys of which nobody has a copy.
fn hold(known: &KnownKeysRecord, found: Option<&KeyFile>, path: &Path) -> Result<()> {
    const DO: &str = "restore the newest copy of it, or name where it is with --encryption-keys-file. If no copy is left, \
                      what those keys sealed is lost, and --accept-lost-encryption-keys starts without them";
    let path = path.display();
    if known.keys.is_empty() {
        return Ok(());
    }
    let Some(found) = found else {
        bail!("{path} is gone, and this Cofre has had encryption keys in it: {DO}");
    };
    match known.keys.iter().find(|key| !found.has(&mark(key))) {
        None => Ok(()),
        Some(key) => bail!("{path} lacks version {} of the key {:?}, which it had: {DO}", key.version, key.name),
    }
}

fn known_key(mark: KeyMark) -> KnownKey {
    let KeyMark { name, version, fingerprint } = mark;
    KnownKey { name, version, fingerprint }
}

fn mark(key: &KnownKey) -> KeyMark {
    KeyMark { name: key.name.clone(), version: key.version, fingerprint: key.fingerprint }
}

fn options(settings: VaultSettings, token: Option<String>) -> VaultOptions {
    let VaultSettings { address, mount, default_key, token_file, ca_file } = settings;
    let token = match token_file {
        Some(path) => VaultToken::File(path),
        None => VaultToken::Text(Zeroizing::new(token.unwrap_or_default())),
    };
    VaultOptions { address, mount, default_key, token, ca_file }
}
