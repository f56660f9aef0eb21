//! Folders of files to send away and get back.

use anyhow::{Context, Result, ensure};
use cofre_harness::Fill;
use std::collections::BTreeMap;
use std::path::Path;

/// Sizes around the bounds where stores and clients change their ways: nothing, a block, a packed blob,
/// a multipart upload.
const SIZES: [(&str, usize); 8] = [
    ("empty", 0),
    ("one byte", 1),
    ("block", 65_536),
    ("block and one", 65_537),
    ("folder/a megabyte", 1 << 20),
    ("folder/deeper/ü and 漢字.txt", 100_000),
    ("folder/plus+percent%20", 10),
    ("multipart", (20 << 20) + 7),
];

/// Fills a folder.
pub fn write(folder: &Path) -> Result<()> {
    for (seed, (name, size)) in (0..).zip(SIZES) {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().context("a parent")?)?;
        std::fs::write(path, Fill(seed).bytes(size))?;
    }
    Ok(())
}

/// Names and contents of all files below a folder.
pub fn read(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let (mut files, mut folders) = (BTreeMap::new(), vec![folder.to_path_buf()]);
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder)?.to_str().context("names are UTF-8")?.to_owned();
                files.insert(name, std::fs::read(&path)?);
            }
        }
    }
    Ok(files)
}

/// Fails unless both folders hold the same.
pub fn same(one: &Path, other: &Path) -> Result<()> {
    let (one, other) = (read(one)?, read(other)?);
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    ensure!(names(&one) == names(&other), "other names: {:?} and {:?}", names(&one), names(&other));
    for (name, bytes) in &one {
        ensure!(other[name] == *bytes, "{name} is another: {} bytes and {}", bytes.len(), other[name].len());
    }
    Ok(())
}
