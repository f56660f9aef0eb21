//! What clients ask of a server that may be gone at any moment.

use anyhow::Result;
use cofre_harness::{Cofre, Connection, Fill, Payload, Request, Response, Signer, encode_key};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};

/// Bytes of the first part of an upload: the least that is allowed.
const PART_BYTES: usize = 5 << 20;

/// Contents of an object: from a seed, of a size. `None` is an object that is not there, or a delete marker.
pub type Contents = Option<(u64, usize)>;

/// A key and its bucket.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub bucket: &'static str,
    pub key: String,
}

impl Place {
    /// Path of the key, as requests have it.
    pub fn path(&self) -> String {
        format!("/{}/{}", self.bucket, encode_key(&self.key))
    }

    /// Path of one version of the key; of the newest if none is named.
    pub fn version(&self, version: Option<&str>) -> String {
        version.map_or_else(|| self.path(), |version| format!("{}?versionId={version}", self.path()))
    }
}

/// What a client asks for.
#[derive(Debug, Clone)]
pub enum Change {
    Put(u64, usize),
    /// In parts.
    Upload(u64, usize),
    /// From another place, where this is known to stand.
    Copy {
        from: Place,
        version: Option<String>,
        contents: Contents,
    },
    Delete,
    DeleteVersion(String),
}

impl Change {
    /// What it makes of its key.
    pub fn contents(&self) -> Contents {
        match self {
            Self::Put(seed, size) | Self::Upload(seed, size) => Some((*seed, *size)),
            Self::Copy { contents, .. } => *contents,
            Self::Delete | Self::DeleteVersion(_) => None,
        }
    }
}

/// What an answer says.
#[derive(Debug)]
pub struct Told {
    pub status: u16,
    pub etag: Option<String>,
    pub version: Option<String>,
}

impl Told {
    /// Of a change whose answer has the ETag in its head, or in its body.
    pub fn of(response: &Response) -> Self {
        let etag = response.header("etag").map(str::to_owned).or_else(|| response.element("ETag"));
        let version = response.header("x-amz-version-id").map(str::to_owned);
        Self { status: response.status, etag: etag.map(|etag| bare(&etag)), version }
    }
}

/// An ETag without its quotes.
pub fn bare(etag: &str) -> String {
    etag.replace("&quot;", "").replace('"', "")
}

/// Where the clients send their requests, and whether they should stop.
pub struct Target {
    /// Address of the server.
    pub address: SocketAddr,
    /// Its key.
    pub signer: Signer,
    /// Set when the clients should stop.
    over: AtomicBool,
}

impl Target {
    /// The server as it is now.
    pub fn new(cofre: &Cofre) -> Self {
        Self { address: cofre.s3(), signer: cofre.signer().clone(), over: false.into() }
    }

    /// Tells the clients to stop.
    pub fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Whether the clients should stop.
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Asks for a change.
    pub fn change(&self, connection: &mut Connection, place: &Place, change: &Change) -> Result<Told> {
        let path = place.path();
        let response = match change {
            Change::Put(seed, size) => {
                self.ask(connection, Request::new("PUT", &path).body(Fill(*seed).bytes(*size)))?
            }
            Change::Upload(seed, size) => self.upload(connection, &path, &Fill(*seed).bytes(*size))?,
            Change::Copy { from, version, .. } => {
                let source = from.version(version.as_deref());
                self.ask(connection, Request::new("PUT", &path).header("x-amz-copy-source", &source))?
            }
            Change::Delete => self.ask(connection, Request::new("DELETE", &path))?,
            Change::DeleteVersion(version) => {
                self.ask(connection, Request::new("DELETE", &place.version(Some(version))))?
            }
        };
        let mut told = Told::of(&response);
        // S3 may answer 200 and put the error in the body.
        let makes = matches!(change, Change::Upload(..) | Change::Copy { .. });
        if told.status == 200 && makes && told.etag.is_none() {
            told.status = 500;
        }
        Ok(told)
    }

    /// The answer to the completion, or to what went wrong before.
    fn upload(&self, connection: &mut Connection, path: &str, body: &[u8]) -> Result<Response> {
        let begun = self.ask(connection, Request::new("POST", &format!("{path}?uploads")))?;
        let Some(id) = begun.element("UploadId") else { return Ok(begun) };
        let mut parts = String::new();
        for (number, piece) in (1..).zip(body.chunks(PART_BYTES)) {
            let part = Request::new("PUT", &format!("{path}?partNumber={number}&uploadId={id}")).body(piece);
            let part = self.ask(connection, part)?;
            let Some(etag) = part.header("etag") else { return Ok(part) };
            parts.push_str(&format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"));
        }
        let whole = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        self.ask(connection, Request::new("POST", &format!("{path}?uploadId={id}")).body(whole))
    }

    fn ask(&self, connection: &mut Connection, request: Request) -> Result<Response> {
        let request = request.header("host", &self.address.to_string());
        connection.exchange(&self.signer.sign(request, Payload::Signed))
    }
}
