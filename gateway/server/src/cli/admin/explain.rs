use super::Context;
use crate::cli::connect::explain;
use crate::cli::print::{fields, micros, or_dash};
use anyhow::Result;
use cofre_admin_types::RequestReport;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Id of the request: RequestId of the error, x-amz-request-id of the answer, request_id of the log.
    #[arg(value_name = "ID")]
    id: String,
}

pub(super) async fn run(context: &Context, args: Args) -> Result<()> {
    let report = context.client.explain_request(&args.id).await.map_err(explain)?;
    context.printer.value(&report, text)
}

fn text(report: &RequestReport) -> String {
    let outcome = format!("{} {}", report.status, report.code.as_deref().unwrap_or("it succeeded, and took long"));
    let mut text = fields(&[
        ("request", report.request_id.clone()),
        ("at", report.at.clone()),
        ("asked", format!("{} {}", report.method, report.path)),
        ("host", or_dash(report.host.as_ref())),
        ("operation", or_dash(report.operation.as_ref())),
        ("from", or_dash(report.ip.as_ref())),
        ("access key id", or_dash(report.access_key_id.as_ref())),
        ("account", or_dash(report.account.as_ref())),
        ("outcome", outcome),
        ("message", or_dash(report.message.as_ref())),
        ("cause", or_dash(report.cause.as_ref())),
    ]);
    for part in &report.parts {
        text.push_str(&format!("took       {}  {}\n", micros(part.duration_us), part.name));
    }
    for hint in &report.hints {
        text.push_str(&format!("perhaps    {hint}\n"));
    }
    for detail in &report.details {
        text.push_str(&format!("\n{}:\n", detail.name));
        for line in detail.value.lines() {
            text.push_str(&format!("  {line}\n"));
        }
    }
    text
}
