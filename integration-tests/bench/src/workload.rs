//! What the clients ask, and how an answer is known to be right.

use anyhow::{Result, ensure};
use cofre_harness::{Fill, Request, Response, sha256_hex};
use cofre_runtime::Random;

/// Bucket of all workloads.
pub const BUCKET: &str = "bench";
/// Bytes of a small object.
pub const SMALL_BYTES: usize = 4 << 10;
/// Bytes of a large object.
pub const LARGE_BYTES: usize = 64 << 20;
/// Small objects that are there before the first round, to be read and overwritten.
pub const SMALL_KEYS: u64 = 4_096;
/// Large objects for each connection; a ring, so that the disk does not fill.
pub const LARGE_KEYS: u64 = 2;
/// Keys, or common prefixes, of a page.
pub const PAGE_KEYS: u64 = 1_000;

/// One kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    /// PUT of 4 KiB under a key that is new.
    PutFresh,
    /// PUT of 4 KiB under a key that has an object.
    PutOver,
    /// GET of 4 KiB.
    Get,
    /// HEAD.
    Head,
    /// Seven GETs, two fresh PUTs and one HEAD.
    Mixed,
    /// PUT of 64 MiB.
    PutLarge,
    /// GET of 64 MiB.
    GetLarge,
    /// A page of 1,000 keys, from any place.
    List,
    /// The common prefixes of all keys.
    ListFolders,
}

impl Workload {
    /// In the order in which they run.
    pub const ALL: [Self; 9] = [
        Self::PutFresh,
        Self::PutOver,
        Self::Get,
        Self::Head,
        Self::Mixed,
        Self::PutLarge,
        Self::GetLarge,
        Self::List,
        Self::ListFolders,
    ];

    /// Name in the tables and for `--only`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PutFresh => "put-4k-fresh",
            Self::PutOver => "put-4k-over",
            Self::Get => "get-4k",
            Self::Head => "head",
            Self::Mixed => "mixed-4k",
            Self::PutLarge => "put-64m",
            Self::GetLarge => "get-64m",
            Self::List => "list-page",
            Self::ListFolders => "list-delimiter",
        }
    }

    /// Bytes that one request moves, where they are what matters.
    pub const fn bytes(self) -> Option<usize> {
        match self {
            Self::PutLarge | Self::GetLarge => Some(LARGE_BYTES),
            _ => None,
        }
    }
}

/// A body with all that is known of it beforehand.
pub struct Body {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// SHA-256, for the signature.
    pub sha256: String,
    /// The ETag that a PUT of it answers.
    pub etag: String,
}

impl Body {
    /// The body of this seed.
    pub fn new(seed: u64, size: usize) -> Self {
        let bytes = Fill(seed).bytes(size);
        Self { sha256: sha256_hex(&bytes), etag: format!("\"{}\"", hex::encode(md5_simd::digest(&bytes))), bytes }
    }
}

/// What is asked of an object, and what must come back.
pub enum Ask<'a> {
    /// Store this body; its ETag must come back.
    Put(&'a Body),
    /// These bytes must come back.
    Get(&'a Body),
    /// Their length must come back.
    Head(&'a Body),
    /// A page after this key; it must be full and begin behind the key.
    List(String),
    /// This many common prefixes must come back, from those after this one.
    Folders(String, u64),
}

/// Path of the object of this name.
pub fn path(key: &str) -> String {
    format!("/{BUCKET}/{key}")
}

/// Keys that are there to be listed, in folders.
#[derive(Debug, Clone, Copy)]
pub struct Listed {
    /// How many.
    pub keys: u64,
    /// How many of them share a folder.
    pub folder_keys: u64,
}

impl Listed {
    /// Key `index`; keys sort as their numbers do.
    pub fn key(self, index: u64) -> String {
        format!("{}k{:05}", Self::folder(index / self.folder_keys), index % self.folder_keys)
    }

    fn folder(number: u64) -> String {
        format!("list/f{number:06}/")
    }

    /// How many folders there are.
    pub fn folders(self) -> u64 {
        self.keys.div_ceil(self.folder_keys)
    }

    /// A full page of keys, from any place.
    pub fn any_page(self, random: &Random) -> Ask<'static> {
        Ask::List(self.key(random.below(self.keys.saturating_sub(PAGE_KEYS).max(1))))
    }

    /// All folders.
    pub fn all_folders(self) -> Ask<'static> {
        Ask::Folders(String::new(), self.folders())
    }

    /// A full page of folders, from any place.
    pub fn any_folders(self, random: &Random) -> Ask<'static> {
        let after = random.below(self.folders().saturating_sub(PAGE_KEYS).max(1));
        Ask::Folders(Self::folder(after), PAGE_KEYS)
    }
}

impl Ask<'_> {
    /// The request, but for signature and host; `key` is the object's.
    pub fn request(&self, key: &str) -> Request {
        match self {
            Self::Put(_) => Request::new("PUT", &path(key)),
            Self::Get(_) => Request::new("GET", &path(key)),
            Self::Head(_) => Request::new("HEAD", &path(key)),
            Self::List(after) => {
                let after = cofre_harness::encode_value(after);
                Request::new("GET", &format!("/{BUCKET}?list-type=2&prefix=list%2F&start-after={after}"))
            }
            Self::Folders(after, _) => {
                let after = cofre_harness::encode_value(after);
                let after = if after.is_empty() { String::new() } else { format!("&start-after={after}") };
                Request::new("GET", &format!("/{BUCKET}?list-type=2&delimiter=%2F&prefix=list%2F{after}"))
            }
        }
    }

    /// Holds what came back against what must.
    pub fn check(&self, response: &Response) -> Result<()> {
        ensure!(response.status == 200, "status {}: {}", response.status, response.text());
        match self {
            Self::Put(body) => ensure!(response.header("etag") == Some(&body.etag), "another ETag: {response:?}"),
            Self::Get(body) => ensure!(response.body == body.bytes, "other bytes than were put"),
            Self::Head(body) => {
                let length = response.header("content-length");
                ensure!(length == Some(&body.bytes.len().to_string()), "another length: {length:?}");
            }
            Self::List(after) => {
                let text = response.text();
                let keys: Vec<&str> = text.split("<Key>").skip(1).filter_map(|key| key.split('<').next()).collect();
                ensure!(keys.len() as u64 == PAGE_KEYS, "{} keys in a page", keys.len());
                ensure!(keys[0] > after.as_str() && keys.is_sorted(), "a page out of order");
            }
            Self::Folders(_, count) => {
                let found = response.text().matches("<CommonPrefixes>").count() as u64;
                ensure!(found == *count, "{found} common prefixes, and {count} there are");
            }
        }
        Ok(())
    }
}
