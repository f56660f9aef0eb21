use anyhow::{Result, bail};
use cofre_runtime::Clock;
use std::time::Duration;

/// Time between two looks at a condition.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// Waits until `condition` gives a value, for at most `longest`.
///
/// # Errors
/// If the condition fails, or the time is over; the error then names `what`.
pub fn until<T>(what: &str, longest: Duration, mut condition: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let clock = Clock::system();
    loop {
        if let Some(value) = condition()? {
            return Ok(value);
        }
        if clock.elapsed() > longest {
            bail!("{what}: not within {} s", longest.as_secs_f32());
        }
        std::thread::sleep(LOOK_INTERVAL);
    }
}
