//! What is cleaned up behind a put that failed or was dropped, on a thread of its own: freeing a file
//! takes about a millisecond, and neither a drop nor the pack writer may wait for it.

use super::locator::Place;
use super::pack::Grave;
use super::{Disk, large, pack};
use cofre_types::BlobId;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Chores that wait. What does not fit stays as an orphan: the next open or reclaim finds it.
const CHORES_MAX: usize = 4096;

/// Something nobody claims.
pub(super) enum Chore {
    /// A file under `temp/`.
    Temp(String),
    /// A copy that is whole.
    Copy(BlobId, Place),
}

/// The sending end of the queue.
#[derive(Clone)]
pub(super) struct Chores(SyncSender<Chore>);

impl Chores {
    pub(super) fn new() -> (Self, Receiver<Chore>) {
        let (sender, receiver) = sync_channel(CHORES_MAX);
        (Self(sender), receiver)
    }

    /// Something that is cleaned up unless it is claimed.
    pub(super) fn unclaimed(&self, chore: Chore) -> Unclaimed {
        Unclaimed { chore: Some(chore), chores: self.clone() }
    }
}

/// Something that a put made. Dropping it cleans it up, wherever a dropped call left it.
pub(super) struct Unclaimed {
    chore: Option<Chore>,
    chores: Chores,
}

impl Unclaimed {
    /// Keeps what was made.
    pub(super) fn claim(mut self) {
        self.chore = None;
    }

    /// The same thing by another name: the file was renamed.
    pub(super) fn becomes(&mut self, chore: Chore) {
        self.chore = Some(chore);
    }
}

impl Drop for Unclaimed {
    fn drop(&mut self) {
        if let Some(chore) = self.chore.take() {
            // Full or closed: an orphan stays, see CHORES_MAX.
            let _ = self.chores.0.try_send(chore);
        }
    }
}

/// Does chores until the last sender is gone.
pub(super) fn run(disk: &Disk, queue: &Receiver<Chore>) {
    while let Ok(chore) = queue.recv() {
        let done = match chore {
            Chore::Temp(name) => large::remove_temp(disk, &name),
            Chore::Copy(blob, Place::Pack { pack, offset, len }) => {
                pack::bury(disk, pack, &[Grave { offset, len, blob }])
            }
            Chore::Copy(blob, Place::File { nonce, .. }) => large::remove(disk, blob, nonce),
        };
        if let Err(error) = done {
            tracing::debug!(%error, "what a put left behind stays as an orphan");
        }
    }
}
