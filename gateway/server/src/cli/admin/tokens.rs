use super::Context;
use crate::cli::connect::explain;
use crate::cli::print::{fields, or_dash};
use anyhow::Result;
use clap::{Subcommand, ValueEnum};
use cofre_admin_types::{CreateToken, Scope};

/// What a token may do; each includes the ones before it.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::cli) enum ScopeArg {
    /// Look at everything but secrets.
    Read,
    /// Also run jobs, drain and label shards, and set quotas.
    Operate,
    /// Also change settings, accounts, keys and tokens, say where shards are, and take backups.
    Admin,
}

impl ScopeArg {
    /// The scope of a token.
    pub(in crate::cli) const fn domain(self) -> cofre_iam::Scope {
        match self {
            Self::Read => cofre_iam::Scope::Read,
            Self::Operate => cofre_iam::Scope::Operate,
            Self::Admin => cofre_iam::Scope::Admin,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a token. It is shown this once.
    Create {
        /// What it may do.
        #[arg(long, value_enum)]
        scope: ScopeArg,
        /// What it is for.
        #[arg(long, default_value = "")]
        note: String,
        /// Seconds until it expires; never if absent.
        #[arg(long, value_name = "SECS")]
        expires_in: Option<u64>,
    },
    /// Every token, without secrets.
    List,
    /// Refuse a token from now on, for good.
    Revoke {
        /// Public id of the token.
        id: String,
        /// Revoke it even if it is the last one of the scope admin. Then only `cofre token create --data DIR` on the
        /// server's machine makes another.
        #[arg(long)]
        force: bool,
    },
}

pub(super) async fn run(context: &Context, command: Command) -> Result<()> {
    let (client, printer) = (&context.client, context.printer);
    match command {
        Command::Create { scope, note, expires_in } => {
            let scope = match scope {
                ScopeArg::Read => Scope::Read,
                ScopeArg::Operate => Scope::Operate,
                ScopeArg::Admin => Scope::Admin,
            };
            let request = CreateToken { scope, note, expires_in_seconds: expires_in };
            let created = client.create_token(&request).await.map_err(explain)?;
            printer.value(&created, |created| {
                fields(&[
                    ("id", created.token.id.clone()),
                    ("scope", created.token.scope.name().to_owned()),
                    ("expires", or_dash(created.token.expires.as_ref())),
                    ("token", created.secret.clone()),
                    ("", "the token is not shown again".to_owned()),
                ])
            })
        }
        Command::List => {
            let tokens = client.tokens().await.map_err(explain)?;
            printer.list(&tokens, &["ID", "SCOPE", "CREATED", "EXPIRES", "NOTE"], |token| {
                vec![
                    token.id.clone(),
                    token.scope.name().to_owned(),
                    token.created.clone(),
                    or_dash(token.expires.as_ref()),
                    token.note.clone(),
                ]
            })
        }
        Command::Revoke { id, force } => {
            client.revoke_token(&id, force).await.map_err(explain)?;
            printer.done(&format!("revoked the token {id}"))
        }
    }
}
