//! Who may do what: a verb of the domain asks for the rights of its caller, and no door of clients holds a knife.

use super::edges::Package;
use super::map::{Map, Uses};
use std::collections::BTreeSet;

/// Where the domain's verbs are.
const DOMAIN: &str = "gateway/objects/src/";

/// Verbs of `Objects` without a caller, and why. Each tells a door what it needs before it knows who asks, or takes what
/// the door itself says.
const WITHOUT_CALLER: &[(&str, &str)] = &[
    ("bucket_owner", "a door compares it with the owner that a request expects, and never tells it"),
    ("bucket_region", "AWS tells the region of a bucket to anyone, in a header"),
    ("cors_for_browsers", "a browser asks before it sends credentials (CORS protocol, preflight)"),
    ("website_to_serve", "a website is for anyone; its pages are read as anyone reads them"),
    ("logged_bucket", "a door asks whether it is to write a line of a request, and tells nobody"),
];

/// Where the doors of clients stand.
const DOORS: [&str; 2] = ["gateway/doors/", "admin-api/browse/"];

/// What a door of clients may use of this workspace.
const FOR_DOORS: [&str; 6] =
    ["cofre-types", "cofre-runtime", "cofre-iam", "cofre-objects", "cofre-files", "cofre-admin-types"];

/// What no door of clients names: it repairs, moves and deletes without asking for rights.
const KNIVES: [&str; 2] = ["Upkeep", "cofre_blobs"];

fn is_door(path: &str) -> bool {
    DOORS.iter().any(|door| path.starts_with(door))
}

/// Complaints about a file of the domain or of a door.
pub fn check_text(path: &str, text: &str) -> Vec<String> {
    if path.starts_with(DOMAIN) {
        let verbs = verbs(text).into_iter();
        let open = verbs.filter(|(_, name, has_caller)| !has_caller && !is_excepted(name));
        return open
            .map(|(line, name, _)| {
                format!(
                    "{path}:{line}: Objects::{name} takes no Caller: ask for its rights, or make it a verb of Upkeep"
                )
            })
            .collect();
    }
    if is_door(path) && path.contains("/src/") {
        let lines = text.lines().enumerate();
        let named =
            lines.flat_map(|(at, line)| KNIVES.into_iter().filter(|knife| line.contains(knife)).map(move |k| (at, k)));
        return named.map(|(at, knife)| format!("{path}:{}: a door of clients names {knife}", at + 1)).collect();
    }
    Vec::new()
}

fn is_excepted(name: &str) -> bool {
    WITHOUT_CALLER.iter().any(|(verb, _)| *verb == name)
}

/// The public methods of `Objects` in a file: line, name, and whether a caller is among the arguments.
fn verbs(text: &str) -> Vec<(usize, String, bool)> {
    let (mut found, mut inside) = (Vec::new(), false);
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        match line {
            "impl Objects {" => inside = true,
            "}" => inside = false,
            _ => {}
        }
        let words = line.strip_prefix("    pub ").filter(|_| inside);
        let Some((_, rest)) = words.and_then(|words| words.split_once("fn ")) else { continue };
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let mut signature = line.to_owned();
        while !signature.contains('{') {
            let Some((_, more)) = lines.next() else { break };
            signature.push_str(more);
        }
        found.push((at + 1, name, signature.contains("caller: &Caller") || signature.contains("caller: &'a Caller")));
    }
    found
}

/// Complaints about what doors of clients use.
pub fn check_doors(map: &Map, packages: &[Package]) -> Vec<String> {
    let members: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let mut found = Vec::new();
    for (name, row) in map.crates.iter().filter(|(_, row)| is_door(&format!("{}/", row.folder))) {
        match &row.uses {
            Uses::Everything => {
                found.push(format!("{}: the map lets {name}, a door of clients, use everything", row.folder))
            }
            Uses::Only(uses) => {
                for used in
                    uses.iter().filter(|used| members.contains(used.as_str()) && !FOR_DOORS.contains(&used.as_str()))
                {
                    found.push(format!("{}: the map lets {name}, a door of clients, use {used}", row.folder));
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERBS: &str = "impl Objects {
    pub async fn get(&self, caller: &Caller) -> u8 {
    }

    pub fn put(
        &self,
        caller: &Caller,
    ) -> u8 {
    }

    pub(crate) fn quietly(&self) {
    }

    pub async fn delete_all(&self) -> u8 {
    }

    pub async fn bucket_owner(&self) -> u8 {
    }
}

impl Upkeep {
    pub fn sweep(&self) {
    }
}
";

    #[test]
    fn a_verb_of_the_domain_takes_a_caller() {
        let found = check_text("gateway/objects/src/a.rs", VERBS);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("a.rs:14: Objects::delete_all"), "{found:?}");
        assert!(check_text("gateway/jobs/src/a.rs", VERBS).is_empty());
    }

    #[test]
    fn a_door_of_clients_names_no_knife() {
        let text = "use cofre_objects::Upkeep;\nuse cofre_blobs::Blobs;\n";
        assert_eq!(check_text("gateway/doors/s3/src/door.rs", text).len(), 2);
        assert_eq!(check_text("gateway/doors/ftp/src/door.rs", text).len(), 2);
        assert!(check_text("gateway/doors/s3/tests/it/bed.rs", text).is_empty());
        assert!(check_text("gateway/server/src/serve/mod.rs", text).is_empty());
    }

    #[test]
    fn the_map_lets_doors_use_the_domain_only() {
        let page = "| folder | package | what lives there | may use |\n|---|---|---|---|\n\
                    | `gateway/blobs` | `cofre-blobs` | blobs | base |\n\
                    | `gateway/objects` | `cofre-objects` | the domain | base, `cofre-blobs` |\n\
                    | `gateway/doors/ftp` | `cofre-ftp` | a door | base, `cofre-objects`, `cofre-blobs` |\n\n\
                    | third-party crate | only in |\n|---|---|\n| `a` | `cofre-objects` |\n";
        let map = Map::parse(page).unwrap();
        let package = |name: &str| Package {
            name: name.to_owned(),
            folder: String::new(),
            uses: BTreeSet::new(),
            tests_use: BTreeSet::new(),
            has_lints: true,
        };
        let packages = ["cofre-blobs", "cofre-objects", "cofre-ftp"].map(package);
        let found = check_doors(&map, &packages);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("cofre-blobs"), "{found:?}");
    }
}
