use super::objects::{key_text, listed};
use super::rollup::{Place, Rollup};
use crate::bucket::cached::Bucket;
use crate::domain::Objects;
use crate::error::Error;
use crate::list::{ListVersions, ListedVersion, PAGE_ENTRIES_MAX, VersionsPage};
use cofre_catalog::records::{Record, RecordError, VersionKind, VersionRecord};
use cofre_catalog::{ReadExt, Revision, Scan, Snapshot, Visit, VisitStep, keys};
use cofre_iam::{Action, Caller};
use cofre_types::{ObjectKey, VersionId};
use std::iter::Peekable;
use std::ops::Bound;
use std::vec::IntoIter;

/// What one family has to show, in order.
#[derive(Debug)]
enum Item {
    Version(String, Box<VersionRecord>),
    Common(String),
}

impl Item {
    fn key(&self) -> &str {
        match self {
            Self::Version(key, _) | Self::Common(key) => key,
        }
    }
}

impl Objects {
    /// Lists versions and delete markers. Current objects and all else stand in two families; a page
    /// is merged from one scan of each.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn list_versions(&self, caller: &Caller, request: ListVersions) -> Result<VersionsPage, Error> {
        let bucket = self.bucket_for(caller, Action::ListBucketVersions, &request.bucket, None).await?;
        let max = request.max.min(PAGE_ENTRIES_MAX);
        if max == 0 {
            return Ok(VersionsPage::default());
        }
        let rollup = |family| Rollup {
            family,
            bucket: bucket.record.id,
            prefix: request.prefix.clone(),
            delimiter: request.delimiter.clone(),
        };
        let snapshot = self.store().snapshot().await?;
        let after = request.key_after.as_deref();
        let current = rollup(keys::family::CURRENT);
        let from = after.map(|after| current.start(after).map(Bound::Included));
        let current = gather(snapshot.as_ref(), current, from, max).await?;
        let older = rollup(keys::family::VERSION);
        let from = match after {
            Some(after) => Some(older_start(snapshot.as_ref(), &bucket, &older, after, request.version_after).await?),
            None => None,
        };
        let older = gather(snapshot.as_ref(), older, from, max).await?;
        let resumed = request.key_after.as_deref().filter(|_| request.version_after.is_some());
        let mut page = merge(current, older, max, resumed);
        if bucket.access.acls_disabled() {
            page.versions.iter_mut().for_each(|version| version.object.owner = bucket.record.owner);
        }
        Ok(page)
    }
}

/// Where older versions go on after a marker.
async fn older_start(
    snapshot: &dyn Snapshot,
    bucket: &Bucket,
    rollup: &Rollup,
    key_after: &str,
    version_after: Option<VersionId>,
) -> Result<Option<Bound<Vec<u8>>>, Error> {
    let (Some(version), Ok(key)) = (version_after, ObjectKey::parse(key_after)) else {
        return Ok(rollup.start(key_after).map(Bound::Included));
    };
    let id = bucket.record.id;
    let place = match keys::place_of(version) {
        Some(place) => Some(place),
        None => {
            let pointer = snapshot.get(keys::null_version(id, &key)).await?;
            pointer.and_then(|pointer| pointer.value.as_slice().try_into().ok()).map(u64::from_be_bytes)
        }
    };
    Ok(Some(match place {
        Some(place) => Bound::Excluded(keys::version(id, &key, place)),
        // The null version is the current one: every older one follows it.
        None => Bound::Included(keys::object(keys::family::VERSION, id, &key)),
    }))
}

/// The first `max + 1` items of a family. `from` is absent for the beginning, and holds nothing where
/// nothing can follow the marker.
async fn gather(
    snapshot: &dyn Snapshot,
    rollup: Rollup,
    from: Option<Option<Bound<Vec<u8>>>>,
    max: usize,
) -> Result<Vec<Item>, Error> {
    let prefix = rollup.scan_prefix();
    let mut scan = Scan::prefix(&prefix);
    match from {
        None => {}
        Some(None) => return Ok(Vec::new()),
        Some(Some(from)) => {
            if let Bound::Included(key) | Bound::Excluded(key) = &from
                && *key > prefix
            {
                scan.from = from;
            }
        }
    }
    let walk = snapshot.scan(scan, Walk { rollup, max: max + 1, items: Vec::new(), error: None }).await?;
    match walk.error {
        Some(error) => Err(error.into()),
        None => Ok(walk.items),
    }
}

struct Walk {
    rollup: Rollup,
    max: usize,
    items: Vec<Item>,
    error: Option<RecordError>,
}

impl Visit for Walk {
    fn visit(&mut self, key: &[u8], _revision: Revision, value: &[u8]) -> VisitStep {
        let Some(object) = key_text(key) else { return VisitStep::Continue };
        let step = match self.rollup.place(object.as_bytes()) {
            Place::Rolled(length) => {
                let next = self.rollup.behind(&object.as_bytes()[..length]);
                self.items.push(Item::Common(object[..length].to_owned()));
                next.map_or(VisitStep::Stop, VisitStep::Seek)
            }
            Place::Shown => match VersionRecord::decode(value) {
                Ok(record) => {
                    self.items.push(Item::Version(object, Box::new(record)));
                    VisitStep::Continue
                }
                Err(error) => {
                    self.error = Some(error);
                    VisitStep::Stop
                }
            },
        };
        if self.items.len() < self.max { step } else { VisitStep::Stop }
    }
}

/// Merges the families in byte order of the key; of one key the current object comes first.
/// `resumed` is the key whose newer versions an earlier page showed.
fn merge(current: Vec<Item>, older: Vec<Item>, max: usize, resumed: Option<&str>) -> VersionsPage {
    let mut page = VersionsPage::default();
    let mut last: Option<(String, Option<VersionId>)> = None;
    let mut current = current.into_iter().peekable();
    let mut older = older.into_iter().peekable();
    while let Some((item, is_current)) = take_next(&mut current, &mut older) {
        let repeats = matches!(&item, Item::Common(key) if page.common_prefixes.last() == Some(key));
        if repeats {
            continue;
        }
        if page.versions.len() + page.common_prefixes.len() == max {
            page.next = last;
            return page;
        }
        match item {
            Item::Common(key) => {
                last = Some((key.clone(), None));
                page.common_prefixes.push(key);
            }
            Item::Version(key, record) => {
                let first = last.as_ref().is_none_or(|(before, _)| *before != key) && resumed != Some(key.as_str());
                last = Some((key.clone(), Some(record.version)));
                page.versions.push(ListedVersion {
                    version: record.version,
                    latest: is_current || first,
                    delete_marker: record.kind == VersionKind::DeleteMarker,
                    object: listed(key, *record),
                });
            }
        }
    }
    page
}

fn take_next(current: &mut Peekable<IntoIter<Item>>, older: &mut Peekable<IntoIter<Item>>) -> Option<(Item, bool)> {
    let from_current = match (current.peek(), older.peek()) {
        (Some(a), Some(b)) => a.key() <= b.key(),
        (Some(_), None) => true,
        (None, _) => false,
    };
    if from_current { current.next().map(|item| (item, true)) } else { older.next().map(|item| (item, false)) }
}
