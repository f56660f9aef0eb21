//! A listener: accepts connections up to a bound, holds them to time-outs, and drains them.
//!
//! # Limits
//! Connections beyond the bound wait in the kernel's queue. A connection is closed when it idles, when
//! a head or a body stands still, or when its client does not take the answer.

mod exchange;
mod stream;
mod tls;
mod validity;

pub(super) use exchange::RequestBody;
pub(super) use tls::CertificateEnds;

use anyhow::{Context, Result, anyhow};
use bytes::Bytes;
use cofre_iam::Origin;
use cofre_runtime::{Clock, Shutdown, spawn};
use cofre_settings::{BootSettings, TlsFiles};
use exchange::{Exchanges, Tracked};
use http::{Request, Response};
use hyper::body::Body;
use hyper::service::Service;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use stream::Watched;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;

/// Rest after the operating system has refused a connection: it is out of file descriptors, as a rule.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// Largest head of a request, in bytes. AWS bounds headers to 8 KiB; presigned URLs are long too.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// Buffer for what is read and written on an HTTP/1 connection, in bytes, at the most.
const BUFFER_BYTES_MAX: usize = 256 * 1024;

/// Requests at once on one HTTP/2 connection.
const STREAMS_MAX: u32 = 128;

/// Bytes that a client may send on an HTTP/2 stream, and on its connection, before they are taken.
const STREAM_WINDOW_BYTES: u32 = 1024 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 4 * 1024 * 1024;

/// What bounds connections.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    connections_max: usize,
    /// In which a head must arrive, counted from its first byte; a TLS handshake as well.
    header_timeout: Duration,
    /// That a body may stand still, whichever way it goes.
    body_timeout: Duration,
    /// That a connection may idle between requests.
    idle_timeout: Duration,
}

impl Limits {
    pub(super) const fn of(settings: &BootSettings) -> Self {
        Self {
            connections_max: settings.connections_max,
            header_timeout: settings.header_timeout,
            body_timeout: settings.body_timeout,
            idle_timeout: settings.idle_timeout,
        }
    }
}

/// An address that is bound and not served yet.
pub(super) struct Listener {
    tcp: TcpListener,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
    /// Until when the certificate is good, if there is one.
    ends: Option<CertificateEnds>,
    /// Ends what follows the certificate files.
    ended: Shutdown,
}

impl Listener {
    /// Binds an address; `setting` is what messages call it.
    pub(super) async fn bind(setting: &str, address: SocketAddr, files: Option<&TlsFiles>) -> Result<Self> {
        let tcp = TcpListener::bind(address).await.map_err(|error| {
            anyhow!("{setting}: cannot listen on {address}: {error}; is another process there? choose another address")
        })?;
        let address = tcp.local_addr().context("asking for the address")?;
        let ended = Shutdown::default();
        let (tls, ends) = match files {
            Some(files) => {
                let made = tls::acceptor(files, ended.clone()).await.with_context(|| format!("{setting}, TLS"))?;
                (Some(made.0), Some(made.1))
            }
            None => (None, None),
        };
        Ok(Self { tcp, address, tls, ends, ended })
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Until when the certificate is good; `None` of plain HTTP.
    pub(super) const fn certificate_ends(&self) -> Option<&CertificateEnds> {
        self.ends.as_ref()
    }

    /// Serves until shutdown begins; then requests under way have `grace` to finish. `make` makes the
    /// service of a connection from what the socket tells.
    pub(super) async fn serve<M, S, B>(self, limits: Limits, shutdown: Shutdown, grace: Duration, clock: Clock, make: M)
    where
        M: Fn(Origin) -> S + Send + Sync + 'static,
        S: Service<Request<RequestBody>, Response = Response<B>> + Send + Sync + 'static,
        S::Future: Send + 'static,
        S::Error: Into<Box<dyn Error + Send + Sync>> + 'static,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let room = Arc::new(Semaphore::new(limits.connections_max));
        let graceful = GracefulShutdown::new();
        let (server, make) = (server(limits), Arc::new(make));
        loop {
            let next = async {
                let permit = Arc::clone(&room).acquire_owned().await;
                (permit, self.tcp.accept().await)
            };
            let accepted = tokio::select! {
                accepted = next => accepted,
                () = shutdown.begun() => break,
            };
            match accepted {
                (Ok(permit), Ok((tcp, peer))) => {
                    let origin = Origin { ip: Some(peer.ip()), secure: self.tls.is_some(), tls: None };
                    let (tls, make) = (self.tls.clone(), Arc::clone(&make));
                    let connection = Connection { tcp, tls, permit, origin, make, limits };
                    drop(spawn(connection.serve(server.clone(), graceful.watcher())));
                }
                (Ok(_), Err(error)) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    clock.sleep(ACCEPT_RETRY).await;
                }
                // Nobody closes the semaphore.
                (Err(_), _) => break,
            }
        }
        drop(self.tcp);
        if tokio::time::timeout(grace, graceful.shutdown()).await.is_err() {
            tracing::warn!(address = %self.address, "requests under way did not finish in time and are cut off");
        }
        self.ended.begin();
    }
}

/// How HTTP is spoken. Heads are timed by [`Watched`], which tells a slow head from an idle connection.
fn server(limits: Limits) -> Builder<TokioExecutor> {
    let mut server = Builder::new(TokioExecutor::new());
    server.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(BUFFER_BYTES_MAX);
    server
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_header_list_size(HEAD_BYTES_MAX as u32)
        .keep_alive_interval(Some(limits.body_timeout))
        .keep_alive_timeout(limits.header_timeout);
    server
}

struct Connection<M> {
    tcp: TcpStream,
    tls: Option<TlsAcceptor>,
    permit: OwnedSemaphorePermit,
    origin: Origin,
    /// Makes the service, once the handshake is done.
    make: Arc<M>,
    limits: Limits,
}

impl<M, S, B> Connection<M>
where
    M: Fn(Origin) -> S,
    S: Service<Request<RequestBody>, Response = Response<B>> + Send + Sync + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>> + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    async fn serve(self, server: Builder<TokioExecutor>, watcher: Watcher) {
        let Self { tcp, tls, permit, origin, make, limits } = self;
        // Without it a small answer waits 40 ms for the client's delayed acknowledgement (Nagle).
        if tcp.set_nodelay(true).is_err() {
            return;
        }
        match tls {
            None => talk(tcp, make(origin), limits, server, watcher).await,
            Some(tls) => match tokio::time::timeout(limits.header_timeout, tls.accept(tcp)).await {
                Ok(Ok(stream)) => {
                    let origin = Origin { tls: tls::agreed(stream.get_ref().1), ..origin };
                    talk(stream, make(origin), limits, server, watcher).await;
                }
                Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                Err(_) => tracing::debug!("a TLS handshake took too long"),
            },
        }
        drop(permit);
    }
}

async fn talk<T, S, B>(io: T, service: S, limits: Limits, server: Builder<TokioExecutor>, watcher: Watcher)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<RequestBody>, Response = Response<B>> + Send + Sync + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>> + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let exchanges = Arc::new(Exchanges::default());
    let io = Watched::new(io, limits, Arc::clone(&exchanges));
    let service = Tracked { service, exchanges, body_timeout: limits.body_timeout };
    let connection = server.serve_connection(TokioIo::new(io), service).into_owned();
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection ended early");
    }
}
