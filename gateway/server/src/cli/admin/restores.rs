use super::Context;
use crate::cli::connect::explain;
use crate::cli::print::{bytes, fields, or_dash};
use anyhow::{Result, bail};
use clap::Subcommand;
use cofre_admin_types::{CatalogRestore, UnknownContent};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// How far shards are compared with the restored catalog, and what they hold that it does not know.
    Show,
    /// Discard what stands on shards and is in no record: objects that are newer than the backup are deleted for good.
    Discard {
        /// Say that the objects newer than the backup are to be deleted.
        #[arg(long)]
        yes: bool,
    },
}

pub(super) async fn run(context: &Context, command: Command) -> Result<()> {
    let client = &context.client;
    match command {
        Command::Show => context.printer.value(&client.catalog_restore().await.map_err(explain)?, text),
        Command::Discard { yes: false } => {
            let restore = client.catalog_restore().await.map_err(explain)?;
            bail!(
                "{} newer than the backup would be deleted for good, and {} copies that are older: say so with --yes",
                objects(restore.newer.objects),
                restore.older.copies
            )
        }
        Command::Discard { yes: true } => {
            context.printer.value(&client.discard_unknown().await.map_err(explain)?, text)
        }
    }
}

fn objects(count: u64) -> String {
    format!("{count} object{}", if count == 1 { "" } else { "s" })
}

fn text(restore: &CatalogRestore) -> String {
    let content = |content: UnknownContent| {
        format!("{}, {} copies, {}", objects(content.objects), content.copies, bytes(content.bytes))
    };
    let (at, of) = match restore.found_behind {
        true => ("found behind shards", "last event"),
        false => ("restored", "backup of"),
    };
    fields(&[
        (at, restore.restored.clone()),
        (of, or_dash(restore.backup_taken.as_ref())),
        ("shards compared", format!("{} of {}", restore.shards_compared, restore.shards)),
        ("copies that had moved", restore.named_copies.to_string()),
        ("in no record, newer", content(restore.newer)),
        ("in no record, older", content(restore.older)),
        ("waits for", if restore.waiting { "cofre admin restore discard" } else { "nothing" }.to_owned()),
    ])
}
