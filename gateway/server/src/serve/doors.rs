//! The doors of a process. What all have stands here, once: bounds of connections, proxies, metrics, and how they drain.
//!
//! A door is a listener that is bound, and the service of each of its clients. It says only when it closes.

use super::beside::Beside;
use super::listen::{InTheClear, Limits, Listener, RequestBody, Serving, TrustedProxies};
use super::metrics::ListenerMetrics;
use anyhow::{Context, Result};
use bytes::Bytes;
use cofre_iam::Origin;
use cofre_runtime::{Clock, Shutdown, Task, spawn};
use http::{Request, Response};
use hyper::body::Body;
use hyper::service::Service;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

/// When a door closes, and how long its requests under way may take then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closes {
    /// First: clients come by it.
    First(Duration),
    /// Once clients and jobs have ended: operators come by it.
    Last(Duration),
}

/// All doors that are open.
pub(super) struct Doors {
    limits: Limits,
    proxies: TrustedProxies,
    metrics: ListenerMetrics,
    clock: Clock,
    draining: Shutdown,
    closing: Shutdown,
    /// Where the doors serve that must answer whatever the others are busy with.
    beside: Beside,
    first: Vec<(&'static str, Task<()>)>,
    last: Vec<(&'static str, Task<()>)>,
}

impl Doors {
    /// None is open yet. Those that close first do so when `draining` begins, the last ones when `closing` does.
    pub(super) fn new(
        (limits, proxies): (Limits, TrustedProxies),
        metrics: ListenerMetrics,
        clock: Clock,
        (draining, closing): (Shutdown, Shutdown),
    ) -> Result<Self> {
        let (beside, first, last) = (Beside::start()?, Vec::new(), Vec::new());
        Ok(Self { limits, proxies, metrics, clock, draining, closing, beside, first, last })
    }

    /// Opens a door. `in_the_clear` is what it answers in plain HTTP though TLS is spoken; `make` makes the service of a
    /// client.
    pub(super) fn open<M, S, B>(
        &mut self,
        listener: Listener,
        closes: Closes,
        in_the_clear: Option<Arc<dyn InTheClear>>,
        make: M,
    ) where
        M: Fn(Origin) -> S + Send + Sync + 'static,
        S: Service<Request<RequestBody>, Response = Response<B>> + Send + Sync + 'static,
        S::Future: Send + 'static,
        S::Error: Into<Box<dyn Error + Send + Sync>> + 'static,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let (name, serving) = self.serving(&listener, closes, in_the_clear);
        let task = spawn(listener.serve(serving, self.clock.clone(), make));
        self.keep(closes, name, task);
    }

    /// Opens a door on a thread of its own: see [`Beside`].
    pub(super) fn open_beside<M, S, B>(&mut self, listener: Listener, closes: Closes, make: M)
    where
        M: Fn(Origin) -> S + Send + Sync + 'static,
        S: Service<Request<RequestBody>, Response = Response<B>> + Send + Sync + 'static,
        S::Future: Send + 'static,
        S::Error: Into<Box<dyn Error + Send + Sync>> + Send + 'static,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>> + Send,
    {
        let (name, serving) = self.serving(&listener, closes, None);
        let task = self.beside.serve(listener, serving, self.clock.clone(), make);
        self.keep(closes, name, task);
    }

    fn serving(
        &self,
        listener: &Listener,
        closes: Closes,
        in_the_clear: Option<Arc<dyn InTheClear>>,
    ) -> (&'static str, Serving) {
        let name = listener.door().name();
        if let Some(ends) = listener.certificate_ends() {
            ends.tell(self.metrics.certificate_end(name));
        }
        let (shutdown, grace) = match closes {
            Closes::First(grace) => (self.draining.clone(), grace),
            Closes::Last(grace) => (self.closing.clone(), grace),
        };
        let (limits, proxies) = (self.limits, self.proxies.clone());
        let connections = self.metrics.connections(name);
        (name, Serving { limits, proxies, connections, in_the_clear, shutdown, grace })
    }

    fn keep(&mut self, closes: Closes, name: &'static str, task: Task<()>) {
        match closes {
            Closes::First(_) => self.first.push((name, task)),
            Closes::Last(_) => self.last.push((name, task)),
        }
    }

    /// Returns once the doors that close first are closed.
    pub(super) async fn close_first(&mut self) -> Result<()> {
        self.draining.begin();
        ended(std::mem::take(&mut self.first)).await
    }

    /// Returns once every door is closed.
    pub(super) async fn close(mut self) -> Result<()> {
        self.closing.begin();
        ended(std::mem::take(&mut self.last)).await
    }
}

async fn ended(doors: Vec<(&'static str, Task<()>)>) -> Result<()> {
    for (name, task) in doors {
        task.await.with_context(|| format!("the listener of {name} panicked"))?;
    }
    Ok(())
}
