//! Keys of the queues of blobs: a part of [`crate::keys`].

use crate::keys::{family, with};
use cofre_types::{BlobId, ShardId};

/// Spare copies from which on blobs in the heal queue are not told apart.
const HEAL_SPARES_MAX: u8 = 3;

/// Key of the place in the heal queue of a blob that has so many copies or pieces beyond those that reading takes.
pub fn heal(spares: usize, id: BlobId) -> Vec<u8> {
    let spares = u8::try_from(spares).unwrap_or(HEAL_SPARES_MAX).min(HEAL_SPARES_MAX);
    with(family::HEAL, &[&[spares], id.as_bytes()])
}

/// The copies to spare in a key of the heal queue, at most those that are told apart; `None` where it does not tell.
pub fn heal_spares(key: &[u8]) -> Option<usize> {
    let [family::HEAL, spares, id @ ..] = key else { return None };
    (id.len() == size_of::<BlobId>()).then_some(usize::from(*spares))
}

/// Every key that a blob may have in the heal queue: one for each number of spares, and the one of queues that did not
/// tell them apart.
pub fn heals(id: BlobId) -> impl Iterator<Item = Vec<u8>> {
    let plain = with(family::HEAL, &[id.as_bytes()]);
    (0..=HEAL_SPARES_MAX).map(move |spares| heal(spares.into(), id)).chain([plain])
}

/// Key of a copy to delete from a shard.
pub fn doomed(shard: ShardId, blob: BlobId) -> Vec<u8> {
    with(family::DOOMED, &[&shard.0.to_be_bytes(), blob.as_bytes()])
}

/// Key of the counters of what waits in a queue, which are a [`crate::records::QueueTally`].
pub fn waiting(of: u8) -> Vec<u8> {
    with(family::WAITING, &[&[of]])
}

/// The same as [`waiting`], for a queue that is counted.
pub(crate) const fn waiting_row(of: u8) -> Option<&'static [u8]> {
    match of {
        family::HEAL => Some(&[family::WAITING, family::HEAL]),
        family::DOOMED => Some(&[family::WAITING, family::DOOMED]),
        _ => None,
    }
}

/// What every doomed copy of a shard begins with.
pub fn doomed_on(shard: ShardId) -> Vec<u8> {
    with(family::DOOMED, &[&shard.0.to_be_bytes()])
}
