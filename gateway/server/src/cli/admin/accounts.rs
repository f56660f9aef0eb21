use super::Context;
use super::keys::Import;
use super::quota::{self, Limit};
use crate::cli::connect::explain;
use crate::cli::print::{bytes, counted, fields, or_dash};
use anyhow::{Result, bail};
use clap::Subcommand;
use cofre_admin_types::{Account, CreateAccount, PatchAccount};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make an account and its first key. The secret is shown this once.
    Create {
        /// Unique name.
        name: String,
        /// E-mail address, unique; none if absent.
        #[arg(long, default_value = "", hide_default_value = true)]
        email: String,
        #[command(flatten)]
        key: Import,
        /// Most buckets it may own; no bound of its own if absent.
        #[arg(long, value_name = "COUNT")]
        buckets_max: Option<u32>,
    },
    /// Every account.
    List,
    /// One account.
    Show {
        /// Name or canonical id.
        account: String,
    },
    /// Refuse all keys of an account from now on.
    Disable {
        /// Name or canonical id.
        account: String,
    },
    /// Accept the keys of an account again.
    Enable {
        /// Name or canonical id.
        account: String,
    },
    /// Set what all buckets of an account together may hold, or show it if no limit is given. A limit that is not given
    /// stays; `none` removes it, so that the one of the settings holds.
    Quota {
        /// Name or canonical id.
        account: String,
        /// Most bytes, over all versions and parts of uploads: as 30GiB, or none.
        #[arg(long = "bytes", alias = "bytes-max", value_name = "BYTES", value_parser = Limit::of_bytes)]
        bytes_max: Option<Limit>,
        /// Most objects, over all versions, or none.
        #[arg(long = "objects", alias = "objects-max", value_name = "COUNT", value_parser = Limit::of_count)]
        objects_max: Option<Limit>,
    },
    /// Delete an account that owns no bucket, and its keys.
    Delete {
        /// Name or canonical id.
        account: String,
    },
}

pub(super) async fn run(context: &Context, command: Command) -> Result<()> {
    let (client, printer) = (&context.client, context.printer);
    match command {
        Command::Create { name, email, key, buckets_max } => {
            let request = CreateAccount { display_name: name, email, buckets_max, key: key.key()? };
            let created = client.create_account(&request).await.map_err(explain)?;
            printer.value(&created, |created| {
                fields(&[
                    ("id", created.account.id.clone()),
                    ("display name", created.account.display_name.clone()),
                    ("access key id", created.access_key_id.clone()),
                    ("secret access key", created.secret_access_key.clone()),
                    ("", "the secret is not shown again".to_owned()),
                ])
            })
        }
        Command::List => {
            let accounts = client.accounts().await.map_err(explain)?;
            let headers = ["NAME", "E-MAIL", "ID", "STATE", "ROOT", "BUCKETS MAX", "CREATED"];
            printer.list(&accounts, &headers, |account| {
                vec![
                    account.display_name.clone(),
                    or_dash(Some(&account.email).filter(|email| !email.is_empty())),
                    account.id.clone(),
                    state(account.disabled).to_owned(),
                    if account.root { "yes" } else { "-" }.to_owned(),
                    or_dash(account.buckets_max),
                    account.created.clone(),
                ]
            })
        }
        Command::Show { account } => show(context, &find(context, &account).await?),
        Command::Disable { account } => set_disabled(context, &account, true).await,
        Command::Enable { account } => set_disabled(context, &account, false).await,
        Command::Quota { account, bytes_max, objects_max } => {
            let found = find(context, &account).await?;
            match quota::changed(&found.quota, bytes_max, objects_max) {
                None => show(context, &found),
                Some(quota) => show(context, &client.set_account_quota(&found.id, &quota).await.map_err(explain)?),
            }
        }
        Command::Delete { account } => {
            let found = find(context, &account).await?;
            client.delete_account(&found.id).await.map_err(explain)?;
            printer.done(&format!("deleted the account {}", found.display_name))
        }
    }
}

async fn set_disabled(context: &Context, account: &str, disabled: bool) -> Result<()> {
    let id = find(context, account).await?.id;
    let patch = PatchAccount { disabled: Some(disabled) };
    show(context, &context.client.patch_account(&id, &patch).await.map_err(explain)?)
}

fn show(context: &Context, account: &Account) -> Result<()> {
    context.printer.value(account, |account| {
        let usage = &account.usage;
        fields(&[
            ("id", account.id.clone()),
            ("display name", account.display_name.clone()),
            ("e-mail", or_dash(Some(&account.email).filter(|email| !email.is_empty()))),
            ("state", state(account.disabled).to_owned()),
            ("root", if account.root { "yes" } else { "no" }.to_owned()),
            ("buckets max", or_dash(account.buckets_max)),
            ("bytes max", or_dash(account.quota.bytes_max.map(bytes))),
            ("objects max", or_dash(account.quota.objects_max)),
            (
                "owns",
                format!(
                    "{}, {}, {}",
                    counted(usage.buckets, "bucket"),
                    counted(usage.objects, "object"),
                    bytes(usage.bytes)
                ),
            ),
            ("in grace", bytes(usage.grace_bytes)),
            ("created", account.created.clone()),
        ])
    })
}

/// The state of an account or a key, in the words of events.
pub(super) const fn state(disabled: bool) -> &'static str {
    if disabled { "disabled" } else { "enabled" }
}

/// The account with this canonical id, or this name.
pub(super) async fn find(context: &Context, account: &str) -> Result<Account> {
    if account.len() == 64 && account.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return context.client.account(account).await.map_err(explain);
    }
    let accounts = context.client.accounts().await.map_err(explain)?;
    match accounts.into_iter().find(|found| found.display_name.eq_ignore_ascii_case(account)) {
        Some(found) => Ok(found),
        None => bail!("there is no account {account}; see: cofre admin account list"),
    }
}
