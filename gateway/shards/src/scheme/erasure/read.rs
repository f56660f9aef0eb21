use super::Code;
use super::unit::{Source, fetch};
use crate::body::exclusive;
use crate::pool::{BlobRef, ReadError, Shards};
use crate::{BodyError, ByteStream};
use bytes::Bytes;
use cofre_types::ResolvedRange;
use futures_util::{StreamExt, stream};
use std::sync::Arc;

/// Units that are fetched ahead of the one in hand.
const UNITS_AHEAD: usize = 2;
/// Content of the longest unit, in bytes, or one stripe where that is longer.
const UNIT_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Reads `range` of a blob. Its first stripe is there on return; the units that follow are longer and longer.
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
    let mut units = units(&source, range);
    let first = match units.next() {
        Some(first) => fetch(source.clone(), first).await?,
        None => Vec::new(),
    };
    let first = stream::iter(first.into_iter().map(Ok));
    let mut units = units.peekable();
    if units.peek().is_none() {
        return Ok(Box::pin(first));
    }
    let rest = stream::iter(units).map(move |unit| fetch(source.clone(), unit)).buffered(UNITS_AHEAD).flat_map(pieces);
    Ok(exclusive(first.chain(rest)))
}

fn pieces(fetched: Result<Vec<Bytes>, ReadError>) -> impl futures_util::Stream<Item = Result<Bytes, BodyError>> {
    let (pieces, error) = match fetched {
        Ok(pieces) => (pieces, None),
        Err(error) => (Vec::new(), Some(Err(BodyError(Box::new(error))))),
    };
    stream::iter(pieces.into_iter().map(Ok).chain(error))
}

/// The units of a range: one stripe, then two, then four, up to the longest.
fn units(source: &Source, range: ResolvedRange) -> impl Iterator<Item = ResolvedRange> + Send + Sync + use<> {
    let layout = source.layout;
    let stripes_max = (UNIT_BYTES_MAX / layout.stripe_bytes()).max(1);
    let (mut start, mut stripes) = (range.start, 1);
    std::iter::from_fn(move || {
        let end = layout.stripe_end(start, stripes - 1, range.end);
        let unit = ResolvedRange { start, end };
        start = end;
        stripes = (stripes * 2).min(stripes_max);
        (!unit.is_empty()).then_some(unit)
    })
}
