use super::{Context, accounts};
use crate::cli::connect::explain;
use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use cofre_admin_types::SetKeyPolicy;
use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;

/// Longest file of a policy that is read, in bytes: more than the server takes.
const POLICY_BYTES_MAX: u64 = 64 * 1024;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Every key that has a policy. A key without one is used by whoever may do what it is used for.
    Policies,
    /// The policy of a key.
    Policy {
        /// Name of the key.
        name: String,
    },
    /// Set who may use a key, and for what. What is encrypted already stays as it is.
    SetPolicy {
        /// Name of the key, which need not be there yet.
        name: String,
        /// Name or canonical id of an account that may use it; may be given more than once. Nobody else may then, but for
        /// the root account.
        #[arg(long = "only", value_name = "ACCOUNT", required_unless_present = "file", conflicts_with = "file")]
        only: Vec<String>,
        /// File of a policy in the language of AWS's key policies; - for standard input.
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Take the policy of a key back: whoever may do what it is used for may use it again.
    DeletePolicy {
        /// Name of the key.
        name: String,
    },
}

pub(super) async fn run(context: &Context, command: Command) -> Result<()> {
    let (client, printer) = (&context.client, context.printer);
    match command {
        Command::Policies => {
            let policies = client.key_policies().await.map_err(explain)?;
            printer.list(&policies, &["KEY", "SET", "BYTES"], |policy| {
                vec![policy.key.clone(), policy.set.clone(), policy.policy.len().to_string()]
            })
        }
        Command::Policy { name } => {
            let policy = client.key_policy(&name).await.map_err(explain)?;
            printer.value(&policy, |policy| format!("{}\n", policy.policy.trim_end()))
        }
        Command::SetPolicy { name, only, file } => {
            let policy = match file {
                Some(path) => read(&path).with_context(|| format!("--file {}", path.display()))?,
                None => only_for(context, &only).await?,
            };
            let policy = client.set_key_policy(&name, &SetKeyPolicy { policy }).await.map_err(explain)?;
            printer.value(&policy, |policy| format!("set the policy of the encryption key {}\n", policy.key))
        }
        Command::DeletePolicy { name } => {
            client.delete_key_policy(&name).await.map_err(explain)?;
            printer.done(&format!("the encryption key {name} has no policy: everyone may use it"))
        }
    }
}

/// The policy that lets some accounts do everything with a key.
async fn only_for(context: &Context, only: &[String]) -> Result<String> {
    let mut ids = Vec::with_capacity(only.len());
    for account in only {
        ids.push(accounts::find(context, account).await?.id);
    }
    let statement = serde_json::json!({
        "Effect": "Allow", "Principal": { "CanonicalUser": ids }, "Action": "kms:*", "Resource": "*",
    });
    let policy = serde_json::json!({ "Version": "2012-10-17", "Statement": [statement] });
    Ok(serde_json::to_string_pretty(&policy)?)
}

fn read(path: &PathBuf) -> Result<String> {
    let mut text = String::new();
    if path.as_os_str() == "-" {
        std::io::stdin().take(POLICY_BYTES_MAX + 1).read_to_string(&mut text)?;
    } else {
        File::open(path)?.take(POLICY_BYTES_MAX + 1).read_to_string(&mut text)?;
    }
    if text.len() as u64 > POLICY_BYTES_MAX {
        bail!("it has more than {POLICY_BYTES_MAX} bytes");
    }
    Ok(text)
}
