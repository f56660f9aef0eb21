//! Log lines to standard error, readable or JSON, with a level that may change.

use super::log_lines::{self, LogWriter};
use anyhow::Result;
use cofre_settings::{LogFormat, LogLevel};
use std::io::IsTerminal;
use std::sync::Arc;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt, reload};

/// Changes the level of a running process.
#[derive(Clone)]
pub struct LogControl(Arc<dyn Fn(LogLevel) + Send + Sync>);

impl LogControl {
    /// Logs from now on what is at this level or above it.
    pub(crate) fn set(&self, level: LogLevel) {
        (self.0)(level);
    }
}

/// s3s logs every client's mistake as an error, which would let anyone flood the log. fjall and hyper
/// say nothing that an operator could act on below warnings.
fn filter(level: LogLevel) -> EnvFilter {
    let libraries = match level {
        LogLevel::Trace => "trace",
        LogLevel::Debug => "info",
        LogLevel::Error | LogLevel::Warn | LogLevel::Info => "warn",
    };
    EnvFilter::new(format!(
        "{},s3s=off,hyper={libraries},hyper_util={libraries},h2={libraries},rustls={libraries},fjall={libraries},lsm_tree={libraries}",
        level.as_str()
    ))
}

/// Makes the process' log. A thread of its own writes the lines, so that no request waits for a
/// terminal or a pipe; dropping the guard writes what is left.
///
/// # Errors
/// If the process has one already, or no thread is to be had.
pub fn init(format: LogFormat, level: LogLevel) -> Result<(LogControl, LogWriter)> {
    let (writer, guard) = log_lines::start(std::io::stderr())?;
    let (filter_layer, handle) = reload::Layer::new(filter(level));
    let registry = tracing_subscriber::registry().with(filter_layer);
    match format {
        LogFormat::Text => {
            let ansi = std::io::stderr().is_terminal();
            registry.with(fmt::layer().with_writer(writer).with_ansi(ansi)).try_init()?;
        }
        LogFormat::Json => {
            let lines = fmt::layer().json().flatten_event(true).with_writer(writer);
            registry.with(lines).try_init()?;
        }
    }
    let control = LogControl(Arc::new(move |level| {
        // It fails only once the subscriber is gone, with the process.
        let _ = handle.reload(filter(level));
    }));
    Ok((control, guard))
}
