//! Current objects: they end, or move to another storage class.

use super::apply::{LifecycleStep, Walk, object_key};
use super::cursor::{Cursor, Phase};
use super::ends::{Ending, What};
use super::transition::Move;
use crate::error::Error;
use crate::versions::Held;
use cofre_catalog::records::{Record, RecordError, VersionRecord};
use cofre_catalog::{ReadExt, Revision, Visit, VisitStep, keys};
use cofre_rules::Due;

/// Most records of current objects that one step reads.
const RECORDS_PER_STEP_MAX: usize = 10_000;

/// Most current objects that one step ends.
const ENDS_PER_STEP_MAX: usize = 2_048;

/// Most current objects that one step moves: their bytes are written anew.
const MOVES_PER_STEP_MAX: usize = 256;

/// Bytes of keys and records after which a step keeps no further object.
const KEPT_BYTES_PER_STEP_MAX: usize = 4 << 20;

impl Walk {
    pub(super) async fn current(&self, cursor: &Cursor, step: &mut LifecycleStep) -> Result<Option<Cursor>, Error> {
        let scan = self.scan(keys::family::CURRENT, cursor);
        let search = Search {
            walk: self.clone(),
            ends: Vec::new(),
            moves: Vec::new(),
            kept_bytes: 0,
            read: 0,
            last: Vec::new(),
            full: false,
            error: None,
        };
        let search = self.objects.store().scan(scan, search).await?;
        if let Some(error) = search.error {
            return Err(error.into());
        }
        step.looked_at += search.read as u64;
        self.end(search.ends, step).await?;
        self.move_each(search.moves, step).await?;
        Ok(search.full.then(|| Cursor { after: search.last, ..Cursor::begin(cursor.bucket, Phase::Current) }))
    }
}

struct Search {
    walk: Walk,
    ends: Vec<Ending>,
    moves: Vec<Move>,
    /// Bytes of what is kept of the page.
    kept_bytes: usize,
    read: usize,
    last: Vec<u8>,
    full: bool,
    error: Option<RecordError>,
}

impl Visit for Search {
    fn visit(&mut self, at: &[u8], revision: Revision, value: &[u8]) -> VisitStep {
        self.read += 1;
        self.last = at.to_vec();
        let record = match VersionRecord::decode(value) {
            Ok(record) => record,
            Err(error) => {
                self.error = Some(error);
                return VisitStep::Stop;
            }
        };
        let Walk { rules, now, calendar, .. } = &self.walk;
        if let Some(key) = object_key(at)
            && let Some(due) = rules.due_current(key.as_str(), &record, *now, *calendar)
        {
            let bytes = at.len() + value.len();
            self.kept_bytes += bytes;
            let held = Held { revision, record, current: true };
            match due {
                Due::Expire { .. } => {
                    self.ends.push(Ending { key, current: Some(held), what: What::Current, bytes });
                }
                Due::Transition { class, .. } => {
                    self.moves.push(Move { key, at: at.to_vec(), held, class, keep: 0 });
                }
            }
        }
        self.full = self.read == RECORDS_PER_STEP_MAX
            || self.ends.len() == ENDS_PER_STEP_MAX
            || self.moves.len() == MOVES_PER_STEP_MAX
            || self.kept_bytes >= KEPT_BYTES_PER_STEP_MAX;
        if self.full { VisitStep::Stop } else { VisitStep::Continue }
    }
}
