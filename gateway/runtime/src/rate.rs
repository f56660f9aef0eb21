use std::collections::VecDeque;
use std::time::Duration;

/// Least time between two samples.
const SAMPLE_EVERY: Duration = Duration::from_secs(1);

/// What is older than this does not count for the rate.
const WINDOW: Duration = Duration::from_secs(60);

/// A number of things, and their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    /// How many.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// How fast things go.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct PerSecond {
    /// Things a second.
    pub objects: f64,
    /// Bytes a second.
    pub bytes: f64,
}

/// The rate of the last minute, from a total that only grows. Keeps at most 61 samples.
#[derive(Debug, Clone, Default)]
pub struct Rate {
    /// Totals with their times, the latest last.
    samples: VecDeque<(Duration, Amount)>,
}

impl Rate {
    /// Notes the total at a time of the clock's `elapsed`.
    pub fn note(&mut self, now: Duration, total: Amount) {
        let dense = self.samples.len() > 1
            && self.samples.iter().nth_back(1).is_some_and(|(at, _)| now.saturating_sub(*at) < SAMPLE_EVERY);
        if dense {
            self.samples.pop_back();
        }
        self.samples.push_back((now, total));
        while self.samples.len() > 2 && self.samples.get(1).is_some_and(|(at, _)| now.saturating_sub(*at) >= WINDOW) {
            self.samples.pop_front();
        }
    }

    /// Forgets what was: a pause is no slowness.
    pub fn clear(&mut self) {
        self.samples.clear();
    }

    /// The rate up to now; `None` while there is not a second to tell it from.
    pub fn per_second(&self, now: Duration) -> Option<PerSecond> {
        let ((from, before), (_, after)) = (self.samples.front()?, self.samples.back()?);
        let seconds = now.saturating_sub(*from).as_secs_f64();
        let over = |before: u64, after: u64| after.saturating_sub(before) as f64 / seconds;
        (seconds >= SAMPLE_EVERY.as_secs_f64())
            .then(|| PerSecond { objects: over(before.objects, after.objects), bytes: over(before.bytes, after.bytes) })
    }
}

impl PerSecond {
    /// How long what remains takes at this rate; `None` if it does not move. By bytes where they are known,
    /// else by their number.
    pub fn time_for(self, objects: Option<u64>, bytes: Option<u64>) -> Option<Duration> {
        let at = |left: u64, rate: f64| (rate > 0.0).then(|| Duration::try_from_secs_f64(left as f64 / rate).ok());
        let by_bytes = bytes.and_then(|bytes| at(bytes, self.bytes)).flatten();
        by_bytes.or_else(|| objects.and_then(|objects| at(objects, self.objects)).flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(objects: u64) -> Amount {
        Amount { objects, bytes: objects * 10 }
    }

    #[test]
    fn a_rate_is_unknown_at_first_then_true_and_falls_while_nothing_moves() {
        let secs = Duration::from_secs;
        let mut rate = Rate::default();
        assert_eq!(rate.per_second(secs(0)), None);
        rate.note(secs(0), amount(0));
        assert_eq!(rate.per_second(secs(0)), None);
        for second in 1..=10 {
            rate.note(secs(second), amount(second * 4));
        }
        assert_eq!(rate.per_second(secs(10)), Some(PerSecond { objects: 4.0, bytes: 40.0 }));
        assert_eq!(rate.per_second(secs(20)), Some(PerSecond { objects: 2.0, bytes: 20.0 }));
        for second in 11..=200 {
            rate.note(secs(second), amount(40));
        }
        assert_eq!(rate.per_second(secs(200)), Some(PerSecond::default()));
    }

    #[test]
    fn many_notes_keep_few_samples() {
        let mut rate = Rate::default();
        for tenth in 0..10_000 {
            rate.note(Duration::from_millis(tenth * 10), amount(tenth));
        }
        assert!(rate.samples.len() <= 63, "{}", rate.samples.len());
    }

    #[test]
    fn a_forecast_is_none_where_nothing_moves_or_nothing_is_known() {
        let rate = PerSecond { objects: 2.0, bytes: 0.0 };
        assert_eq!(rate.time_for(Some(10), None), Some(Duration::from_secs(5)));
        assert_eq!(rate.time_for(Some(10), Some(10)), Some(Duration::from_secs(5)));
        assert_eq!(rate.time_for(None, Some(10)), None);
        assert_eq!(rate.time_for(None, None), None);
    }
}
