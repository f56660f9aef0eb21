use super::BootArgs;
use crate::error::BootError;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Longest file of a secret, in bytes.
const SECRET_BYTES_MAX: u64 = 4096;

/// Credentials of the root account that an operator presets; used at the first start only.
#[derive(Clone, PartialEq, Eq)]
pub struct RootCredentials {
    /// `COFRE_ROOT_ACCESS_KEY_ID`.
    pub access_key_id: String,
    /// `COFRE_ROOT_SECRET_ACCESS_KEY`.
    pub secret_access_key: String,
}

impl fmt::Debug for RootCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RootCredentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// Secrets from the environment. They have neither flag nor key in the file: a flag shows in the
/// process list, and configuration files get copied about.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets {
    /// Both of `COFRE_ROOT_ACCESS_KEY_ID` and `COFRE_ROOT_SECRET_ACCESS_KEY`, each of them or the file that the variable
    /// with `_FILE` at its end names, or what a service manager hands over as `root-access-key-id` and
    /// `root-secret-access-key`; random ones if absent.
    pub root_credentials: Option<RootCredentials>,
    /// `COFRE_MASTER_KEY`: 32 bytes in hexadecimal or base64, instead of the master key's file.
    pub master_key: Option<String>,
    /// `COFRE_VAULT_TOKEN`: the token of Vault.
    pub vault_token: Option<String>,
}

/// Where a service manager puts what it hands over (systemd, "Credentials").
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// The file that a service manager hands over under this name, if there is one: `tls-key`, `admin-token`. `variable`
/// looks a variable of the environment up. Blocks.
pub fn credential(variable: impl Fn(&str) -> Option<String>, name: &str) -> Option<PathBuf> {
    let directory = variable(CREDENTIALS).filter(|directory| !directory.is_empty())?;
    let path = Path::new(&directory).join(name);
    path.is_file().then_some(path)
}

/// The settings that are files, as far as a service manager hands them over.
pub(super) fn handed_over(variable: impl Fn(&str) -> Option<String>) -> BootArgs {
    let file = |name| credential(&variable, name);
    BootArgs {
        tls_cert: file("tls-cert"),
        tls_key: file("tls-key"),
        admin_tls_cert: file("admin-tls-cert"),
        admin_tls_key: file("admin-tls-key"),
        provision: file("provision"),
        master_key_file: file("master-key"),
        vault_token_file: file("vault-token").filter(|_| variable("COFRE_VAULT_TOKEN").is_none_or(|it| it.is_empty())),
        ..BootArgs::default()
    }
}

impl Secrets {
    /// Reads them by `variable`, which looks a variable up: `|name| std::env::var(name).ok()`. An
    /// empty variable counts as absent. Blocks to read the files of root credentials.
    ///
    /// # Errors
    /// [`BootError::Invalid`] if one of the root credentials is given without the other, or twice, or if its file cannot
    /// be read.
    pub fn from_env(variable: impl Fn(&str) -> Option<String>) -> Result<Self, BootError> {
        let direct = |name: &str| variable(name).filter(|value| !value.is_empty());
        let handed = |name| credential(&variable, name).map(|path| read_secret(CREDENTIALS, &path)).transpose();
        let root = |name: &'static str, file: &'static str, credential| match (direct(name), direct(file)) {
            (None, None) => handed(credential),
            (value, None) => Ok(value),
            (None, Some(path)) => read_secret(file, Path::new(&path)).map(Some),
            (Some(_), Some(_)) => {
                Err(BootError::Invalid { setting: file, reason: format!("and {name} are both set; keep one") })
            }
        };
        let alone = |setting| {
            let reason =
                "set both COFRE_ROOT_ACCESS_KEY_ID and COFRE_ROOT_SECRET_ACCESS_KEY, or their files, or neither"
                    .to_owned();
            Err(BootError::Invalid { setting, reason })
        };
        let access_key_id = root("COFRE_ROOT_ACCESS_KEY_ID", "COFRE_ROOT_ACCESS_KEY_ID_FILE", "root-access-key-id")?;
        let secret_access_key =
            root("COFRE_ROOT_SECRET_ACCESS_KEY", "COFRE_ROOT_SECRET_ACCESS_KEY_FILE", "root-secret-access-key")?;
        let root_credentials = match (access_key_id, secret_access_key) {
            (None, None) => None,
            (Some(access_key_id), Some(secret_access_key)) => {
                Some(RootCredentials { access_key_id, secret_access_key })
            }
            (Some(_), None) => return alone("COFRE_ROOT_ACCESS_KEY_ID"),
            (None, Some(_)) => return alone("COFRE_ROOT_SECRET_ACCESS_KEY"),
        };
        Ok(Self { root_credentials, master_key: direct("COFRE_MASTER_KEY"), vault_token: direct("COFRE_VAULT_TOKEN") })
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets")
            .field("root_credentials", &self.root_credentials)
            .field("master_key", &self.master_key.as_ref().map(|_| "redacted"))
            .field("vault_token", &self.vault_token.as_ref().map(|_| "redacted"))
            .finish()
    }
}

/// The text of a file without the end of its line.
fn read_secret(variable: &'static str, path: &Path) -> Result<String, BootError> {
    let unreadable = |reason: String| BootError::Invalid {
        setting: variable,
        reason: format!("cannot read {}: {reason}", path.display()),
    };
    let file = std::fs::File::open(path).map_err(|error| unreadable(error.to_string()))?;
    let mut text = String::new();
    file.take(SECRET_BYTES_MAX + 1).read_to_string(&mut text).map_err(|error| unreadable(error.to_string()))?;
    if text.len() as u64 > SECRET_BYTES_MAX {
        return Err(unreadable("it has more than 4,096 bytes".to_owned()));
    }
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    if text.is_empty() { Err(unreadable("it is empty".to_owned())) } else { Ok(text) }
}
