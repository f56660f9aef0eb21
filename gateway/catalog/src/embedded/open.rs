use super::anew;
use super::journal;
use super::lock::DirectoryLock;
use super::log::{Journal, JournalLog};
use super::mark::DurableMark;
use super::options::EmbeddedOptions;
use super::place::Place;
use super::read_only;
use super::space::{FreeBytes, Space};
use super::tree::{DO, Tree, View};
use super::{Embedded, Shared};
use crate::group::{Condition, GroupCommits, GroupState, Log};
use crate::{Revision, StoreError};
use cofre_runtime::{Clock, make_private_directories};
use std::io;
use std::path::Path;
use std::sync::Arc;

/// The folder that belongs to fjall.
pub(super) const ENGINE: &str = "engine";

/// fjall makes this file last: without it there is no database.
const ENGINE_MADE: &str = "version";

pub(super) fn open(path: &Path, options: &EmbeddedOptions, clock: Clock) -> Result<Embedded, StoreError> {
    open_with(path, options, clock, Space::of_disk(path), |log| log)
}

/// Opens with another idea of the disk's room, and with something between the writer and its log.
pub(super) fn open_with<L: Log>(
    path: &Path,
    options: &EmbeddedOptions,
    clock: Clock,
    free: FreeBytes,
    wrap: impl FnOnce(JournalLog) -> L,
) -> Result<Embedded, StoreError> {
    let condition = Arc::new(Condition::new(clock.clone()));
    let Opened { tree, mark, place } = recover(path, options, &condition)?;
    let tree = Arc::new(tree);
    let shared = Arc::new(Shared::new(options.recent_bytes()));
    shared.publish(View::newest(Arc::clone(&tree), Revision(place.revision)));
    let journal = Journal::new(tree, mark, place);
    let space = Space::new(free, options.reserve_bytes, clock.clone());
    let log = JournalLog::new(journal, Arc::clone(&shared), space, Arc::clone(&condition));
    let commits = GroupCommits::start(wrap(log), Arc::new(GroupState::new(condition)), clock)?;
    Ok(Embedded { commits, shared })
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
pub(super) fn recover(
    path: &Path,
    options: &EmbeddedOptions,
    condition: &Arc<Condition>,
) -> Result<Opened, StoreError> {
    let unusable = |error: io::Error| StoreError::Engine(format!("{} cannot be used: {error}", path.display()));
    if read_only::is_read_only(path) {
        return guarded(|| read_only::recover(path, options, condition));
    }
    make_private_directories(path).map_err(unusable)?;
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
    let journaled = match engine.try_exists().map_err(unusable)? {
        true => journal::check(&engine, mark.catalog(), mark.place())?,
        false => journal::Journaled::default(),
    };
    let place_at_least = mark.place().max(journaled.place.unwrap_or_default());
    if place_at_least == Place::default() && !anew::has_tables(&engine).map_err(unusable)? {
        // Nothing was ever acknowledged. A power cut while the engine was made leaves files that it stumbles over.
        clear(&engine).map_err(unusable)?;
    } else if made {
        refuse_lost_trees(&engine)?;
        believe(&engine, &journaled).map_err(unusable)?;
    } else {
        return Err(journal::behind(Place::default(), place_at_least));
    }
    let tree = guarded(|| Tree::open(&engine, options, lock, Arc::clone(condition)))?;
    anew::sync_folders(&engine).map_err(unusable)?;
    let tree = Arc::new(tree);
    let place = find_place(&View::newest(Arc::clone(&tree), Revision(0)), &mark)?;
    if place < mark.place() || journaled.place.is_some_and(|journaled| place != journaled) {
        return Err(journal::behind(place, place_at_least));
    }
    mark.advance(place).and_then(|()| mark.sync()).map_err(unusable)?;
    let tree = Arc::into_inner(tree).ok_or_else(|| StoreError::Engine("the engine is held twice".to_owned()))?;
    Ok(Opened { tree, mark, place })
}

/// The engine may panic over files that it cannot make sense of.
fn guarded<T>(open: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let opened = std::panic::catch_unwind(std::panic::AssertUnwindSafe(open));
    opened.unwrap_or_else(|_| Err(StoreError::Damaged(format!("the engine cannot make sense of its files; {DO}"))))
}

/// The engine takes a tree that has lost the list of its tables for one that was never finished, and removes it.
fn refuse_lost_trees(engine: &Path) -> Result<(), StoreError> {
    match ["0", "1"].map(|tree| engine.join("keyspaces").join(tree).join("current")).iter().find(|path| !path.exists())
    {
        None => Ok(()),
        Some(lost) => Err(StoreError::Damaged(format!("{} is gone; {DO}", lost.display()))),
    }
}

/// Has on disk what the engine is about to read.
fn believe(engine: &Path, journaled: &journal::Journaled) -> io::Result<()> {
    for (journal, end) in &journaled.ends {
        anew::file(journal, *end)?;
    }
    anew::trees(engine)
}

fn clear(engine: &Path) -> io::Result<()> {
    if engine.try_exists()? {
        std::fs::remove_dir_all(engine)?;
    }
    std::fs::create_dir(engine)?;
    engine.parent().map_or(Ok(()), anew::sync)
}

/// The last place in the engine, once it has replayed its journal.
pub(super) fn find_place(view: &View, mark: &DurableMark) -> Result<Place, StoreError> {
    match view.place()? {
        None => Ok(Place::default()),
        Some(bytes) => match Place::decode(&bytes) {
            Some((catalog, place)) if catalog == mark.catalog() => Ok(place),
            _ => Err(StoreError::Damaged("the durable mark belongs to another catalog; restore a backup".to_owned())),
        },
    }
}
