use cofre_runtime::{Amount, PerSecond, Rate};
use std::time::Duration;

/// What a job did before it had nothing to do for so long says nothing of how fast it is now.
const FORGET_AFTER: Duration = Duration::from_secs(60);

/// How long a job has worked, and how fast. The rate is told over time of work, so that what it rests for want of work,
/// or while it is held, is no slowness.
#[derive(Default)]
pub(crate) struct Work {
    /// Whether it works now.
    on: bool,
    /// Since when that is so.
    since: Duration,
    /// How long it worked before.
    before: Duration,
    rate: Rate,
}

impl Work {
    /// Notes that it works, or that it does not, from a time on. Gives whether that is a change.
    pub(crate) fn turn(&mut self, on: bool, at: Duration, total: Amount) -> bool {
        if on == self.on {
            return false;
        }
        let at = at.max(self.since);
        self.before = self.time(at);
        if on && at.saturating_sub(self.since) >= FORGET_AFTER {
            self.rate.clear();
        }
        (self.on, self.since) = (on, at);
        self.rate.note(self.before, total);
        true
    }

    /// Notes the total that it has done by now.
    pub(crate) fn note(&mut self, now: Duration, total: Amount) {
        self.rate.note(self.time(now), total);
    }

    /// The rate of the last minute of work; `None` while it has not worked for a second.
    pub(crate) fn per_second(&self, now: Duration) -> Option<PerSecond> {
        self.rate.per_second(self.time(now))
    }

    /// Time of work up to now.
    fn time(&self, now: Duration) -> Duration {
        self.before + if self.on { now.saturating_sub(self.since) } else { Duration::ZERO }
    }
}
