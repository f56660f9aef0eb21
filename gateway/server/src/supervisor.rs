//! What the service manager is told: that Cofre is ready, lives and stops (systemd, "sd_notify(3)"). Where nobody waits
//! for that, nothing is said.

use anyhow::{Context, Result};
use cofre_runtime::{Clock, spawn};
use std::future::Future;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Where the service manager listens; one that begins with `@` has no file.
const SOCKET: &str = "NOTIFY_SOCKET";

/// Microseconds in which it must hear that the process lives, and the process that it means.
const WATCHDOG_USEC: &str = "WATCHDOG_USEC";
const WATCHDOG_PID: &str = "WATCHDOG_PID";

/// The least time between two signs of life.
const PING_EVERY_MIN: Duration = Duration::from_millis(10);

/// The service manager, if there is one that listens.
#[derive(Debug, Clone)]
pub(crate) struct Supervisor {
    socket: Option<Arc<(UnixDatagram, SocketAddr)>>,
    /// In which it must hear again that the process lives.
    watchdog: Option<Duration>,
}

impl Supervisor {
    /// The one that the environment names. `variable` looks a variable up.
    ///
    /// # Errors
    /// If the variables are none that a service manager sets.
    pub(crate) fn of(variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let Some(name) = variable(SOCKET).filter(|name| !name.is_empty()) else {
            return Ok(Self { socket: None, watchdog: None });
        };
        let address = match name.strip_prefix('@') {
            Some(name) => SocketAddr::from_abstract_name(name),
            None => SocketAddr::from_pathname(Path::new(std::ffi::OsStr::from_bytes(name.as_bytes()))),
        };
        let address = address.with_context(|| format!("{SOCKET}: {name}"))?;
        let socket = UnixDatagram::unbound().with_context(|| SOCKET.to_owned())?;
        // What it does not take in time is said again, or is worth no wait.
        socket.set_nonblocking(true).with_context(|| SOCKET.to_owned())?;
        let ours = variable(WATCHDOG_PID).is_none_or(|pid| pid == std::process::id().to_string());
        let micros = variable(WATCHDOG_USEC).filter(|_| ours).map(|text| text.parse::<u64>()).transpose();
        let micros = micros.with_context(|| format!("{WATCHDOG_USEC} is no number"))?;
        let watchdog = micros.filter(|micros| *micros > 0).map(Duration::from_micros);
        Ok(Self { socket: Some(Arc::new((socket, address))), watchdog })
    }

    /// Says that Cofre serves, and from now on that it lives, as long as `pulse` comes to an end in time.
    pub(crate) fn ready<F>(&self, clock: &Clock, pulse: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = ()> + Send,
    {
        self.tell("READY=1\nSTATUS=serving\n");
        if let Some(within) = self.watchdog {
            let (ours, clock) = (self.clone(), clock.clone());
            drop(spawn(async move { ours.watch(within, &clock, pulse).await }));
        }
    }

    /// Says that it ends, which takes so long at the most.
    pub(crate) fn stopping(&self, within: Duration) {
        self.tell(&format!("STOPPING=1\nSTATUS=draining\nEXTEND_TIMEOUT_USEC={}\n", within.as_micros()));
    }

    /// Says that the process lives, twice in each time that it has for it, until it does not.
    async fn watch<F: Future<Output = ()>>(&self, within: Duration, clock: &Clock, pulse: impl Fn() -> F) {
        let half = (within / 2).max(PING_EVERY_MIN);
        loop {
            match timeout(half, pulse()).await {
                Ok(()) => self.tell("WATCHDOG=1\n"),
                Err(_) => {
                    tracing::warn!("the catalog does not answer: the service manager is not told that Cofre lives")
                }
            }
            clock.sleep(half).await;
        }
    }

    fn tell(&self, state: &str) {
        let Some(socket) = &self.socket else { return };
        let (socket, address) = &**socket;
        if let Err(error) = socket.send_to_addr(state.as_bytes(), address) {
            tracing::warn!(%error, "the service manager cannot be told how Cofre does");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofre_runtime::ManualClock;
    use std::future::{pending, ready};

    /// A supervisor, and where it is heard.
    fn heard(within: &str) -> (Supervisor, UnixDatagram, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_nonblocking(true).unwrap();
        let path = path.display().to_string();
        let supervisor = Supervisor::of(|name| match name {
            SOCKET => Some(path.clone()),
            WATCHDOG_USEC => Some(within.to_owned()),
            _ => None,
        });
        (supervisor.unwrap(), socket, folder)
    }

    fn next(socket: &UnixDatagram) -> Option<String> {
        let mut bytes = [0; 200];
        socket.recv(&mut bytes).ok().map(|length| String::from_utf8_lossy(&bytes[..length]).into_owned())
    }

    #[tokio::test]
    async fn only_what_answers_lives() {
        let manual = ManualClock::at(1_000);
        let clock = manual.clock();
        let (supervisor, socket, _folder) = heard("20000");
        let watching = supervisor.watch(Duration::from_millis(20), &clock, || ready(()));
        assert!(timeout(Duration::from_millis(100), watching).await.is_err());
        assert_eq!(next(&socket).as_deref(), Some("WATCHDOG=1\n"));
        let hanging = supervisor.watch(Duration::from_millis(20), &clock, pending);
        assert!(timeout(Duration::from_millis(100), hanging).await.is_err());
        assert_eq!(next(&socket), None);
    }

    #[test]
    fn where_nobody_listens_nothing_is_said() {
        let silent = Supervisor::of(|_| None).unwrap();
        assert!(silent.socket.is_none());
        silent.stopping(Duration::from_secs(1));
        assert!(Supervisor::of(|_| Some("junk".to_owned())).is_err(), "microseconds are a number");
        let other = |name: &str| Some(if name == SOCKET { "@cofre-test-nobody" } else { "1" }.to_owned());
        assert_eq!(Supervisor::of(other).unwrap().watchdog, None, "the watchdog is another process'");
    }
}
