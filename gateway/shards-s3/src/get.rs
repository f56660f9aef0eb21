use crate::calls::STALL_MAX;
use crate::failure::Failure;
use crate::names::Place;
use crate::shard::Shard;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream as SdkBody;
use bytes::{Bytes, BytesMut};
use cofre_shards::frame::{self, BLOCK_BYTES, Kind, STRIDE_BYTES};
use cofre_shards::{BackendError, BlobHeader, BodyError, ByteStream, exclusive};
use cofre_types::{BlobId, ResolvedRange};
use futures_util::{StreamExt, stream};
use tokio::time::timeout;

/// Reads a range of a blob, in one request for the blocks that hold it. The first block is checked before this
/// returns, with the head if the range begins at the first byte.
pub(crate) async fn read(
    shard: &Shard,
    blob: BlobId,
    place: Place,
    range: ResolvedRange,
) -> Result<ByteStream, BackendError> {
    if range.end > place.size {
        return Err(BackendError::Corrupt("the range is beyond the blob".into()));
    }
    if range.is_empty() {
        return Ok(Box::pin(stream::empty()));
    }
    let head_bytes = u64::from(place.copy.head_bytes);
    let first = range.start / BLOCK_BYTES as u64;
    let end = range.end.div_ceil(BLOCK_BYTES as u64);
    let from = if range.start == 0 { 0 } else { head_bytes + first * STRIDE_BYTES as u64 };
    let to = place.object_bytes().min(head_bytes + end * STRIDE_BYTES as u64);
    let mut body = open(shard, place, from, to - from).await?;
    if range.start == 0 {
        check_head(&body.exactly(head_bytes as usize).await?, blob, place)?;
    }
    let mut reading = Reading { body, blob, place, range, next: first, end };
    let begun = reading.stride().await?;
    let rest = stream::unfold(Some(reading), |reading| async {
        let mut reading = reading.filter(|reading| reading.next < reading.end)?;
        match reading.stride().await {
            Ok(pieces) => Some((Ok(pieces), Some(reading))),
            Err(error) => Some((Err(BodyError(Box::new(error))), None)),
        }
    });
    let rest = rest.flat_map(|pieces| match pieces {
        Ok(pieces) => stream::iter(pieces.into_iter().map(Ok).collect::<Vec<_>>()),
        Err(error) => stream::iter(vec![Err(error)]),
    });
    Ok(exclusive(stream::iter(begun.into_iter().map(Ok)).chain(rest)))
}

/// Reads what a blob says about itself.
pub(crate) async fn header(shard: &Shard, blob: BlobId, place: Place) -> Result<BlobHeader, BackendError> {
    let head_bytes = place.copy.head_bytes;
    let mut body = open(shard, place, 0, u64::from(head_bytes)).await?;
    check_head(&body.exactly(head_bytes as usize).await?, blob, place)
}

fn check_head(bytes: &[u8], blob: BlobId, place: Place) -> Result<BlobHeader, BackendError> {
    let head = frame::check_head(bytes, Kind::Object, blob)?;
    if head.size == place.size && head.len == bytes.len() {
        return Ok(head.header);
    }
    Err(BackendError::Corrupt(format!("the head tells of {} bytes, and the blob has {}", head.size, place.size)))
}

/// Begins to read a part of an object, which must have the length that the blob takes.
async fn open(shard: &Shard, place: Place, from: u64, length: u64) -> Result<Incoming, BackendError> {
    let answer = match shard.bucket.get(&place.copy.name(), from, length).await {
        Ok(answer) => answer,
        Err(Failure::NoSuchKey) => return Err(shard.missing().await),
        Err(Failure::BeyondEnd) => return Err(BackendError::Corrupt("the object ends too early".into())),
        Err(failure) => return Err(failure.unreachable()),
    };
    let expected = place.object_bytes();
    match object_bytes(&answer, from) {
        Some(found) if found == expected => {}
        Some(found) => {
            let why = format!("the object has {found} bytes, and the blob takes {expected}");
            return Err(BackendError::Corrupt(why));
        }
        None => return Err(BackendError::Unreachable("the endpoint answers with another range than was asked".into())),
    }
    Ok(Incoming { body: answer.body, waiting: BytesMut::new() })
}

/// Length of the whole object, if the answer begins where it was to.
fn object_bytes(answer: &GetObjectOutput, from: u64) -> Option<u64> {
    match answer.content_range() {
        // An endpoint that knows no ranges sends everything (RFC 9110, section 14.2).
        None if from == 0 => answer.content_length().and_then(|length| u64::try_from(length).ok()),
        None => None,
        Some(range) => {
            let (range, whole) = range.strip_prefix("bytes ")?.split_once('/')?;
            let (first, _) = range.split_once('-')?;
            (first.parse() == Ok(from)).then(|| whole.parse().ok()).flatten()
        }
    }
}

/// A body as it comes in.
struct Incoming {
    body: SdkBody,
    waiting: BytesMut,
}

impl Incoming {
    /// The next bytes, exactly so many.
    async fn exactly(&mut self, length: usize) -> Result<Bytes, BackendError> {
        let cut = |why: &str| BackendError::Unreachable(format!("reading an object: {why}"));
        while self.waiting.len() < length {
            match timeout(STALL_MAX, self.body.next()).await {
                Ok(Some(Ok(piece))) => self.waiting.extend_from_slice(&piece),
                Ok(Some(Err(error))) => return Err(cut(&error.to_string())),
                Ok(None) => return Err(cut("the answer ends too early")),
                Err(_) => return Err(cut("it brings nothing")),
            }
        }
        Ok(self.waiting.split_to(length).freeze())
    }
}

/// Blocks of a blob that come in.
struct Reading {
    body: Incoming,
    blob: BlobId,
    place: Place,
    range: ResolvedRange,
    /// Number of the next block.
    next: u64,
    /// Number of the one behind the last.
    end: u64,
}

impl Reading {
    /// The next block, checked, cut to the range.
    async fn stride(&mut self) -> Result<Vec<Bytes>, BackendError> {
        let left = frame::content_len(self.place.size) - self.next * STRIDE_BYTES as u64;
        let stride = self.body.exactly(left.min(STRIDE_BYTES as u64) as usize).await?;
        let pieces = frame::blocks(&stride, self.blob, self.next, self.range)?;
        self.next += 1;
        Ok(pieces)
    }
}
