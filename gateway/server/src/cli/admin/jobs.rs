use super::Context;
use crate::cli::connect::explain;
use crate::cli::print::{bytes, fields, or_dash, span, table};
use anyhow::Result;
use clap::Subcommand;
use cofre_admin_types::{Job, JobState};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Every background job.
    List,
    /// One background job: what is left, how fast it goes, what is in its way.
    Show {
        /// Name of the job.
        name: String,
    },
    /// Pause a job, across restarts, until it is resumed.
    Pause {
        /// Name of the job.
        name: String,
    },
    /// Resume a job that is paused.
    Resume {
        /// Name of the job.
        name: String,
    },
    /// Run a job now, though it is not due.
    #[command(alias = "wake")]
    Run {
        /// Name of the job.
        name: String,
    },
}

pub(super) async fn run(context: &Context, command: Command) -> Result<()> {
    let client = &context.client;
    let job = match command {
        Command::List => {
            let jobs = client.jobs().await.map_err(explain)?;
            let headers = ["NAME", "STATE", "LEFT", "BYTES LEFT", "RATE", "ENDS IN", "DONE", "WAITING", "LAST ERROR"];
            return context.printer.list(&jobs, &headers, |job| {
                vec![
                    job.name.clone(),
                    state(job.state).to_owned(),
                    or_dash(job.remaining_objects),
                    or_dash(job.remaining_bytes.map(bytes)),
                    or_dash(rate(job)),
                    or_dash(job.seconds_left.map(span)),
                    job.done.to_string(),
                    job.waiting.to_string(),
                    or_dash(job.last_error.as_ref()),
                ]
            });
        }
        Command::Show { name } => client.job(&name).await,
        Command::Pause { name } => client.pause_job(&name).await,
        Command::Resume { name } => client.resume_job(&name).await,
        Command::Run { name } => client.run_job(&name).await,
    };
    context.printer.value(&job.map_err(explain)?, text)
}

fn text(job: &Job) -> String {
    let mut text = fields(&[
        ("job", job.name.clone()),
        ("state", state(job.state).to_owned()),
        ("left", left(job)),
        ("rate", or_dash(rate(job))),
        ("ends in", or_dash(job.seconds_left.map(span))),
        ("nothing left since", or_dash(job.finished.as_ref())),
        ("pass began", or_dash(job.pass_began.as_ref())),
        ("pass ended", or_dash(job.pass_ended.as_ref())),
        ("done since start", format!("{}, {}", job.done, bytes(job.done_bytes))),
        ("passes since start", job.passes.to_string()),
        ("waiting", job.waiting.to_string()),
        ("steps", format!("{}, {} failed", job.steps, job.errors)),
        ("last error", or_dash(job.last_error.as_ref())),
    ]);
    if !job.shards.is_empty() {
        let rows: Vec<_> = job
            .shards
            .iter()
            .map(|shard| {
                vec![
                    shard.shard.to_string(),
                    format!("{} of {}", shard.copies, or_dash(shard.of_copies)),
                    format!("{} of {}", bytes(shard.bytes), or_dash(shard.of_bytes.map(bytes))),
                    shard.bad.to_string(),
                    shard.unreachable.to_string(),
                ]
            })
            .collect();
        text.push('\n');
        text.push_str(&table(&["SHARD", "COPIES", "BYTES", "BAD", "UNREACHABLE"], &rows));
    }
    if !job.problems.is_empty() {
        let rows: Vec<_> = job
            .problems
            .iter()
            .map(|problem| vec![problem.subject.clone(), problem.times.to_string(), problem.reason.clone()])
            .collect();
        text.push('\n');
        text.push_str(&table(&["PROBLEM WITH", "TIMES", "WHY"], &rows));
    }
    text
}

fn left(job: &Job) -> String {
    match (job.remaining_objects, job.remaining_bytes) {
        (None, None) => "not known".to_owned(),
        (objects, size) => format!("{}, {}", or_dash(objects), or_dash(size.map(bytes))),
    }
}

fn rate(job: &Job) -> Option<String> {
    let objects = job.objects_per_second?;
    Some(format!("{objects:.1}/s, {}/s", bytes(job.bytes_per_second.unwrap_or(0.0) as u64)))
}

const fn state(state: JobState) -> &'static str {
    match state {
        JobState::Idle => "idle",
        JobState::Running => "running",
        JobState::Paused => "paused",
        JobState::Stuck => "stuck",
    }
}
