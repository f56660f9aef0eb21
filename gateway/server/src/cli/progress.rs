//! Progress of long work on standard error: how much is done, the rate, and the time left.

use super::print::{bytes, span};
use std::io::{IsTerminal, Write};
use std::time::Duration;

/// Characters of the bar.
const BAR_CHARS: u64 = 30;

/// How often a line is written where nothing can be overwritten.
const LOG_LINE_EVERY: Duration = Duration::from_secs(10);

/// How far work has come.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Progress {
    pub(super) done_bytes: u64,
    /// `None` while unknown.
    pub(super) total_bytes: Option<u64>,
    /// As the server knows it; `None` to take it from what was shown.
    pub(super) bytes_per_second: Option<u64>,
}

/// A line that is written over on a terminal, and now and then anew elsewhere.
pub(super) struct ProgressLine {
    what: String,
    quiet: bool,
    terminal: bool,
    clock: cofre_runtime::Clock,
    began: Duration,
    written: Option<Duration>,
}

impl ProgressLine {
    /// A line about `what`; with `quiet` nothing is written.
    pub(super) fn new(what: impl Into<String>, quiet: bool) -> Self {
        let clock = cofre_runtime::Clock::system();
        let began = clock.elapsed();
        Self { what: what.into(), quiet, terminal: std::io::stderr().is_terminal(), clock, began, written: None }
    }

    /// Shows how far it is.
    pub(super) fn show(&mut self, progress: Progress) {
        let now = self.clock.elapsed();
        let due = self.written.is_none_or(|written| self.terminal || now.saturating_sub(written) >= LOG_LINE_EVERY);
        if self.quiet || !due {
            return;
        }
        self.written = Some(now);
        let text = line(&self.what, progress, now.saturating_sub(self.began));
        let mut stderr = std::io::stderr().lock();
        // A terminal that has gone takes nothing; the work goes on.
        let _ = if self.terminal { write!(stderr, "\r\x1b[K{text}") } else { writeln!(stderr, "{text}") };
        let _ = stderr.flush();
    }

    /// Ends the line, so that what is printed next stands on its own.
    pub(super) fn end(&self) {
        if self.terminal && self.written.is_some() {
            let _ = writeln!(std::io::stderr());
        }
    }
}

fn line(what: &str, progress: Progress, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64();
    let seen = (seconds >= 1.0).then(|| (progress.done_bytes as f64 / seconds) as u64);
    let rate = progress.bytes_per_second.or(seen).filter(|rate| *rate > 0);
    let rate_text = rate.map_or_else(String::new, |rate| format!("  {}/s", bytes(rate)));
    let Some(total) = progress.total_bytes else {
        return format!("{what}  {}{rate_text}", bytes(progress.done_bytes));
    };
    let done = progress.done_bytes.min(total);
    let filled =
        if total == 0 { BAR_CHARS } else { (u128::from(done) * u128::from(BAR_CHARS) / u128::from(total)) as u64 };
    let bar: String = (0..BAR_CHARS).map(|place| if place < filled { '#' } else { '.' }).collect();
    let left = rate.map_or_else(String::new, |rate| format!("  {} left", span((total - done).div_ceil(rate))));
    format!("{what}  [{bar}]  {} of {}{rate_text}{left}", bytes(done), bytes(total))
}
