//! Moves a version to another storage class: its bytes are written anew under the class's redundancy,
//! and its record refers to them from one commit on. Nothing else of it changes.
//!
//! # Failure and recovery
//! Until the commit the version stands as it did; bytes that were written and are not wanted become
//! garbage, and after a crash the search for orphans finds them.

use super::apply::{COMMITS_AT_ONCE_MAX, LifecycleStep, Outcome, Walk};
use super::log;
use crate::error::Error;
use crate::rewrite::{Beside, Restated};
use crate::versions::Held;
use cofre_runtime::uncancelled;
use cofre_types::ObjectKey;
use futures_util::stream::{self, StreamExt, TryStreamExt};

/// A version that is to move.
#[derive(Debug)]
pub(super) struct Move {
    pub key: ObjectKey,
    /// The catalog key of its record.
    pub at: Vec<u8>,
    pub held: Held,
    /// Where to.
    pub class: String,
    /// So many newer objects of its key that are not current must be there.
    pub keep: u32,
}

impl Walk {
    /// Moves versions, each for itself.
    pub(super) async fn move_each(&self, moves: Vec<Move>, step: &mut LifecycleStep) -> Result<(), Error> {
        let each = moves.into_iter().map(|moving| {
            let walk = self.clone();
            async move {
                let about = format!("{}/{}", walk.bucket.name, moving.key);
                let outcome = uncancelled(async move { walk.transition(moving).await }).await?;
                Ok::<_, Error>((about, outcome))
            }
        });
        let outcomes: Vec<_> = stream::iter(each).buffer_unordered(COMMITS_AT_ONCE_MAX).try_collect().await?;
        for (about, outcome) in outcomes {
            step.note(&about, outcome, |counts| &mut counts.transitioned);
        }
        Ok(())
    }

    /// Moves a version, if it still is as it was read and what must be kept is there.
    async fn transition(&self, moving: Move) -> Result<Outcome, Error> {
        let (objects, bucket) = (&self.objects, &self.bucket);
        let Move { key, at, held, class, keep } = moving;
        let kept = match keep {
            0 => Vec::new(),
            keep => match self.kept(&key, keep).await? {
                Some(kept) if held.record.place < kept.oldest => kept.checks,
                _ => return Ok(Outcome::Changed),
            },
        };
        if !objects.is_class(&class) {
            return Ok(Outcome::Failed(format!("there is no storage class {class} any more")));
        }
        let size = held.record.size;
        let line = self.line(log::transition(&class), &key, Some(size), Some(held.record.version));
        let beside = Beside { kept, lines: line.into_iter().collect() };
        Ok(match objects.restate(bucket, &key, (at, held.revision), held.record, class, beside).await? {
            Restated::Anew | Restated::AsItWas => Outcome::Moved(size),
            Restated::Changed => Outcome::Changed,
            Restated::Failed(why) => Outcome::Failed(why),
        })
    }
}
