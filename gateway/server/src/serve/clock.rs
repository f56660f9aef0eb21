//! The clocks of the process.

use cofre_runtime::Clock;
use std::time::Duration;

/// Name of the variable that sets the wall clock ahead, in seconds, where the program was built with debug assertions.
const CLOCK_AHEAD_VARIABLE: &str = "COFRE_DEBUG_CLOCK_AHEAD_SECS";

/// The machine's clocks. A program for debugging may be set ahead, to see what takes hours.
pub(super) fn of_machine() -> Clock {
    let ahead = std::env::var(CLOCK_AHEAD_VARIABLE).ok().filter(|_| cfg!(debug_assertions));
    Clock::system_ahead(Duration::from_secs(ahead.and_then(|secs| secs.parse().ok()).unwrap_or(0)))
}
