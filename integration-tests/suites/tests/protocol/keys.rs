use anyhow::{Context, Result};
use cofre_harness::{Options, Request};
use cofre_suites::{BUCKET, contents, make_bucket, path, put, refused, succeeded, with_bucket};
use std::path::Path;

/// Keys that some store has taken for something else than a name.
const KEYS: [&str; 17] = [
    "..",
    "../other-bucket/object",
    "../../etc/passwd",
    "a/../b",
    "a/./b",
    ".",
    "/",
    "//",
    "/leading",
    "trailing/",
    "a",
    "a/b",
    "a//b",
    "tab\tline\nend\r",
    "\u{1}\u{1f}",
    "percent%2Fplus+space and ü 漢字 \u{1f512}",
    ".system-4981F8/system.xml",
];

#[test]
fn a_key_is_a_name_and_never_a_path() -> Result<()> {
    let cofre = with_bucket(Options::new().shards(1))?;
    make_bucket(&cofre, "other-bucket")?;
    for key in KEYS {
        succeeded(cofre.send(put(key, key.as_bytes()))?).with_context(|| format!("{key:?}"))?;
    }
    for key in KEYS {
        assert_eq!(contents(&cofre, key)?.as_deref(), Some(key.as_bytes()), "{key:?}");
    }
    let other = succeeded(cofre.send(Request::new("GET", "/other-bucket?list-type=2"))?)?;
    assert!(!other.text().contains("<Key>"), "{}", other.text());
    for folder in [cofre.data(), cofre.shards().remove(0)] {
        no_file_is_called_after_a_key(&folder)?;
    }
    Ok(())
}

fn no_file_is_called_after_a_key(folder: &Path) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_str().context("names of files are plain")?;
        assert!(!["passwd", "system.xml", "leading", "trailing", "b", "object"].contains(&name), "{:?}", entry.path());
        if entry.file_type()?.is_dir() {
            no_file_is_called_after_a_key(&entry.path())?;
        }
    }
    Ok(())
}

#[test]
fn a_listing_of_any_keys_can_be_read() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    for key in KEYS {
        succeeded(cofre.send(put(key, b""))?)?;
    }
    let mut sorted = KEYS;
    sorted.sort_unstable();
    for version in ["list-type=2&", ""] {
        // Pages of two, so that every key is a marker once.
        let (mut listed, mut marker) = (Vec::new(), String::new());
        loop {
            let target = format!("/{BUCKET}?{version}max-keys=2&encoding-type=url{marker}");
            let page = succeeded(cofre.send(Request::new("GET", &target))?)?;
            let text = page.text();
            let keys: Vec<String> =
                text.split("<Key>").skip(1).filter_map(|rest| rest.split('<').next()).map(str::to_owned).collect();
            assert!(keys.len() <= 2, "{text}");
            listed.extend(keys);
            if page.element("IsTruncated").as_deref() != Some("true") {
                break;
            }
            marker = match page.element("NextContinuationToken") {
                Some(token) => format!("&continuation-token={}", cofre_harness::encode_value(&token)),
                None => {
                    let last = decoded(listed.last().map(String::as_str).unwrap_or_default());
                    format!("&marker={}", encoded(&String::from_utf8(last)?))
                }
            };
            assert!(listed.len() <= KEYS.len(), "a listing that does not end: {listed:?}");
        }
        let listed: Vec<Vec<u8>> = listed.iter().map(|key| decoded(key)).collect();
        assert_eq!(listed, sorted.map(|key| key.as_bytes().to_vec()), "{version}");
    }
    Ok(())
}

fn encoded(key: &str) -> String {
    cofre_harness::encode_value(key)
}

/// Undoes the encoding of a listing, in which a space is a plus.
fn decoded(text: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), text.bytes());
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16)).unwrap_or(0);
                bytes.push(u8::try_from(digit() * 16 + digit()).unwrap_or(0));
            }
            other => bytes.push(other),
        }
    }
    bytes
}

#[test]
fn a_key_has_1024_bytes_at_most() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    let longest = "ü".repeat(512);
    succeeded(cofre.send(put(&longest, b"x"))?)?;
    assert_eq!(contents(&cofre, &longest)?.as_deref(), Some(&b"x"[..]));
    refused(&cofre.send(put(&format!("{longest}a"), b"x"))?, 400, "KeyTooLongError")?;
    // A key that is no UTF-8 is no key.
    let response = cofre.send(Request::new("PUT", &format!("{}%ff", path("a"))).body(b"x"))?;
    assert_eq!(response.status, 400, "{}", response.text());
    Ok(())
}
