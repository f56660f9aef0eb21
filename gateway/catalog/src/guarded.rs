use crate::{Batch, Check, CommitError, Revision, Store, StoreError};
use std::ops::{Deref, DerefMut};

/// A batch some of whose checks say what it means that they do not hold. It reads and grows like the [`Batch`] that it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardedBatch<R> {
    batch: Batch,
    /// For some checks, by their place in the batch, what it means. In the order of their places.
    meanings: Vec<(usize, R)>,
}

/// What came of a [`GuardedBatch`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Committed<R> {
    /// It is done.
    Done(Revision),
    /// Nothing is: a check did not hold that means this.
    Refused(R),
    /// Nothing is: something changed meanwhile. Read again and decide anew.
    Changed,
}

impl<R> GuardedBatch<R> {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a check, and what it means that it does not hold.
    pub fn require(&mut self, check: Check, meaning: R) -> &mut Self {
        self.meanings.push((self.batch.checks.len(), meaning));
        self.batch.checks.push(check);
        self
    }

    /// Adds another batch, whose checks mean what `meaning` says. Both free what one of them frees.
    pub fn append<S>(&mut self, other: GuardedBatch<S>, mut meaning: impl FnMut(S) -> R) {
        let first = self.batch.checks.len();
        self.meanings.extend(other.meanings.into_iter().map(|(place, means)| (first + place, meaning(means))));
        self.batch.checks.extend(other.batch.checks);
        self.batch.writes.extend(other.batch.writes);
        self.batch.frees |= other.batch.frees;
    }

    /// Commits it.
    ///
    /// # Errors
    /// As of [`Store::commit`], a check that does not hold aside.
    pub async fn commit(self, store: &dyn Store) -> Result<Committed<R>, StoreError> {
        let Self { batch, mut meanings } = self;
        match store.commit(batch).await {
            Ok(revision) => Ok(Committed::Done(revision)),
            Err(CommitError::Failed(failed)) => {
                let place = meanings.iter().position(|(place, _)| *place == failed.0);
                Ok(place.map_or(Committed::Changed, |place| Committed::Refused(meanings.swap_remove(place).1)))
            }
            Err(CommitError::Store(error)) => Err(error),
        }
    }
}

impl<R> Default for GuardedBatch<R> {
    fn default() -> Self {
        Self { batch: Batch::new(), meanings: Vec::new() }
    }
}

impl<R> Deref for GuardedBatch<R> {
    type Target = Batch;

    fn deref(&self) -> &Batch {
        &self.batch
    }
}

impl<R> DerefMut for GuardedBatch<R> {
    fn deref_mut(&mut self) -> &mut Batch {
        &mut self.batch
    }
}
