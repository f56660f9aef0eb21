//! The records of a salvaged catalog that only lead to others, made anew from those.
//!
//! # Limits
//! Memory holds a row or two for each account, access key and bucket. Null versions may be as many as objects: their rows
//! stand in a file, in the order in which versions are read, which is that of their own keys.

use crate::keys::{self, family};
use crate::records::{AccessKeyRecord, AccountRecord, BucketRecord};
use cofre_types::BucketName;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

/// The families that are made anew.
const FAMILIES: [u8; 6] = [
    family::ACCOUNT_NAME,
    family::ACCOUNT_EMAIL,
    family::ACCOUNT_KEY,
    family::OWNED_BUCKET,
    family::BUCKET_ID,
    family::NULL_VERSION,
];

/// A row and its key.
pub(super) type Row = (Vec<u8>, Vec<u8>);

/// What leads to accounts, access keys, buckets and null versions.
pub(super) struct Indexes {
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
    nulls: Nulls,
}

impl Indexes {
    /// None yet. Rows of null versions go to a file in `work`.
    pub(super) fn new(work: &Path) -> Self {
        Self { rows: BTreeMap::new(), nulls: Nulls::new(work.join("null-versions")) }
    }

    /// Whether a record is one of those that are made anew.
    pub(super) fn hold(key: &[u8]) -> bool {
        key.first().is_some_and(|of| FAMILIES.contains(of))
    }

    pub(super) fn account(&mut self, account: &AccountRecord) {
        let id = account.id.as_bytes().to_vec();
        if !account.email.is_empty() {
            self.rows.insert(keys::account_email(&account.email), id.clone());
        }
        self.rows.insert(keys::account_name(&account.name), id);
    }

    pub(super) fn access_key(&mut self, key: &AccessKeyRecord) {
        self.rows.insert(keys::account_key(key.account, &key.id), Vec::new());
    }

    pub(super) fn bucket(&mut self, key: &[u8], bucket: &BucketRecord) {
        let name = std::str::from_utf8(&key[1..]).ok().and_then(|name| BucketName::parse(name).ok());
        let Some(name) = name else { return };
        self.rows.insert(keys::owned_bucket(bucket.owner, &name), Vec::new());
        self.rows.insert(keys::bucket_id(bucket.id), name.as_str().as_bytes().to_vec());
    }

    /// A null version that is not the current one, or a delete marker, by its key. Those come in the order of their keys.
    pub(super) fn null_version(&mut self, key: &[u8], place: u64) -> io::Result<()> {
        let Some((bucket, object, _)) = keys::object_of(key) else { return Ok(()) };
        let Ok(object) = std::str::from_utf8(&object) else { return Ok(()) };
        self.nulls.note(keys::object_text(family::NULL_VERSION, bucket, object), place)
    }

    /// Says that all records came. Gives the rows but for those of null versions.
    pub(super) fn end(&mut self) -> io::Result<BTreeMap<Vec<u8>, Vec<u8>>> {
        self.nulls.end()?;
        Ok(std::mem::take(&mut self.rows))
    }

    /// The next row of a null version, in the order of keys.
    pub(super) const fn null(&self) -> Option<&Row> {
        self.nulls.next.as_ref()
    }

    /// Takes that row, and goes on to the one behind it.
    pub(super) fn take_null(&mut self) -> io::Result<Option<Row>> {
        let taken = self.nulls.next.take();
        self.nulls.advance()?;
        Ok(taken)
    }
}

/// Rows of null versions in a file: length of the key (4), key, place (8).
struct Nulls {
    path: PathBuf,
    to: Option<BufWriter<File>>,
    from: Option<BufReader<File>>,
    /// The key that was noted last: of several states of a key the newest version comes first.
    last: Vec<u8>,
    next: Option<Row>,
}

impl Nulls {
    const fn new(path: PathBuf) -> Self {
        Self { path, to: None, from: None, last: Vec::new(), next: None }
    }

    fn note(&mut self, key: Vec<u8>, place: u64) -> io::Result<()> {
        if self.last == key {
            return Ok(());
        }
        let to = match &mut self.to {
            Some(to) => to,
            none => none.insert(BufWriter::new(File::create(&self.path)?)),
        };
        to.write_all(&u32::try_from(key.len()).unwrap_or(u32::MAX).to_be_bytes())?;
        to.write_all(&key)?;
        to.write_all(&place.to_be_bytes())?;
        self.last = key;
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        let Some(mut to) = self.to.take() else { return Ok(()) };
        to.flush()?;
        self.from = Some(BufReader::new(File::open(&self.path)?));
        self.advance()
    }

    fn advance(&mut self) -> io::Result<()> {
        let Some(from) = &mut self.from else { return Ok(()) };
        let mut length = [0; 4];
        match from.read_exact(&mut length) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.from = None;
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        let mut key = vec![0; u32::from_be_bytes(length) as usize];
        let mut place = vec![0; 8];
        from.read_exact(&mut key)?;
        from.read_exact(&mut place)?;
        self.next = Some((key, place));
        Ok(())
    }
}
