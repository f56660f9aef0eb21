//! `cofre admin apply` and `cofre admin export`.

use super::Context;
use crate::cli::Exit;
use crate::cli::connect::explain;
use crate::cli::print::{bytes, counted};
use crate::provision::{FreshSecrets, ProvisionFile, make_secrets};
use anyhow::{Context as _, Result, bail};
use cofre_admin_client::Error;
use cofre_admin_types::provision::{
    ApplyProvision, PlanProvision, Provision, ProvisionPlan, ProvisionStep, ProvisionVerb,
};
use cofre_runtime::Random;
use serde_json::Value;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::{BufRead, IsTerminal, Write as _};
use std::path::{Path, PathBuf};

/// Exit code where a check finds a difference.
const DIFFERS: u8 = 2;

/// Characters of a value that are shown.
const SHOWN_CHARS_MAX: usize = 100;

#[derive(Debug, clap::Args)]
pub(super) struct Apply {
    /// File with the accounts, keys, buckets and settings that there should be, as TOML or JSON; - for standard input.
    #[arg(long, short, value_name = "FILE")]
    file: PathBuf,
    /// Show what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
    /// Show what would be done, do nothing, and end with 2 if there is anything: for drift.
    #[arg(long)]
    check: bool,
    /// Do it without asking.
    #[arg(long, short)]
    yes: bool,
    /// Delete what is not in the file: buckets that are empty, key policies and accounts if the file has any of the kind,
    /// keys of accounts that have any in it, and settings of its buckets. The root account stays.
    #[arg(long)]
    prune: bool,
    /// AWS shared credentials file, mode 0600, for the secrets of keys that are made; they are printed if absent, which
    /// --json does not.
    #[arg(long, value_name = "FILE")]
    secrets: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Export {
    /// File to write; standard output if absent.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) async fn apply(context: &Context, args: Apply) -> Result<()> {
    let file = ProvisionFile::read(&args.file)?;
    let request = PlanProvision { document: file.document.clone(), prune: args.prune };
    let plan = context.client.plan_provision(&request).await.map_err(|error| wrong(&file, error))?;
    let only_look = args.dry_run || args.check;
    if only_look || plan.steps.is_empty() || !context.printer.json {
        context.printer.value(&plan, shown_plan)?;
    }
    if args.check && !plan.steps.is_empty() {
        return Err(Exit(DIFFERS, "what is there differs from the file").into());
    }
    if only_look || plan.steps.is_empty() {
        return Ok(());
    }
    if !args.yes {
        ask(context, &args)?;
    }
    let mut document = request.document;
    let made = made(&mut document, &plan);
    let kept = tell_secrets(context, &args, &made)?;
    let request = ApplyProvision { document, prune: args.prune, plan: Some(plan.id) };
    let done = context.client.apply_provision(&request).await;
    let nothing = matches!(&done, Err(error) if error.status() == Some(412));
    kept.settle(args.secrets.as_deref(), &made, nothing)?;
    let done = done.map_err(|error| {
        let so = match nothing {
            true => "nothing was done, and no secret counts",
            false => "not all was done; to apply the file again goes on",
        };
        wrong(&file, error).context(so)
    })?;
    if context.printer.json {
        return context.printer.value(&done, |_| String::new());
    }
    context.printer.done(&format!("done: {}", counted(done.steps.len() as u64, "change")))
}

/// The error of a call, with the place in the file that it is about.
fn wrong(file: &ProvisionFile, error: Error) -> anyhow::Error {
    match &error {
        Error::Problem(problem) if problem.status == 400 => match &problem.field {
            Some(field) => {
                let why = problem.detail.strip_prefix(&format!("{field}: ")).unwrap_or(&problem.detail);
                file.wrong(field.strip_prefix("document.").unwrap_or(field), why)
            }
            None => explain(error),
        },
        _ => explain(error),
    }
}

fn ask(context: &Context, args: &Apply) -> Result<()> {
    let stdin = std::io::stdin();
    if context.printer.json || !stdin.is_terminal() || args.file.as_os_str() == "-" {
        bail!("nothing was done, for nobody is here to be asked: give --yes, or --dry-run to look only");
    }
    print!("Do it? [y/N] ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    stdin.lock().read_line(&mut answer)?;
    if ["y", "yes"].contains(&answer.trim().to_lowercase().as_str()) { Ok(()) } else { bail!("nothing was done") }
}

/// Makes the secrets of keys that are to be made and whose secrets are not in the file.
fn made(document: &mut Provision, plan: &ProvisionPlan) -> FreshSecrets {
    let creates = plan.steps.iter().filter(|step| step.verb == ProvisionVerb::Create);
    let keys: HashSet<String> =
        creates.filter_map(|step| step.subject.strip_prefix("key ")).map(str::to_owned).collect();
    make_secrets(document, &keys, &Random::system())
}

/// A file with secrets of keys that are about to be made, beside the one that they are for.
struct SpareFile(Option<PathBuf>);

impl SpareFile {
    /// Puts the secrets where they belong, unless their keys were not made. Another run may write the same file.
    fn settle(self, path: Option<&Path>, made: &FreshSecrets, nothing: bool) -> Result<()> {
        let (Some(beside), Some(path)) = (self.0, path) else { return Ok(()) };
        if !nothing {
            let kept = || format!("--secrets {}: the secrets are in {}", path.display(), beside.display());
            made.write(path).with_context(kept)?;
        }
        std::fs::remove_file(&beside).with_context(|| beside.display().to_string())
    }
}

/// Secrets are told before their keys are made: what fails later loses none.
fn tell_secrets(context: &Context, args: &Apply, made: &FreshSecrets) -> Result<SpareFile> {
    if made.pairs().is_empty() {
        return Ok(SpareFile(None));
    }
    if let Some(path) = &args.secrets {
        let mut beside = path.clone().into_os_string();
        beside.push(format!(".{}", std::process::id()));
        let beside = PathBuf::from(beside);
        made.write(&beside).with_context(|| format!("--secrets {}", path.display()))?;
        context.printer.done(&format!("the secrets of new keys go to {}", path.display()))?;
        return Ok(SpareFile(Some(beside)));
    }
    if context.printer.json {
        bail!("nothing was done: keys are to be made, and --json prints no secrets; give --secrets FILE for theirs");
    }
    let lines = made.pairs().iter().fold(String::new(), |mut lines, (id, secret)| {
        // Writing to a string cannot fail.
        let _ = write!(lines, "\n  {id}  {}", secret.expose());
        lines
    });
    context.printer.done(&format!("secrets of new keys, which are not shown again:{lines}"))?;
    Ok(SpareFile(None))
}

fn shown_plan(plan: &ProvisionPlan) -> String {
    let mut text = String::new();
    for step in &plan.steps {
        text.push_str(&shown_step(step));
    }
    for step in &plan.kept {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {} is not in the file and stays (--prune deletes it)", name(step));
    }
    if plan.steps.is_empty() {
        text.push_str("all is as the file says\n");
    }
    text
}

fn name(step: &ProvisionStep) -> String {
    step.setting.as_ref().map_or_else(|| step.subject.clone(), |setting| format!("{}: {setting}", step.subject))
}

fn shown_step(step: &ProvisionStep) -> String {
    let setting = step.setting.as_deref().unwrap_or_default();
    match step.verb {
        ProvisionVerb::Create => match &step.after {
            Value::Object(fields) if fields.is_empty() => format!("+ {}\n", step.subject),
            after => format!("+ {}  {}\n", step.subject, value(setting, after)),
        },
        ProvisionVerb::Delete if step.setting.is_none() => format!("- {}\n", step.subject),
        ProvisionVerb::Delete => format!("- {}  {}\n", name(step), value(setting, &step.before)),
        ProvisionVerb::Set => {
            let (before, after) = differing(&whole(setting, &step.before), &whole(setting, &step.after));
            format!("~ {}  {before} -> {after}\n", name(step))
        }
    }
}

/// A value for people, with the unit of bytes.
fn whole(setting: &str, value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Object(fields) if fields.is_empty() && setting == "quota" => "none".to_owned(),
        Value::Object(fields) if fields.is_empty() => "{}".to_owned(),
        Value::Number(number) if setting.contains("bytes") => number.as_u64().map_or_else(|| number.to_string(), bytes),
        Value::Object(fields) => {
            let field = |(name, inner): (&String, &Value)| format!("{name}={}", whole(name, inner));
            fields.iter().map(field).collect::<Vec<_>>().join(" ")
        }
        // A document is shown as it reads.
        Value::String(text) if text.starts_with('{') => text.split_whitespace().collect::<Vec<_>>().join(" "),
        value => value.to_string(),
    }
}

/// The same, cut where it is long.
fn value(setting: &str, value: &Value) -> String {
    cut(&whole(setting, value))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// Characters that two long texts share and that are shown before what differs.
const SHARED_CHARS: usize = 30;

/// Two texts, cut so that what differs is shown.
fn differing(before: &str, after: &str) -> (String, String) {
    let shared = before.chars().zip(after.chars()).take_while(|(one, other)| one == other).count();
    let skipped = if shared > SHOWN_CHARS_MAX / 2 { shared - SHARED_CHARS.min(shared) } else { 0 };
    let part = |text: &str| {
        let rest: String = text.chars().skip(skipped).collect();
        if skipped > 0 { format!("...{}", cut(&rest)) } else { cut(&rest) }
    };
    (part(before), part(after))
}

/// What an exported file begins with.
const HEAD: &str = "# What this Cofre has, as cofre admin export writes it: without secrets, and without the keys of the root\n\
                    # account. cofre admin apply -f FILE makes another Cofre equal, with new secrets.\n\n";

pub(super) async fn export(context: &Context, args: Export) -> Result<()> {
    let mut document = context.client.export_provision().await.map_err(explain)?;
    let text = if context.printer.json {
        serde_json::to_string_pretty(&document)? + "\n"
    } else {
        for field in drop_nulls(&mut document.settings, "settings") {
            eprintln!("{field} was taken out of the defaults, which a file cannot say: do so by hand");
        }
        HEAD.to_owned() + &toml::to_string_pretty(&document).context("writing TOML")?
    };
    match &args.output {
        Some(path) => std::fs::write(path, text).with_context(|| format!("--output {}", path.display())),
        None => context.printer.text(&text),
    }
}

/// TOML has no null.
fn drop_nulls(fields: &mut serde_json::Map<String, Value>, path: &str) -> Vec<String> {
    let mut dropped: Vec<String> =
        fields.iter().filter(|(_, value)| value.is_null()).map(|(name, _)| format!("{path}.{name}")).collect();
    fields.retain(|_, value| !value.is_null());
    for (name, value) in fields.iter_mut() {
        if let Value::Object(inner) = value {
            dropped.extend(drop_nulls(inner, &format!("{path}.{name}")));
        }
    }
    dropped
}
