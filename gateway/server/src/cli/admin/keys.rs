use super::{Context, accounts};
use crate::cli::connect::explain;
use crate::cli::print::{fields, or_dash};
use anyhow::{Context as _, Result};
use clap::Subcommand;
use cofre_admin_types::{CreateKey, ImportKey, KeyCreated, PatchKey, RotateKey};
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a key, or take one that is brought from elsewhere. The secret is shown this once.
    Create {
        /// Name or canonical id of the account.
        account: String,
        /// What it is for.
        #[arg(long, default_value = "")]
        note: String,
        /// Seconds until it is refused; never if absent.
        #[arg(long, value_name = "SECS")]
        expires_in: Option<u64>,
        #[command(flatten)]
        import: Import,
    },
    /// Every key of an account.
    List {
        /// Name or canonical id of the account.
        account: String,
    },
    /// Make a new key in the place of an old one. The secret is shown this once.
    Rotate {
        /// Access key id.
        key: String,
        /// Seconds for which the old key stays good.
        #[arg(long, value_name = "SECS", default_value_t = 0)]
        keep_old: u64,
    },
    /// Refuse a key from now on.
    Disable {
        /// Access key id.
        key: String,
    },
    /// Accept a key again.
    Enable {
        /// Access key id.
        key: String,
    },
    /// Delete a key.
    Delete {
        /// Access key id.
        key: String,
    },
}

/// A key that is brought from elsewhere.
#[derive(Debug, clap::Args)]
pub(super) struct Import {
    /// Id of a key that is brought from elsewhere: 3 to 128 letters, digits, '_' and '-'.
    #[arg(long, value_name = "ID", requires = "secret_file")]
    access_key_id: Option<String>,
    /// File that holds the secret of that key, of 16 to 128 characters; - for standard input. An argument would show in
    /// the process list.
    #[arg(long, value_name = "FILE", requires = "access_key_id")]
    secret_file: Option<PathBuf>,
}

/// Longest file of a secret, in bytes.
const SECRET_BYTES_MAX: u64 = 4096;

impl Import {
    /// The key, if one is given.
    pub(super) fn key(self) -> Result<Option<ImportKey>> {
        let (Some(access_key_id), Some(path)) = (self.access_key_id, self.secret_file) else { return Ok(None) };
        let mut secret = String::new();
        let read = if path.as_os_str() == "-" {
            std::io::stdin().take(SECRET_BYTES_MAX).read_to_string(&mut secret)
        } else {
            File::open(&path).and_then(|file| file.take(SECRET_BYTES_MAX).read_to_string(&mut secret))
        };
        read.with_context(|| format!("--secret-file {}", path.display()))?;
        Ok(Some(ImportKey { access_key_id, secret_access_key: secret.trim_end_matches(['\r', '\n']).to_owned() }))
    }
}

pub(super) async fn run(context: &Context, command: Command) -> Result<()> {
    let client = &context.client;
    match command {
        Command::Create { account, note, expires_in, import } => {
            let account = accounts::find(context, &account).await?;
            let request = CreateKey { note, expires_in_seconds: expires_in, import: import.key()? };
            show_created(context, &client.create_key(&account.id, &request).await.map_err(explain)?)
        }
        Command::List { account } => {
            let account = accounts::find(context, &account).await?;
            let keys = client.keys(&account.id).await.map_err(explain)?;
            context.printer.list(&keys, &["ACCESS KEY ID", "STATE", "CREATED", "EXPIRES", "NOTE"], |key| {
                vec![
                    key.access_key_id.clone(),
                    accounts::state(key.disabled).to_owned(),
                    key.created.clone(),
                    or_dash(key.expires.as_ref()),
                    key.note.clone(),
                ]
            })
        }
        Command::Rotate { key, keep_old } => {
            let request = RotateKey { keep_old_seconds: keep_old };
            show_created(context, &client.rotate_key(&key, &request).await.map_err(explain)?)
        }
        Command::Disable { key } => set_disabled(context, &key, true).await,
        Command::Enable { key } => set_disabled(context, &key, false).await,
        Command::Delete { key } => {
            client.delete_key(&key).await.map_err(explain)?;
            context.printer.done(&format!("deleted the key {key}"))
        }
    }
}

async fn set_disabled(context: &Context, key: &str, disabled: bool) -> Result<()> {
    let key = context.client.patch_key(key, &PatchKey { disabled: Some(disabled) }).await.map_err(explain)?;
    context.printer.value(&key, |key| {
        fields(&[("access key id", key.access_key_id.clone()), ("state", accounts::state(key.disabled).to_owned())])
    })
}

fn show_created(context: &Context, created: &KeyCreated) -> Result<()> {
    context.printer.value(created, |created| {
        fields(&[
            ("access key id", created.key.access_key_id.clone()),
            ("account", created.key.account_name.clone()),
            ("secret access key", created.secret_access_key.clone()),
            ("expires", or_dash(created.key.expires.as_ref())),
            ("", "the secret is not shown again".to_owned()),
        ])
    })
}
