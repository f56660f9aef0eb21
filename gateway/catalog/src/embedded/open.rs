use super::journal;
use super::lock::DirectoryLock;
use super::log::{CommitLog, JournalLog};
use super::mark::DurableMark;
use super::options::EmbeddedOptions;
use super::place::Place;
use super::queue::queue;
use super::space::{FreeBytes, Space};
use super::tree::{Tree, View};
use super::writer::{Last, Writer};
use super::{Embedded, Shared};
use crate::{Revision, StoreError};
use cofre_runtime::{Clock, make_directories, thread};
use parking_lot::Mutex;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// The folder that belongs to fjall.
const ENGINE: &str = "engine";

/// fjall makes this file last: without it there is no database.
const ENGINE_MADE: &str = "version";

pub(super) fn open(path: &Path, options: &EmbeddedOptions, clock: Clock) -> Result<Embedded, StoreError> {
    open_with(path, options, clock, Space::of_disk(path), |log| log)
}

/// Opens with another idea of the disk's room, and with something between the writer and its log.
pub(super) fn open_with<L: CommitLog>(
    path: &Path,
    options: &EmbeddedOptions,
    clock: Clock,
    free: FreeBytes,
    wrap: impl FnOnce(JournalLog) -> L,
) -> Result<Embedded, StoreError> {
    let opened = recover(path, options)?;
    let place = opened.place;
    let tree = Arc::new(opened.tree);
    let shared = Arc::new(Shared::new(options.recent_bytes()));
    let revision = Revision(place.revision);
    shared.publish(View::newest(Arc::clone(&tree), revision));
    let (queue, requests) = queue();
    let writer = Writer {
        requests,
        log: wrap(JournalLog::new(Arc::clone(&tree), opened.mark, place)),
        tree,
        shared: Arc::clone(&shared),
        space: Space::new(free, options.reserve_bytes, clock.clone()),
        clock: clock.clone(),
        revision,
        last: Last::default(),
        broken: None,
    };
    let writer = thread("catalog-writer", move || writer.run())
        .map_err(|error| StoreError::Engine(format!("the catalog's writer cannot start: {error}")))?;
    Ok(Embedded { queue, shared, clock, writer: Mutex::new(Some(writer)) })
}

/// Whether a catalog was ever made there.
pub(super) fn is_at(path: &Path) -> Result<bool, StoreError> {
    let made = path.join(ENGINE).join(ENGINE_MADE).try_exists();
    let made = made.map_err(|error| StoreError::Engine(format!("{} cannot be used: {error}", path.display())))?;
    Ok(made || DurableMark::exists(path)?)
}

/// A catalog whose files were checked and replayed.
pub(super) struct Opened {
    pub(super) tree: Tree,
    pub(super) mark: DurableMark,
    pub(super) place: Place,
}

/// Locks the directory, checks that nothing acknowledged is missing, and replays.
pub(super) fn recover(path: &Path, options: &EmbeddedOptions) -> Result<Opened, StoreError> {
    let unusable = |error: io::Error| StoreError::Engine(format!("{} cannot be used: {error}", path.display()));
    make_directories(path).map_err(unusable)?;
    let lock = DirectoryLock::take(path)?;
    let engine = path.join(ENGINE);
    let made = engine.join(ENGINE_MADE).try_exists().map_err(unusable)?;
    let mut mark = match DurableMark::exists(path)? {
        true => DurableMark::open(path)?,
        false if made => {
            return Err(StoreError::Damaged(format!("{} has lost its durable mark; restore a backup", path.display())));
        }
        false => DurableMark::create(path, options.random.bytes())?,
    };
    let journaled = if made {
        journal::check(&engine, mark.catalog(), mark.place())?
    } else if mark.place() == Place::default() {
        // A crash while the engine was made leaves files that it would stumble over.
        clear(&engine).map_err(unusable)?;
        None
    } else {
        return Err(journal::behind(Place::default(), mark.place()));
    };
    let tree = Tree::open(&engine, options, lock)?;
    let tree = Arc::new(tree);
    let place = find_place(&View::newest(Arc::clone(&tree), Revision(0)), &mark)?;
    if place < mark.place() || journaled.is_some_and(|journaled| place != journaled) {
        return Err(journal::behind(place, mark.place().max(journaled.unwrap_or_default())));
    }
    mark.advance(place).and_then(|()| mark.sync()).map_err(unusable)?;
    let tree = Arc::into_inner(tree).ok_or_else(|| StoreError::Engine("the engine is held twice".to_owned()))?;
    Ok(Opened { tree, mark, place })
}

fn clear(engine: &Path) -> io::Result<()> {
    if engine.try_exists()? {
        std::fs::remove_dir_all(engine)?;
    }
    std::fs::create_dir(engine)?;
    engine.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}

/// The last place in the engine, once it has replayed its journal.
fn find_place(view: &View, mark: &DurableMark) -> Result<Place, StoreError> {
    match view.place()? {
        None => Ok(Place::default()),
        Some(bytes) => match Place::decode(&bytes) {
            Some((catalog, place)) if catalog == mark.catalog() => Ok(place),
            _ => Err(StoreError::Damaged("the durable mark belongs to another catalog; restore a backup".to_owned())),
        },
    }
}
