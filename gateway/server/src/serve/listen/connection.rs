//! One connection: whose it is, what is spoken on it, and its service.
//!
//! # Limits
//! What one request holds here is at most [`STREAM_WINDOW_BYTES`] of its body, [`BUFFER_BYTES_MAX`] on HTTP/1, and the
//! piece of its answer that its client has not taken.

use super::addresses::{Addresses, Admission};
use super::exchange::{Exchanges, Tracked};
use super::first_bytes::{Begun, Spoken};
use super::forwarded::ByClient;
use super::proxy_header::Malformed;
use super::stream::Watched;
use super::streams::Streams;
use super::{InTheClear, Limits, Refusal, Refuser, RequestBody, TrustedProxies, in_the_clear, tls, wrong_protocol};
use crate::serve::metrics::Open;
use bytes::Bytes;
use cofre_iam::{Network, Origin};
use cofre_runtime::Shutdown;
use http::{Request, Response};
use hyper::body::Body;
use hyper::server::conn::{http1, http2};
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use socket2::SockRef;
use std::error::Error;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

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

/// A connection that was accepted.
pub(super) struct Connection<M> {
    pub(super) refuser: Refuser,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) origin: Origin,
    /// Makes the service, once it is known whose it is.
    pub(super) make: Arc<M>,
    pub(super) limits: Limits,
    pub(super) proxies: TrustedProxies,
    pub(super) addresses: Addresses,
    pub(super) in_the_clear: Option<Arc<dyn InTheClear>>,
    pub(super) shutdown: Shutdown,
    /// Counts it as its client's; none while it is a listed proxy's.
    pub(super) admission: Option<Admission>,
    pub(super) _counted: (OwnedSemaphorePermit, Open),
}

impl<M, S, B> Connection<M>
where
    M: Fn(Origin) -> S + Send + Sync + 'static,
    S: Service<Request<RequestBody>, Response = Response<B>> + Send + Sync + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>> + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    /// Serves it until it ends, or shutdown does.
    pub(super) async fn serve(self, tcp: TcpStream, watcher: Watcher) {
        // Without it a small answer waits 40 ms for the client's delayed acknowledgement (Nagle).
        if tcp.set_nodelay(true).is_err() {
            return;
        }
        if SockRef::from(&tcp).set_tcp_notsent_lowat(UNSENT_BYTES_MAX).is_err() {
            return;
        }
        if let Err(error) = self.begin(tcp, watcher).await {
            tracing::debug!(%error, "a connection ended before its first request");
        }
    }

    /// Finds out whose connection it is and what is spoken on it, and serves it.
    async fn begin(mut self, tcp: TcpStream, watcher: Watcher) -> io::Result<()> {
        let mut begun = Begun::new(tcp);
        let Some(mut spoken) = self.soon("the first byte", begun.spoken()).await? else { return Ok(()) };
        if spoken == Spoken::Proxy {
            if let Err(refusal) = self.hear_proxy(&mut begun).await? {
                return refuse(begun, &refusal, self.refuser, self.limits).await;
            }
            match self.soon("the first byte", begun.spoken()).await? {
                Some(behind) => spoken = behind,
                None => return Ok(()),
            }
        }
        self.talk_as(begun, spoken, watcher).await
    }

    /// Takes the word of a proxy for whose connection it is, and counts it as that client's.
    async fn hear_proxy<T: AsyncRead + Unpin>(&mut self, begun: &mut Begun<T>) -> io::Result<Result<(), Refusal>> {
        if !self.proxies.hold(self.origin.ip) {
            tracing::info!(peer = ?self.origin.ip, "{}", wrong_protocol::unlisted_proxy().advice);
            return Ok(Err(wrong_protocol::unlisted_proxy()));
        }
        let header = match self.soon("a header of the PROXY protocol", begun.proxy_header()).await? {
            Ok(header) => header,
            Err(Malformed(reason)) => return Ok(Err(wrong_protocol::malformed_proxy_header(reason))),
        };
        self.origin = header.origin(self.origin);
        if let Some(ip) = self.origin.ip.filter(|_| !self.proxies.hold(self.origin.ip)) {
            let Some(admission) = self.addresses.admit(Network::of(ip)) else {
                return Ok(Err(wrong_protocol::too_many_connections()));
            };
            self.admission = Some(admission);
        }
        Ok(Ok(()))
    }

    /// Serves a connection in the protocol that is spoken on it.
    async fn talk_as(self, begun: Begun<TcpStream>, spoken: Spoken, watcher: Watcher) -> io::Result<()> {
        let (refuser, limits) = (self.refuser.clone(), self.limits);
        match (&self.tls, spoken) {
            (_, Spoken::Proxy) => {
                let refusal = wrong_protocol::malformed_proxy_header("there are two of them");
                refuse(begun, &refusal, refuser, limits).await
            }
            (None, Spoken::Tls) => {
                let refusal = wrong_protocol::tls_to_plain(refuser.door);
                tracing::info!(peer = ?self.origin.ip, "{}", refusal.advice);
                refuse(begun, &refusal, refuser, limits).await
            }
            (Some(_), Spoken::Http1 | Spoken::Http2) => {
                let answer =
                    self.in_the_clear.as_deref().and_then(|served| in_the_clear::answer(served, begun.bytes()));
                match answer {
                    Some(answer) => say_last(begun, &in_the_clear::bytes(answer.await), refuser, limits).await,
                    None => refuse(begun, &wrong_protocol::plain_to_tls(refuser.door), refuser, limits).await,
                }
            }
            (None, spoken) => {
                talk(begun, spoken, self.service(self.origin), refuser, limits, watcher).await;
                Ok(())
            }
            (Some(tls), Spoken::Tls) => {
                let stream = self.soon("a TLS handshake", tls.accept(begun)).await?;
                let origin = Origin { tls: tls::agreed(stream.get_ref().1), ..self.origin };
                let mut begun = Begun::new(stream);
                if let Some(spoken) = self.soon("the first byte", begun.spoken()).await? {
                    talk(begun, spoken, self.service(origin), refuser, limits, watcher).await;
                }
                Ok(())
            }
        }
    }

    fn service(&self, origin: Origin) -> ByClient<M, S> {
        ByClient::new(Arc::clone(&self.make), origin, &self.proxies)
    }

    /// Waits for what a client must do soon.
    async fn soon<T>(&self, what: &str, step: impl Future<Output = io::Result<T>>) -> io::Result<T> {
        tokio::select! {
            done = timeout(self.limits.header_timeout, step) => match done {
                Ok(done) => done,
                Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, format!("{what} did not come in time"))),
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
    say_last(io, &refuser.bytes(refusal), refuser, limits).await
}

/// Says something on a connection that is not served, and closes it so that this is read.
async fn say_last<T>(io: T, said: &[u8], refuser: Refuser, limits: Limits) -> io::Result<()>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let exchanges = Arc::new(Exchanges::default());
    exchanges.leave_rest();
    let mut io = Watched::new(io, false, limits, exchanges, refuser);
    let closing = async {
        io.write_all(said).await?;
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
