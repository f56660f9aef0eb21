//! Names of types: nouns of the field, each once in a crate, with fields that have names.

use std::collections::BTreeMap;

/// Words that say what was done to a thing, and not what it is.
const PARTICIPLES: [&str; 31] = [
    "Added",
    "Asked",
    "Bounded",
    "Changed",
    "Checked",
    "Chosen",
    "Counted",
    "Done",
    "Dropped",
    "Encrypted",
    "Expected",
    "Fixed",
    "Found",
    "Gathered",
    "Given",
    "Held",
    "Kept",
    "Known",
    "Looked",
    "Made",
    "Moved",
    "Named",
    "Noted",
    "Opened",
    "Seen",
    "Sent",
    "Shown",
    "Sorted",
    "Stored",
    "Told",
    "Written",
];

/// Types that have such a name yet, by crate. The list only shrinks.
const KNOWN: &[(&str, &str)] = &[
    ("admin-api/browse", "Asked"),
    ("admin-api/browse", "Held"),
    ("admin-api/browse", "Sent"),
    ("admin-api/server", "Seen"),
    ("admin-api/server", "Told"),
    ("admin-api/types", "Moved"),
    ("gateway/blobs", "Dropped"),
    ("gateway/blobs", "Found"),
    ("gateway/blobs", "Named"),
    ("gateway/blobs", "Seen"),
    ("gateway/blobs", "Sorted"),
    ("gateway/catalog", "Counted"),
    ("gateway/catalog", "Found"),
    ("gateway/catalog", "Gathered"),
    ("gateway/catalog", "Told"),
    ("gateway/doors/s3", "Asked"),
    ("gateway/doors/s3", "Fixed"),
    ("gateway/doors/s3", "Given"),
    ("gateway/doors/s3", "Held"),
    ("gateway/doors/s3", "Made"),
    ("gateway/doors/s3", "Named"),
    ("gateway/doors/s3", "Noted"),
    ("gateway/doors/s3", "Shown"),
    ("gateway/doors/s3", "Told"),
    ("gateway/doors/s3", "Written"),
    ("gateway/iam", "Asked"),
    ("gateway/iam", "Found"),
    ("gateway/jobs", "Kept"),
    ("gateway/keys", "Known"),
    ("gateway/keys", "Stored"),
    ("gateway/objects", "Encrypted"),
    ("gateway/objects", "Expected"),
    ("gateway/objects", "Found"),
    ("gateway/objects", "Gathered"),
    ("gateway/objects", "Held"),
    ("gateway/objects", "Known"),
    ("gateway/objects", "Written"),
    ("gateway/rules", "Bounded"),
    ("gateway/rules", "Checked"),
    ("gateway/rules", "Moved"),
    ("gateway/server", "Asked"),
    ("gateway/server", "Told"),
    ("gateway/settings", "Stored"),
    ("gateway/shards", "Found"),
    ("gateway/shards", "Gathered"),
    ("gateway/shards", "Held"),
    ("gateway/shards", "Moved"),
    ("gateway/shards", "Seen"),
    ("gateway/shards", "Stored"),
    ("gateway/shards", "Written"),
    ("integration-tests/bench", "Looked"),
    ("integration-tests/bench", "Seen"),
    ("integration-tests/xtask", "Asked"),
];

/// A type that a file declares at its top.
struct Type<'a> {
    line: usize,
    name: &'a str,
    /// Whether other files can see it.
    is_shared: bool,
    /// Fields without a name.
    nameless: usize,
}

/// Complaints about the types of all crates: path and text of each file.
pub fn check(files: &[(String, String)]) -> Vec<String> {
    let (mut found, mut seen) = (Vec::new(), BTreeMap::new());
    let mut left: Vec<_> = KNOWN.to_vec();
    for (path, text) in files {
        let Some((folder, rest)) = path.split_once("/src/") else { continue };
        if rest.split('/').any(|part| part.starts_with("tests")) {
            continue;
        }
        for one in types(text) {
            let Type { line, name, is_shared, nameless } = one;
            if nameless >= 3 {
                found.push(format!("{path}:{line}: {name} has {nameless} fields without a name: give them names"));
            }
            if is_shared && let Some(first) = seen.insert((folder, name), (path, line)) {
                let (path, line) = (first.0, first.1);
                found.push(format!("{path}:{line}: {name} is the name of another type of this crate too"));
            }
            if PARTICIPLES.contains(&name) && !KNOWN.contains(&(folder, name)) {
                found.push(format!("{path}:{line}: {name} says what was done to it; name it after what it is"));
            }
            left.retain(|known| *known != (folder, name));
        }
    }
    found.extend(left.into_iter().map(|(folder, name)| format!("{folder}: {name} is gone; take it off tidy's list")));
    found
}

/// The types that a text declares, its tests left out.
fn types(text: &str) -> Vec<Type<'_>> {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let (is_shared, rest) = match line.strip_prefix("pub(crate) ").or_else(|| line.strip_prefix("pub ")) {
            Some(rest) => (true, rest),
            None => (false, line),
        };
        let kinds = ["struct ", "enum ", "trait ", "type "];
        let is_struct = rest.starts_with("struct ");
        let Some(rest) = kinds.iter().find_map(|kind| rest.strip_prefix(kind)) else { continue };
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let nameless = if is_struct { nameless(&rest[end..]) } else { 0 };
        found.push(Type { line: at + 1, name: &rest[..end], is_shared, nameless });
    }
    found
}

/// Fields of a tuple struct that stands on one line; 0 of every other one.
fn nameless(rest: &str) -> usize {
    let Some(fields) = rest.strip_suffix(");").and_then(|rest| rest.split_once('(')) else { return 0 };
    let mut depth = 0;
    let commas = fields.1.trim_end_matches(',').chars().filter(|c| {
        match c {
            '<' | '(' | '[' => depth += 1,
            '>' | ')' | ']' => depth -= 1,
            _ => {}
        }
        *c == ',' && depth == 0
    });
    commas.count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(files: &[(&str, &str)]) -> Vec<String> {
        let owned: Vec<_> = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        check(&owned).into_iter().filter(|complaint| !complaint.contains("tidy's list")).collect()
    }

    #[test]
    fn a_name_is_one_type_of_a_crate() {
        let one = ("gateway/a/src/one.rs", "pub(crate) struct Page {\n}\n");
        assert_eq!(complaints(&[one, ("gateway/a/src/two.rs", "pub enum Page {\n}\n")]).len(), 1);
        assert!(complaints(&[one, ("gateway/b/src/two.rs", "pub enum Page {\n}\n")]).is_empty());
        assert!(complaints(&[one, ("gateway/a/src/two.rs", "enum Page {\n}\n")]).is_empty(), "only one file sees it");
    }

    #[test]
    fn fields_have_names() {
        let with = |text| complaints(&[("gateway/a/src/one.rs", text)]).len();
        assert_eq!(with("struct Point(u8, u8, u8);\n"), 1);
        assert_eq!(with("struct Pair(HashMap<u8, u8>, u8);\n"), 0);
        assert_eq!(with("type Row = (u8, u8, u8);\n"), 0, "a name for a tuple is no struct");
    }

    #[test]
    fn a_type_is_called_what_it_is() {
        let with = |text| complaints(&[("gateway/a/src/one.rs", text)]).len();
        assert_eq!(with("struct Found {\n}\n"), 1);
        assert_eq!(with("struct FoundBlob {\n}\n"), 0);
        assert_eq!(with("#[cfg(test)]\nmod tests {\nstruct Found;\n}\n"), 0);
    }
}
