//! What a provisioning file has in other files, and what it writes for people: sizes in words.

use cofre_runtime::open_mode;
use serde_json::Value;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Longest file that is included, in bytes.
const INCLUDED_BYTES_MAX: u64 = 128 << 10;

/// Most bytes of all files that are included.
const INCLUDED_IN_ALL_MAX: u64 = 8 << 20;

/// A field, and what is wrong with it.
type Wrong = (String, String);

/// Puts what other files hold in its place, and numbers in that of sizes. Paths are relative to `folder`. Tells whether
/// the document holds a secret by itself.
pub(super) fn include(document: &mut Value, folder: &Path) -> Result<bool, Wrong> {
    sizes(document);
    let mut left = INCLUDED_IN_ALL_MAX;
    for kind in ["buckets", "key_policies"] {
        for (at, item) in items(document, kind) {
            let field = format!("{kind}[{at}]");
            replace(item, ("policy", "policy_file"), &field, |path| read(&folder.join(path), false, &mut left))?;
        }
    }
    let mut holds_secrets = false;
    for (at, account) in items(document, "accounts") {
        for (key_at, key) in items(account, "keys") {
            holds_secrets |= key.get("secret_access_key").is_some();
            let field = format!("accounts[{at}].keys[{key_at}]");
            let secret = |path: &str| {
                read(&folder.join(path), true, &mut left).map(|text| text.trim_end_matches(['\r', '\n']).to_owned())
            };
            replace(key, ("secret_access_key", "secret_access_key_file"), &field, secret)?;
        }
    }
    Ok(holds_secrets)
}

fn items<'a>(of: &'a mut Value, name: &str) -> impl Iterator<Item = (usize, &'a mut Value)> {
    of.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten().enumerate()
}

/// Replaces the name of a file by what is in it.
fn replace(
    item: &mut Value,
    (name, file_name): (&str, &str),
    field: &str,
    read: impl FnOnce(&str) -> Result<String, String>,
) -> Result<(), Wrong> {
    let Some(fields) = item.as_object_mut() else { return Ok(()) };
    let Some(path) = fields.remove(file_name) else { return Ok(()) };
    let wrong = |why: String| (format!("{field}.{file_name}"), why);
    if fields.contains_key(name) {
        return Err(wrong(format!("and {name} are both there; keep one")));
    }
    let path = path.as_str().ok_or_else(|| wrong("must be the path of a file".to_owned()))?;
    fields.insert(name.to_owned(), Value::String(read(path).map_err(wrong)?));
    Ok(())
}

fn read(path: &Path, secret: bool, left: &mut u64) -> Result<String, String> {
    let shown = path.display();
    let failed = |error: std::io::Error| format!("cannot read {shown}: {error}");
    let file = File::open(path).map_err(failed)?;
    if let Some(mode) = open_mode(&file.metadata().map_err(failed)?).filter(|_| secret) {
        return Err(format!("others may read {shown} (mode {mode}); run: chmod 600 {shown}"));
    }
    let mut text = String::new();
    file.take(INCLUDED_BYTES_MAX + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > INCLUDED_BYTES_MAX {
        return Err(format!("{shown} has more than 128 KiB"));
    }
    match left.checked_sub(text.len() as u64) {
        Some(rest) => *left = rest,
        None => return Err(format!("{shown} and the files before it have more than 8 MiB together")),
    }
    Ok(text)
}

/// Makes numbers of sizes in words, as `10GiB`, where a document counts bytes.
fn sizes(document: &mut Value) {
    if let Some(settings) = document.get_mut("settings") {
        settings_sizes(settings);
    }
    for kind in ["accounts", "buckets"] {
        for (_, item) in items(document, kind) {
            number(item.pointer_mut("/quota/bytes_max"));
            for (_, rule) in items(item, "lifecycle") {
                number(rule.pointer_mut("/filter/object_size_greater_than"));
                number(rule.pointer_mut("/filter/object_size_less_than"));
            }
        }
    }
}

/// In settings the name of a field says that it counts bytes.
fn settings_sizes(settings: &mut Value) {
    for (name, value) in settings.as_object_mut().into_iter().flatten() {
        if value.is_object() {
            settings_sizes(value);
        } else if name.split('_').any(|word| word == "bytes") {
            number(Some(value));
        }
    }
}

fn number(value: Option<&mut Value>) {
    if let Some(value) = value
        && let Some(bytes) = value.as_str().and_then(|text| cofre_settings::parse_bytes(text).ok())
    {
        *value = bytes.into();
    }
}
