use super::{Context, shards};
use crate::cli::connect::explain;
use crate::cli::print::{bytes, copies_of, fields, or_dash, table};
use anyhow::Result;
use cofre_admin_types::{CopyCheck, InspectQuery, InspectedBlob, InspectedCopy, InspectedObject, InspectedVersion};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The object.
    #[arg(value_name = "s3://BUCKET/KEY", value_parser = object)]
    object: (String, String),
    /// One of its versions; all of them if absent.
    #[arg(long)]
    version: Option<String>,
    /// Read every byte of every copy or piece.
    #[arg(long)]
    check: bool,
}

fn object(text: &str) -> Result<(String, String), String> {
    let path = text.strip_prefix("s3://").ok_or("an object reads s3://BUCKET/KEY")?;
    let (bucket, key) =
        path.split_once('/').filter(|(_, key)| !key.is_empty()).ok_or("an object reads s3://BUCKET/KEY")?;
    Ok((bucket.to_owned(), key.to_owned()))
}

pub(super) async fn run(context: &Context, args: Args) -> Result<()> {
    let (bucket, key) = args.object;
    let query = InspectQuery { bucket, key, version: args.version, check: args.check };
    let object = context.client.inspect(&query).await.map_err(explain)?;
    context.printer.value(&object, text)
}

fn text(object: &InspectedObject) -> String {
    object.versions.iter().map(version).collect::<Vec<_>>().join("\n")
}

fn version(version: &InspectedVersion) -> String {
    let kind = if version.delete_marker { "delete marker" } else { "object" };
    let mut text = fields(&[
        ("version", format!("{}{}", version.version, if version.current { ", current" } else { "" })),
        ("kind", kind.to_owned()),
        ("modified", version.modified.clone()),
        ("size", format!("{} ({})", bytes(version.size), version.size)),
        ("storage class", version.storage_class.clone()),
        ("wanted redundancy", version.wanted_redundancy.clone()),
        ("encryption", or_dash(version.encryption.as_ref())),
    ]);
    for found in &version.blobs {
        text.push('\n');
        text.push_str(&blob(found));
    }
    if version.more {
        text.push_str("\nand more blobs\n");
    }
    text
}

fn blob(blob: &InspectedBlob) -> String {
    if !blob.recorded {
        return fields(&[("blob", blob.id.clone()), ("record", "there is none: its bytes are lost".to_owned())]);
    }
    let suspects: Vec<_> = blob.suspects.iter().map(u32::to_string).collect();
    let waits = blob.waits_since.as_ref().map(|since| format!("since {since}, suspects {}", suspects.join(",")));
    let mut text = fields(&[
        ("blob", blob.id.clone()),
        ("part", or_dash(blob.part)),
        ("size", bytes(blob.size)),
        ("references", blob.references.to_string()),
        ("redundancy", redundancy(blob)),
        ("written", blob.written.clone()),
        ("waits to be healed", or_dash(waits)),
    ]);
    let in_pieces = copies_of(&blob.redundancy) == "pieces";
    let rows: Vec<_> = blob.copies.iter().map(|found| copy(found, in_pieces)).collect();
    text.push_str(&table(&["SHARD", "STATE", "PIECE", "LOCATOR", "CHECK", "WHY HERE"], &rows));
    text
}

fn redundancy(blob: &InspectedBlob) -> String {
    let (there, wanted, what) = (blob.copies.len(), blob.wanted_copies, copies_of(&blob.redundancy));
    format!("{}: {there} of {wanted} {what}", blob.redundancy)
}

fn copy(copy: &InspectedCopy, in_pieces: bool) -> Vec<String> {
    let check = match &copy.check {
        CopyCheck::NotAsked => "-".to_owned(),
        CopyCheck::Whole => "whole".to_owned(),
        CopyCheck::Missing => "MISSING".to_owned(),
        CopyCheck::Deleted => "DELETED, though it can still be read".to_owned(),
        CopyCheck::Corrupt { reason } => format!("CORRUPT: {reason}"),
        CopyCheck::Unreachable { reason } => format!("not known: {reason}"),
    };
    let state = shards::state(copy.state).to_owned();
    let piece = if in_pieces { copy.piece.to_string() } else { "all".to_owned() };
    vec![copy.shard.to_string(), state, piece, copy.locator.clone(), check, copy.why.clone()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_called_pieces_and_copies_copies() {
        let mut found = InspectedBlob {
            id: "1f".to_owned(),
            part: None,
            recorded: true,
            size: 9,
            references: 1,
            redundancy: "ec:4+2".to_owned(),
            wanted_copies: 6,
            written: String::new(),
            waits_since: None,
            suspects: Vec::new(),
            copies: Vec::new(),
        };
        assert_eq!(redundancy(&found), "ec:4+2: 0 of 6 pieces");
        found.redundancy = "replicas:3".to_owned();
        assert_eq!(redundancy(&found), "replicas:3: 0 of 6 copies");
    }
}
