use crate::BootError;
use std::fmt;

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
    /// Both of `COFRE_ROOT_ACCESS_KEY_ID` and `COFRE_ROOT_SECRET_ACCESS_KEY`; random ones if absent.
    pub root_credentials: Option<RootCredentials>,
    /// `COFRE_MASTER_KEY`: 32 bytes in hexadecimal or base64, instead of the master key's file.
    pub master_key: Option<String>,
    /// `COFRE_VAULT_TOKEN`: the token of Vault.
    pub vault_token: Option<String>,
}

impl Secrets {
    /// Reads them by `variable`, which looks a variable up: `|name| std::env::var(name).ok()`. An
    /// empty variable counts as absent.
    ///
    /// # Errors
    /// [`BootError::Invalid`] if one of the root credentials is given without the other.
    pub fn from_env(variable: impl Fn(&str) -> Option<String>) -> Result<Self, BootError> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let alone = |setting| {
            let reason = "set both COFRE_ROOT_ACCESS_KEY_ID and COFRE_ROOT_SECRET_ACCESS_KEY, or neither".to_owned();
            Err(BootError::Invalid { setting, reason })
        };
        let root_credentials = match (variable("COFRE_ROOT_ACCESS_KEY_ID"), variable("COFRE_ROOT_SECRET_ACCESS_KEY")) {
            (None, None) => None,
            (Some(access_key_id), Some(secret_access_key)) => {
                Some(RootCredentials { access_key_id, secret_access_key })
            }
            (Some(_), None) => return alone("COFRE_ROOT_ACCESS_KEY_ID"),
            (None, Some(_)) => return alone("COFRE_ROOT_SECRET_ACCESS_KEY"),
        };
        Ok(Self {
            root_credentials,
            master_key: variable("COFRE_MASTER_KEY"),
            vault_token: variable("COFRE_VAULT_TOKEN"),
        })
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
