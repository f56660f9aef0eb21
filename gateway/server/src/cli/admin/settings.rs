use super::Context;
use crate::cli::connect::explain;
use crate::cli::print::table;
use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use cofre_admin_types::{Change, RollbackSettings, Settings};
use serde_json::{Map, Value};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// The settings in force, or those of a revision: all, or one field.
    Get {
        /// A field, or a group of them: quotas.bucket_bytes_max, timers.
        field: Option<String>,
        /// A revision of the history.
        #[arg(long, value_name = "NUMBER")]
        revision: Option<u64>,
    },
    /// Change settings: rate_limits.burst=100, quotas.bucket_bytes_max=10GiB, log_level=debug; FIELD=null brings a default
    /// back. Prints what changed; with --json the whole document.
    Set {
        /// Fields and values, as JSON or plain text; sizes may be words, as 10GiB.
        #[arg(required = true, value_name = "FIELD=VALUE")]
        changes: Vec<String>,
        /// Why.
        #[arg(long, default_value = "")]
        note: String,
    },
    /// The revisions, newest first.
    History,
    /// What differs between two revisions.
    Diff {
        /// The revision to compare.
        from: u64,
        /// The revision to compare it with; the one in force if absent.
        to: Option<u64>,
    },
    /// Bring an earlier document back, as a new revision.
    Rollback {
        /// The revision to bring back; 0 for the defaults.
        to: u64,
        /// Why.
        #[arg(long, default_value = "")]
        note: String,
    },
}

pub(super) async fn run(context: &Context, command: Command) -> Result<()> {
    let (client, printer) = (&context.client, context.printer);
    match command {
        Command::Get { field, revision } => {
            let settings = match revision {
                None => client.settings().await.map_err(explain)?.value,
                Some(revision) => client.settings_at(revision).await.map_err(explain)?,
            };
            match field {
                None => show(context, &settings),
                Some(field) => show_field(context, &settings, &field),
            }
        }
        Command::Set { changes, note } => {
            let patch = patch(&changes)?;
            let before = client.settings().await.map_err(explain)?;
            let after = client.patch_settings(&patch, &before.etag, &note).await.map_err(explain)?.value;
            changed(context, before.value.revision, &after).await
        }
        Command::History => {
            let revisions = client.settings_history().await.map_err(explain)?;
            printer.list(&revisions, &["REVISION", "AT", "AUTHOR", "NOTE"], |revision| {
                vec![revision.revision.to_string(), revision.at.clone(), revision.author.clone(), revision.note.clone()]
            })
        }
        Command::Diff { from, to } => {
            let to = match to {
                Some(to) => to,
                None => client.settings().await.map_err(explain)?.value.revision,
            };
            let diff = client.settings_diff(from, to).await.map_err(explain)?;
            printer.list(&diff.changes, &["FIELD", "BEFORE", "AFTER"], row)
        }
        Command::Rollback { to, note } => {
            let before = client.settings().await.map_err(explain)?;
            let request = RollbackSettings { to, note };
            let after = client.rollback_settings(&request, &before.etag).await.map_err(explain)?.value;
            changed(context, before.value.revision, &after).await
        }
    }
}

/// Shows a person what a change changed, and a script the whole document.
async fn changed(context: &Context, before: u64, after: &Settings) -> Result<()> {
    if context.printer.json {
        return show(context, after);
    }
    if after.revision == before {
        return context.printer.done(&format!("nothing changed; revision {before} has it already"));
    }
    let diff = context.client.settings_diff(before, after.revision).await.map_err(explain)?;
    let rows: Vec<_> = diff.changes.iter().map(row).collect();
    context
        .printer
        .value(after, |after| format!("revision {}\n{}", after.revision, table(&["FIELD", "BEFORE", "AFTER"], &rows)))
}

fn row(change: &Change) -> Vec<String> {
    vec![change.field.clone(), change.before.to_string(), change.after.to_string()]
}

fn show(context: &Context, settings: &Settings) -> Result<()> {
    let document = serde_json::to_string_pretty(&settings.document).context("writing the document")?;
    context.printer.value(settings, |settings| format!("revision {}\n{document}\n", settings.revision))
}

/// Shows one field, or a group of them: a text as it is, all else as JSON.
fn show_field(context: &Context, settings: &Settings, field: &str) -> Result<()> {
    let document = serde_json::to_value(&settings.document).context("writing the document")?;
    let mut value = &document;
    for name in field.split('.') {
        value = match value.get(name) {
            Some(value) => value,
            None => bail!("there is no setting {field}; see: cofre admin settings get"),
        };
    }
    context.printer.value(value, |value| match value {
        Value::String(text) => format!("{text}\n"),
        value => serde_json::to_string_pretty(value).unwrap_or_default() + "\n",
    })
}

/// The value of a field: JSON, a size in words where the field is one of bytes, or else text, so that log_level=debug needs
/// no quotes.
fn value_of(field: &str, text: &str) -> Value {
    let size = || cofre_settings::parse_bytes(text).ok().filter(|_| is_size(field));
    match serde_json::from_str(text) {
        Ok(value) => value,
        Err(_) => size().map_or_else(|| Value::String(text.to_owned()), Value::from),
    }
}

/// Whether a field counts bytes, as its name says.
fn is_size(field: &str) -> bool {
    field.split(['.', '_']).any(|word| word == "bytes")
}

/// A merge patch out of `a.b=value` arguments.
fn patch(changes: &[String]) -> Result<Value> {
    let mut patch = Map::new();
    for change in changes {
        let Some((field, text)) = change.split_once('=') else {
            bail!("{change}: a change reads FIELD=VALUE, rate_limits.burst=100 for instance");
        };
        let value = value_of(field, text);
        let mut names: Vec<_> = field.split('.').collect();
        let last = names.pop().unwrap_or_default();
        let mut target = &mut patch;
        for name in names {
            let inner = target.entry(name).or_insert_with(|| Value::Object(Map::new()));
            target = inner.as_object_mut().with_context(|| format!("{field}: {name} is set to a value as well"))?;
        }
        target.insert(last.to_owned(), value);
    }
    Ok(Value::Object(patch))
}
