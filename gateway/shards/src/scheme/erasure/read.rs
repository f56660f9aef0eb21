use super::Code;
use super::unit::{Source, fetch};
use crate::body::{BodyError, ByteStream, exclusive};
use crate::pool::{BlobRef, ReadError, ReadShare, Shards};
use bytes::Bytes;
use cofre_types::ResolvedRange;
use futures_util::future::{BoxFuture, FutureExt, MaybeDone, maybe_done};
use futures_util::{StreamExt, poll, stream};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;

/// Content of the longest unit, in bytes, or one stripe where that is longer.
const UNIT_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Reads `range` of a blob. Its first stripe is there on return; the units that follow are longer and longer, while the
/// memory of long reads lasts.
pub(in crate::scheme) async fn read(
    pool: &Shards,
    blob: &BlobRef,
    code: Code,
    range: ResolvedRange,
) -> Result<ByteStream, ReadError> {
    if range.is_empty() {
        return Ok(Box::pin(stream::empty()));
    }
    let source = Arc::new(Source::new(pool.clone(), blob, code.layout(blob.size)));
    let mut reading = Reading { pool: pool.clone(), source, at: range.start, end: range.end, stripes: 1, ahead: None };
    let first = stream::iter(reading.next().await.transpose()?.into_iter().flat_map(|unit| unit.pieces).map(Ok));
    if reading.at >= reading.end {
        return Ok(Box::pin(first));
    }
    let rest = stream::unfold((reading, Unit::default()), |(mut reading, mut unit)| async {
        loop {
            if let Some(piece) = unit.pieces.pop_front() {
                return Some((Ok(piece), (reading, unit)));
            }
            match reading.next().await? {
                Ok(next) => unit = next,
                Err(error) => return Some((Err(BodyError(Box::new(error))), (reading, unit))),
            }
        }
    });
    Ok(exclusive(first.chain(rest)))
}

/// The bytes of a few stripes.
#[derive(Default)]
struct Unit {
    pieces: VecDeque<Bytes>,
    /// What it holds of the memory of long reads.
    _share: Option<ReadShare>,
}

/// A unit that is being fetched, or is there, and where it ends.
type Fetch = (Pin<Box<MaybeDone<BoxFuture<'static, Result<Vec<Bytes>, ReadError>>>>>, u64, Option<ReadShare>);

/// The units of a range: one stripe, then two, then four, up to the longest.
struct Reading {
    pool: Shards,
    source: Arc<Source>,
    /// The next byte, and one past the last.
    at: u64,
    end: u64,
    stripes: u64,
    /// What is fetched while the unit before it is in its reader's hands.
    ahead: Option<Fetch>,
}

impl Reading {
    /// The next unit. That it is asked for says that the one before was taken.
    async fn next(&mut self) -> Option<Result<Unit, ReadError>> {
        if self.at >= self.end {
            return None;
        }
        let (mut fetching, end, share) = self.ahead.take().unwrap_or_else(|| self.fetch());
        fetching.as_mut().await;
        let pieces = match fetching.as_mut().take_output()? {
            Ok(pieces) => pieces.into(),
            Err(error) => {
                self.at = self.end;
                return Some(Err(error));
            }
        };
        let is_first = self.stripes == 1;
        self.at = end;
        self.stripes = (self.stripes * 2).min((UNIT_BYTES_MAX / self.source.layout.stripe_bytes()).max(1));
        if self.at < self.end && !is_first && self.pool.read_budget().has_spare() {
            let mut ahead = self.fetch();
            // Begins it; whoever asks next waits for it.
            let _ = poll!(ahead.0.as_mut());
            self.ahead = Some(ahead);
        }
        Some(Ok(Unit { pieces, _share: share }))
    }

    fn fetch(&self) -> Fetch {
        let layout = self.source.layout;
        let upto = |stripes: u64| layout.stripe_end(self.at, stripes - 1, self.end);
        let long = upto(self.stripes);
        let share = self.pool.read_budget().take(long - self.at);
        let end = if share.is_some() { long } else { upto(1) };
        let unit = ResolvedRange { start: self.at, end };
        (Box::pin(maybe_done(fetch(Arc::clone(&self.source), unit).boxed())), end, share)
    }
}
