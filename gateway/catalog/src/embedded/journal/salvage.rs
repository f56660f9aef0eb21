//! Every whole batch of journals that may be damaged anywhere.

use super::super::lenient::Lenient;
use super::super::place::CatalogId;
use super::batches::{BEGIN_BYTES, Batches, Item, may_begin};
use super::{BUFFER_BYTES, is_zero, list};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Bytes of a journal that are no batch.
pub(in crate::embedded) struct Broken {
    pub(in crate::embedded) path: PathBuf,
    pub(in crate::embedded) at: u64,
    pub(in crate::embedded) length: u64,
}

/// Hands on what every whole batch of the journals in a directory changed, and where none could be read. What was never
/// written to is not broken.
pub(in crate::embedded) fn salvage(
    directory: &Path,
    mut each: impl FnMut(Vec<Item>),
    mut broken: impl FnMut(Broken),
) -> io::Result<()> {
    for path in list(directory)? {
        match File::open(&path).and_then(|file| Ok((file.metadata()?.len(), file))) {
            Ok((length, file)) => one(&path, Lenient(file), length, &mut each, &mut broken)?,
            Err(_) => broken(Broken { path, at: 0, length: 0 }),
        }
    }
    Ok(())
}

fn one(
    path: &Path,
    journal: Lenient,
    length: u64,
    each: &mut impl FnMut(Vec<Item>),
    broken: &mut impl FnMut(Broken),
) -> io::Result<()> {
    let mut batches = Batches::new(journal, length, CatalogId::default()).keep();
    loop {
        while let Some(items) = batches.items()? {
            each(items);
        }
        let end = batches.good();
        let (written, starts) = behind(path, end)?;
        if !written {
            return Ok(());
        }
        let mut next = None;
        for start in starts {
            batches.seek(start)?;
            if let Some(items) = batches.items()? {
                each(items);
                next = Some(start);
                break;
            }
        }
        broken(Broken { path: path.to_owned(), at: end, length: next.unwrap_or(length) - end });
        if next.is_none() {
            return Ok(());
        }
    }
}

/// Whether anything was written behind a byte, and where another batch may begin.
fn behind(path: &Path, from: u64) -> io::Result<(bool, Vec<u64>)> {
    let mut file = Lenient(File::open(path)?);
    file.seek(SeekFrom::Start(from))?;
    let (mut written, mut starts, mut at) = (false, Vec::new(), from);
    let mut window: Vec<u8> = Vec::with_capacity(BUFFER_BYTES + BEGIN_BYTES);
    while file.by_ref().take(BUFFER_BYTES as u64).read_to_end(&mut window)? > 0 {
        written |= !is_zero(&window);
        let begins = window.windows(BEGIN_BYTES).enumerate().filter(|(_, bytes)| may_begin(bytes));
        starts.extend(begins.map(|(place, _)| at + place as u64).filter(|start| *start > from));
        let kept = window.len().min(BEGIN_BYTES - 1);
        at += (window.len() - kept) as u64;
        window.drain(..window.len() - kept);
    }
    Ok((written, starts))
}
