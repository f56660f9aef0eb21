//! Files that this process cannot use because another user owns them: one start as root leaves such files, and the
//! service's own user then fails on the first of them without a word of the others.

use anyhow::{Result, bail};
use cofre_runtime::blocking;
use cofre_settings::BootSettings;
use rustix::fs::Access;
use std::fmt::Write;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Files that are named; of the others the number is told.
const SHOWN_MAX: usize = 20;

/// Most files that are looked at once one was found that cannot be used.
const LOOKED_AT_MAX: usize = 1_000_000;

/// How deep every start looks. What one start as another user makes is found there: files of the catalog, packs.
const SKIMMED_DEPTH: usize = 2;

/// What a file system has of its own, and what nobody reads after the first start.
const PASSED_OVER: [&str; 3] = ["lost+found", "credentials", "admin-token"];

/// Refuses a start that would fail on files of another user, and says which they are and what gives them back. A start as
/// root in the directory of another user is warned of.
pub(super) async fn check(settings: &BootSettings) -> Result<()> {
    let ours = settings.clone();
    blocking(move || {
        // The owner of a process' entry is its effective user (proc(5)).
        let Ok(process) = fs::metadata("/proc/self") else { return Ok(()) };
        match process.uid() {
            0 => {
                warn_root(&ours.data);
                Ok(())
            }
            _ => check_files(&ours, &process),
        }
    })
    .await
}

fn warn_root(data: &Path) {
    let Ok(owner) = fs::metadata(data) else { return };
    if owner.uid() != 0 {
        let (user, group) = (owner.uid(), owner.gid());
        tracing::warn!(
            "this start is root's, and the user {user} owns {0}: that user cannot read what it makes; before the next start \
             as that user: chown -R {user}:{group} {0}",
            data.display()
        );
    }
}

fn check_files(settings: &BootSettings, process: &Metadata) -> Result<()> {
    let roots: Vec<&PathBuf> = std::iter::once(&settings.data).chain(&settings.shards).collect();
    let read_only = [&settings.master_key_file, &settings.encryption_keys_file];
    let mut skimmed = Search::new(read_only, SKIMMED_DEPTH);
    roots.iter().for_each(|root| skimmed.look(root, 0));
    if skimmed.found.is_empty() {
        return Ok(());
    }
    let mut whole = Search::new(read_only, usize::MAX);
    roots.iter().for_each(|root| whole.look(root, 0));
    let (user, group) = (process.uid(), process.gid());
    let (count, more) = (whole.count, if whole.left == 0 { "more than " } else { "" });
    let mut text = format!(
        "data: this process runs as the user {user}, and {more}{count} files are another user's or may not be used, as after \
         one start as root:"
    );
    for (path, owner) in &whole.found {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n  {}  (the user {owner}'s)", path.display());
    }
    if count > whole.found.len() {
        let _ = write!(text, "\n  and {} more", count - whole.found.len());
    }
    let _ = write!(text, "\ngive them back with: chown -R {user}:{group}");
    // A directory within another one is given back with it.
    let within = |root: &Path| roots.iter().any(|other| other.as_path() != root && root.starts_with(other));
    for root in roots.iter().filter(|root| !within(root) && root.exists()) {
        let _ = write!(text, " {}", root.display());
    }
    bail!(text)
}

/// A walk over files, which remembers those that cannot be used.
struct Search<'a> {
    /// Files that are only read.
    read_only: [&'a PathBuf; 2],
    depth_max: usize,
    /// Files that may be looked at yet.
    left: usize,
    count: usize,
    /// The first of them, with their owners.
    found: Vec<(PathBuf, u32)>,
}

impl<'a> Search<'a> {
    const fn new(read_only: [&'a PathBuf; 2], depth_max: usize) -> Self {
        Self { read_only, depth_max, left: LOOKED_AT_MAX, count: 0, found: Vec::new() }
    }

    fn look(&mut self, path: &Path, depth: usize) {
        // What is not there is the matter of who opens it. A link's end is told by what it is called.
        let Ok(metadata) = fs::metadata(path) else { return };
        if self.left == 0 {
            return;
        }
        self.left -= 1;
        let wanted = match metadata.is_dir() {
            true => Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK,
            false if self.read_only.iter().any(|file| *file == path) => Access::READ_OK,
            false => Access::READ_OK | Access::WRITE_OK,
        };
        if rustix::fs::access(path, wanted) == Err(rustix::io::Errno::ACCESS) {
            self.count += 1;
            if self.found.len() < SHOWN_MAX {
                self.found.push((path.to_owned(), metadata.uid()));
            }
        }
        let is_link = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
        if !metadata.is_dir() || depth == self.depth_max || (is_link && depth > 0) {
            return;
        }
        // A directory that cannot be read is told already.
        let Ok(entries) = fs::read_dir(path) else { return };
        for entry in entries.flatten() {
            if !PASSED_OVER.iter().any(|name| entry.file_name() == *name) {
                self.look(&entry.path(), depth + 1);
            }
        }
    }
}
