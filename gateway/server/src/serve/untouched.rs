//! What is looked at before a first start writes anything: one that fails leaves nothing behind.

use super::boot::catalog_directory;
use super::provision::{PROVISIONED, PROVISIONED_CREDENTIALS};
use super::redundancy;
use anyhow::{Context, Result, bail};
use cofre_catalog::Embedded;
use cofre_runtime::blocking;
use cofre_settings::BootSettings;
use cofre_shards::FsBackend;
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What Cofre itself puts into its data directory, and what a file system has of its own.
const OURS: [&str; 9] = [
    "catalog",
    "credentials",
    "admin-token",
    "master.key",
    "encryption-keys",
    "shard-1",
    "lost+found",
    PROVISIONED,
    PROVISIONED_CREDENTIALS,
];

/// Files with the secrets of a first start, which another one would overwrite.
const SECRETS: [&str; 2] = ["credentials", "admin-token"];

/// Refuses a first start that cannot become one. Says nothing where there is a catalog already.
pub(super) async fn check(settings: &BootSettings) -> Result<()> {
    if Embedded::is_at(&catalog_directory(&settings.data)).await? {
        return Ok(());
    }
    let ours = settings.clone();
    blocking(move || {
        check_data(&ours)?;
        ours.shards.iter().try_for_each(|path| check_shard(path))
    })
    .await?;
    redundancy::check_width(settings.redundancy.unwrap_or(redundancy::FIRST), settings.shards.len())
}

/// The data directory holds nothing but what is Cofre's own and what the settings say is in it.
fn check_data(settings: &BootSettings) -> Result<()> {
    let data = &settings.data;
    let entries = match std::fs::read_dir(data) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("data: cannot read {}", data.display())),
    };
    if let Some(secret) = SECRETS.iter().find(|secret| data.join(secret).symlink_metadata().is_ok()) {
        bail!(
            "data: {0} has no catalog, but {secret} of a Cofre that had one: restore its catalog with `cofre catalog restore \
             BACKUP --data {0}`; for a new Cofre name another directory, or move that file away",
            data.display()
        );
    }
    let named = named(settings)?;
    let here = std::path::absolute(data)?;
    for entry in entries {
        let name = entry.with_context(|| format!("data: cannot read {}", data.display()))?.file_name();
        let known = OURS.iter().any(|ours| name == OsStr::new(ours));
        if !known && !named.iter().any(|path| path.starts_with(here.join(&name))) {
            bail!(
                "data: {} has no Cofre in it and is not empty (there is {}): name an empty or a new directory with --data",
                data.display(),
                name.display()
            );
        }
    }
    Ok(())
}

/// Every path of the settings, absolute.
fn named(settings: &BootSettings) -> Result<Vec<PathBuf>> {
    let tls = [&settings.tls, &settings.admin_tls].into_iter().flatten().flat_map(|files| [&files.cert, &files.key]);
    let vault = settings.vault.iter().flat_map(|vault| vault.token_file.iter().chain(&vault.ca_file));
    let files = [&settings.master_key_file, &settings.encryption_keys_file]
        .into_iter()
        .chain(&settings.config)
        .chain(&settings.provision);
    let paths = settings.shards.iter().chain(files).chain(tls).chain(vault);
    paths.map(|path| std::path::absolute(path).with_context(|| path.display().to_string())).collect()
}

/// Whether a shard could be made of a directory; a shard that stands there is another's, for there is no catalog.
fn check_shard(path: &Path) -> Result<()> {
    let error = match FsBackend::identity(path) {
        Ok(None) => FsBackend::check_empty(path).err(),
        Ok(Some(_)) => {
            bail!("shards: {}: the directory is a shard of another Cofre; choose an empty one", path.display())
        }
        Err(error) => Some(error),
    };
    match error {
        None => Ok(()),
        Some(error) => bail!("shards: {}: {error}", path.display()),
    }
}
