use super::{Context, accounts};
use crate::cli::connect::explain;
use crate::cli::print::{fields, or_dash};
use anyhow::Result;
use clap::Subcommand;
use cofre_admin_types::{CreateKey, Key, KeyCreated, PatchKey, RotateKey};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a key. The secret is shown this once.
    Create {
        /// Name or canonical id of the account.
        account: String,
        /// What it is for.
        #[arg(long, default_value = "")]
        note: String,
        /// Seconds until it is refused; never if absent.
        #[arg(long, value_name = "SECS")]
        expires_in: Option<u64>,
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

pub(super) async fn run(context: &Context, command: Command) -> Result<()> {
    let client = &context.client;
    match command {
        Command::Create { account, note, expires_in } => {
            let account = accounts::find(context, &account).await?;
            let request = CreateKey { note, expires_in_seconds: expires_in };
            show_created(context, &client.create_key(&account.id, &request).await.map_err(explain)?)
        }
        Command::List { account } => {
            let account = accounts::find(context, &account).await?;
            let keys = client.keys(&account.id).await.map_err(explain)?;
            context.printer.list(&keys, &["ACCESS KEY ID", "STATE", "CREATED", "EXPIRES", "NOTE"], |key| {
                vec![
                    key.access_key_id.clone(),
                    state(key).to_owned(),
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
    context
        .printer
        .value(&key, |key| fields(&[("access key id", key.access_key_id.clone()), ("state", state(key).to_owned())]))
}

const fn state(key: &Key) -> &'static str {
    if key.disabled { "disabled" } else { "active" }
}

fn show_created(context: &Context, created: &KeyCreated) -> Result<()> {
    context.printer.value(created, |created| {
        fields(&[
            ("access key id", created.key.access_key_id.clone()),
            ("secret access key", created.secret_access_key.clone()),
            ("expires", or_dash(created.key.expires.as_ref())),
            ("", "the secret is not shown again".to_owned()),
        ])
    })
}
