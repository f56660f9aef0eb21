use crate::{Direction, Revision, Scan, StoreError, VisitDyn, VisitStep};
use std::ops::Bound;

/// Keys that a walk steps over before it seeks: opening an iterator of a log-structured tree costs
/// about as much as this many steps of an open one.
const STEPS_BEFORE_SEEK: usize = 8;

/// What an engine's iterator yields.
pub(crate) type Item<K, V> = Result<(K, Revision, V), StoreError>;

/// Drives a visitor over the iterators of an engine, which `open` makes in the scan's direction. It
/// is not called for a range that no key can lie in.
pub(crate) fn walk<'a, K, V>(
    mut range: Scan,
    visitor: &mut dyn VisitDyn,
    mut open: impl FnMut(&Scan) -> Box<dyn Iterator<Item = Item<K, V>> + 'a>,
) -> Result<(), StoreError>
where
    K: AsRef<[u8]>,
    V: AsRef<[u8]>,
{
    let mut left = range.keys_max.unwrap_or(usize::MAX);
    'seek: while !range.is_empty() {
        let mut target: Option<Vec<u8>> = None;
        let mut skipped = 0;
        for item in open(&range) {
            let (key, revision, value) = item?;
            if let Some(wanted) = &target {
                if comes_before(key.as_ref(), wanted, range.direction) {
                    skipped += 1;
                    if skipped == STEPS_BEFORE_SEEK {
                        narrow(&mut range, target.take().unwrap_or_default());
                        continue 'seek;
                    }
                    continue;
                }
                target = None;
                skipped = 0;
            }
            let value = if range.keys_only { &[] } else { value.as_ref() };
            let step = visitor.visit(key.as_ref(), revision, value);
            left -= 1;
            match step {
                _ if left == 0 => return Ok(()),
                VisitStep::Continue => {}
                VisitStep::Seek(wanted) => target = Some(wanted),
                VisitStep::Stop => return Ok(()),
            }
        }
        return Ok(());
    }
    Ok(())
}

fn comes_before(key: &[u8], wanted: &[u8], direction: Direction) -> bool {
    match direction {
        Direction::Forward => key < wanted,
        Direction::Reverse => key > wanted,
    }
}

fn narrow(range: &mut Scan, wanted: Vec<u8>) {
    match range.direction {
        Direction::Forward => range.from = Bound::Included(wanted),
        Direction::Reverse => range.to = Bound::Included(wanted),
    }
}

/// The smallest key that is greater than every key with this prefix; `None` if there is none.
pub fn prefix_end(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|b| *b != u8::MAX)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}
