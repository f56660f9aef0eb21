//! A listener: accepts connections up to a bound, holds them to time-outs, and drains them.
//!
//! # Limits
//! Connections beyond the bound wait in the kernel's queue; those of one client beyond its own are refused. A connection
//! is closed when it idles, when a head or a body comes too slowly, or when its client takes its answers too slowly. What
//! one request holds here is at most [`STREAM_WINDOW_BYTES`] of its body, [`BUFFER_BYTES_MAX`] on HTTP/1, and the piece
//! of its answer that its client has not taken.

mod addresses;
mod exchange;
mod first_bytes;
mod pace;
mod refusal;
mod request_body;
mod stream;
mod streams;
mod substitute;
mod tls;
mod validity;
mod wrong_protocol;

pub(super) use refusal::{Door, Refusal, Refuser};
pub(super) use request_body::RequestBody;
pub(super) use tls::CertificateEnds;

use addresses::{Addresses, Admission};
use anyhow::{Context, Result, anyhow};
use bytes::Bytes;
use cofre_iam::{Network, Origin};
use cofre_runtime::{Clock, Random, Shutdown, spawn};
use cofre_settings::{BootSettings, TlsFiles};
use exchange::{Exchanges, Tracked};
use first_bytes::Spoken;
use http::{Request, Response};
use hyper::body::Body;
use hyper::server::conn::{http1, http2};
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use socket2::SockRef;
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use stream::Watched;
use streams::Streams;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

/// Rest after the operating system has refused a connection: it is out of file descriptors, as a rule.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// Largest head of a request, in bytes. AWS bounds headers to 8 KiB; a presigned URL and a key of 1,024 bytes, all of
/// them encoded, come beside them.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// Buffer for what is read and written on an HTTP/1 connection, in bytes, at the most.
const BUFFER_BYTES_MAX: usize = 256 * 1024;

/// Bytes that the kernel holds unsent. Without a bound it takes megabytes, and says that there is room again only once a
/// third has gone: a slow client would look like one that stands still.
const UNSENT_BYTES_MAX: u32 = 64 * 1024;

/// Requests at once on one HTTP/2 connection.
const STREAMS_MAX: u32 = 32;

/// Bytes of an answer that an HTTP/2 stream may have waiting for its client.
const SEND_BYTES_MAX: usize = 128 * 1024;

/// Bytes that a client may send on an HTTP/2 stream, and on its connection, before they are taken.
const STREAM_WINDOW_BYTES: u32 = 1024 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 4 * 1024 * 1024;

/// What bounds connections.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    connections_max: usize,
    /// Of one client.
    connections_per_address_max: usize,
    /// In which a head must arrive, counted from its first byte; a TLS handshake as well.
    header_timeout: Duration,
    /// That a body may stand still, whichever way it goes; and the time over which its rate is measured.
    body_timeout: Duration,
    /// Bytes of a body that must go in each second, whichever way it goes.
    body_rate_min: u64,
    /// That a connection may idle between requests.
    idle_timeout: Duration,
}

impl Limits {
    pub(super) const fn of(settings: &BootSettings) -> Self {
        Self {
            connections_max: settings.connections_max,
            connections_per_address_max: settings.connections_per_address_max,
            header_timeout: settings.header_timeout,
            body_timeout: settings.body_timeout,
            body_rate_min: settings.body_rate_min,
            idle_timeout: settings.idle_timeout,
        }
    }
}

/// An address that is bound and not served yet.
pub(super) struct Listener {
    refuser: Refuser,
    tcp: TcpListener,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
    /// Until when the certificate is good, if there is one.
    ends: Option<CertificateEnds>,
    /// Ends what follows the certificate files.
    ended: Shutdown,
}

impl Listener {
    /// Binds an address.
    pub(super) async fn bind(
        door: Door,
        address: SocketAddr,
        files: Option<&TlsFiles>,
        random: &Random,
    ) -> Result<Self> {
        let setting = match door {
            Door::S3 => "listen",
            Door::Admin => "admin_listen",
        };
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
        Ok(Self { refuser: Refuser { door, random: random.clone() }, tcp, address, tls, ends, ended })
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
        let addresses = Addresses::new(limits.connections_per_address_max);
        let graceful = GracefulShutdown::new();
        let make = Arc::new(make);
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
                    let Some(admission) = addresses.admit(Network::of(peer.ip())) else {
                        self.turn_away(&tcp);
                        continue;
                    };
                    let origin = Origin { ip: Some(peer.ip()), secure: self.tls.is_some(), tls: None };
                    let connection = Connection {
                        refuser: self.refuser.clone(),
                        tcp,
                        tls: self.tls.clone(),
                        origin,
                        make: Arc::clone(&make),
                        limits,
                        shutdown: shutdown.clone(),
                        _counted: (permit, admission),
                    };
                    drop(spawn(connection.serve(graceful.watcher())));
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
        if timeout(grace, graceful.shutdown()).await.is_err() {
            tracing::warn!(address = %self.address, "requests under way did not finish in time and are cut off");
        }
        self.ended.begin();
    }

    /// Tells a client why its connection is not served, as far as that goes without waiting for it.
    fn turn_away(&self, tcp: &TcpStream) {
        if self.tls.is_none() {
            // It is closed either way.
            let _ = tcp.try_write(&self.refuser.bytes(&wrong_protocol::too_many_connections()));
        }
        tracing::debug!(address = %self.address, "a client has as many connections as it may");
    }
}

struct Connection<M> {
    refuser: Refuser,
    tcp: TcpStream,
    tls: Option<TlsAcceptor>,
    origin: Origin,
    /// Makes the service, once the handshake is done.
    make: Arc<M>,
    limits: Limits,
    shutdown: Shutdown,
    _counted: (OwnedSemaphorePermit, Admission),
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
    async fn serve(self, watcher: Watcher) {
        // Without it a small answer waits 40 ms for the client's delayed acknowledgement (Nagle).
        if self.tcp.set_nodelay(true).is_err() {
            return;
        }
        if SockRef::from(&self.tcp).set_tcp_notsent_lowat(UNSENT_BYTES_MAX).is_err() {
            return;
        }
        if let Err(error) = self.begin(watcher).await {
            tracing::debug!(%error, "a connection ended before its first request");
        }
    }

    /// Finds out what the client speaks, and serves it.
    async fn begin(self, watcher: Watcher) -> io::Result<()> {
        let Self { refuser, tcp, tls, origin, make, limits, shutdown, _counted } = self;
        let soon = |what| Until { shutdown: &shutdown, time: limits.header_timeout, what };
        let Some((spoken, begun)) = soon("the first byte").wait(first_bytes::read(tcp)).await? else { return Ok(()) };
        match (tls, spoken) {
            (None, Spoken::Tls) => {
                let refusal = wrong_protocol::tls_to_plain(refuser.door);
                tracing::info!(peer = ?origin.ip, "{}", refusal.advice);
                refuse(begun, &refusal, refuser, limits).await
            }
            (Some(_), Spoken::Http1 | Spoken::Http2) => {
                refuse(begun, &wrong_protocol::plain_to_tls(refuser.door), refuser, limits).await
            }
            (None, spoken) => {
                talk(begun, spoken, make(origin), refuser, limits, watcher).await;
                Ok(())
            }
            (Some(tls), Spoken::Tls) => {
                let stream = soon("a TLS handshake").wait(tls.accept(begun)).await?;
                let origin = Origin { tls: tls::agreed(stream.get_ref().1), ..origin };
                let first = soon("the first byte").wait(first_bytes::read(stream)).await?;
                if let Some((spoken, begun)) = first {
                    talk(begun, spoken, make(origin), refuser, limits, watcher).await;
                }
                Ok(())
            }
        }
    }
}

/// Waits for what a client must do soon.
struct Until<'a> {
    shutdown: &'a Shutdown,
    time: Duration,
    what: &'static str,
}

impl Until<'_> {
    async fn wait<T>(self, step: impl Future<Output = io::Result<T>>) -> io::Result<T> {
        tokio::select! {
            done = timeout(self.time, step) => match done {
                Ok(done) => done,
                Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, format!("{} did not come in time", self.what))),
            },
            () = self.shutdown.begun() => Err(io::Error::other("shutting down")),
        }
    }
}

/// Says why a connection is not served, and closes it so that this is read.
async fn refuse<T>(io: T, refusal: &Refusal, refuser: Refuser, limits: Limits) -> io::Result<()>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let exchanges = Arc::new(Exchanges::default());
    exchanges.leave_rest();
    let said = refuser.bytes(refusal);
    let mut io = Watched::new(io, false, limits, exchanges, refuser);
    let closing = async {
        io.write_all(&said).await?;
        io.shutdown().await
    };
    timeout(limits.header_timeout, closing).await?
}

async fn talk<T, S, B>(io: T, spoken: Spoken, service: S, refuser: Refuser, limits: Limits, watcher: Watcher)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<RequestBody>, Response = Response<B>> + Send + Sync + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>> + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let exchanges = Arc::new(Exchanges::default());
    let is_http2 = spoken == Spoken::Http2;
    let io = TokioIo::new(Watched::new(io, is_http2, limits, Arc::clone(&exchanges), refuser));
    let service = Tracked { service, exchanges: Arc::clone(&exchanges), limits };
    let ended = if is_http2 {
        watcher.watch(http2_server(exchanges, limits).serve_connection(io, service)).await
    } else {
        watcher.watch(http1_server().serve_connection(io, service)).await
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// How HTTP/1 is spoken. Heads are timed by [`Watched`], which tells a slow head from an idle connection.
fn http1_server() -> http1::Builder {
    let mut server = http1::Builder::new();
    server
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_header_size(HEAD_BYTES_MAX)
        .max_buf_size(BUFFER_BYTES_MAX);
    server
}

/// How HTTP/2 is spoken.
fn http2_server(exchanges: Arc<Exchanges>, limits: Limits) -> http2::Builder<Streams> {
    let mut server = http2::Builder::new(Streams { exchanges, limits });
    server
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_send_buf_size(SEND_BYTES_MAX)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        // No pings: one waits behind all that was sent, so it would time a slow client and not a dead one.
        .max_header_list_size(HEAD_BYTES_MAX as u32);
    server
}
