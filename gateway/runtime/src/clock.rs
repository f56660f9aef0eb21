use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Wall clock and monotonic clock. Cloning is cheap.
#[derive(Clone)]
pub struct Clock(Kind);

#[derive(Clone)]
enum Kind {
    System { origin: Instant, ahead: Duration },
    Manual(ManualClock),
}

impl Clock {
    /// The machine's clocks.
    pub fn system() -> Self {
        Self::system_ahead(Duration::ZERO)
    }

    /// The machine's clocks, with the wall clock that much ahead: for programs that stand for a later time.
    pub fn system_ahead(ahead: Duration) -> Self {
        Self(Kind::System { origin: Instant::now(), ahead })
    }

    /// Nanoseconds since 1970-01-01 UTC.
    pub fn now_nanos(&self) -> u64 {
        match &self.0 {
            Kind::System { ahead, .. } => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| u64::try_from((since + *ahead).as_nanos()).unwrap_or(u64::MAX)),
            Kind::Manual(clock) => clock.nanos.load(Ordering::SeqCst),
        }
    }

    /// Time since this clock was made, which never goes back. For measuring and for deadlines.
    pub fn elapsed(&self) -> Duration {
        match &self.0 {
            Kind::System { origin, .. } => origin.elapsed(),
            Kind::Manual(clock) => Duration::from_nanos(clock.nanos.load(Ordering::SeqCst) - clock.origin),
        }
    }

    /// Waits for `time`. A manual clock waits in real time, so it never hangs a test.
    pub async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::System { .. } => "Clock(system)",
            Kind::Manual(_) => "Clock(manual)",
        })
    }
}

/// A clock that a test moves by hand.
#[derive(Clone)]
pub struct ManualClock {
    nanos: Arc<AtomicU64>,
    origin: u64,
}

impl ManualClock {
    /// A clock that stands at `nanos` since 1970.
    pub fn at(nanos: u64) -> Self {
        Self { nanos: Arc::new(AtomicU64::new(nanos)), origin: nanos }
    }

    /// Moves it forward.
    pub fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        self.nanos.fetch_add(by, Ordering::SeqCst);
    }

    /// The clock to hand to components.
    pub fn clock(&self) -> Clock {
        Clock(Kind::Manual(self.clone()))
    }
}
