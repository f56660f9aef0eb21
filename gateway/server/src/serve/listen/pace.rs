//! How fast the other end must go.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// Holds one direction of a connection, or one body, to a least rate. Only time that is spent waiting for the other
/// end counts: what Cofre itself takes is not the client's.
#[derive(Debug)]
pub(super) struct Pace {
    window: Window,
    /// Fires when a window may be over. It is left armed, since most waiting is short.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Pace {
    /// At least `rate` bytes a second over each `window` of waiting; with a rate of zero, at least one byte.
    pub(super) const fn new(window: Duration, rate: u64) -> Self {
        Self { window: Window::new(window, rate), timer: None }
    }

    /// Bytes went. Says whether they are too few for the time that they took.
    #[must_use]
    pub(super) fn is_late_with(&mut self, bytes: u64) -> bool {
        self.window.went(bytes, Instant::now)
    }

    /// Nobody waits for the other end now.
    pub(super) fn pause(&mut self) {
        self.window.pause(Instant::now);
    }

    /// Nothing went: ready once that has been so for too long.
    pub(super) fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let Some(over) = self.window.over(Instant::now()) else { return Poll::Ready(()) };
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(over)));
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            timer.as_mut().reset(over);
        }
    }
}

/// A stretch of waiting and what it brought.
#[derive(Debug)]
struct Window {
    length: Duration,
    /// Bytes that it must bring, at least one.
    least: u64,
    /// Waiting in it, up to the last byte.
    waited: Duration,
    /// Bytes that it brought.
    brought: u64,
    /// Since when nothing comes; none while nobody waits.
    since: Option<Instant>,
}

impl Window {
    const fn new(length: Duration, rate: u64) -> Self {
        let least = rate.saturating_mul(length.as_secs());
        let least = if least == 0 { 1 } else { least };
        Self { length, least, waited: Duration::ZERO, brought: 0, since: None }
    }

    /// Bytes went; whether they are too few.
    fn went(&mut self, bytes: u64, now: impl FnOnce() -> Instant) -> bool {
        self.brought = self.brought.saturating_add(bytes);
        self.pause(now);
        if self.waited < self.length {
            return false;
        }
        let late = self.brought < self.least;
        (self.waited, self.brought) = (Duration::ZERO, 0);
        late
    }

    fn pause(&mut self, now: impl FnOnce() -> Instant) {
        if let Some(since) = self.since.take() {
            self.waited += now() - since;
        }
    }

    /// Nothing went: when the window is over; none if it is and brought too little.
    fn over(&mut self, now: Instant) -> Option<Instant> {
        let since = *self.since.get_or_insert(now);
        let over = since + self.length.saturating_sub(self.waited);
        if now < over {
            return Some(over);
        }
        let enough = self.brought >= self.least;
        (self.waited, self.brought) = (Duration::ZERO, 0);
        if enough {
            // The next one began with the last byte of this.
            let over = since + self.length;
            return if now < over { Some(over) } else { self.late() };
        }
        self.late()
    }

    /// Whoever asks again waits again.
    fn late(&mut self) -> Option<Instant> {
        self.since = None;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: Duration = Duration::from_secs(10);

    struct Bed {
        window: Window,
        now: Instant,
    }

    impl Bed {
        fn new(rate: u64) -> Self {
            Self { window: Window::new(LENGTH, rate), now: Instant::now() }
        }

        /// Waits until bytes come after `time`; whether that is too late or too little.
        fn is_late(&mut self, time: Duration, bytes: u64) -> bool {
            let end = self.now + time;
            while let Some(over) = self.window.over(self.now) {
                if over > end {
                    self.now = end;
                    return self.window.went(bytes, || end);
                }
                self.now = over;
            }
            true
        }
    }

    #[test]
    fn what_stands_still_is_late_a_window_after_its_last_byte() {
        let mut bed = Bed::new(0);
        assert!(!bed.is_late(Duration::from_secs(9), 1));
        assert!(!bed.is_late(Duration::from_secs(9), 1));
        let last = bed.now;
        assert!(bed.is_late(LENGTH * 3, 1));
        assert_eq!(bed.now - last, LENGTH);
    }

    #[test]
    fn a_byte_now_and_then_is_late() {
        let mut bed = Bed::new(100);
        let gaps = (0..100).take_while(|_| !bed.is_late(Duration::from_secs(3), 1)).count();
        assert_eq!(gaps, 3);
    }

    #[test]
    fn the_least_rate_is_enough_for_ever() {
        let mut bed = Bed::new(100);
        assert!((0..1_000).all(|_| !bed.is_late(Duration::from_secs(3), 400)));
    }

    #[test]
    fn only_waiting_counts() {
        let mut bed = Bed::new(100);
        for _ in 0..100 {
            assert!(!bed.is_late(Duration::from_millis(90), 1));
            bed.now += LENGTH * 2;
        }
    }
}
