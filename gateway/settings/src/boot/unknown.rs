//! Variables of the environment that look like Cofre's and are none: a slip that would be passed over in silence.

use super::BootArgs;
use clap::Args;

/// What the variables of Cofre begin with.
const PREFIX: &str = "COFRE_";

/// Those of secrets, which are no flags.
const SECRETS: [&str; 6] = [
    "COFRE_MASTER_KEY",
    "COFRE_ROOT_ACCESS_KEY_ID",
    "COFRE_ROOT_ACCESS_KEY_ID_FILE",
    "COFRE_ROOT_SECRET_ACCESS_KEY",
    "COFRE_ROOT_SECRET_ACCESS_KEY_FILE",
    "COFRE_VAULT_TOKEN",
];

/// Those of `cofre admin`.
const CLIENT: [&str; 5] = [
    "COFRE_ADMIN_CA_FILE",
    "COFRE_ADMIN_TOKEN",
    "COFRE_ADMIN_TOKEN_FILE",
    "COFRE_ADMIN_URL",
    "COFRE_SHARD_S3_SECRET_KEY",
];

/// What Kubernetes tells every pod of a service that is called `cofre` (Kubernetes, "Service": environment variables).
const SERVICE_LINKS: [&str; 3] = ["COFRE_SERVICE_HOST", "COFRE_SERVICE_PORT", "COFRE_PORT"];

/// Most changes of one letter that lead from a slip to what was meant.
const DISTANCE_MAX: usize = 5;

/// A variable that nothing reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownVariable {
    /// Its name.
    pub name: String,
    /// The variable whose name is most like it, if one is.
    pub nearest: Option<String>,
}

/// The variables among `names` that begin as Cofre's do and are none of them.
pub fn unknown_variables(names: impl IntoIterator<Item = String>) -> Vec<UnknownVariable> {
    let known = known();
    let is_link = |name: &str| {
        SERVICE_LINKS.iter().any(|link| {
            name.strip_prefix(link)
                .is_some_and(|rest| rest.is_empty() || (!link.ends_with("HOST") && rest.starts_with('_')))
        })
    };
    let mut unknown: Vec<_> = names
        .into_iter()
        .filter(|name| name.starts_with(PREFIX) && !known.contains(name) && !is_link(name))
        .map(|name| UnknownVariable { nearest: nearest(&name, &known), name })
        .collect();
    unknown.sort_by(|one, other| one.name.cmp(&other.name));
    unknown
}

fn known() -> Vec<String> {
    let flags = BootArgs::augment_args(clap::Command::new("cofre"));
    let flags = flags.get_arguments().filter_map(|argument| argument.get_env()?.to_str()).map(str::to_owned);
    flags.chain(SECRETS.iter().chain(&CLIENT).map(|name| (*name).to_owned())).collect()
}

fn nearest(name: &str, known: &[String]) -> Option<String> {
    // Longer names are no slips, and would take long.
    let short = name.len() <= 2 * known.iter().map(String::len).max().unwrap_or(0);
    let near = known.iter().filter(|_| short).map(|known| (distance(name, known), known));
    near.min().filter(|(distance, _)| *distance <= DISTANCE_MAX).map(|(_, known)| known.clone())
}

/// How many bytes have to be put in, taken out or changed to make one text of the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in other.bytes().enumerate() {
            let here = (corner + usize::from(a != b)).min(row[j] + 1).min(row[j + 1] + 1);
            corner = std::mem::replace(&mut row[j + 1], here);
        }
    }
    row[other.len()]
}
