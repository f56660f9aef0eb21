use super::Context;
use crate::cli::connect::explain;
use crate::cli::print::{fields, micros, or_dash};
use anyhow::Result;
use cofre_admin_types::{ReportCondition, ReportDecision, ReportStatement, RequestReport};

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
    for decision in &report.decisions {
        text.push_str(&self::decision(decision));
    }
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

fn decision(decision: &ReportDecision) -> String {
    let ReportDecision { action, resource, rule, statements } = decision;
    let mut text = format!("refused    {action} of {resource}: {rule}\n");
    for statement in statements {
        text.push_str(&self::statement(statement));
    }
    text
}

fn statement(statement: &ReportStatement) -> String {
    let ReportStatement { index, sid, effect, principal, resource, conditions, applies } = statement;
    let sid = sid.as_ref().map(|sid| format!(" \"{sid}\"")).unwrap_or_default();
    let what = match (applies, principal, resource) {
        (true, ..) => "applies",
        (false, false, _) => "does not name who asks",
        (false, true, false) => "does not name the resource",
        (false, true, true) => "a condition does not hold",
    };
    let mut text = format!("  statement {index}{sid} ({effect}): {what}\n");
    for ReportCondition { operator, key, saw, holds } in conditions {
        let saw = saw.as_ref().map_or_else(|| "nothing".to_owned(), |saw| saw.join(", "));
        let holds = if *holds { "holds" } else { "does not hold" };
        text.push_str(&format!("    {operator} {key} saw {saw}: {holds}\n"));
    }
    text
}
