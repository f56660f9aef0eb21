use super::Context;
use crate::cli::connect::explain;
use crate::cli::print::{bytes, fields, or_dash};
use anyhow::Result;
use clap::Subcommand;
use cofre_admin_types::Job;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Every background job.
    List,
    /// End the rest of a job: it looks for work at once.
    Wake {
        /// Name of the job.
        name: String,
    },
}

pub(super) async fn run(context: &Context, command: Command) -> Result<()> {
    match command {
        Command::List => {
            let jobs = context.client.jobs().await.map_err(explain)?;
            let headers = ["NAME", "STATE", "STEPS", "FAILED", "DONE", "BYTES", "WAITING", "LAST ERROR"];
            context.printer.list(&jobs, &headers, |job| {
                vec![
                    job.name.clone(),
                    state(job).to_owned(),
                    job.steps.to_string(),
                    job.errors.to_string(),
                    job.done.to_string(),
                    bytes(job.done_bytes),
                    job.waiting.to_string(),
                    or_dash(job.last_error.as_ref()),
                ]
            })
        }
        Command::Wake { name } => {
            let job = context.client.wake_job(&name).await.map_err(explain)?;
            context.printer.value(&job, |job| fields(&[("job", job.name.clone()), ("state", state(job).to_owned())]))
        }
    }
}

const fn state(job: &Job) -> &'static str {
    if job.busy { "busy" } else { "idle" }
}
