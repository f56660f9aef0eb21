//! One unit of a read: a few stripes, from whichever pieces can give them.
//!
//! # Ordering
//! First the data pieces that hold the range are asked for just their part of it. Where one fails, or is late, as many
//! pieces as hold data are asked for one run that is enough to rebuild every part, and the first to come are taken.
//!
//! # Failure and retry
//! A copy that is proved missing or corrupt is reported for repair and left alone for the rest of the read. One that
//! brings nothing for `hedge_after` is late: others are asked as well, and the units that follow ask it last, without a
//! limit of time once no other is left.

use super::layout::Layout;
use super::rebuild::Rebuilder;
use super::rope::Rope;
use crate::backend::BackendError;
use crate::pool::{BlobRef, Copy, ReadError, Shards};
use crate::scheme::Verdict;
use bytes::Bytes;
use cofre_runtime::blocking;
use cofre_types::{BlobId, ResolvedRange};
use futures_util::StreamExt;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::FuturesUnordered;
use parking_lot::Mutex;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use tokio::time::timeout;

/// What all units of one read share.
pub(super) struct Source {
    pool: Shards,
    blob: BlobId,
    pub(super) layout: Layout,
    /// The copies, those that are likely to be quick first.
    copies: Vec<Copy>,
    rebuilder: Rebuilder,
    seen: Mutex<Seen>,
}

struct Seen {
    /// By copy.
    states: Vec<State>,
    verdict: Verdict,
}

/// What a read knows of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Good,
    /// It was late, or its shard failed lately: asked last.
    Slow,
    /// It failed: not asked again.
    Bad,
}

impl Source {
    pub(super) fn new(pool: Shards, blob: &BlobRef, layout: Layout) -> Self {
        let ranked = |copy: &Copy| pool.shard(copy.shard).map_or((3, 0), |shard| shard.read_rank());
        let pieces = blob.copies.iter().filter(|copy| usize::from(copy.piece) < layout.width());
        let mut copies: Vec<_> = pieces.map(|copy| (ranked(copy), copy.clone())).collect();
        copies.sort_by_key(|(rank, _)| *rank);
        let states = copies.iter().map(|((state, _), _)| if *state == 0 { State::Good } else { State::Slow }).collect();
        let seen = Mutex::new(Seen { states, verdict: Verdict::default() });
        let copies = copies.into_iter().map(|(_, copy)| copy).collect();
        Self { blob: blob.id, copies, layout, rebuilder: Rebuilder::new(), seen, pool }
    }

    fn state(&self, copy: usize) -> State {
        self.seen.lock().states[copy]
    }

    fn piece(&self, copy: usize) -> usize {
        usize::from(self.copies[copy].piece)
    }

    fn fail(&self, copy: usize, error: &BackendError) {
        self.pool.report(self.blob, self.copies[copy].shard, error);
        let mut seen = self.seen.lock();
        seen.states[copy] = State::Bad;
        seen.verdict.note(error);
    }

    /// Notes that a copy was let go because others were quicker.
    fn let_go(&self, copy: usize, begun: bool) {
        let mut seen = self.seen.lock();
        seen.states[copy] = seen.states[copy].max(State::Slow);
        drop(seen);
        // One that has begun is slow and no more; one that has not would hold up the next read as well.
        if let Some(shard) = self.pool.shard(self.copies[copy].shard).filter(|_| !begun) {
            shard.hesitated();
        }
    }

    /// Reads a run of one copy.
    async fn run(&self, copy: usize, run: Range<u64>, begun: &AtomicBool) -> Result<Rope, BackendError> {
        let copy = &self.copies[copy];
        let away = || BackendError::Unreachable(format!("shard {} is not attached", copy.shard));
        let shard = self.pool.shard(copy.shard).ok_or_else(away)?;
        let range = ResolvedRange { start: run.start, end: run.end };
        let mut stream = shard.get(self.blob, copy, range).await?;
        begun.store(true, Relaxed);
        let mut rope = Rope::empty(run.start);
        while let Some(piece) = stream.next().await {
            rope.push(piece.map_err(|error| {
                let error = BackendError::of_stream(error);
                shard.failed(&error);
                error
            })?);
        }
        if rope.end() == run.end {
            return Ok(rope);
        }
        Err(BackendError::Corrupt(format!("{} bytes came of {run:?}", rope.end() - run.start)))
    }
}

/// The bytes of a range, which lies within a few stripes.
pub(super) async fn fetch(source: Arc<Source>, range: ResolvedRange) -> Result<Vec<Bytes>, ReadError> {
    let mut unit = Unit::new(source, range);
    loop {
        if unit.lacking().next().is_none() {
            unit.let_go();
            return Ok(unit.assemble());
        }
        if unit.given().len() == unit.source.layout.data {
            unit.rebuild().await?;
            continue;
        }
        unit.begin();
        unit.wait().await?;
    }
}

/// What was done about a copy in this unit.
enum Try {
    /// Nothing is under way.
    Idle,
    Flying {
        run: Range<u64>,
        late: bool,
        begun: Arc<AtomicBool>,
    },
}

struct Unit {
    source: Arc<Source>,
    range: ResolvedRange,
    /// What is wanted of each data piece.
    runs: Vec<Range<u64>>,
    /// What is enough of any pieces to rebuild all that is wanted.
    hull: Range<u64>,
    /// What came, by piece.
    held: Vec<Rope>,
    /// By copy.
    tries: Vec<Try>,
    flying: FuturesUnordered<BoxFuture<'static, (usize, Result<Rope, BackendError>)>>,
}

impl Unit {
    fn new(source: Arc<Source>, range: ResolvedRange) -> Self {
        let runs = source.layout.runs(range);
        let hull = source.layout.hull(&runs);
        let held = (0..source.layout.width()).map(|_| Rope::empty(0)).collect();
        let tries = source.copies.iter().map(|_| Try::Idle).collect();
        Self { source, range, runs, hull, held, tries, flying: FuturesUnordered::new() }
    }

    /// Data pieces of which something is wanted that did not come.
    fn lacking(&self) -> impl Iterator<Item = usize> {
        (0..self.runs.len()).filter(|piece| !self.held[*piece].covers(&self.runs[*piece]))
    }

    /// Pieces of which enough came to rebuild others, as many as that takes, data first.
    fn given(&self) -> Vec<usize> {
        let enough = |piece: &usize| self.held[*piece].covers(&self.hull_of(*piece));
        (0..self.held.len()).filter(enough).take(self.source.layout.data).collect()
    }

    fn hull_of(&self, piece: usize) -> Range<u64> {
        self.source.layout.on_disk(piece, &self.hull)
    }

    /// Whether a run of a piece is on its way, and not late.
    fn comes(&self, piece: usize, run: &Range<u64>) -> bool {
        self.tries.iter().enumerate().any(|(copy, tried)| match tried {
            Try::Idle => false,
            Try::Flying { run: flying, late, .. } => {
                !late && self.source.piece(copy) == piece && flying.start <= run.start && run.end <= flying.end
            }
        })
    }

    /// A copy of a piece that can be asked, of the best state there is up to `worst`.
    fn idle(&self, worst: State, fits: impl Fn(usize) -> bool) -> Option<usize> {
        let idle = |copy: &usize| matches!(self.tries[*copy], Try::Idle) && fits(self.source.piece(*copy));
        let copies = (0..self.tries.len()).filter(idle).map(|copy| (self.source.state(copy), copy));
        copies.filter(|(state, _)| *state <= worst).min().map(|(_, copy)| copy)
    }

    /// Whether a piece is of use for rebuilding and neither there nor on its way.
    fn is_spare(&self, piece: usize) -> bool {
        let run = self.hull_of(piece);
        !self.held[piece].covers(&run) && !self.comes(piece, &run)
    }

    /// Asks for what is wanted directly, or for enough to rebuild it.
    fn begin(&mut self) {
        let wanted: Vec<_> = self.lacking().filter(|piece| !self.comes(*piece, &self.runs[*piece])).collect();
        let direct: Vec<_> = wanted.iter().map(|piece| self.idle(State::Good, |other| other == *piece)).collect();
        let degraded = direct.contains(&None);
        for copy in direct.into_iter().flatten() {
            let piece = self.source.piece(copy);
            let run = if degraded { self.hull_of(piece) } else { self.runs[piece].clone() };
            self.ask(copy, run);
        }
        if !degraded {
            return;
        }
        let useful = |unit: &Self| (0..unit.held.len()).filter(|piece| !unit.is_spare(*piece)).count();
        while useful(self) < self.source.layout.data {
            let Some(copy) = self.idle(State::Slow, |piece| self.is_spare(piece)) else { return };
            self.ask(copy, self.hull_of(self.source.piece(copy)));
        }
    }

    fn ask(&mut self, copy: usize, run: Range<u64>) {
        let begun = Arc::new(AtomicBool::new(false));
        self.tries[copy] = Try::Flying { run: run.clone(), late: false, begun: begun.clone() };
        let source = self.source.clone();
        self.flying.push(async move { (copy, source.run(copy, run, &begun).await) }.boxed());
    }

    /// Waits until something comes or fails, or until what flies is late and another could be asked.
    async fn wait(&mut self) -> Result<(), ReadError> {
        let spare = self.idle(State::Slow, |piece| self.is_spare(piece)).is_some();
        let landed = if spare {
            match timeout(self.source.pool.options().hedge_after, self.flying.next()).await {
                Ok(landed) => landed,
                Err(_) => {
                    self.all_late();
                    return Ok(());
                }
            }
        } else {
            self.flying.next().await
        };
        let Some((copy, outcome)) = landed else {
            return Err(self.source.seen.lock().verdict.error());
        };
        self.tries[copy] = Try::Idle;
        match outcome {
            Ok(rope) => {
                let held = &mut self.held[self.source.piece(copy)];
                if rope.len() > held.len() {
                    *held = rope;
                }
            }
            Err(error) => self.source.fail(copy, &error),
        }
        Ok(())
    }

    fn all_late(&mut self) {
        for tried in &mut self.tries {
            if let Try::Flying { late, .. } = tried {
                *late = true;
            }
        }
    }

    /// Rebuilds the data pieces that did not come.
    async fn rebuild(&mut self) -> Result<(), ReadError> {
        let given: Vec<_> =
            self.given().into_iter().map(|piece| (piece, self.held[piece].cut(&self.hull_of(piece)))).collect();
        let (source, run_bytes) = (self.source.clone(), (self.hull.end - self.hull.start) as usize);
        let rebuilt =
            blocking(move || source.rebuilder.rebuild((source.layout.data, source.layout.parity), run_bytes, &given));
        let rebuilt = rebuilt.await.ok_or_else(|| ReadError::Corrupt("it cannot be rebuilt".into()))?;
        for (piece, run) in rebuilt {
            let mut rope = Rope::empty(self.hull.start);
            rope.push(run);
            self.held[piece] = rope;
        }
        Ok(())
    }

    /// The bytes of the range in order, once nothing is lacking.
    fn assemble(&self) -> Vec<Bytes> {
        self.source.layout.cells(self.range).flat_map(|(piece, run)| self.held[piece].cut(&run)).collect()
    }

    /// Notes which copies were late, for the units that follow.
    fn let_go(&self) {
        for (copy, tried) in self.tries.iter().enumerate() {
            if let Try::Flying { late: true, begun, .. } = tried {
                self.source.let_go(copy, begun.load(Relaxed));
            }
        }
    }
}
