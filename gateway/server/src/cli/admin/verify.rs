use super::Context;
use crate::cli::connect::explain;
use crate::cli::print::bytes;
use anyhow::{Result, bail};
use cofre_admin_types::{VerifyLine, VerifyQuery, VerifyStage};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Read every byte of every copy; else only each copy's header.
    #[arg(long)]
    deep: bool,
}

pub(super) async fn run(context: &Context, args: Args) -> Result<()> {
    let mut lines = context.client.verify(VerifyQuery { deep: args.deep }).await.map_err(explain)?;
    while let Some(line) = lines.next().await.map_err(explain)? {
        context.printer.line(&line, text)?;
        match line {
            VerifyLine::End { wrong: 0, unreachable: 0, .. } => return Ok(()),
            VerifyLine::End { wrong: 0, unreachable, .. } => {
                bail!("{unreachable} copies or pieces could not be reached")
            }
            VerifyLine::End { wrong, .. } => bail!("{wrong} things are wrong"),
            VerifyLine::Failed { why } => bail!("it could not go on: {why}"),
            VerifyLine::Progress { .. } | VerifyLine::Wrong { .. } => {}
        }
    }
    bail!("it was cut off: the server ended the answer")
}

fn text(line: &VerifyLine) -> String {
    match line {
        VerifyLine::Progress { stage, records, bytes: read } => {
            let stage = match stage {
                VerifyStage::Copies => "copies",
                VerifyStage::Shards => "counters of shards",
                VerifyStage::References => "references",
                VerifyStage::Usage => "counters of buckets",
            };
            format!("{stage}: {records} records, {} read", bytes(*read))
        }
        VerifyLine::Wrong { subject, why } => format!("WRONG  {subject}: {why}"),
        VerifyLine::Failed { why } => format!("FAILED  {why}"),
        VerifyLine::End { wrong, unreachable, records, bytes: read } => format!(
            "{wrong} wrong, {unreachable} copies or pieces out of reach; looked at {records} records, read {}",
            bytes(*read)
        ),
    }
}
