use super::Context;
use crate::cli::connect::explain;
use crate::cli::print::table;
use anyhow::Result;
use cofre_admin_client::Error;
use cofre_admin_types::{Event, EventsQuery};
use std::time::Duration;

/// Rest before a stream that dropped is taken up again.
const RESUME_AFTER: Duration = Duration::from_secs(1);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Go on with events as they happen; a stream that drops is taken up where it was.
    #[arg(long)]
    follow: bool,
    /// The events after this cursor, oldest first, in place of the latest: for programs that read all of them.
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
    /// Only kinds that begin with this: `bucket.` for all that happens to buckets.
    #[arg(long, value_name = "PREFIX")]
    kind: Option<String>,
    /// Only events of this subject.
    #[arg(long)]
    subject: Option<String>,
    /// Only events by this actor.
    #[arg(long)]
    actor: Option<String>,
    /// Most events, 1 to 1,000.
    #[arg(long, default_value_t = 100)]
    limit: usize,
}

pub(super) async fn run(context: &Context, args: Args) -> Result<()> {
    let mut query = EventsQuery {
        latest: (args.after.is_none() && !args.follow).then_some(true),
        after: args.after,
        limit: Some(args.limit),
        kind: args.kind,
        subject: args.subject,
        actor: args.actor,
    };
    if args.follow {
        query.limit = None;
        return follow(context, query).await;
    }
    let page = context.client.events(&query).await.map_err(explain)?;
    context.printer.value(&page, |page| {
        let rows: Vec<_> = page.items.iter().map(row).collect();
        let next = page.next.as_ref().map_or_else(String::new, |next| format!("to go on: --after {next}\n"));
        table(&["AT", "KIND", "SUBJECT", "ACTOR", "DETAILS"], &rows) + &next
    })
}

async fn follow(context: &Context, mut query: EventsQuery) -> Result<()> {
    let mut stream = context.client.follow_events(&query).await.map_err(explain)?;
    loop {
        match stream.next().await {
            Ok(Some(event)) => context.printer.line(&event, |event| row(event).join("  "))?,
            Ok(None) | Err(Error::Unreachable { .. }) => {
                query.after = stream.cursor().map(str::to_owned).or(query.after);
                stream = resume(context, &query).await?;
            }
            Err(error) => return Err(explain(error)),
        }
    }
}

/// Waits until the server is there again.
async fn resume(context: &Context, query: &EventsQuery) -> Result<cofre_admin_client::EventStream> {
    loop {
        tokio::time::sleep(RESUME_AFTER).await;
        match context.client.follow_events(query).await {
            Ok(stream) => return Ok(stream),
            Err(Error::Unreachable { .. }) => {}
            Err(error) => return Err(explain(error)),
        }
    }
}

fn row(event: &Event) -> Vec<String> {
    let details: Vec<_> = event.details.iter().map(|(name, value)| format!("{name}={value}")).collect();
    vec![event.at.clone(), event.kind.clone(), event.subject.clone(), event.actor.clone(), details.join(" ")]
}
