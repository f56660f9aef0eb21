//! `cofre token`: admin tokens without the admin API, for who has lost the last one.

use super::admin::ScopeArg;
use super::print::{Printer, fields};
use crate::serve::catalog_directory;
use anyhow::{Context, Result, anyhow, bail};
use clap::{Args, Subcommand};
use cofre_catalog::{Embedded, EmbeddedOptions, StoreError};
use cofre_iam::{Iam, IssuedToken, NewToken, Scope};
use cofre_runtime::{Clock, Random};
use cofre_types::Timestamp;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Who events name for what is done here: whoever may write the data directory.
const ACTOR: &str = "local:token";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make an admin token in the data directory of a Cofre that does not run. It is shown this once.
    Create(CreateArgs),
}

#[derive(Debug, Args)]
pub(super) struct CreateArgs {
    /// Data directory of the Cofre.
    #[arg(long, env = "COFRE_DATA", value_name = "DIR")]
    data: PathBuf,
    /// What it may do.
    #[arg(long, value_enum, default_value = "admin")]
    scope: ScopeArg,
    /// What it is for.
    #[arg(long, default_value = "made on the server's machine")]
    note: String,
    /// Seconds until it expires; never if absent.
    #[arg(long, value_name = "SECS")]
    expires_in: Option<u64>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(command: Command) -> Result<()> {
    let Command::Create(args) = command;
    let catalog = catalog_directory(&args.data);
    if !Embedded::is_at(&catalog).await? {
        bail!("--data {}: there is no Cofre in it", args.data.display());
    }
    refuse_another_user(&catalog)?;
    let issued = create(&args, &catalog).await?;
    let answer = serde_json::json!({
        "id": issued.token.id,
        "scope": scope_name(issued.token.scope),
        "note": issued.token.note,
        "secret": issued.text.expose(),
    });
    Printer { json: args.json }.value(&answer, |_| {
        fields(&[
            ("id", issued.token.id.clone()),
            ("scope", scope_name(issued.token.scope).to_owned()),
            ("token", issued.text.expose().to_owned()),
            ("", "the token is not shown again".to_owned()),
        ])
    })
}

async fn create(args: &CreateArgs, catalog: &Path) -> Result<IssuedToken> {
    let (clock, random) = (Clock::system(), Random::system());
    let options = EmbeddedOptions { random: random.clone(), ..EmbeddedOptions::default() };
    let store = Embedded::open(catalog, options, clock.clone()).await.map_err(|error| match error {
        StoreError::InUse(_) => anyhow!(
            "--data {}: a Cofre runs on it: stop it first, or use `cofre admin token create` with a token that is known",
            args.data.display()
        ),
        error => anyhow!("--data {}: {error}", args.data.display()),
    })?;
    let store = Arc::new(store);
    let iam = Iam::without_master_key(store.clone(), clock.clone(), random)?;
    let in_seconds = |seconds| Timestamp(clock.now_nanos()).after(Duration::from_secs(seconds));
    let new =
        NewToken { scope: args.scope.domain(), expires: args.expires_in.map(in_seconds), note: args.note.clone() };
    let issued = iam.create_token(new, ACTOR).await;
    store.close().await.context("closing the catalog")?;
    Ok(issued?)
}

/// What another user makes in the catalog, the one that serves from it could not read.
fn refuse_another_user(catalog: &Path) -> Result<()> {
    let owner = std::fs::metadata(catalog).with_context(|| catalog.display().to_string())?.uid();
    if rustix::process::geteuid().as_raw() != owner {
        bail!("{} belongs to the user {owner}: run this as that user (sudo -u '#{owner}')", catalog.display());
    }
    Ok(())
}

const fn scope_name(scope: Scope) -> &'static str {
    match scope {
        Scope::Read => "read",
        Scope::Operate => "operate",
        Scope::Admin => "admin",
    }
}
