//! Rules for one file at a time: where it stands, what it is called, what it says.

/// What may stand at the top of the tree, besides dotfiles.
const TOP: [&str; 8] =
    ["Cargo.toml", "Cargo.lock", "LICENSE", "README.md", "admin-api", "deploy", "gateway", "integration-tests"];
/// Names that say nothing of what a module is for.
const VAGUE: [&str; 6] = ["common", "helpers", "misc", "util", "utilities", "utils"];
/// Marks of unfinished work. Spelt apart, so that this file does not hold them.
const UNFINISHED: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
/// A test that does not run. Spelt apart likewise.
const IGNORED: &str = concat!("#[ig", "nore");
/// Crates that translate the domain's errors into a protocol's.
const DOORS: [&str; 3] = ["gateway/doors/", "admin-api/server/", "admin-api/browse/"];

/// Whether the file is source or prose of ours, rather than something vendored or generated.
fn is_ours(path: &str) -> bool {
    !path.split('/').any(|part| part == "vendor" || part == "golden" || part == "corpus")
}

fn extension(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, extension)| extension)
}

/// Whether the length of the file is bounded.
pub fn has_bound(path: &str) -> bool {
    is_ours(path) && matches!(extension(path), "rs" | "py" | "js" | "css" | "html")
}

/// Complaints about the file's place and name.
pub fn check_path(path: &str) -> Vec<String> {
    let mut found = Vec::new();
    let top = path.split('/').next().unwrap_or(path);
    if !top.starts_with('.') && !TOP.contains(&top) {
        found.push(format!("{path}: {top} has no place at the top of the tree"));
    }
    if is_stray_test(path) {
        found.push(format!("{path}: the integration tests of a crate are one binary, tests/it/main.rs"));
    }
    for part in path.split('/') {
        let stem = part.split('.').next().unwrap_or(part);
        if VAGUE.contains(&stem) && is_ours(path) {
            found.push(format!("{path}: {stem} says nothing; name it after what it does"));
        }
    }
    found
}

/// Whether the file is a test binary beside the one that each crate may have. Each costs a link, and
/// `cargo verify` runs them by that name.
fn is_stray_test(path: &str) -> bool {
    let binary = path.strip_suffix("/main.rs").or_else(|| path.strip_suffix(".rs"));
    let folder = binary.and_then(|binary| binary.rsplit_once('/'));
    let is_test = folder.is_some_and(|(folder, name)| folder.ends_with("/tests") && name != "it");
    let is_suite = ["integration-tests/suites/", "integration-tests/fuzz/"].iter().any(|suite| path.starts_with(suite));
    is_test && !is_suite && !path.contains("/src/")
}

/// Complaints about what the file says.
pub fn check_text(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    if !is_ours(path) || matches!(extension(path), "lock" | "json") {
        return found;
    }
    let mut before = "";
    for (index, line) in text.lines().enumerate() {
        let place = format!("{path}:{}", index + 1);
        if let Some(mark) = UNFINISHED.iter().find(|mark| has_word(line, mark)) {
            found.push(format!("{place}: {mark}: finish it, or open an issue"));
        }
        if extension(path) == "rs" && line.trim_start().starts_with(IGNORED) {
            found.push(format!("{place}: a test that is ignored tests nothing"));
        }
        // A match on text cannot do without.
        if maps_errors(path) && line.trim_start().starts_with("_ =>") && !before.trim_start().starts_with('"') {
            found.push(format!("{place}: errors are mapped one by one, so that a new one fails to compile here"));
        }
        before = line;
    }
    found
}

/// Whether the file maps the domain's errors to a door's protocol.
fn maps_errors(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    DOORS.iter().any(|door| path.starts_with(door)) && matches!(name, "error.rs" | "errors.rs" | "problem.rs")
}

/// Whether `word` stands in `line` as a word of its own.
fn has_word(line: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        !line[..at].chars().next_back().is_some_and(is_part)
            && !line[at + word.len()..].chars().next().is_some_and(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_the_top_of_the_tree() {
        assert!(check_path(".ci/run").is_empty());
        assert!(check_path("README.md").is_empty());
        assert!(check_path("gateway/doors/s3/src/lib.rs").is_empty());
        assert_eq!(check_path("notes/plan.md").len(), 1);
    }

    #[test]
    fn refuses_names_that_say_nothing() {
        assert_eq!(check_path("gateway/doors/s3/src/utils.rs").len(), 1);
        assert_eq!(check_path("gateway/common/Cargo.toml").len(), 1);
        assert!(check_path("gateway/doors/s3/src/commonplace.rs").is_empty());
        assert!(check_path("admin-api/console/vendor/utils.js").is_empty());
    }

    #[test]
    fn wants_one_test_binary_for_each_crate() {
        assert!(check_path("gateway/catalog/tests/it/main.rs").is_empty());
        assert!(check_path("gateway/catalog/tests/it/engine.rs").is_empty());
        assert!(check_path("gateway/iam/src/tests/decide.rs").is_empty());
        assert!(check_path("integration-tests/suites/tests/crash/main.rs").is_empty());
        assert_eq!(check_path("gateway/catalog/tests/engine.rs").len(), 1);
        assert_eq!(check_path("gateway/catalog/tests/engine/main.rs").len(), 1);
    }

    #[test]
    fn finds_unfinished_work_as_a_word() {
        let mark = UNFINISHED[0];
        assert_eq!(check_text("a.rs", &format!("// {mark}: later")).len(), 1);
        assert!(check_text("a.rs", &format!("let {mark}S = 1;")).is_empty());
        assert!(check_text("Cargo.lock", &format!("\"{mark}\"")).is_empty());
    }

    #[test]
    fn finds_tests_that_do_not_run() {
        assert_eq!(check_text("a.rs", &format!("    {IGNORED} = \"slow\"]")).len(), 1);
        assert!(check_text("a.md", IGNORED).is_empty());
    }

    #[test]
    fn refuses_a_wildcard_where_errors_are_mapped() {
        let text = "match error {\n    Error::A => 1,\n    _ => 2,\n}\n";
        assert_eq!(check_text("gateway/doors/s3/src/errors.rs", text).len(), 1);
        let of_text = "match kind {\n    \"a\" => 1,\n    _ => 2,\n}\n";
        assert!(check_text("gateway/doors/s3/src/errors.rs", of_text).is_empty());
        assert!(check_text("gateway/doors/s3/src/range.rs", text).is_empty());
        assert!(check_text("gateway/shards/src/error.rs", text).is_empty());
    }
}
