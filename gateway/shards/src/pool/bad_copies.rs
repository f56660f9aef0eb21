use super::types::BadCopy;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use tokio::sync::mpsc;

/// Reports of bad copies, for the repair queue. A full queue drops the newest: a report is a hint,
/// and the scrub finds what it missed.
pub(super) struct BadCopyQueue {
    sender: mpsc::Sender<BadCopy>,
    receiver: Mutex<Option<BadCopies>>,
    dropped: Arc<AtomicU64>,
}

/// The receiving end: taken once, by the one who queues repairs.
#[derive(Debug)]
pub struct BadCopies {
    receiver: mpsc::Receiver<BadCopy>,
}

impl BadCopies {
    /// The next report; waits for one. `None` once the pool is gone.
    pub async fn next(&mut self) -> Option<BadCopy> {
        self.receiver.recv().await
    }
}

impl BadCopyQueue {
    pub(super) fn new(reports_max: usize) -> Self {
        let (sender, receiver) = mpsc::channel(reports_max.max(1));
        Self { sender, receiver: Mutex::new(Some(BadCopies { receiver })), dropped: Arc::default() }
    }

    pub(super) fn take(&self) -> Option<BadCopies> {
        self.receiver.lock().take()
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }

    pub(super) fn report(&self, bad: BadCopy) {
        tracing::warn!(blob = %bad.blob, shard = %bad.shard, fault = ?bad.fault, "a copy is bad");
        if self.sender.try_send(bad).is_err() {
            self.dropped.fetch_add(1, Relaxed);
        }
    }
}
