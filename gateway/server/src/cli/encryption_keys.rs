//! `cofre encryption-keys`: the named keys of SSE-S3 and SSE-KMS, in their file. A Cofre that serves
//! takes a change within a second.

use super::print::{Printer, fields};
use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use cofre_keys::{KeyFile, NamedKey};
use cofre_runtime::{Clock, Random};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct EncryptionKeys {
    #[command(subcommand)]
    command: Command,
    /// Data directory whose file of keys this is about.
    #[arg(long, env = "COFRE_DATA", value_name = "DIR", default_value = "./cofre-data", global = true)]
    data: PathBuf,
    /// File of the keys, where it is not DIR/encryption-keys.
    #[arg(long, env = "COFRE_ENCRYPTION_KEYS_FILE", value_name = "FILE", global = true)]
    encryption_keys_file: Option<PathBuf>,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Every key.
    List,
    /// Make a key, which clients name as the key id of SSE-KMS.
    Create {
        /// Its name.
        name: String,
    },
    /// Add a version to a key, which new objects use. What older versions sealed stays readable.
    Rotate {
        /// Its name.
        name: String,
    },
    /// Use a key no more: what it sealed cannot be read until it is enabled again.
    Disable {
        /// Its name.
        name: String,
    },
    /// Use a key again.
    Enable {
        /// Its name.
        name: String,
    },
}

/// Carries the command out. Blocks.
pub(super) fn run(args: EncryptionKeys) -> Result<()> {
    let path = args.encryption_keys_file.unwrap_or_else(|| args.data.join("encryption-keys"));
    let (clock, random) = (Clock::system(), Random::system());
    let printer = Printer { json: args.json };
    let (file, name) = match args.command {
        Command::List => {
            let Some(file) = KeyFile::read(&path)? else {
                bail!("{} is not there: the first start makes it, or cofre encryption-keys create", path.display());
            };
            let keys = file.list();
            let rows: Vec<_> = keys.iter().map(json).collect();
            return printer.list(&rows, &["KEY", "STATE", "VERSIONS"], |row| {
                ["name", "state", "versions"].map(|column| text(&row[column])).to_vec()
            });
        }
        Command::Create { name } => (KeyFile::create(&path, &name, &clock, &random)?, name),
        Command::Rotate { name } => (KeyFile::rotate(&path, &name, &clock, &random)?, name),
        Command::Disable { name } => (KeyFile::set_disabled(&path, &name, true)?, name),
        Command::Enable { name } => (KeyFile::set_disabled(&path, &name, false)?, name),
    };
    let changed = file.list().into_iter().find(|key| key.name == name);
    printer.value(&changed.as_ref().map(json), |key| {
        let Some(key) = key else { return String::new() };
        fields(&[("key", text(&key["name"])), ("state", text(&key["state"])), ("versions", text(&key["versions"]))])
    })
}

fn json(key: &NamedKey) -> serde_json::Value {
    let state = if key.disabled { "disabled" } else { "active" };
    serde_json::json!({ "name": key.name, "state": state, "versions": key.versions })
}

fn text(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
