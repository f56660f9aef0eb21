//! One connection's share of a round.

use crate::contender::Contender;
use crate::workload::{Ask, Body, LARGE_KEYS, Listed, SMALL_BYTES, SMALL_KEYS, Workload};
use anyhow::{Context, Result};
use cofre_harness::{Connection, Payload, Response, Signer};
use cofre_runtime::{Clock, Random};
use std::time::Duration;

/// Every how many-th answer is checked to the last byte; of the others the status and the length are.
const CHECK_EVERY: u64 = 16;

/// What all connections share.
pub struct Bodies {
    /// Small ones; the object of key `n` has body `n % len`.
    pub small: Vec<Body>,
    /// The large one.
    pub large: Body,
}

/// One connection's part in a round.
pub struct Share<'a> {
    /// The server.
    pub contender: &'a Contender,
    /// What to ask.
    pub workload: Workload,
    /// What to send, and what to expect.
    pub bodies: &'a Bodies,
    /// What there is to list.
    pub listed: Listed,
    /// Which round of all, for names that are fresh.
    pub round: u64,
    /// Which connection.
    pub connection: u64,
    /// How long to go on.
    pub time: Duration,
}

/// What one connection saw.
pub struct Seen {
    /// How long each answer took.
    pub took: Vec<Duration>,
    /// How long all of them took.
    pub time: Duration,
}

impl Share<'_> {
    /// Asks for as long as the round lasts.
    pub fn run(&self) -> Result<Seen> {
        let clock = Clock::system();
        let random = Random::seeded(self.round << 16 | self.connection);
        let mut client = Client::open(self.contender)?;
        let mut took = Vec::new();
        let mut last_put = None;
        while clock.elapsed() < self.time || took.is_empty() {
            let (key, ask) = self.ask(took.len() as u64, &random);
            let begin = clock.elapsed();
            client
                .ask(&key, &ask, (took.len() as u64).is_multiple_of(CHECK_EVERY))
                .with_context(|| format!("{}: {} {key}", self.contender.name, self.workload.name()))?;
            took.push(clock.elapsed() - begin);
            if let Ask::Put(body) = ask {
                last_put = Some((key, body));
            }
        }
        let time = clock.elapsed();
        // What was put last must be there: not timed, but a server that forgets is not fast.
        if let Some((key, body)) = last_put {
            client.ask(&key, &Ask::Get(body), true).context("reading back what was put")?;
        }
        Ok(Seen { took, time })
    }

    /// The key and the question of request `index`.
    fn ask(&self, index: u64, random: &Random) -> (String, Ask<'_>) {
        let any = random.below(SMALL_KEYS);
        let small = |number: u64| &self.bodies.small[usize::try_from(number).unwrap_or(0) % self.bodies.small.len()];
        let fresh = || (format!("fresh/{}/{}/{index}", self.round, self.connection), Ask::Put(small(index)));
        let large = format!("large/{}-{}", self.connection, index % LARGE_KEYS);
        match self.workload {
            Workload::PutFresh => fresh(),
            Workload::PutOver => (small_key(any), Ask::Put(small(any))),
            Workload::Get => (small_key(any), Ask::Get(small(any))),
            Workload::Head => (small_key(any), Ask::Head(small(any))),
            Workload::Mixed => match index % 10 {
                0 | 5 => fresh(),
                9 => (small_key(any), Ask::Head(small(any))),
                _ => (small_key(any), Ask::Get(small(any))),
            },
            Workload::PutLarge => (large, Ask::Put(&self.bodies.large)),
            Workload::GetLarge => (large, Ask::Get(&self.bodies.large)),
            Workload::List => (String::new(), self.listed.any_page(random)),
            Workload::ListFolders => (String::new(), self.listed.all_folders()),
        }
    }
}

/// Name of small object `number`.
pub fn small_key(number: u64) -> String {
    format!("small/{number}")
}

/// One connection with a key of its own, so that threads share no lock.
pub struct Client {
    connection: Connection,
    signer: Signer,
    host: String,
}

impl Client {
    /// Connects.
    pub fn open(contender: &Contender) -> Result<Self> {
        Ok(Self {
            connection: Connection::open(contender.address)?,
            signer: contender.signer.clone(),
            host: contender.address.to_string(),
        })
    }

    /// Asks and checks: to the last byte, or the status and the length only.
    pub fn ask(&mut self, key: &str, ask: &Ask<'_>, whole: bool) -> Result<()> {
        let request = ask.request(key).header("host", &self.host);
        let Ask::Put(body) = ask else {
            let signed = self.signer.sign(request, Payload::Signed);
            self.connection.send(&signed)?;
            return self.answer(ask, signed.method == "HEAD", whole);
        };
        let length = body.bytes.len().to_string();
        let large = body.bytes.len() > SMALL_BYTES;
        // Clients sign the hash of what they have in memory, and stream what is large without one.
        let payload = if large { Payload::Unsigned } else { Payload::Named(&body.sha256) };
        let signed = self.signer.sign(request.header("content-length", &length), payload);
        let mut head = signed.head().into_bytes();
        if large {
            self.connection.write(&head)?;
            self.connection.write(&body.bytes)?;
        } else {
            head.extend_from_slice(&body.bytes);
            self.connection.write(&head)?;
        }
        self.answer(ask, false, true)
    }

    fn answer(&mut self, ask: &Ask<'_>, bodiless: bool, whole: bool) -> Result<()> {
        if whole {
            return ask.check(&self.connection.response(bodiless)?);
        }
        let mut length = 0;
        let response = self.connection.stream_response(bodiless, |bytes| length += bytes.len())?;
        check_length(ask, &response, length)
    }
}

fn check_length(ask: &Ask<'_>, response: &Response, length: usize) -> Result<()> {
    anyhow::ensure!(response.status == 200, "status {}", response.status);
    if let Ask::Get(body) = ask {
        anyhow::ensure!(length == body.bytes.len(), "{length} bytes");
    }
    Ok(())
}
