//! A listener: accepts connections up to a bound, holds them to time-outs, and drains them.
//!
//! # Limits
//! Connections beyond the bound wait in the kernel's queue; those of one client beyond its own are refused. Those of a
//! listed proxy count as its clients', where it names them at their beginning. A connection is closed when it idles,
//! when a head or a body comes too slowly, or when its client takes its answers too slowly.

mod addresses;
mod connection;
mod exchange;
mod first_bytes;
mod forwarded;
mod in_the_clear;
mod pace;
mod proxy_header;
mod refusal;
mod request_body;
mod stream;
mod streams;
mod substitute;
mod tls;
mod validity;
mod wrong_protocol;

pub(super) use forwarded::TrustedProxies;
pub(super) use in_the_clear::{Answer, InTheClear, Only};
pub(super) use refusal::{Door, Refusal, Refuser};
pub(super) use request_body::RequestBody;
pub(super) use tls::{CertificateEnds, Certificates, certificates_of, certified};
pub(super) use validity::of as validity_of;

use super::metrics::Connections;
use addresses::Addresses;
use anyhow::{Context, Result, anyhow};
use bytes::Bytes;
use cofre_iam::{Network, Origin};
use cofre_runtime::{Clock, Random, Shutdown, spawn};
use cofre_settings::BootSettings;
use connection::Connection;
use http::{Request, Response};
use hyper::body::Body;
use hyper::service::Service;
use hyper_util::server::graceful::GracefulShutdown;
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Rest after the operating system has refused a connection: it is out of file descriptors, as a rule.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

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

/// How a listener serves.
pub(super) struct Serving {
    pub(super) limits: Limits,
    /// Who may say who its clients are.
    pub(super) proxies: TrustedProxies,
    /// Counts connections.
    pub(super) connections: Connections,
    /// What is answered in plain HTTP though TLS is spoken.
    pub(super) in_the_clear: Option<Arc<dyn InTheClear>>,
    pub(super) shutdown: Shutdown,
    pub(super) grace: Duration,
}

/// An address that is bound and not served yet.
pub(super) struct Listener {
    refuser: Refuser,
    tcp: TcpListener,
    address: SocketAddr,
    certificates: Option<Arc<Certificates>>,
}

impl Listener {
    /// Binds an address, and shows these certificates there; plain HTTP without.
    pub(super) async fn bind(
        door: Door,
        address: SocketAddr,
        certificates: Option<Arc<Certificates>>,
        random: &Random,
    ) -> Result<Self> {
        let setting = match door {
            Door::S3 => "listen",
            Door::Admin => "admin_listen",
            Door::Console => "console_listen",
            Door::Challenges => "acme_http_listen",
        };
        let tcp = TcpListener::bind(address).await.map_err(|error| {
            anyhow!("{setting}: cannot listen on {address}: {error}; is another process there? choose another address")
        })?;
        let address = tcp.local_addr().context("asking for the address")?;
        Ok(Self { refuser: Refuser { door, random: random.clone() }, tcp, address, certificates })
    }

    /// The same, whose sockets are watched by the runtime that calls this.
    ///
    /// # Errors
    /// If the operating system refuses.
    pub(super) fn moved_here(self) -> io::Result<Self> {
        let tcp = TcpListener::from_std(self.tcp.into_std()?)?;
        Ok(Self { tcp, ..self })
    }

    /// What is spoken behind it.
    pub(super) const fn door(&self) -> Door {
        self.refuser.door
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Until when the certificate is good; `None` of plain HTTP.
    pub(super) fn certificate_ends(&self) -> Option<&CertificateEnds> {
        self.certificates.as_ref().map(|certificates| certificates.ends())
    }

    /// Serves until `serving.shutdown` begins; then requests under way have its grace to finish. `make` makes the
    /// service of a client from what the socket tells, or a listed proxy.
    pub(super) async fn serve<M, S, B>(self, serving: Serving, clock: Clock, make: M)
    where
        M: Fn(Origin) -> S + Send + Sync + 'static,
        S: Service<Request<RequestBody>, Response = Response<B>> + Send + Sync + 'static,
        S::Future: Send + 'static,
        S::Error: Into<Box<dyn Error + Send + Sync>> + 'static,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let Serving { limits, proxies, connections, in_the_clear, shutdown, grace } = serving;
        let tls = self.certificates.as_ref().map(tls::acceptor);
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
                    let origin = Origin { ip: Some(peer.ip()), secure: tls.is_some(), tls: None };
                    // A proxy has the connections of all its clients.
                    let admission = match proxies.hold(origin.ip) {
                        true => None,
                        false => match addresses.admit(Network::of(peer.ip())) {
                            Some(admission) => Some(admission),
                            None => {
                                self.turn_away(&tcp);
                                continue;
                            }
                        },
                    };
                    let connection = Connection {
                        refuser: self.refuser.clone(),
                        tls: tls.clone(),
                        origin,
                        make: Arc::clone(&make),
                        limits,
                        proxies: proxies.clone(),
                        addresses: addresses.clone(),
                        in_the_clear: in_the_clear.clone(),
                        shutdown: shutdown.clone(),
                        admission,
                        _counted: (permit, connections.open()),
                    };
                    drop(spawn(connection.serve(tcp, graceful.watcher())));
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
    }

    /// Tells a client why its connection is not served, as far as that goes without waiting for it.
    fn turn_away(&self, tcp: &TcpStream) {
        if self.certificates.is_none() {
            // It is closed either way.
            let _ = tcp.try_write(&self.refuser.bytes(&wrong_protocol::too_many_connections()));
        }
        tracing::debug!(address = %self.address, "a client has as many connections as it may");
    }
}
