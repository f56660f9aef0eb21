use super::{Stage, Verify, after, wrong};
use crate::error::Error;
use cofre_blobs::Wrong;
use cofre_catalog::keys::{self, family};
use cofre_catalog::records::{
    BlobRecord, Content, Garbage, GarbageRecord, ManifestRecord, PartRecord, Record, Segment, VersionRecord, as_delta,
};
use cofre_catalog::{Entry, Scan};
use cofre_types::{BlobId, UploadId};
use std::collections::HashMap;
use std::ops::Bound;

/// Most blobs whose references are counted at once: some 50 MiB of memory.
const BLOBS_PER_ROUND_MAX: u64 = 1_000_000;

/// Most blobs and manifests without a record that one round names.
const LOST_NAMED_MAX: usize = 10_000;

/// The families that hold references, in the order in which a round reads them.
const FAMILIES: [u8; 4] = [family::CURRENT, family::VERSION, family::PART, family::GARBAGE];

/// A share of all ids: they are random, so that each round has as many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Round {
    number: u64,
    of: u64,
}

impl Round {
    /// The first of the rounds that so many blobs take.
    pub(super) fn first(blobs: u64) -> Self {
        Self { number: 0, of: blobs.div_ceil(BLOBS_PER_ROUND_MAX).max(1) }
    }

    fn next(self) -> Option<Self> {
        (self.number + 1 < self.of).then_some(Self { number: self.number + 1, of: self.of })
    }

    fn begins(self, number: u64) -> u64 {
        (u128::from(number) * (1 << 64) / u128::from(self.of)) as u64
    }

    fn has(self, id: &[u8; 16]) -> bool {
        let first = u64::from_be_bytes([id[0], id[1], id[2], id[3], id[4], id[5], id[6], id[7]]);
        let above = first >= self.begins(self.number);
        above && (self.number + 1 == self.of || first < self.begins(self.number + 1))
    }

    /// The scan of the records of a family whose ids are in the round, after a key.
    fn scan(self, family: u8, last: Option<&Vec<u8>>) -> Scan {
        let mut scan = Scan::prefix(&[family]);
        let key = |begins: u64| [&[family][..], &begins.to_be_bytes()].concat();
        scan.from =
            last.map_or_else(|| Bound::Included(key(self.begins(self.number))), |last| Bound::Excluded(last.clone()));
        if self.number + 1 < self.of {
            scan.to = Bound::Excluded(key(self.begins(self.number + 1)));
        }
        scan
    }
}

/// The references of one round, and what the round reads next.
pub(super) struct Counts {
    round: Round,
    blobs: HashMap<BlobId, u32>,
    manifests: HashMap<UploadId, u32>,
    reading: Reading,
    last: Option<Vec<u8>>,
}

/// What a round reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// References in this one of the families.
    Family(usize),
    /// The records of blobs, to hold their counts against.
    Blobs,
    /// The records of manifests.
    Manifests,
}

impl Counts {
    pub(super) fn of(round: Round) -> Self {
        let (blobs, manifests) = (HashMap::new(), HashMap::new());
        Self { round, blobs, manifests, reading: Reading::Family(0), last: None }
    }

    fn segments<'a>(&mut self, segments: impl IntoIterator<Item = &'a Segment>) {
        for segment in segments {
            self.blob(segment.blob);
        }
    }

    fn blob(&mut self, blob: BlobId) {
        if self.round.has(blob.as_bytes()) {
            *self.blobs.entry(blob).or_default() += 1;
        }
    }

    fn manifest(&mut self, id: UploadId) {
        if self.round.has(id.as_bytes()) {
            *self.manifests.entry(id).or_default() += 1;
        }
    }

    /// What comes after the last page of what is being read.
    fn turn(mut self, found: &mut Vec<Wrong>) -> Stage {
        self.last = None;
        self.reading = match self.reading {
            Reading::Family(index) if index + 1 < FAMILIES.len() => Reading::Family(index + 1),
            Reading::Family(_) => Reading::Blobs,
            Reading::Blobs => Reading::Manifests,
            Reading::Manifests => {
                // What is left is referred to and has no record.
                let blobs = self.blobs.keys().map(|id| format!("blob {id}"));
                let manifests = self.manifests.keys().map(|id| format!("manifest {id}"));
                let lost = blobs.chain(manifests).take(LOST_NAMED_MAX);
                found.extend(lost.map(|subject| wrong(subject, "it is referred to and has no record")));
                return match self.round.next() {
                    Some(round) => Stage::References(Box::new(Self::of(round))),
                    None => Stage::Usage(None, None),
                };
            }
        };
        Stage::References(Box::new(self))
    }
}

impl Verify {
    pub(super) async fn references(&mut self, mut counts: Counts, found: &mut Vec<Wrong>) -> Result<Stage, Error> {
        let scan = match counts.reading {
            Reading::Family(index) => after(&[FAMILIES[index]], counts.last.as_ref()),
            Reading::Blobs => counts.round.scan(family::BLOB, counts.last.as_ref()),
            Reading::Manifests => counts.round.scan(family::MANIFEST, counts.last.as_ref()),
        };
        let page = self.page(scan).await?;
        let Some((last, _)) = page.last() else { return Ok(counts.turn(found)) };
        let last = last.clone();
        let index = match counts.reading {
            Reading::Family(index) => index,
            Reading::Blobs => {
                hold_blobs(&page, &mut counts, found)?;
                counts.last = Some(last);
                return Ok(Stage::References(Box::new(counts)));
            }
            Reading::Manifests => {
                hold_manifests(&page, &mut counts, found)?;
                counts.last = Some(last);
                return Ok(Stage::References(Box::new(counts)));
            }
        };
        let mut wanted = Vec::new();
        for (key, entry) in &page {
            match FAMILIES[index] {
                family::PART => {
                    let part = PartRecord::decode(&entry.value)?;
                    counts.segments(&part.segments);
                    wanted.extend(part.segments.iter().map(|segment| (key.clone(), keys::blob(segment.blob))));
                }
                family::GARBAGE => {
                    let GarbageRecord { what, charge } = GarbageRecord::decode(&entry.value)?;
                    match what {
                        Garbage::Blobs(blobs) => blobs.into_iter().for_each(|blob| counts.blob(blob)),
                        Garbage::Manifest(id) => counts.manifest(id),
                        Garbage::Parts(_) | Garbage::Uploads(_) => {}
                    }
                    if let Some(charge) = charge.filter(|_| counts.round.number == 0) {
                        *self.grace.entry(charge.bucket).or_default() += as_delta(charge.bytes);
                    }
                }
                _ => match VersionRecord::decode(&entry.value)?.content {
                    Content::Segments(segments) => {
                        counts.segments(&segments);
                        wanted.extend(segments.iter().map(|segment| (key.clone(), keys::blob(segment.blob))));
                    }
                    Content::Manifest(id) => {
                        counts.manifest(id);
                        wanted.push((key.clone(), keys::manifest(id)));
                    }
                },
            }
        }
        if counts.round.number == 0 {
            self.hold_targets(wanted, found).await?;
        }
        counts.last = Some(last);
        Ok(Stage::References(Box::new(counts)))
    }

    /// Whether what some records refer to is there; each record is named by its key.
    async fn hold_targets(&mut self, wanted: Vec<(Vec<u8>, Vec<u8>)>, found: &mut Vec<Wrong>) -> Result<(), Error> {
        for chunk in wanted.chunks(super::RECORDS_PER_STEP_MAX) {
            let entries = self.get_many(chunk.iter().map(|(_, target)| target.clone()).collect()).await?;
            for ((key, target), entry) in chunk.iter().zip(entries) {
                if entry.is_none() {
                    let what = if target.first() == Some(&family::MANIFEST) { "manifest" } else { "blob" };
                    let id = keys::blob_of(target).map(|id| id.to_string()).unwrap_or_default();
                    found.push(wrong(self.name(key).await?, format!("it refers to {what} {id}, which has no record")));
                }
            }
        }
        Ok(())
    }

    /// What a record is called for people.
    async fn name(&mut self, key: &[u8]) -> Result<String, Error> {
        if key.first() == Some(&family::PART) {
            let id = key.get(1..17).and_then(|bytes| bytes.try_into().ok()).map(UploadId::from_bytes);
            return Ok(id.map_or_else(|| "a part".to_owned(), |id| format!("a part of upload {id}")));
        }
        let Some((bucket, object, _)) = keys::object_of(key) else { return Ok("a version".to_owned()) };
        let name = self.get_many(vec![keys::bucket_id(bucket)]).await?.pop().flatten();
        let name = name.map(|entry| String::from_utf8_lossy(&entry.value).into_owned());
        Ok(format!("{}/{}", name.unwrap_or_else(|| format!("bucket {}", bucket.0)), String::from_utf8_lossy(&object)))
    }
}

fn hold_blobs(page: &[(Vec<u8>, Entry)], counts: &mut Counts, found: &mut Vec<Wrong>) -> Result<(), Error> {
    for (key, entry) in page {
        let Some(id) = keys::blob_of(key) else { continue };
        let says = BlobRecord::decode(&entry.value)?.references;
        let counted = counts.blobs.remove(&id).unwrap_or(0);
        if says != counted {
            let why = format!("its record counts {says} references, and {counted} refer to it");
            found.push(wrong(format!("blob {id}"), why));
        }
    }
    Ok(())
}

fn hold_manifests(page: &[(Vec<u8>, Entry)], counts: &mut Counts, found: &mut Vec<Wrong>) -> Result<(), Error> {
    for (key, entry) in page {
        let Some(id) = key.last_chunk().copied().map(UploadId::from_bytes) else { continue };
        let says = ManifestRecord::decode(&entry.value)?.references;
        let counted = counts.manifests.remove(&id).unwrap_or(0);
        if says != counted {
            let why = format!("its record counts {says} references, and {counted} refer to it");
            found.push(wrong(format!("manifest {id}"), why));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_have_each_id_once_and_scans_reach_all_of_them() {
        for blobs in [0, 1, BLOBS_PER_ROUND_MAX, BLOBS_PER_ROUND_MAX + 1, 5 * BLOBS_PER_ROUND_MAX] {
            let rounds: Vec<_> = std::iter::successors(Some(Round::first(blobs)), |round| round.next()).collect();
            for first in [0, 1, u64::MAX / 3, u64::MAX / 2, u64::MAX / 2 + 1, u64::MAX] {
                let mut id = [7; 16];
                id[..8].copy_from_slice(&first.to_be_bytes());
                let key = keys::blob(BlobId::from_bytes(id));
                let has = |round: &&Round| round.has(&id);
                let within = |round: &&Round| {
                    let scan = round.scan(family::BLOB, None);
                    let from = matches!(&scan.from, Bound::Included(from) if *from <= key);
                    let to = matches!(&scan.to, Bound::Excluded(to) if key < *to);
                    from && to
                };
                assert_eq!(rounds.iter().filter(has).count(), 1);
                assert_eq!(rounds.iter().filter(within).count(), 1);
            }
        }
    }
}
