//! Who attacks.

use crate::contender::Contender;
use anyhow::{Context, Result, ensure};
use cofre_harness::{Connection, Payload, Request, Response, Signer};
use socket2::{Domain, Socket, Type};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Where the attacker comes from: another address than that of the other clients.
const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
/// Threads that attack at once.
pub const THREADS: usize = 8;
/// The attacker's own bucket.
pub const OWN: &str = "attacker";
/// Time between two bytes of a slow sender, and until a connection that is refused is tried again.
pub const DRIP: Duration = Duration::from_millis(200);

/// A client with an address, an account and a bucket.
pub struct Attacker<'a> {
    pub cofre: &'a Contender,
    pub signer: Signer,
    address: SocketAddr,
    /// Requests that were answered so far, by [`Self::repeat`].
    answered: AtomicU64,
}

impl<'a> Attacker<'a> {
    /// One of this server.
    pub fn new(cofre: &'a Contender) -> Result<Self> {
        let signer = cofre.account(OWN)?;
        let attacker = Self { cofre, signer, address: cofre.address, answered: AtomicU64::new(0) };
        attacker.succeed(Request::new("PUT", &format!("/{OWN}")))?;
        Ok(attacker)
    }

    /// A new connection's socket.
    pub fn socket(&self) -> Result<TcpStream> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SocketAddr::new(ADDRESS, 0).into())?;
        socket.connect(&self.address.into()).context("connect")?;
        Ok(socket.into())
    }

    /// A new connection.
    pub fn connect(&self) -> Result<Connection> {
        Connection::over(self.socket()?)
    }

    /// A request with its host.
    pub fn request(&self, method: &str, target: &str) -> Request {
        Request::new(method, target).header("host", &self.address.to_string())
    }

    /// Signs a request with the attacker's key.
    pub fn sign(&self, request: Request) -> Request {
        self.signer.sign(request, Payload::Signed)
    }

    /// Signs a request whose body has this SHA-256: what the attacker's side takes of the processor is no attack.
    pub fn sign_hashed(&self, request: Request, sha256: &str) -> Request {
        self.signer.sign(request, Payload::Named(sha256))
    }

    /// Sends a request, without its host, that must succeed.
    pub fn succeed(&self, request: Request) -> Result<Response> {
        let request = request.header("host", &self.address.to_string());
        let response = self.connect()?.exchange(&self.sign(request))?;
        ensure!(response.status < 300, "{} {}", response.status, response.text());
        Ok(response)
    }

    /// Sends a request over and over, over connections that are opened again when they are closed, from many threads.
    pub fn repeat(&self, stop: &AtomicBool, make: impl Fn(u64) -> Request + Sync) -> Result<()> {
        self.answered.store(0, Ordering::Relaxed);
        std::thread::scope(|scope| {
            for number in 0..THREADS as u64 {
                let make = &make;
                scope.spawn(move || {
                    let mut connection = None;
                    let mut turn = number;
                    while !stop.load(Ordering::Relaxed) {
                        // Refusals are what it gets; a connection that is closed is replaced.
                        let Some(open) = &mut connection else {
                            connection = self.connect().ok();
                            if connection.is_none() {
                                std::thread::sleep(DRIP);
                            }
                            continue;
                        };
                        match open.exchange(&make(turn)) {
                            Ok(_) => drop(self.answered.fetch_add(1, Ordering::Relaxed)),
                            Err(_) => connection = None,
                        }
                        turn += THREADS as u64;
                    }
                });
            }
        });
        Ok(())
    }

    /// How many requests of the last attack were answered.
    pub fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }
}

/// Waits for the end of the attack.
pub fn wait(stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        std::thread::sleep(DRIP);
    }
}
