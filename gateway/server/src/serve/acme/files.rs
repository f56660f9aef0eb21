//! What is kept of the authority in the data directory: the account there, and the certificate with its key.

use anyhow::{Context, Result, ensure};
use instant_acme::AccountCredentials;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Version of both files.
const FORMAT: u8 = 1;

/// Longest of these files, in bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// The account at an authority.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredAccount {
    format: u8,
    /// URL of the authority's directory.
    pub(super) directory: String,
    pub(super) credentials: AccountCredentials,
}

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoredCertificate {
    format: u8,
    /// URL of the directory of the authority that it is of.
    pub(super) directory: String,
    /// Names that were asked for.
    pub(super) domains: Vec<String>,
    /// The certificate and those between it and the authority's, PEM.
    pub(super) chain: String,
    /// Its private key, PEM.
    pub(super) key: String,
}

impl StoredAccount {
    pub(super) const fn new(directory: String, credentials: AccountCredentials) -> Self {
        Self { format: FORMAT, directory, credentials }
    }
}

impl StoredCertificate {
    pub(super) const fn new(directory: String, domains: Vec<String>, chain: String, key: String) -> Self {
        Self { format: FORMAT, directory, domains, chain, key }
    }
}

/// The directory of these files. All that it does blocks.
#[derive(Debug, Clone)]
pub(super) struct Files(PathBuf);

impl Files {
    /// Those of a data directory.
    pub(super) fn of(data: &Path) -> Self {
        Self(data.join("acme"))
    }

    /// The account, if there is one.
    pub(super) fn account(&self) -> Result<Option<StoredAccount>> {
        self.read("account.json", |account: &StoredAccount| account.format)
    }

    pub(super) fn keep_account(&self, account: &StoredAccount) -> Result<()> {
        self.write("account.json", &serde_json::to_string_pretty(account)?)
    }

    /// Forgets the account: the authority does not know it any more.
    pub(super) fn forget_account(&self) -> Result<()> {
        match fs::remove_file(self.0.join("account.json")) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// The certificate, if there is one.
    pub(super) fn certificate(&self) -> Result<Option<StoredCertificate>> {
        self.read("certificate.json", |certificate: &StoredCertificate| certificate.format)
    }

    pub(super) fn keep_certificate(&self, certificate: &StoredCertificate) -> Result<()> {
        self.write("certificate.json", &serde_json::to_string_pretty(certificate)?)
    }

    fn read<T: DeserializeOwned>(&self, name: &str, format: impl Fn(&T) -> u8) -> Result<Option<T>> {
        let path = self.0.join(name);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| path.display().to_string()),
        };
        let mut text = String::new();
        file.take(FILE_BYTES_MAX).read_to_string(&mut text).with_context(|| path.display().to_string())?;
        let stored: T = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
        ensure!(format(&stored) == FORMAT, "{}: it has a format of a later cofre", path.display());
        Ok(Some(stored))
    }

    /// After a crash the old or the new content is there, whole.
    fn write(&self, name: &str, text: &str) -> Result<()> {
        let (path, new) = (self.0.join(name), self.0.join(format!("{name}.new")));
        let write = || {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0)?;
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&new, &path)?;
            File::open(&self.0)?.sync_all()
        };
        write().with_context(|| path.display().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// A certificate as version 1 keeps it.
    const SAMPLE: &str = r#"{"format": 1, "directory": "https://ca.example/dir", "domains": ["s3.example", "*.s3.example"],
        "chain": "CHAIN", "key": "KEY"}"#;

    #[test]
    fn what_is_kept_is_private_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::of(folder.path());
        assert!(files.certificate().unwrap().is_none() && files.account().unwrap().is_none());
        let domains = vec!["s3.example".to_owned(), "*.s3.example".to_owned()];
        let kept = StoredCertificate::new("https://ca.example/dir".to_owned(), domains, "CHAIN".into(), "KEY".into());
        for _ in 0..2 {
            files.keep_certificate(&kept).unwrap();
            assert_eq!(files.certificate().unwrap().as_ref(), Some(&kept));
        }
        let path = folder.path().join("acme/certificate.json");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&path, SAMPLE).unwrap();
        assert_eq!(files.certificate().unwrap(), Some(kept));
        fs::write(&path, SAMPLE.replace("\"format\": 1", "\"format\": 2")).unwrap();
        assert!(files.certificate().unwrap_err().to_string().contains("later cofre"));
        fs::write(&path, "{").unwrap();
        assert!(files.certificate().is_err());
    }
}
