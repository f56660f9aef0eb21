use crate::data::DataDir;
use crate::options::Options;
use anyhow::{Context, Result, ensure};
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What stands between the server and its disk.
const SOURCE: &str = include_str!("faulty_disk.c");

/// What a disk does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A sync fails, and what was written since the last one never reaches the disk, though it can still be read: the page
    /// cache has it.
    FailSync,
    /// A sync does not end.
    HangSync,
    /// Some bytes of a file cannot be read: see [`FaultyDisk::fail_reads`].
    FailRead,
}

impl Fault {
    const fn name(self) -> &'static str {
        match self {
            Self::FailSync => "fail-sync",
            Self::HangSync => "hang-sync",
            Self::FailRead => "fail-read",
        }
    }
}

/// A disk below a folder that fails when it is told to, and that a power cut leaves with what was synced alone.
#[derive(Debug)]
pub struct FaultyDisk {
    control: DataDir,
    under: PathBuf,
}

impl FaultyDisk {
    /// A disk for what is below `under`. It needs a C compiler.
    ///
    /// # Errors
    /// If there is none.
    pub fn new(under: &Path) -> Result<Self> {
        let disk = Self { control: DataDir::new()?, under: under.to_owned() };
        let source = disk.control.path().join("faulty_disk.c");
        std::fs::write(&source, SOURCE)?;
        let mut compiler = Command::new("cc");
        compiler
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
            .arg(disk.library())
            .arg(&source)
            .arg("-ldl");
        let output = compiler.output().context("cc does not start")?;
        ensure!(output.status.success(), "cc: {}", String::from_utf8_lossy(&output.stderr));
        Ok(disk)
    }

    fn library(&self) -> PathBuf {
        self.control.path().join("faulty_disk.so")
    }

    /// What a program on this disk has in its environment.
    pub fn environment(&self) -> [(&'static str, PathBuf); 3] {
        [
            ("LD_PRELOAD", self.library()),
            ("FAULTY_DISK_CONTROL", self.control.path().to_owned()),
            ("FAULTY_DISK_UNDER", self.under.clone()),
        ]
    }

    /// Options of a server on this disk.
    pub fn options(&self, options: Options) -> Options {
        self.environment().iter().fold(options, |options, (name, path)| options.env(name, &path.display().to_string()))
    }

    /// Begins [`Fault::FailRead`]: calls of the C library that read any of these bytes of a file fail. Kernels give what
    /// stands before them.
    ///
    /// # Errors
    /// If it cannot be told.
    pub fn fail_reads(&self, file: &Path, bytes: Range<u64>) -> Result<()> {
        let told = format!("{} {} {}", bytes.start, bytes.end, file.canonicalize()?.display());
        std::fs::write(self.control.path().join(Fault::FailRead.name()), told).context("a fault cannot begin")
    }

    /// Begins a fault.
    ///
    /// # Errors
    /// If it cannot be told.
    pub fn begin(&self, fault: Fault) -> Result<()> {
        std::fs::write(self.control.path().join(fault.name()), b"").context("a fault cannot begin")
    }

    /// Ends a fault.
    ///
    /// # Errors
    /// If it cannot be told.
    pub fn end(&self, fault: Fault) -> Result<()> {
        std::fs::remove_file(self.control.path().join(fault.name())).context("a fault cannot end")
    }

    /// Inodes of the folders whose entries were synced by now.
    ///
    /// # Errors
    /// If the log of the disk does not read.
    pub fn synced_folders(&self) -> Result<HashSet<u64>> {
        let log = std::fs::read_to_string(self.control.path().join("log")).unwrap_or_default();
        let folders = log.lines().filter_map(|line| line.strip_prefix("d ")?.split(' ').next());
        folders.map(|inode| inode.parse().context("an inode")).collect()
    }

    /// Cuts the power, once no process uses the disk: bytes that were never synced, or whose sync failed, are zeroes.
    /// Tells how many bytes that took.
    ///
    /// # Errors
    /// If a file cannot be changed.
    pub fn cut_power(&self) -> Result<u64> {
        let log = std::fs::read_to_string(self.control.path().join("log")).unwrap_or_default();
        let mut files: HashMap<u64, Unsynced> = HashMap::new();
        for line in log.lines() {
            let mut fields = line.split(' ');
            let what = fields.next().context("a line of the log")?;
            let mut number = || anyhow::Ok(fields.next().context("a field of the log")?.parse::<u64>()?);
            let (file, at, length) = (number()?, number()?, number()?);
            let unsynced = files.entry(file).or_default();
            match what {
                "w" => unsynced.write(at..at + length),
                "t" => unsynced.cut(at),
                "s" => unsynced.fresh.clear(),
                "d" => {}
                _ => unsynced.lost.append(&mut unsynced.fresh),
            }
        }
        let mut bytes = 0;
        forget(&self.under, &files, &mut bytes)?;
        std::fs::remove_file(self.control.path().join("log"))?;
        Ok(bytes)
    }
}

/// What of a file no disk has.
#[derive(Debug, Default)]
struct Unsynced {
    /// What was written since the last sync.
    fresh: Vec<Range<u64>>,
    /// What a sync failed on: the page cache holds it for written.
    lost: Vec<Range<u64>>,
}

impl Unsynced {
    /// A write makes its bytes fresh, also where they were lost.
    fn write(&mut self, range: Range<u64>) {
        self.lost = self.lost.iter().flat_map(|lost| without(lost, &range)).collect();
        self.fresh.push(range);
    }

    fn cut(&mut self, length: u64) {
        for ranges in [&mut self.fresh, &mut self.lost] {
            ranges.retain(|range| range.start < length);
            ranges.iter_mut().for_each(|range| range.end = range.end.min(length));
        }
    }
}

/// A range without another.
fn without(range: &Range<u64>, other: &Range<u64>) -> Vec<Range<u64>> {
    let before = range.start..range.end.min(other.start);
    let behind = range.start.max(other.end)..range.end;
    [before, behind].into_iter().filter(|part| part.start < part.end).collect()
}

fn forget(folder: &Path, files: &HashMap<u64, Unsynced>, bytes: &mut u64) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        if metadata.is_dir() {
            forget(&entry.path(), files, bytes)?;
            continue;
        }
        // What is written over and over in one place has its old bytes on disk, which are not known here.
        let in_place = entry.file_name() == "durable";
        let Some(unsynced) = files.get(&metadata.ino()).filter(|_| !in_place) else { continue };
        let file = File::options().write(true).open(entry.path())?;
        for range in unsynced.lost.iter().chain(&unsynced.fresh) {
            let end = range.end.min(metadata.len());
            let zeroes = vec![0; usize::try_from(end.saturating_sub(range.start))?];
            file.write_all_at(&zeroes, range.start)?;
            *bytes += zeroes.len() as u64;
        }
    }
    Ok(())
}
