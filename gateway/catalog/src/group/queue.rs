use crate::evaluate::size;
use crate::{Batch, CommitError, Revision, StoreError};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// Most KiB of batches that wait for the writer; who comes later waits for room.
const QUEUE_KIB_MAX: usize = 64 * 1024;

/// What a batch counts for at the least, so that at most 4,096 wait.
const BATCH_KIB_MIN: usize = 16;

/// A commit that waits for the writer.
pub(super) struct Request {
    pub(super) batch: Batch,
    /// When it was asked for.
    pub(super) asked: Duration,
    reply: Reply,
}

/// Where the outcome of a commit goes. Its room in the queue is given back with it.
pub(super) struct Reply {
    outcome: oneshot::Sender<Result<Revision, CommitError>>,
    _room: OwnedSemaphorePermit,
}

impl Reply {
    /// Tells the outcome; nobody may be waiting for it any more.
    pub(super) fn send(self, outcome: Result<Revision, CommitError>) {
        let _ = self.outcome.send(outcome);
    }
}

impl Request {
    pub(super) fn open(self) -> (Batch, Reply) {
        (self.batch, self.reply)
    }

    pub(super) fn answer(self, outcome: Result<Revision, CommitError>) {
        self.reply.send(outcome);
    }
}

/// The end of the queue that commits enter by.
pub(super) struct Queue {
    room: Arc<Semaphore>,
    callers: Arc<AtomicUsize>,
    requests: Mutex<Option<Sender<Request>>>,
}

/// The writer's end.
pub(super) struct Requests {
    queue: Receiver<Request>,
    callers: Arc<AtomicUsize>,
}

/// What the writer finds in the queue.
pub(super) enum Next {
    Request(Request),
    /// Nothing came in time.
    Idle,
    /// Nothing is left, and nothing comes any more.
    Closed,
}

/// An empty queue.
pub(super) fn queue() -> (Queue, Requests) {
    let (sender, receiver) = channel();
    let room = Arc::new(Semaphore::new(QUEUE_KIB_MAX));
    let callers = Arc::new(AtomicUsize::new(0));
    let queue = Queue { room, callers: Arc::clone(&callers), requests: Mutex::new(Some(sender)) };
    (queue, Requests { queue: receiver, callers })
}

/// Counts one who waits, until dropped.
struct Caller<'a>(&'a AtomicUsize);

impl<'a> Caller<'a> {
    fn of(callers: &'a AtomicUsize) -> Self {
        callers.fetch_add(1, Ordering::SeqCst);
        Self(callers)
    }
}

impl Drop for Caller<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Queue {
    /// Queues a batch that was asked for at this time, and waits for its outcome. A batch that was queued is committed
    /// even if nobody waits any more.
    pub(super) async fn commit(&self, batch: Batch, asked: Duration) -> Result<Revision, CommitError> {
        let kib = (size(&batch) / 1024).clamp(BATCH_KIB_MIN, QUEUE_KIB_MAX);
        let kib = u32::try_from(kib).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).acquire_many_owned(kib).await.map_err(|_| StoreError::Closed)?;
        let _caller = Caller::of(&self.callers);
        let (outcome, answered) = oneshot::channel();
        let request = Request { batch, asked, reply: Reply { outcome, _room: room } };
        let sent = self.requests.lock().as_ref().is_some_and(|requests| requests.send(request).is_ok());
        if !sent {
            return Err(StoreError::Closed.into());
        }
        answered.await.unwrap_or_else(|_| Err(StoreError::Closed.into()))
    }

    /// Callers who wait for an outcome now.
    #[cfg(test)]
    pub(super) fn callers(&self) -> usize {
        self.callers.load(Ordering::SeqCst)
    }

    /// Takes no more. What is queued is still committed.
    pub(super) fn close(&self) {
        self.room.close();
        self.requests.lock().take();
    }
}

impl Requests {
    pub(super) fn next(&self, wait: Duration) -> Next {
        match self.queue.recv_timeout(wait) {
            Ok(request) => Next::Request(request),
            Err(RecvTimeoutError::Timeout) => Next::Idle,
            Err(RecvTimeoutError::Disconnected) => Next::Closed,
        }
    }

    /// Callers who wait for an outcome now.
    pub(super) fn callers(&self) -> usize {
        self.callers.load(Ordering::SeqCst)
    }

    /// What is there already.
    pub(super) fn next_queued(&self) -> Option<Request> {
        self.queue.try_recv().ok()
    }
}
