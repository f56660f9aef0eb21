//! Licences of all that Cofre is built from.

use serde_json::Value;

/// Licences that ask for no more than a notice, or for changes to the library itself (MPL).
const FINE: [&str; 15] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Complaints about packages under another licence, in the output of `cargo metadata`.
pub fn check(metadata: &Value) -> Vec<String> {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let complain = |package: &Value| {
        let licence = package["license"].as_str().unwrap_or("none");
        let name = package["name"].as_str().unwrap_or("?");
        (!is_fine(licence)).then(|| format!("Cargo.lock: {name} is under the licence {licence:?}"))
    };
    packages.filter_map(complain).collect()
}

/// Whether an SPDX expression leaves a choice that is fine. `/` is an old way to write OR.
fn is_fine(expression: &str) -> bool {
    let expression = expression.trim();
    if let Some(either) = split_outside(expression, &[" OR ", "/"]) {
        return either.iter().any(|choice| is_fine(choice));
    }
    if let Some(all) = split_outside(expression, &[" AND "]) {
        return all.iter().all(|part| is_fine(part));
    }
    match expression.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
        Some(inner) => is_fine(inner),
        None => FINE.contains(&expression),
    }
}

/// Splits at separators that stand outside of parentheses; `None` if there is none.
fn split_outside<'e>(expression: &'e str, separators: &[&str]) -> Option<Vec<&'e str>> {
    let (mut parts, mut from, mut depth) = (Vec::new(), 0, 0_u32);
    for (at, character) in expression.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let found = separators.iter().find(|separator| expression[at..].starts_with(**separator));
        if let (0, Some(separator)) = (depth, found) {
            parts.push(&expression[from..at]);
            from = at + separator.len();
        }
    }
    parts.push(&expression[from..]);
    (parts.len() > 1).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_a_choice_that_is_fine() {
        assert!(is_fine("MIT OR GPL-3.0-only"));
        assert!(is_fine("MIT/Apache-2.0"));
        assert!(is_fine("(MIT OR Apache-2.0) AND Unicode-3.0"));
        assert!(is_fine("ISC AND (Apache-2.0 OR ISC)"));
    }

    #[test]
    fn refuses_the_others() {
        assert!(!is_fine("GPL-3.0-only"));
        assert!(!is_fine("MIT AND GPL-3.0-only"));
        assert!(!is_fine("(MIT AND GPL-3.0-only) OR AGPL-3.0-only"));
        assert!(!is_fine("none"));
    }

    #[test]
    fn names_the_package() {
        let metadata = serde_json::json!({ "packages": [
            { "name": "good", "license": "MIT" }, { "name": "bad", "license": null },
        ] });
        assert_eq!(check(&metadata), vec!["Cargo.lock: bad is under the licence \"none\""]);
    }
}
