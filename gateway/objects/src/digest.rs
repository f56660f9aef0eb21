//! Hashes a body while it is written, and holds it against what its sender declared.
//!
//! MD5 bounds a single stream at about 1 GB/s a core; every other hash but SHA is far above that.

use crate::error::{Error, body_error};
use crate::object::{DeclaredChecksum, Upload};
use crate::room::BodyBound;
use aws_lc_rs::digest::{Context as Sha, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA512};
use bytes::{Bytes, BytesMut};
use cofre_shards::{Body, BodyError, ByteStream};
use cofre_types::{Checksum, ChecksumAlgorithm, ChecksumKind};
use crc_fast::{CrcAlgorithm, Digest as Crc};
use futures_util::{Stream, StreamExt};
use md5_simd::Md5;
use parking_lot::Mutex;
use std::hash::Hasher as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use twox_hash::{XxHash3_64, XxHash3_128, XxHash64};

/// A body up to this size is gathered before it is written: it goes into a pack in one piece.
const SMALL_BODY_BYTES: u64 = 128 * 1024;

/// What a body turned out to be.
#[derive(Debug, Clone)]
pub(crate) struct Digests {
    pub md5: [u8; 16],
    pub checksum: Checksum,
    pub size: u64,
}

/// One running checksum.
pub(crate) enum Hasher {
    Crc(ChecksumAlgorithm, Crc),
    Sha(ChecksumAlgorithm, Sha),
    Md5(Md5),
    XxHash64(XxHash64),
    XxHash3(XxHash3_64),
    XxHash128(XxHash3_128),
}

impl Hasher {
    pub(crate) fn new(algorithm: ChecksumAlgorithm) -> Self {
        let crc = |kind| Self::Crc(algorithm, Crc::new(kind));
        match algorithm {
            ChecksumAlgorithm::Crc32 => crc(CrcAlgorithm::Crc32IsoHdlc),
            ChecksumAlgorithm::Crc32c => crc(CrcAlgorithm::Crc32Iscsi),
            ChecksumAlgorithm::Crc64Nvme => crc(CrcAlgorithm::Crc64Nvme),
            ChecksumAlgorithm::Sha1 => Self::Sha(algorithm, Sha::new(&SHA1_FOR_LEGACY_USE_ONLY)),
            ChecksumAlgorithm::Sha256 => Self::Sha(algorithm, Sha::new(&SHA256)),
            ChecksumAlgorithm::Sha512 => Self::Sha(algorithm, Sha::new(&SHA512)),
            ChecksumAlgorithm::Md5 => Self::Md5(Md5::new()),
            ChecksumAlgorithm::XxHash64 => Self::XxHash64(XxHash64::with_seed(0)),
            ChecksumAlgorithm::XxHash3 => Self::XxHash3(XxHash3_64::new()),
            ChecksumAlgorithm::XxHash128 => Self::XxHash128(XxHash3_128::new()),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc(_, crc) => crc.update(bytes),
            Self::Sha(_, sha) => sha.update(bytes),
            Self::Md5(md5) => md5.update(bytes),
            Self::XxHash64(hash) => hash.write(bytes),
            Self::XxHash3(hash) => hash.write(bytes),
            Self::XxHash128(hash) => hash.write(bytes),
        }
    }

    pub(crate) fn finish(self, kind: ChecksumKind) -> Result<Checksum, Error> {
        let (algorithm, value) = match self {
            Self::Crc(algorithm, crc) => {
                let value = crc.finalize().to_be_bytes();
                (algorithm, value[8 - algorithm.bytes()..].to_vec())
            }
            Self::Sha(algorithm, sha) => (algorithm, sha.finish().as_ref().to_vec()),
            Self::Md5(md5) => (ChecksumAlgorithm::Md5, md5.finalize().to_vec()),
            Self::XxHash64(hash) => (ChecksumAlgorithm::XxHash64, hash.finish().to_be_bytes().to_vec()),
            Self::XxHash3(hash) => (ChecksumAlgorithm::XxHash3, hash.finish().to_be_bytes().to_vec()),
            Self::XxHash128(hash) => (ChecksumAlgorithm::XxHash128, hash.finish_128().to_be_bytes().to_vec()),
        };
        Ok(Checksum::new(algorithm, kind, value)?)
    }
}

/// The checksum of `first ++ second`, from theirs; only the CRCs of whole bytes can be joined.
pub(crate) fn join_crc(first: &Checksum, second: &Checksum, second_size: u64) -> Result<Checksum, Error> {
    let algorithm = first.algorithm();
    let kind = match algorithm {
        ChecksumAlgorithm::Crc32 => CrcAlgorithm::Crc32IsoHdlc,
        ChecksumAlgorithm::Crc32c => CrcAlgorithm::Crc32Iscsi,
        ChecksumAlgorithm::Crc64Nvme => CrcAlgorithm::Crc64Nvme,
        ChecksumAlgorithm::Sha1
        | ChecksumAlgorithm::Sha256
        | ChecksumAlgorithm::Sha512
        | ChecksumAlgorithm::Md5
        | ChecksumAlgorithm::XxHash64
        | ChecksumAlgorithm::XxHash3
        | ChecksumAlgorithm::XxHash128 => {
            return Err(Error::InvalidRequest("this checksum algorithm has no full object form for multipart uploads"));
        }
    };
    let number = |checksum: &Checksum| checksum.value().iter().fold(0, |n, b| (n << 8) | u64::from(*b));
    let joined = crc_fast::checksum_combine(kind, number(first), number(second), second_size);
    let value = joined.to_be_bytes()[8 - algorithm.bytes()..].to_vec();
    Ok(Checksum::new(algorithm, ChecksumKind::FullObject, value)?)
}

/// What the sender declared, and the bound that the body is held to.
struct Expected {
    content_md5: Option<[u8; 16]>,
    checksum: DeclaredChecksum,
    /// The algorithm of the checksum that is kept; the declared one if absent.
    kept: Option<ChecksumAlgorithm>,
    size: Option<u64>,
    bound: BodyBound,
}

/// The hashes under way.
struct Hashing {
    md5: Md5,
    /// Of what is declared; none where that is MD5, which is there anyway.
    hasher: Option<Hasher>,
    /// Of what is kept, if that is another algorithm.
    kept: Option<Hasher>,
    size: u64,
    expected: Expected,
}

impl Hashing {
    fn new(expected: Expected) -> Self {
        let algorithm = expected.checksum.algorithm().unwrap_or(ChecksumAlgorithm::Crc64Nvme);
        let hasher = (algorithm != ChecksumAlgorithm::Md5).then(|| Hasher::new(algorithm));
        let kept = expected.kept.filter(|kept| *kept != algorithm).map(Hasher::new);
        Self { md5: Md5::new(), hasher, kept, size: 0, expected }
    }

    fn update(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.size += bytes.len() as u64;
        let BodyBound { size_max, room } = &self.expected.bound;
        if self.size > *size_max {
            return Err(Error::EntityTooLarge { max: *size_max });
        }
        // What was declared has its room already.
        if let (Some(room), None) = (room, self.expected.size) {
            room.take(bytes.len() as u64)?;
        }
        self.md5.update(bytes);
        for hasher in self.hasher.iter_mut().chain(&mut self.kept) {
            hasher.update(bytes);
        }
        Ok(())
    }

    fn finish(self) -> Result<Digests, Error> {
        if let Some(declared) = self.expected.size
            && declared != self.size
        {
            return Err(Error::IncompleteBody { declared, got: self.size });
        }
        let md5 = self.md5.finalize();
        if self.expected.content_md5.is_some_and(|declared| declared != md5) {
            return Err(Error::BadDigest);
        }
        let checksum = match self.hasher {
            Some(hasher) => hasher.finish(ChecksumKind::FullObject)?,
            None => Checksum::new(ChecksumAlgorithm::Md5, ChecksumKind::FullObject, md5.to_vec())?,
        };
        let declared = match self.expected.checksum {
            DeclaredChecksum::None | DeclaredChecksum::Compute(_) => None,
            DeclaredChecksum::Value(value) => Some(value),
            DeclaredChecksum::Trailer(_, trailer) => Some(trailer()?),
        };
        if let Some(declared) = declared
            && (declared.algorithm() != checksum.algorithm() || declared.value() != checksum.value())
        {
            return Err(Error::ChecksumMismatch(checksum.algorithm()));
        }
        let kept = self.kept.map(|kept| kept.finish(ChecksumKind::FullObject)).transpose()?;
        Ok(Digests { md5, checksum: kept.unwrap_or(checksum), size: self.size })
    }
}

/// A body that is hashed as it is read. Its end is an error unless it is what was declared.
struct Ingest {
    inner: ByteStream,
    hashing: Option<Hashing>,
    digests: Arc<Mutex<Option<Digests>>>,
}

impl Stream for Ingest {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let Some(hashing) = this.hashing.as_mut() else { return Poll::Ready(None) };
        match ready!(this.inner.poll_next_unpin(cx)) {
            Some(Ok(bytes)) => match hashing.update(&bytes) {
                Ok(()) => Poll::Ready(Some(Ok(bytes))),
                Err(error) => this.fail(error),
            },
            Some(Err(error)) => {
                this.hashing = None;
                Poll::Ready(Some(Err(error)))
            }
            None => match this.hashing.take().map(Hashing::finish) {
                Some(Ok(digests)) => {
                    *this.digests.lock() = Some(digests);
                    Poll::Ready(None)
                }
                Some(Err(error)) => this.fail(error),
                None => Poll::Ready(None),
            },
        }
    }
}

impl Ingest {
    fn fail(&mut self, error: Error) -> Poll<Option<Result<Bytes, BodyError>>> {
        self.hashing = None;
        Poll::Ready(Some(Err(BodyError(Box::new(error)))))
    }
}

/// Hashes a body: a small one now, a large one while it is read. The checksum that is kept has the algorithm `kept`, or
/// the declared one.
pub(crate) async fn prepare(
    upload: Upload,
    kept: Option<ChecksumAlgorithm>,
    bound: BodyBound,
) -> Result<(Body, Handle), Error> {
    let size = match &upload.body {
        Body::Whole(bytes) => Some(bytes.len() as u64),
        Body::Stream { size, .. } => *size,
    };
    if size.is_some_and(|size| size > bound.size_max) {
        return Err(Error::EntityTooLarge { max: bound.size_max });
    }
    let expected = Expected { content_md5: upload.content_md5, checksum: upload.checksum, kept, size, bound };
    let hashing = Hashing::new(expected);
    match upload.body {
        Body::Whole(bytes) => hash_whole(bytes, hashing),
        Body::Stream { stream, size: Some(size) } if size <= SMALL_BODY_BYTES => {
            let bytes = gather(stream, size).await?;
            hash_whole(bytes, hashing)
        }
        Body::Stream { stream, size } => {
            let digests = Arc::default();
            let ingest = Ingest { inner: stream, hashing: Some(hashing), digests: Arc::clone(&digests) };
            Ok((Body::Stream { stream: Box::pin(ingest), size }, Handle(digests)))
        }
    }
}

/// Gives the digests once the body was read to its end.
pub(crate) struct Handle(Arc<Mutex<Option<Digests>>>);

impl Handle {
    pub(crate) fn take(self) -> Result<Digests, Error> {
        self.0.lock().take().ok_or_else(|| Error::Internal("a body was written that was not read".to_owned()))
    }
}

fn hash_whole(bytes: Bytes, mut hashing: Hashing) -> Result<(Body, Handle), Error> {
    hashing.update(&bytes)?;
    let digests = hashing.finish()?;
    Ok((Body::Whole(bytes), Handle(Arc::new(Mutex::new(Some(digests))))))
}

/// Reads a small body to its end. One that comes in a single piece is not copied.
async fn gather(mut stream: ByteStream, declared: u64) -> Result<Bytes, Error> {
    let Some(first) = stream.next().await.transpose().map_err(body_error)? else { return Ok(Bytes::new()) };
    let Some(second) = stream.next().await.transpose().map_err(body_error)? else { return Ok(first) };
    let mut bytes = BytesMut::with_capacity(usize::try_from(declared).unwrap_or_default());
    bytes.extend_from_slice(&first);
    bytes.extend_from_slice(&second);
    while let Some(more) = stream.next().await.transpose().map_err(body_error)? {
        if (bytes.len() + more.len()) as u64 > declared {
            return Err(Error::IncompleteBody { declared, got: (bytes.len() + more.len()) as u64 });
        }
        bytes.extend_from_slice(&more);
    }
    Ok(bytes.freeze())
}
