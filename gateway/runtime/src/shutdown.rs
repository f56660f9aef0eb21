use std::sync::Arc;
use tokio::sync::watch;

/// A signal that a process or a component stops. Cloning is cheap; every clone hears it.
#[derive(Debug, Clone)]
pub struct Shutdown(Arc<watch::Sender<bool>>);

impl Default for Shutdown {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Shutdown {
    /// Tells everyone to stop. A second call does nothing.
    pub fn begin(&self) {
        self.0.send_replace(true);
    }

    /// Whether stopping has begun.
    pub fn has_begun(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until stopping begins; returns at once if it has.
    pub async fn begun(&self) {
        let mut heard = self.0.subscribe();
        // The sender lives as long as self, so waiting ends only by the signal.
        let _ = heard.wait_for(|begun| *begun).await;
    }
}
