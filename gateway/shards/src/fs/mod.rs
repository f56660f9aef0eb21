//! Blobs on a file system of this machine.
//!
//! # Invariants
//! - A durable put returns only after its bytes and its name were synced. After a sync that failed the
//!   same pages are never synced again: the file is given up.
//! - A tombstone counts only for the incarnation of the catalog that had it written.
//! - A locator alone finds a blob: memory does not grow with the number of blobs.
//! - Every block is bound by its checksum to its blob and its place in it.
//! - A file that lost its name takes nothing: no write is acknowledged into it, and nothing is read from it as there.
//! - A root is written only while it is the directory that was opened, with the identity that was expected, by one process.
//!
//! # Failure and retry
//! A full disk fails puts with nothing half there; reads go on, and so do deletions, which live off the reserve.
//!
//! # Limits
//! One pack writer thread and one clean-up thread a shard; up to 128 packs held open; 1 MiB a read or write in flight,
//! of which a stream has three.

mod buffers;
mod chores;
mod damage;
mod delete;
mod error;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod incarnation;
mod large;
mod list;
mod locator;
mod pack;
mod put;
mod root;

pub use error::FsError;
pub use incarnation::CatalogMark;

use crate::backend::{
    Backend, BackendError, BlobHeader, Capacity, Compacted, ListPage, Listed, Locator, NotDeleted, Probe, Relocate,
    Stored,
};
use crate::body::{Body, ByteStream};
use crate::{crc, frame as record, identity::ShardIdentity};
use async_trait::async_trait;
use buffers::Buffers;
use chores::Chores;
use cofre_runtime::{Clock, Random, blocking, thread};
use cofre_types::{BlobId, ResolvedRange};
use damage::Damage;
use futures_util::{StreamExt, stream};
use locator::Place;
use pack::{Append, Compaction, Handles, Writer};
use parking_lot::Mutex;
use root::Root;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::mpsc;

/// Bounds of [`FsOptions::pack_bytes_max`].
const PACK_BYTES: std::ops::RangeInclusive<u64> = 64 * 1024..=1024 * 1024 * 1024;
/// How long a look at the file system's room holds.
const CAPACITY_TTL: Duration = Duration::from_secs(1);
/// Largest default reserve.
const RESERVE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// How a filesystem shard behaves.
#[derive(Debug, Clone)]
pub struct FsOptions {
    /// Room that new blobs leave alone, in bytes, so that tombstones can be written on a full disk.
    /// `None`: 1 % of the file system, at most 64 MiB.
    pub reserve_bytes: Option<u64>,
    /// A pack is closed at about this length, held to 64 KiB to 1 GiB. Longer: fewer files; shorter: less to move
    /// when one is compacted, and less to scan after a crash.
    pub pack_bytes_max: u64,
    /// A closed pack is compacted once this much of it is dead, in percent.
    pub compact_dead_percent: u8,
    /// A blob younger than this may not have reached the records of its owner yet: compaction keeps it
    /// unasked. Longer than any request.
    pub unclaimed_grace: Duration,
    /// How long a pack stays after a blob moved out of it, for readers that hold its old locator.
    pub reader_grace: Duration,
    /// Which incarnation of the catalog serves the shard: all zeros until a catalog is restored from a backup.
    /// Tombstones that another one had written count for nothing.
    pub incarnation: [u8; 16],
    /// Revision of a commit of that catalog that is durable; zero if none is known. The shard remembers the greatest.
    pub revision: u64,
}

impl Default for FsOptions {
    fn default() -> Self {
        Self {
            reserve_bytes: None,
            pack_bytes_max: 256 * 1024 * 1024,
            compact_dead_percent: 30,
            unclaimed_grace: Duration::from_secs(3600),
            reader_grace: Duration::from_secs(60),
            incarnation: [0; 16],
            revision: 0,
        }
    }
}

/// A shard on a file system of this machine. Dropping it waits for the writes that are under way.
pub struct FsBackend {
    disk: Arc<Disk>,
    compaction: tokio::sync::Mutex<Compaction>,
    /// One bulk removal at a time.
    removing: tokio::sync::Mutex<()>,
    /// Taken apart in order by `drop`.
    senders: Option<(mpsc::Sender<Append>, Chores)>,
    threads: Vec<JoinHandle<()>>,
}

/// What all parts of a shard share.
struct Disk {
    root: Root,
    options: FsOptions,
    clock: Clock,
    random: Random,
    buffers: Buffers,
    handles: Handles,
    directories: large::Directories,
    newest_pack: AtomicU64,
    /// Dead bytes of packs that have any, once they were counted. Also keeps burying and removing apart.
    dead_bytes: Mutex<Option<BTreeMap<u64, u64>>>,
    capacity: Mutex<Option<(Capacity, Duration)>>,
    /// What the shard remembers of the catalog.
    mark: Mutex<CatalogMark>,
    damage: Damage,
}

impl FsBackend {
    /// Makes a shard of a directory that is missing or empty, and opens it. Blocks.
    ///
    /// # Errors
    /// [`FsError::NotEmpty`], or what [`FsBackend::open`] fails with.
    pub fn create(
        path: &Path,
        identity: ShardIdentity,
        options: FsOptions,
        clock: Clock,
        random: Random,
    ) -> Result<Self, FsError> {
        Self::start(Root::create(path, &identity)?, options, clock, random)
    }

    /// What a directory says it is, without opening or locking it; `None` if it is no shard. Blocks.
    ///
    /// # Errors
    /// [`FsError`] if the identity file is damaged, newer or cannot be read.
    pub fn identity(path: &Path) -> Result<Option<ShardIdentity>, FsError> {
        Root::identity(path)
    }

    /// What the shard in a directory has seen of the catalog, without opening it; `None` if that cannot be told. Blocks.
    ///
    /// # Errors
    /// [`FsError`] if the directory cannot be read.
    pub fn seen(path: &Path) -> Result<Option<CatalogMark>, FsError> {
        let directory = root::open_directory(path)?;
        incarnation::last(&directory).map_err(FsError::io("reading what it has seen of the catalog"))
    }

    /// Whether a shard could be made of a directory: it is missing or empty. Changes nothing. Blocks.
    ///
    /// # Errors
    /// [`FsError::NotEmpty`], or that it cannot be read.
    pub fn check_empty(path: &Path) -> Result<(), FsError> {
        Root::check_empty(path)
    }

    /// Whether two paths are on one file system; where nothing stands there yet, what will be made there. Who keeps
    /// a reserve there as well gives the shard a larger one. Blocks.
    ///
    /// # Errors
    /// [`FsError::Io`] if a path cannot be looked at.
    pub fn same_device(one: &Path, other: &Path) -> Result<bool, FsError> {
        root::same_device(one, other).map_err(FsError::io("asking for the device"))
    }

    /// Opens a shard, cleans up what a crash left, and starts its threads. Blocks, for less than a second
    /// however many blobs there are.
    ///
    /// # Errors
    /// [`FsError`] if the directory is not the shard that it should be, is in use, or cannot be read.
    pub fn open(
        path: &Path,
        identity: ShardIdentity,
        options: FsOptions,
        clock: Clock,
        random: Random,
    ) -> Result<Self, FsError> {
        Self::start(Root::open(path, &identity)?, options, clock, random)
    }

    fn start(root: Root, mut options: FsOptions, clock: Clock, random: Random) -> Result<Self, FsError> {
        options.pack_bytes_max = options.pack_bytes_max.clamp(*PACK_BYTES.start(), *PACK_BYTES.end());
        let disk = Arc::new(Disk {
            root,
            options,
            clock,
            random,
            buffers: Buffers::default(),
            handles: Handles::default(),
            directories: large::Directories::default(),
            newest_pack: AtomicU64::new(0),
            dead_bytes: Mutex::new(None),
            capacity: Mutex::new(None),
            mark: Mutex::default(),
            damage: Damage::default(),
        });
        let now = CatalogMark { incarnation: disk.options.incarnation, revision: disk.options.revision };
        let entered = incarnation::enter(&disk.root, now);
        let (mark, dropped) = entered.map_err(FsError::io("noting the incarnation of the catalog"))?;
        *disk.mark.lock() = mark;
        if dropped > 0 {
            tracing::info!(packs = dropped, "dropped tombstones that another incarnation of the catalog had written");
        }
        large::recover(&disk).map_err(FsError::io("removing what a crash left"))?;
        let last_pack = pack::recover(&disk).map_err(FsError::io("recovering the newest pack"))?;
        let (chores, chores_queue) = Chores::new();
        let (writer, queue) = Writer::new(disk.clone(), chores.clone(), last_pack);
        let ours = disk.clone();
        let threads = vec![
            thread("shard-writer", move || writer.run()).map_err(FsError::io("starting the writer"))?,
            thread("shard-chores", move || chores::run(&ours, &chores_queue))
                .map_err(FsError::io("starting the clean-up"))?,
        ];
        let senders = Some((queue, chores));
        let (compaction, removing) = Default::default();
        Ok(Self { disk, compaction, removing, senders, threads })
    }

    /// Ways to the two threads, which live as long as this does.
    fn senders(&self) -> &(mpsc::Sender<Append>, Chores) {
        self.senders.as_ref().expect("only drop takes the senders")
    }
}

impl Drop for FsBackend {
    fn drop(&mut self) {
        // The writer ends once its queue is closed, and the clean-up once the writer has.
        self.senders = None;
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the shard panicked");
            }
        }
    }
}

impl Disk {
    /// The room of the file system, at most a second old. Blocks.
    fn capacity_now(&self) -> Result<Capacity, BackendError> {
        self.capacity_seen().map_or_else(|| self.look_at_capacity(), Ok)
    }

    /// The room as it was seen in the last second.
    fn capacity_seen(&self) -> Option<Capacity> {
        let seen = *self.capacity.lock();
        seen.filter(|(_, at)| self.clock.elapsed().saturating_sub(*at) < CAPACITY_TTL).map(|(capacity, _)| capacity)
    }

    /// The room of the file system as it is now, if this is still the shard that was opened. Blocks.
    fn look_at_capacity(&self) -> Result<Capacity, BackendError> {
        self.root.verify()?;
        let stat = rustix::fs::fstatvfs(&self.root.directory)
            .map_err(|error| root::failure("asking for the room", &error.into()))?;
        let total_bytes = stat.f_blocks.saturating_mul(stat.f_frsize);
        let reserve_bytes = self.options.reserve_bytes.unwrap_or(RESERVE_BYTES_MAX.min(total_bytes / 100));
        let free_bytes = stat.f_bavail.saturating_mul(stat.f_frsize).saturating_sub(reserve_bytes);
        let capacity = Capacity { total_bytes, free_bytes };
        *self.capacity.lock() = Some((capacity, self.clock.elapsed()));
        Ok(capacity)
    }
}

#[async_trait]
impl Backend for FsBackend {
    async fn put(&self, blob: BlobId, header: &BlobHeader, body: Body) -> Result<Stored, BackendError> {
        put::put(self, blob, header, body).await
    }

    async fn get(&self, blob: BlobId, locator: &Locator, range: ResolvedRange) -> Result<ByteStream, BackendError> {
        match Place::parse(locator)? {
            Place::Pack { pack, offset, len } => {
                let pieces = pack::read(&self.disk, blob, (pack, offset, len), range).await?;
                Ok(Box::pin(stream::iter(pieces).map(Ok)))
            }
            Place::File { nonce, head_bytes, size } => {
                large::read(&self.disk, blob, (nonce, head_bytes, size), range).await
            }
        }
    }

    async fn header(&self, blob: BlobId, locator: &Locator) -> Result<BlobHeader, BackendError> {
        match Place::parse(locator)? {
            Place::Pack { pack, offset, len } => pack::header(&self.disk, blob, (pack, offset, len)).await,
            Place::File { nonce, head_bytes, size } => large::header(&self.disk, blob, (nonce, head_bytes, size)).await,
        }
    }

    async fn is_deleted(&self, blob: BlobId, locator: &Locator) -> Result<bool, BackendError> {
        let Place::Pack { pack, offset, .. } = Place::parse(locator)? else { return Ok(false) };
        let disk = self.disk.clone();
        let buried = blocking(move || pack::is_buried(&disk, pack, offset, blob)).await;
        buried.map_err(|error| root::failure("reading tombstones", &error))
    }

    async fn delete(&self, blobs: Vec<(BlobId, Locator)>) -> Result<Vec<NotDeleted>, BackendError> {
        delete::delete(self, blobs).await
    }

    async fn list(&self, after: Option<Vec<u8>>) -> Result<(Vec<Listed>, Option<Vec<u8>>), BackendError> {
        let ListPage { blobs, next, .. } = self.list_page(after).await?;
        Ok((blobs, next))
    }

    async fn list_page(&self, after: Option<Vec<u8>>) -> Result<ListPage, BackendError> {
        let disk = self.disk.clone();
        blocking(move || {
            let page = list::page(&disk, after.as_deref())?;
            // What was listed of a shard that is away by now is no proof of what it has not.
            disk.root.verify()?;
            Ok(page)
        })
        .await
    }

    async fn compact(&self, relocate: &dyn Relocate) -> Result<Option<Compacted>, BackendError> {
        let mut compaction = self.compaction.lock().await;
        pack::step(&self.disk, &self.senders().0, relocate, &mut compaction).await
    }

    fn device(&self) -> Option<u64> {
        Some(self.disk.root.device)
    }

    fn damage(&self) -> Option<String> {
        self.disk.damage.told()
    }

    async fn note_commit(&self, revision: u64) -> Result<(), BackendError> {
        let disk = self.disk.clone();
        blocking(move || {
            disk.root.verify()?;
            let mut mark = disk.mark.lock();
            let next = CatalogMark { revision, ..*mark };
            if revision > mark.revision {
                incarnation::note(&disk.root, next).map_err(|error| root::failure("noting a commit", &error))?;
                *mark = next;
            }
            Ok(())
        })
        .await
    }

    async fn capacity(&self) -> Result<Capacity, BackendError> {
        // Never from memory: who asks wants to know whether the shard is there.
        let disk = self.disk.clone();
        blocking(move || disk.look_at_capacity()).await
    }

    async fn probe(&self) -> Result<Probe, BackendError> {
        put::probe(self).await
    }
}
