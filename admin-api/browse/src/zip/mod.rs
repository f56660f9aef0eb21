//! Folders as one file: a ZIP archive that is written while it is sent, and stands nowhere.

mod format;
mod names;

use crate::copies::plain_get;
use crate::download::{disposition, read_ahead};
use crate::edge::Browser;
use crate::extract::{self, Path, Query};
use crate::facts::Facts;
use crate::in_flight::Held;
use crate::walk::Walk;
use crate::{Door, Refusal};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use cofre_admin_types::{Problem, ZipQuery};
use cofre_iam::Caller;
use cofre_objects::{ByteStream, Error, Objects, PAGE_ENTRIES_MAX};
use cofre_types::{BucketName, ObjectKey, Timestamp};
use crc_fast::{CrcAlgorithm, Digest};
use format::{Content, Directory, Entry};
use futures_util::{StreamExt, stream};
use names::Names;
use std::collections::VecDeque;
use std::sync::Arc;

/// Most files of an archive.
const FILES_MAX: usize = 100_000;

/// Most bytes of their keys together: an archive holds them in memory, and their names at its end.
const KEYS_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Most objects and folders that one archive may be asked to hold by name.
const PICKED_MAX: usize = 500;

/// The file that tells what is not in the archive.
const MISSING_NAME: &str = "_not in this archive.txt";

/// Bytes that an entry must have to be written as one that may outgrow 32 bits.
const WIDE_BYTES: u64 = 0xff00_0000;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Download a folder, or some of what is in it, as a ZIP archive of at most 100,000 files.
///
/// Nothing is compressed. What cannot be read, or went meanwhile, stands in a text at the end of the archive. An archive
/// that was cut off does not open.
#[utoipa::path(get, path = "/console/v1/buckets/{bucket}/zip", operation_id = "console_zip_folder", tag = "console",
    params(("bucket" = String, Path, description = "Name of the bucket."), ZipQuery),
    responses(
        (status = 200, description = "The archive.", content_type = "application/octet-stream", body = String),
        (status = 413, description = "There are more files than an archive may hold.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn get(
    State(door): State<Arc<Door>>,
    browser: Browser,
    headers: HeaderMap,
    Path(bucket): Path<String>,
    Query(query): Query<ZipQuery>,
) -> Result<Response, Refusal> {
    let held = door.in_flight.enter_walk(browser.signed_in.session.account)?;
    let bucket = extract::bucket(&bucket)?;
    if !query.prefix.is_empty() && !query.prefix.ends_with('/') {
        return Err(Refusal::invalid("prefix", "must end with /, or be empty for the whole bucket"));
    }
    let picked = picked(query.items.as_deref(), &query.prefix)?;
    let folder = query.prefix.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let folder = if folder.is_empty() { bucket.as_str() } else { folder }.to_owned();
    let mut plan = VecDeque::new();
    let mut bytes = 0;
    for wanted in picked {
        if !wanted.is_empty() && !wanted.ends_with('/') {
            plan.push_back(wanted);
            continue;
        }
        let caller = Facts::listing(&browser.caller, &headers, &wanted, "", PAGE_ENTRIES_MAX);
        let mut walk = Walk::new(&door, caller, bucket.clone(), wanted, None);
        while let Some(page) = walk.next().await? {
            bytes += page.objects.iter().map(|object| object.key.len()).sum::<usize>();
            plan.extend(page.objects.into_iter().map(|object| object.key));
            if plan.len() > FILES_MAX || bytes > KEYS_BYTES_MAX {
                return Err(Refusal::too_many_files(FILES_MAX));
            }
        }
    }
    let archive = Archive {
        objects: door.objects.clone(),
        caller: browser.caller,
        bucket,
        prefix_bytes: query.prefix.len(),
        names: Names::default(),
        plan,
        open: None,
        written: 0,
        directory: Directory::default(),
        missing: Vec::new(),
        ended: false,
        folder: folder.clone(),
        _held: held,
    };
    let pieces = stream::try_unfold(archive, async |mut archive| {
        Ok::<_, Failure>(archive.step().await?.map(|bytes| (bytes, archive)))
    });
    let mut response = Body::from_stream(read_ahead(pieces)).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    let name = format!("{}.zip", crate::download::segment_name(&folder));
    // A name without what harms a header always is one.
    if let Ok(value) = HeaderValue::from_str(&disposition(&name)) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

/// What is asked for: the folder, or a list of keys and folders in it.
fn picked(items: Option<&str>, prefix: &str) -> Result<Vec<String>, Refusal> {
    let Some(items) = items else { return Ok(vec![prefix.to_owned()]) };
    let items: Vec<String> =
        serde_json::from_str(items).map_err(|error| Refusal::invalid("items", error.to_string()))?;
    if items.is_empty() || items.len() > PICKED_MAX || items.iter().any(|item| !item.starts_with(prefix)) {
        return Err(Refusal::invalid("items", "must be 1 to 500 keys or folders in the folder"));
    }
    Ok(items)
}

/// An archive that is being written.
struct Archive {
    objects: Objects,
    caller: Caller,
    bucket: BucketName,
    /// The folder that all is in.
    folder: String,
    /// What keys begin with that the archive does not show.
    prefix_bytes: usize,
    names: Names,
    plan: VecDeque<String>,
    open: Option<Open>,
    written: u64,
    directory: Directory,
    /// What could not be read, and why.
    missing: Vec<String>,
    ended: bool,
    _held: [Held; 2],
}

/// An entry whose bytes are being written.
struct Open {
    entry: Entry,
    body: ByteStream,
    crc: Digest,
    bytes: u64,
}

impl Archive {
    /// The next bytes; none behind the last ones. A content that cannot be read to its end cuts the archive off.
    async fn step(&mut self) -> Result<Option<Bytes>, Failure> {
        let bytes = loop {
            if let Some(open) = &mut self.open {
                match open.body.next().await {
                    Some(bytes) => {
                        let bytes = bytes.map_err(|error| error.0)?;
                        open.crc.update(&bytes);
                        open.bytes += bytes.len() as u64;
                        break bytes;
                    }
                    None => break self.close(),
                }
            } else if let Some(key) = self.plan.pop_front() {
                if let Some(header) = self.begin(key).await? {
                    break header;
                }
            } else if !self.missing.is_empty() {
                break self.tell_missing();
            } else if self.ended {
                return Ok(None);
            } else {
                self.ended = true;
                break self.directory.end(self.written).into();
            }
        };
        self.written += bytes.len() as u64;
        Ok(Some(bytes))
    }

    /// Begins the entry of an object; nothing if it cannot be read.
    async fn begin(&mut self, key: String) -> Result<Option<Bytes>, Failure> {
        let shown = self.names.path(&self.folder, key.get(self.prefix_bytes..).unwrap_or(&key));
        let found = match ObjectKey::try_from(key.clone()) {
            Ok(key) => self.objects.get_object(&self.caller, plain_get(self.bucket.clone(), key, None)).await,
            Err(invalid) => Err(invalid.into()),
        };
        let found = match found {
            Ok(found) => found,
            Err(error @ (Error::AccessDenied | Error::NoSuchKey { .. } | Error::Encryption(_) | Error::Lost(_))) => {
                self.missing.push(format!("{key:?}: {}\r\n", Refusal::from(error).detail()));
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        let info = found.head.info;
        let entry = Entry { name: shown, modified: info.modified, wide: info.size >= WIDE_BYTES, at: self.written };
        let header = entry.header().into();
        self.open = Some(Open { entry, body: found.body, crc: Digest::new(CrcAlgorithm::Crc32IsoHdlc), bytes: 0 });
        Ok(Some(header))
    }

    /// Ends the entry whose bytes were written.
    fn close(&mut self) -> Bytes {
        let Some(open) = self.open.take() else { return Bytes::new() };
        // The value of a CRC of 32 bits.
        let content = Content { crc: open.crc.finalize() as u32, bytes: open.bytes };
        self.directory.add(&open.entry, content);
        open.entry.descriptor(content).into()
    }

    /// A text of what is not in the archive.
    fn tell_missing(&mut self) -> Bytes {
        let text = std::mem::take(&mut self.missing).concat();
        let name = self.names.path("", MISSING_NAME);
        let entry = Entry { name, modified: Timestamp(0), wide: false, at: self.written };
        let crc = crc_fast::checksum(CrcAlgorithm::Crc32IsoHdlc, text.as_bytes()) as u32;
        let content = Content { crc, bytes: text.len() as u64 };
        self.directory.add(&entry, content);
        [entry.header(), text.into_bytes(), entry.descriptor(content)].concat().into()
    }
}
