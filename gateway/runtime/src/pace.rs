use std::time::Duration;

/// Spreads background work: after a step that took `busy`, rest so that the worker is busy for at
/// most `share` of the time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    share: f64,
}

impl Pace {
    /// Busy for at most `share` of the time; held to 0.01 to 1.
    pub fn share(share: f64) -> Self {
        Self { share: if share.is_finite() { share.clamp(0.01, 1.0) } else { 0.01 } }
    }

    /// How long to rest after working for `busy`; at most ten seconds.
    pub fn rest_after(self, busy: Duration) -> Duration {
        busy.mul_f64(1.0 / self.share - 1.0).min(Duration::from_secs(10))
    }
}
