use super::Context;
use crate::cli::connect::explain;
use crate::cli::print::table;
use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use cofre_admin_types::{Change, RollbackSettings, Settings};
use serde_json::{Map, Value};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// The settings in force, or those of a revision.
    Get {
        /// A revision of the history.
        #[arg(long, value_name = "NUMBER")]
        revision: Option<u64>,
    },
    /// Change settings: rate_limits.burst=100, log_level=debug; FIELD=null brings a default back. Prints what changed; with
    /// --json the whole document.
    Set {
        /// Fields and values, as JSON or plain text.
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
        Command::Get { revision: None } => show(context, &client.settings().await.map_err(explain)?.value),
        Command::Get { revision: Some(revision) } => {
            show(context, &client.settings_at(revision).await.map_err(explain)?)
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

/// A merge patch out of `a.b=value` arguments.
fn patch(changes: &[String]) -> Result<Value> {
    let mut patch = Map::new();
    for change in changes {
        let Some((field, text)) = change.split_once('=') else {
            bail!("{change}: a change reads FIELD=VALUE, rate_limits.burst=100 for instance");
        };
        // What is no JSON is text: log_level=debug needs no quotes.
        let value = serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
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
