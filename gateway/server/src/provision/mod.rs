//! Files that say what a Cofre should have, as people write them: TOML or JSON, with secrets and policies in files of their
//! own where that is wanted.
//!
//! # Invariants
//! - An error names the file, the line where the format has lines, and the field.
//! - A file that others may read holds no secret, nor does one that it names.

mod credentials;
mod included;

pub(crate) use credentials::{FreshSecrets, make_secrets};

use anyhow::{Result, anyhow, bail};
use cofre_admin_types::provision::Provision;
use cofre_runtime::open_mode;
use serde_json::Value;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};

/// Longest file, in bytes.
const FILE_BYTES_MAX: u64 = 8 << 20;

/// What stands for standard input.
const STDIN: &str = "-";

/// A file that says what a Cofre should have.
pub(crate) struct ProvisionFile {
    /// What it says, with what it includes in its place.
    pub(crate) document: Provision,
    place: Place,
}

/// A file and its text, to say where something stands.
pub(crate) struct Place {
    name: String,
    text: String,
}

impl ProvisionFile {
    /// Reads a file, or standard input for `-`. Blocks.
    ///
    /// # Errors
    /// What is wrong with which field, and where it stands.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let name = if path == Path::new(STDIN) { "standard input".to_owned() } else { path.display().to_string() };
        let (text, mode) = read_text(path).map_err(|error| anyhow!("{name}: {error}"))?;
        let place = Place { name, text };
        let mut value = place.parse()?;
        let folder = path.parent().filter(|_| path != Path::new(STDIN)).map_or_else(PathBuf::new, Path::to_owned);
        let holds_secrets = included::include(&mut value, &folder).map_err(|(field, why)| place.wrong(&field, &why))?;
        if let Some(mode) = mode.filter(|_| holds_secrets) {
            bail!(
                "{0}: it holds secrets and others may read it (mode {mode}); run: chmod 600 {0}, or write each secret into a \
                 file of its own and name that with secret_access_key_file",
                place.name
            );
        }
        let document = serde_path_to_error::deserialize(value).map_err(|error| {
            let (path, why) = (error.path().to_string(), error.inner().to_string());
            place.wrong(if path == "." { "" } else { &path }, &without_value(&why))
        })?;
        Ok(Self { document, place })
    }

    /// The error of a field.
    pub(crate) fn wrong(&self, field: &str, why: &str) -> anyhow::Error {
        self.place.wrong(field, why)
    }
}

/// The text of a file, and its mode if others may read it.
fn read_text(path: &Path) -> std::io::Result<(String, Option<String>)> {
    let (reader, mode): (Box<dyn Read>, _) = if path == Path::new(STDIN) {
        (Box::new(std::io::stdin().lock()), None)
    } else {
        let file = File::open(path)?;
        let mode = open_mode(&file.metadata()?).map(|mode| mode.to_string());
        (Box::new(file), mode)
    };
    let mut text = String::new();
    reader.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    // Some editors begin a file so.
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(std::io::Error::other("it has more than 8 MiB"));
    }
    Ok((text, mode))
}

impl Place {
    fn is_json(&self) -> bool {
        self.text.trim_start().starts_with('{')
    }

    fn parse(&self) -> Result<Value> {
        if self.is_json() {
            return serde_json::from_str(&self.text).map_err(|error| anyhow!("{}: {error}", self.name));
        }
        let table: toml::Table = toml::from_str(&self.text).map_err(|error| {
            let line = error.span().map_or(1, |span| line_of(&self.text, span.start));
            anyhow!("{}:{line}: {}", self.name, without_value(error.message()))
        })?;
        Ok(json(toml::Value::Table(table)))
    }

    /// The error of a field, as `provision.toml:12: buckets[2].policy: why`.
    fn wrong(&self, field: &str, why: &str) -> anyhow::Error {
        let line = if self.is_json() { None } else { self.line(field) };
        let name = line.map_or_else(|| self.name.clone(), |line| format!("{}:{line}", self.name));
        if field.is_empty() { anyhow!("{name}: {why}") } else { anyhow!("{name}: {field}: {why}") }
    }

    /// The line of a field, or of what is around it if it does not stand there itself.
    fn line(&self, field: &str) -> Option<usize> {
        let table = DeTable::parse(&self.text).ok()?;
        let mut at = None;
        let mut here = DeValue::Table(table.into_inner());
        for name in field.split(['.', '[', ']']).filter(|name| !name.is_empty()) {
            let (span, inner) = match here {
                DeValue::Table(mut table) => {
                    let Some((key, value)) = table.remove_entry(name) else { break };
                    // Of a table or a list of them the first line is that of its header.
                    (
                        if value.get_ref().is_table() || value.get_ref().is_array() {
                            value.span()
                        } else {
                            key.span()
                        },
                        value,
                    )
                }
                DeValue::Array(items) => {
                    let Some(item) = name.parse().ok().and_then(|place: usize| items.into_iter().nth(place)) else {
                        break;
                    };
                    (item.span(), item)
                }
                _ => break,
            };
            at = Some(span.start);
            here = inner.into_inner();
        }
        Some(line_of(&self.text, at?))
    }
}

/// What a deserializer says, without a value of the wrong type: it could be a secret.
fn without_value(why: &str) -> String {
    let expected = why.rsplit_once(", expected ").map(|(_, expected)| expected);
    match expected.filter(|_| why.starts_with("invalid ")) {
        Some(expected) => format!("must be {expected}"),
        None => why.to_owned(),
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// TOML's values as JSON's; a moment is its text.
fn json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(is) => is.into(),
        toml::Value::Datetime(moment) => Value::String(moment.to_string()),
        toml::Value::Array(items) => items.into_iter().map(json).collect(),
        toml::Value::Table(table) => table.into_iter().map(|(name, value)| (name, json(value))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn read(text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.toml");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        match ProvisionFile::read(&path) {
            Ok(file) => serde_json::to_string(&file.document).unwrap(),
            Err(error) => error.to_string().replace(&path.display().to_string(), "p.toml"),
        }
    }

    #[test]
    fn errors_name_the_line_and_the_field() {
        for (text, error) in [
            ("a = 1", "p.toml:1: a: unknown field `a`"),
            (
                "[[buckets]]\nname = \"x\"\n\n[[buckets]]\nname = \"y\"\ncolour = 1\n",
                "p.toml:6: buckets[1].colour: unknown field",
            ),
            (
                "[[accounts]]\nname = \"ana\"\nquota = { bytes_max = \"lots\" }\n",
                "p.toml:3: accounts[0].quota.bytes_max: ",
            ),
            (
                "[[accounts]]\nname = \"ana\"\n[[accounts.keys]]\nnote = \"\"\n",
                "p.toml:3: accounts[0].keys[0]: missing field",
            ),
            ("[[buckets]\n", "p.toml:1: "),
            (
                "[[accounts]]\nname = \"a\"\n[[accounts.keys]]\naccess_key_id = \"b\"\nsecret_access_key = 1234567890123456",
                "p.toml:5: accounts[0].keys[0].secret_access_key: must be a string",
            ),
            (
                "[[accounts]]\nname = \"a\"\n[[accounts.keys]]\nsecret_access_key = 12345678901234567890123456",
                "p.toml:4: must be ",
            ),
            ("{\"buckets\": [{\"name\": 5}]}", "p.toml: buckets[0].name: must be a string"),
            ("[[buckets]]\nname = \"x\"\nversioning = \"on\"", "p.toml:3: buckets[0].versioning: unknown variant `on`"),
        ] {
            let said = read(text);
            assert!(said.starts_with(error), "{said:?} is not {error:?}");
        }
    }

    #[test]
    fn sizes_moments_and_aliases_are_read() {
        let text = "[settings.quotas]\nbucket_bytes_max = \"1 GiB\"\n[[buckets]]\nname = \"x\"\nversioning = \"Enabled\"\n\
                    quota = { bytes_max = \"2KiB\" }\n[[buckets.lifecycle]]\nid = \"a\"\nexpiration = { date = 2030-01-01T00:00:00Z }\n";
        let said = read(text);
        let tags = read("[[buckets]]\nname = \"x\"\ntags = { bytes = \"5\", max_bytes = \"1GiB\" }\n");
        assert!(tags.contains("{\"bytes\":\"5\",\"max_bytes\":\"1GiB\"}"), "{tags}");
        for part in ["\"bucket_bytes_max\":1073741824", "\"bytes_max\":2048", "\"enabled\"", "\"2030-01-01T00:00:00Z\""]
        {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
}
