//! What a handle hears of commits.

use crate::freshness::{Touched, Touches};
use crate::{FRESHNESS_POLL, Freshness, Slot};
use cofre_runtime::Clock;
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;

/// How long a handle that has lost its stream may take what it heard last for true.
pub const MEMORY_STALENESS_MAX: Duration = Duration::from_secs(3);

/// The news that a handle has of commits.
pub(super) struct News {
    touched: Touched,
    /// Absent for the handle that hears of all at once.
    stream: Option<Stream>,
}

struct Stream {
    clock: Clock,
    /// Since when nothing is heard.
    lost: Mutex<Option<Duration>>,
}

impl News {
    pub(super) fn without_stream() -> Self {
        Self { touched: Touched::default(), stream: None }
    }

    pub(super) fn of_stream(clock: Clock) -> Self {
        Self { touched: Touched::default(), stream: Some(Stream { clock, lost: Mutex::default() }) }
    }

    /// Tells of a commit. Of its `own` a handle knows without hearing.
    pub(super) fn tell(&self, touches: &Touches, own: bool) {
        // The lock is held meanwhile, so that no commit falls between a stream that is cut and the next.
        let lost = self.stream.as_ref().map(|stream| stream.lost.lock());
        if own || lost.is_none_or(|lost| lost.is_none()) {
            self.touched.touch(touches);
        }
    }

    pub(super) fn freshness(&self, slot: Slot) -> Option<Freshness> {
        let Some(stream) = &self.stream else { return Some(self.touched.freshness(slot)) };
        let lost = stream.lost.lock();
        (!stream.is_in_doubt(*lost)).then(|| self.touched.freshness(slot))
    }

    pub(super) const fn staleness_max(&self) -> Duration {
        match self.stream {
            Some(_) => MEMORY_STALENESS_MAX,
            None => Duration::ZERO,
        }
    }

    pub(super) async fn wait_changed(&self, slot: Slot, seen: Option<Freshness>) -> Option<Freshness> {
        if self.stream.is_none() {
            return Some(self.touched.wait(slot, seen).await);
        }
        loop {
            if self.freshness(slot).is_none() {
                tokio::time::sleep(FRESHNESS_POLL).await;
                return self.freshness(slot);
            }
            // The stream may be lost meanwhile.
            let told = tokio::time::timeout(FRESHNESS_POLL, self.touched.wait(slot, seen)).await;
            if told.is_ok() {
                return self.freshness(slot);
            }
        }
    }
}

impl Stream {
    /// Whether nothing was heard for longer than what was heard may be believed.
    fn is_in_doubt(&self, lost: Option<Duration>) -> bool {
        lost.is_some_and(|lost| self.clock.elapsed().saturating_sub(lost) >= MEMORY_STALENESS_MAX)
    }
}

/// The stream by which a [twin](crate::Memory::twin) hears of the commits of others.
pub struct MemoryStream(Arc<News>);

impl MemoryStream {
    pub(super) const fn of(news: Arc<News>) -> Self {
        Self(news)
    }

    /// Cuts the stream: the handle hears of nothing any more, and knows it [`MEMORY_STALENESS_MAX`] later.
    pub fn cut(&self) {
        if let Some(stream) = &self.0.stream {
            let now = stream.clock.elapsed();
            stream.lost.lock().get_or_insert(now);
        }
    }

    /// Mends the stream. What happened while it was cut is not told any more.
    pub fn mend(&self) {
        if let Some(stream) = &self.0.stream {
            let mut lost = stream.lost.lock();
            if lost.take().is_some() {
                self.0.touched.begin_stream();
            }
        }
    }
}
