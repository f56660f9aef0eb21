//! The services that seal the keys of encrypted objects.

use anyhow::{Context, Result};
use cofre_keys::{KeyRing, LocalKeys, Vault, VaultOptions, VaultToken};
use cofre_runtime::{Clock, Random, blocking};
use cofre_settings::{BootSettings, VaultSettings};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Opens the file of keys, and Vault if there is one. What the file sealed before Vault came stays readable.
pub(super) async fn open(settings: &BootSettings, clock: &Clock, random: &Random) -> Result<KeyRing> {
    let (path, clock, random) = (settings.encryption_keys_file.clone(), clock.clone(), random.clone());
    let local = blocking(move || LocalKeys::open(path, clock, random)).await.context("encryption_keys_file")?;
    let Some(vault) = settings.vault.clone() else {
        return Ok(KeyRing::new(Arc::new(local), Vec::new()));
    };
    let token = settings.secrets.vault_token.clone();
    let vault = blocking(move || Vault::new(options(vault, token))).await.context("vault_address")?;
    Ok(KeyRing::new(Arc::new(vault), vec![Arc::new(local)]))
}

fn options(settings: VaultSettings, token: Option<String>) -> VaultOptions {
    let VaultSettings { address, mount, default_key, token_file, ca_file } = settings;
    let token = match token_file {
        Some(path) => VaultToken::File(path),
        None => VaultToken::Text(Zeroizing::new(token.unwrap_or_default())),
    };
    VaultOptions { address, mount, default_key, token, ca_file }
}
