//! What clients were told, and what may therefore be found afterwards.

use anyhow::{Context, Result, bail, ensure};
use cofre_harness::{Cofre, Connection, Fill, Payload, Request, Signer};
use cofre_runtime::Random;
use cofre_suites::{get, path, put};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// Keys of each client: few, so that they are overwritten and deleted often.
const KEYS: u64 = 40;
/// Sizes of objects: nothing, packed blobs, a block and its neighbour, a file of its own.
const SIZES: [usize; 7] = [0, 1, 4_096, 65_536, 65_537, 300_000, 3 << 20];
/// One request of this many is a delete, and one is an upload in parts.
const DELETE_EVERY: u64 = 6;
const PARTS_EVERY: u64 = 15;
/// Bytes of the first part of an upload: the least that is allowed.
const PART_BYTES: usize = 5 << 20;

/// Contents of an object: from a seed, of a size. `None` is an object that is not there.
pub type Contents = Option<(u64, usize)>;

/// What may be found under one key.
#[derive(Debug, Clone, Default)]
struct Known {
    /// What the last acknowledged request made of it.
    acknowledged: Contents,
    /// What requests that were never answered may have made of it, in their order.
    unanswered: Vec<Contents>,
}

/// Everything that was promised. Each key belongs to one client, so its requests have an order.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<BTreeMap<String, Known>>);

impl Ledger {
    /// Requests of one client, until the server does not answer or the target is over. Gives how many it acknowledged.
    ///
    /// An answer that refuses is handed to `refusal`, which says whether it is to be expected.
    pub fn work(&self, target: &Target, client: u64, random: &Random, refusal: impl Fn(u16) -> bool) -> Result<u64> {
        let mut acknowledged = 0;
        while let Ok(mut connection) = Connection::open(target.address) {
            while !target.is_over() {
                let key = format!("client-{client}/{}", random.below(KEYS));
                let wanted = match random.below(DELETE_EVERY) {
                    0 => None,
                    _ => Some((random.u64(), SIZES[usize::try_from(random.below(SIZES.len() as u64))?])),
                };
                self.0.lock().entry(key.clone()).or_default().unanswered.push(wanted);
                let in_parts = random.below(PARTS_EVERY) == 0;
                let Ok(status) = target.change(&mut connection, &key, wanted, in_parts) else { break };
                if status < 300 {
                    acknowledged += 1;
                    self.0.lock().insert(key, Known { acknowledged: wanted, unanswered: Vec::new() });
                } else {
                    ensure!(refusal(status), "the server answered {status} for {key}");
                    break;
                }
            }
            if target.is_over() {
                break;
            }
        }
        Ok(acknowledged)
    }

    /// Reads every key back. Each holds what was acknowledged last, or what came after it without an
    /// answer; whole in any case. What is found is from then on what is known.
    pub fn hold(&self, cofre: &Cofre) -> Result<usize> {
        let mut known = self.0.lock();
        let mut connection = Connection::open(cofre.s3())?;
        for (key, known) in known.iter_mut() {
            let request = get(key).header("host", &cofre.s3().to_string());
            let response = connection.exchange(&cofre.signer().sign(request, Payload::Signed))?;
            let possible: Vec<Contents> =
                std::iter::once(known.acknowledged).chain(known.unanswered.iter().copied()).collect();
            let found = match response.status {
                200 => possible.iter().find(|contents| is(&response.body, **contents)),
                404 => possible.iter().find(|contents| contents.is_none()),
                status => bail!("{key}: {status} {}", response.text()),
            };
            let found = *found.with_context(|| {
                format!("{key}: {} with {} bytes is none of {possible:?}", response.status, response.body.len())
            })?;
            *known = Known { acknowledged: found, unanswered: Vec::new() };
        }
        Ok(known.len())
    }

    /// How many objects stand, by what was acknowledged last.
    pub fn objects(&self) -> usize {
        self.0.lock().values().filter(|known| known.acknowledged.is_some()).count()
    }

    /// Fails unless a listing names exactly the objects that are there.
    pub fn hold_listing(&self, cofre: &Cofre) -> Result<()> {
        let known = self.0.lock();
        let there: Vec<&String> =
            known.iter().filter(|(_, known)| known.acknowledged.is_some()).map(|(k, _)| k).collect();
        let response = cofre.send(Request::new("GET", &format!("/{}?list-type=2", cofre_suites::BUCKET)))?;
        ensure!(response.element("IsTruncated").as_deref() == Some("false"), "more keys than a page has");
        let text = response.text();
        let mut listed: Vec<&str> = text.split("<Key>").skip(1).filter_map(|key| key.split('<').next()).collect();
        listed.sort_unstable();
        ensure!(listed == there, "listed {listed:?}, and there are {there:?}");
        Ok(())
    }
}

fn is(body: &[u8], contents: Contents) -> bool {
    contents.is_some_and(|(seed, size)| body.len() == size && body == Fill(seed).bytes(size))
}

/// Where the clients send their requests, and whether they should stop.
pub struct Target {
    /// Address of the server.
    pub address: SocketAddr,
    /// Its key.
    pub signer: Signer,
    /// Set when the clients should stop.
    pub over: std::sync::atomic::AtomicBool,
}

impl Target {
    /// The server as it is now.
    pub fn new(cofre: &Cofre) -> Self {
        Self { address: cofre.s3(), signer: cofre.signer().clone(), over: false.into() }
    }

    /// Tells the clients to stop.
    pub fn end(&self) {
        self.over.store(true, std::sync::atomic::Ordering::Relaxed);
    }

    /// Whether the clients should stop.
    pub fn is_over(&self) -> bool {
        self.over.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Puts or deletes, and gives the status of the answer.
    fn change(&self, connection: &mut Connection, key: &str, wanted: Contents, in_parts: bool) -> Result<u16> {
        match wanted {
            None => Ok(self.ask(connection, Request::new("DELETE", &path(key)))?.status),
            Some((seed, size)) if in_parts && size > 0 => self.upload(connection, key, &Fill(seed).bytes(size)),
            Some((seed, size)) => Ok(self.ask(connection, put(key, &Fill(seed).bytes(size)))?.status),
        }
    }

    fn upload(&self, connection: &mut Connection, key: &str, body: &[u8]) -> Result<u16> {
        let target = path(key);
        let begun = self.ask(connection, Request::new("POST", &format!("{target}?uploads")))?;
        let Some(id) = begun.element("UploadId") else { return Ok(begun.status) };
        let mut parts = String::new();
        for (number, piece) in (1..).zip(body.chunks(PART_BYTES)) {
            let part = Request::new("PUT", &format!("{target}?partNumber={number}&uploadId={id}")).body(piece);
            let part = self.ask(connection, part)?;
            let Some(etag) = part.header("etag") else { return Ok(part.status) };
            parts.push_str(&format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"));
        }
        let whole = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        let complete = Request::new("POST", &format!("{target}?uploadId={id}")).body(whole);
        let done = self.ask(connection, complete)?;
        // S3 may answer 200 and put the error in the body.
        Ok(if done.status == 200 && done.element("ETag").is_none() { 500 } else { done.status })
    }

    fn ask(&self, connection: &mut Connection, request: Request) -> Result<cofre_harness::Response> {
        let request = request.header("host", &self.address.to_string());
        connection.exchange(&self.signer.sign(request, Payload::Signed))
    }
}
