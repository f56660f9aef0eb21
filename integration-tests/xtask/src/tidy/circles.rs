//! Imports inside a crate: each from the home of what it imports, and none in a circle through files of different modules.
//!
//! The home of a name is the file that declares it. A file at the root of a crate, or a folder there, is a module; files
//! of one folder may import each other as they like.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A file of a crate by its module path; the root is empty.
type Module = Vec<String>;

/// What a file says of imports.
#[derive(Default)]
struct File {
    path: String,
    /// Names that it declares.
    declares: BTreeSet<String>,
    /// What it imports, from the root of the crate.
    imports: Vec<Vec<String>>,
    /// What it imports and shows under its own name.
    shows: Vec<Vec<String>>,
}

/// Crates whose imports still lead through their roots or in circles. The list only shrinks.
const KNOTTED: [&str; 4] = ["gateway/catalog", "gateway/iam", "admin-api/browse", "admin-api/server"];

/// Complaints about the files of all crates: path and text of each.
pub fn check(files: &[(String, String)]) -> Vec<String> {
    let mut crates: BTreeMap<&str, BTreeMap<Module, File>> = BTreeMap::new();
    for (path, _) in files {
        let Some((folder, rest)) = path.split_once("/src/") else { continue };
        let Some(module) = module_of(rest) else { continue };
        crates.entry(folder).or_default().insert(module, File { path: path.clone(), ..File::default() });
    }
    let mut found = Vec::new();
    for (folder, mut modules) in crates {
        let known: BTreeSet<Module> = modules.keys().cloned().collect();
        for (path, text) in files {
            let rest = path.strip_prefix(folder).and_then(|rest| rest.strip_prefix("/src/"));
            let Some(module) = rest.and_then(module_of) else { continue };
            if let Some(file) = modules.get_mut(&module) {
                read(file, &module, &known, text);
            }
        }
        let complaints: Vec<_> = check_homes(&modules).into_iter().chain(check_circles(&modules)).collect();
        match KNOTTED.contains(&folder) {
            false => found.extend(complaints),
            true if complaints.is_empty() => {
                found.push(format!("{folder}: no longer knotted; say so in the tidy rule"))
            }
            true => {}
        }
    }
    found
}

/// The module of a file below `src`; none of tests and of further binaries.
fn module_of(rest: &str) -> Option<Module> {
    let stem = rest.strip_suffix(".rs")?;
    let mut parts: Module = stem.split('/').map(str::to_owned).collect();
    if parts.iter().any(|part| part == "tests" || part == "bin") {
        return None;
    }
    match parts.last().map(String::as_str) {
        Some("mod") => drop(parts.pop()),
        Some("lib" | "main") if parts.len() == 1 => parts.clear(),
        _ => {}
    }
    Some(parts)
}

/// Reads what a file declares and imports. Its tests may import what they like.
fn read(file: &mut File, module: &Module, known: &BTreeSet<Module>, text: &str) {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let code: Vec<&str> = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
    for line in &code {
        file.declares.extend(declared(line));
    }
    let mut rest = code.as_slice();
    while let Some((line, more)) = rest.split_first() {
        rest = more;
        let (shown, first) = match (line.strip_prefix("use "), line.strip_prefix("pub").and_then(after_use)) {
            (Some(first), _) => (false, first),
            (None, Some(first)) => (true, first),
            (None, None) => continue,
        };
        let mut tree = first.to_owned();
        while !tree.contains(';') {
            let Some((line, more)) = rest.split_first() else { break };
            tree.push_str(line.trim());
            rest = more;
        }
        for path in leaves(tree.trim_end_matches(';').trim()) {
            if let Some(path) = from_root(&path, module, known) {
                if shown { file.shows.push(path) } else { file.imports.push(path) }
            }
        }
    }
}

/// What follows `use` in a line that began with `pub`.
fn after_use(rest: &str) -> Option<&str> {
    let rest = match rest.strip_prefix('(') {
        Some(scope) => scope.split_once(')')?.1,
        None => rest,
    };
    rest.strip_prefix(" use ")
}

/// The name that a line declares at the top of a file.
fn declared(line: &str) -> Option<String> {
    let mut words = line.split_whitespace().skip_while(|word| {
        word.starts_with("pub") || matches!(*word, "async" | "unsafe") || word.starts_with("in") && word.ends_with(')')
    });
    if line.starts_with(char::is_whitespace) {
        return None;
    }
    let kind = words.next()?;
    let mut name = words.next()?;
    if kind == "const" && name == "fn" {
        name = words.next()?;
    }
    let is_item = matches!(kind, "struct" | "enum" | "trait" | "fn" | "type" | "const" | "static" | "macro_rules!");
    let name: String = name.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (is_item && !name.is_empty()).then_some(name)
}

/// The paths of an import, one for each name.
fn leaves(tree: &str) -> Vec<String> {
    let Some((before, inside)) = tree.split_once('{') else {
        return vec![tree.split(" as ").next().unwrap_or(tree).trim().to_owned()];
    };
    let inside = inside.strip_suffix('}').unwrap_or(inside);
    let (mut depth, mut from, mut found) = (0, 0, Vec::new());
    for (at, c) in inside.char_indices().chain([(inside.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let one = inside[from..at].trim();
                if !one.is_empty() {
                    found.extend(leaves(one).into_iter().map(|leaf| format!("{}{leaf}", before.trim())));
                }
                from = at + 1;
            }
            _ => {}
        }
    }
    found
}

/// A path from the root of the crate; none if it leads out of it.
fn from_root(path: &str, module: &Module, known: &BTreeSet<Module>) -> Option<Vec<String>> {
    let mut parts: VecDeque<String> = path.split("::").map(str::to_owned).collect();
    let mut at = module.clone();
    match parts.front()?.as_str() {
        "crate" => at.clear(),
        "self" => {}
        "super" => {
            while parts.front().is_some_and(|part| part == "super") {
                parts.pop_front();
                at.pop();
            }
            at.extend(parts);
            return Some(at);
        }
        child => {
            at.push(child.to_owned());
            if !known.contains(&at) {
                return None;
            }
        }
    }
    parts.pop_front();
    at.extend(parts);
    Some(at)
}

/// The file that declares what a path names.
fn home(path: &[String], files: &BTreeMap<Module, File>, depth: usize) -> Option<Module> {
    let at = (0..=path.len()).rev().map(|end| &path[..end]).find(|module| files.contains_key(*module))?;
    let (Some(name), file) = (path.get(at.len()), files.get(at)?) else { return Some(at.to_vec()) };
    if file.declares.contains(name) || depth == 0 {
        return Some(at.to_vec());
    }
    for shown in &file.shows {
        let (last, module) = shown.split_last()?;
        let leads = if last == "*" {
            let within = files.get(module).map(|_| [module, std::slice::from_ref(name)].concat());
            within.and_then(|path| home(&path, files, depth - 1)).filter(|home| files[home].declares.contains(name))
        } else if last == name {
            home(shown, files, depth - 1)
        } else {
            None
        };
        if leads.is_some() {
            return leads;
        }
    }
    Some(at.to_vec())
}

const DEPTH_MAX: usize = 8;

/// Complaints about names that are imported by way of the root, which shows them to other crates.
fn check_homes(files: &BTreeMap<Module, File>) -> Vec<String> {
    let Some(root) = files.get(&Module::new()) else { return Vec::new() };
    let mut found = Vec::new();
    for file in files.iter().filter(|(module, _)| !module.is_empty()).map(|(_, file)| file) {
        for path in &file.imports {
            let [name, ..] = path.as_slice() else { continue };
            if files.contains_key(std::slice::from_ref(name)) || root.declares.contains(name) {
                continue;
            }
            found.push(format!("{}: imports {name} by way of the crate's root; import it from its home", file.path));
        }
    }
    found
}

/// Complaints about circles: the shortest one of each knot.
fn check_circles(files: &BTreeMap<Module, File>) -> Vec<String> {
    let mut edges: BTreeMap<&Module, BTreeSet<Module>> = BTreeMap::new();
    for (module, file) in files.iter().filter(|(module, _)| !module.is_empty()) {
        let homes = file.imports.iter().filter_map(|path| {
            let path = path.strip_suffix(&["*".to_owned()]).unwrap_or(path);
            home(path, files, DEPTH_MAX)
        });
        edges.insert(module, homes.filter(|home| home != module && !home.is_empty()).collect());
    }
    let (mut found, mut told) = (Vec::new(), BTreeSet::new());
    let crossing = edges.iter().flat_map(|(from, all)| all.iter().map(move |to| (*from, to)));
    let mut circles: Vec<Vec<&Module>> =
        crossing.filter(|(from, to)| from[0] != to[0]).filter_map(|(from, to)| way(&edges, to, from)).collect();
    circles.sort_by_key(Vec::len);
    for circle in circles {
        if circle.iter().any(|module| told.contains(*module)) {
            continue;
        }
        told.extend(circle.iter().map(|module| (*module).clone()));
        let names: Vec<_> = circle.iter().map(|module| module.join("/")).collect();
        let path = &files[circle[0]].path;
        found.push(format!("{path}: files of different modules import each other: {}", names.join(" -> ")));
    }
    found
}

/// The shortest way from one file to another along imports.
fn way<'a>(edges: &'a BTreeMap<&Module, BTreeSet<Module>>, from: &'a Module, to: &Module) -> Option<Vec<&'a Module>> {
    let mut before: BTreeMap<&Module, Option<&Module>> = BTreeMap::from([(from, None)]);
    let mut queue = VecDeque::from([from]);
    while let Some(at) = queue.pop_front() {
        if at == to {
            let mut way = vec![at];
            while let Some(Some(one)) = way.last().and_then(|last| before.get(*last)) {
                way.push(one);
            }
            way.reverse();
            return Some(way);
        }
        for next in edges.get(at).into_iter().flatten() {
            before.entry(next).or_insert_with(|| {
                queue.push_back(next);
                Some(at)
            });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(files: &[(&str, &str)]) -> Vec<String> {
        let owned: Vec<_> =
            files.iter().map(|(path, text)| (format!("gateway/a/src/{path}"), (*text).to_owned())).collect();
        check(&owned)
    }

    #[test]
    fn a_circle_through_two_modules_is_found() {
        let found = complaints(&[
            ("lib.rs", "mod one;\nmod two;\n"),
            ("one.rs", "use crate::two::Two;\npub struct One;\n"),
            ("two.rs", "use crate::{\n    one::{One, Other},\n};\npub struct Two;\n"),
        ]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("import each other"), "{found:?}");
    }

    #[test]
    fn files_of_one_module_may_import_each_other() {
        let found = complaints(&[
            ("lib.rs", "mod one;\n"),
            ("one/mod.rs", "mod a;\nmod b;\npub use a::A;\n"),
            ("one/a.rs", "use super::b::B;\npub struct A;\n"),
            ("one/b.rs", "use crate::one::A;\npub struct B;\n"),
        ]);
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn what_a_folder_shows_has_its_home_in_the_file() {
        let files = [
            ("lib.rs", "mod one;\nmod two;\n"),
            ("one/mod.rs", "mod a;\nmod b;\npub use a::*;\npub(crate) use b::B;\n"),
            ("one/a.rs", "pub const fn name() {}\n"),
            ("one/b.rs", "use crate::two::Two;\npub struct B;\n"),
            ("two.rs", "use crate::one::name;\npub struct Two;\n"),
        ];
        assert!(complaints(&files).is_empty());
        let mut knot = files;
        knot[4].1 = "use crate::one::B;\npub struct Two;\n";
        assert_eq!(complaints(&knot).len(), 1);
    }

    #[test]
    fn the_root_is_for_other_crates() {
        let files = [("lib.rs", "mod one;\nmod two;\npub use one::One;\n"), ("one.rs", "pub struct One;\n")];
        let with = |text| complaints(&[files[0], files[1], ("two.rs", text)]);
        assert_eq!(with("use crate::One;\n").len(), 1);
        assert!(with("use crate::one::One;\n").is_empty());
        assert!(with("#[cfg(test)]\nmod tests {\n    use crate::One;\n}\n").is_empty());
    }
}
