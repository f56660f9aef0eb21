//! Where dependencies come from: the public registries, and nothing that a machine adds to them.
//!
//! A mirror that one machine sets up must not end up in the tree, or nobody else can build it.

/// The one source that `Cargo.lock` may name.
const CRATES: &str = "registry+https://github.com/rust-lang/crates.io-index";
/// Options of pip that name another registry.
const PIP: [&str; 4] = ["--index-url", "--extra-index-url", "--find-links", "--trusted-host"];

/// Complaints about the file, if it says where dependencies come from.
pub fn check(path: &str, text: &str) -> Vec<String> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let wrong: &dyn Fn(&str) -> bool = match name {
        "Cargo.lock" => &|line| line.starts_with("source = ") && line != format!("source = \"{CRATES}\""),
        "config.toml" if path.ends_with(".cargo/config.toml") => {
            &|line| line.starts_with("[source") || line.starts_with("[registr")
        }
        "Cargo.toml" => &|line| ["registry =", "registry-index =", "git ="].iter().any(|word| has_field(line, word)),
        "requirements.txt" => &|line| PIP.iter().any(|option| line.starts_with(option)) || !is_pinned(line),
        "pip.conf" | ".npmrc" | ".pypirc" | "sources.list" => &|_| true,
        _ => return Vec::new(),
    };
    let complain = |(index, line)| match wrong(line) {
        true => Some(format!("{path}:{}: dependencies are pinned, and come from the public registries", index + 1)),
        false => None,
    };
    text.lines().enumerate().filter_map(complain).collect()
}

fn has_field(line: &str, field: &str) -> bool {
    line.starts_with(field) || line.contains(&format!("{{ {field}")) || line.contains(&format!(", {field}"))
}

fn is_pinned(line: &str) -> bool {
    line.is_empty() || line.starts_with('#') || line.contains("==")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_crates_from_the_public_index_only() {
        assert!(check("Cargo.lock", &format!("source = \"{CRATES}\"\n")).is_empty());
        assert_eq!(check("Cargo.lock", "source = \"registry+https://mirror.test/index\"\n").len(), 1);
        assert_eq!(check(".cargo/config.toml", "[source.crates-io]\n").len(), 1);
        assert!(check(".cargo/config.toml", "[alias]\n").is_empty());
        assert_eq!(check("gateway/doors/s3/Cargo.toml", "s3s = { git = \"https://forge.test/s3s\" }\n").len(), 1);
        assert!(check("gateway/doors/s3/Cargo.toml", "s3s.workspace = true\n").is_empty());
    }

    #[test]
    fn wants_python_packages_pinned() {
        assert!(check("a/requirements.txt", "# why\n\nboto3==1.44.5\n").is_empty());
        assert_eq!(check("a/requirements.txt", "boto3\n").len(), 1);
        assert_eq!(check("a/requirements.txt", "--index-url https://mirror.test\n").len(), 1);
        assert_eq!(check("a/pip.conf", "[global]\n").len(), 1);
    }
}
