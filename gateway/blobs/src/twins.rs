//! Good copies that a blob has beyond those that its scheme asks for: a piece that stands twice, say.

use crate::blobs::Blobs;
use crate::error::BlobsError;
use cofre_catalog::keys;
use cofre_catalog::records::{Record, ShardMode, ShardRecord};
use cofre_shards::Copy;
use cofre_types::{Scheme, ShardId};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The good copies of a blob.
#[derive(Debug, Default)]
pub(crate) struct Split {
    /// Those that count: one of each piece, or as many whole ones as the scheme asks for.
    pub(crate) kept: Vec<Copy>,
    /// The others, each with one among those that count that is the same.
    pub(crate) twins: Vec<Copy>,
}

/// A good copy, and what speaks for keeping it.
#[derive(Debug, Clone)]
struct Candidate {
    copy: Copy,
    /// How well its shard keeps copies: the least first.
    rank: u8,
    /// The failure domain of its shard, which may be the shard itself.
    domain: String,
}

impl Blobs {
    /// Tells twins from the copies that count. Of twins one is kept that stands where copies are to stay, and that shares no
    /// failure domain with another.
    pub(crate) async fn split_twins(&self, scheme: Scheme, good: Vec<Copy>) -> Result<Split, BlobsError> {
        if !has_twins(scheme, &good) {
            return Ok(Split { kept: good, twins: Vec::new() });
        }
        let shards: Vec<_> = good.iter().map(|copy| copy.shard).collect();
        let records = self.shard_records(&shards).await?;
        let candidate = |copy: Copy| {
            let record = records.get(&copy.shard);
            let rank = match record.map(|record| record.mode) {
                Some(ShardMode::Active) => 0,
                Some(ShardMode::ReadOnly) => 1,
                _ => 2,
            };
            let label = record.and_then(|record| record.failure_domain.clone());
            // A NUL byte keeps the shard's own domain apart from every name.
            let domain = label.unwrap_or_else(|| format!("\0{}", copy.shard));
            Candidate { copy, rank, domain }
        };
        Ok(split(scheme, good.into_iter().map(candidate).collect()))
    }

    /// The twins that have to go once there are new copies: all of them where the blob is `whole` without, else those that
    /// share a failure domain with a new one.
    pub(crate) async fn leaving_twins(
        &self,
        twins: &[Copy],
        new: &[Copy],
        whole: bool,
    ) -> Result<Vec<Copy>, BlobsError> {
        let mut leaving = Vec::new();
        for twin in twins {
            let beside = new.iter().any(|copy| copy.shard == twin.shard);
            if whole || beside || self.shares_domain(twin.shard, new).await? {
                leaving.push(twin.clone());
            }
        }
        Ok(leaving)
    }

    async fn shard_records(&self, shards: &[ShardId]) -> Result<HashMap<ShardId, ShardRecord>, BlobsError> {
        let entries = self.store().get_many(shards.iter().map(|shard| keys::shard(*shard)).collect()).await?;
        let records = entries.into_iter().flatten().map(|entry| ShardRecord::decode(&entry.value));
        records.map(|record| record.map(|record| (record.id, record)).map_err(BlobsError::from)).collect()
    }
}

fn split(scheme: Scheme, mut candidates: Vec<Candidate>) -> Split {
    candidates.sort_by_key(|candidate| (candidate.rank, candidate.copy.shard));
    let kept = match scheme {
        Scheme::Replicas { .. } => kept_whole(scheme.width(), &candidates),
        Scheme::Erasure { .. } => kept_pieces(&candidates),
    };
    let mut split = Split::default();
    for (at, candidate) in candidates.into_iter().enumerate() {
        if kept.contains(&at) { &mut split.kept } else { &mut split.twins }.push(candidate.copy);
    }
    split
}

/// Which whole copies count: one on each failure domain first.
fn kept_whole(width: usize, candidates: &[Candidate]) -> BTreeSet<usize> {
    let first = |at: usize| candidates[..at].iter().all(|before| before.domain != candidates[at].domain);
    let (alone, beside): (Vec<_>, Vec<_>) = (0..candidates.len()).partition(|at| first(*at));
    alone.into_iter().chain(beside).take(width).collect()
}

/// Which copy of each piece counts: as many as can be on failure domains of their own. What that leaves over counts where
/// it stands.
fn kept_pieces(candidates: &[Candidate]) -> BTreeSet<usize> {
    let mut kept = Matching::default();
    let pieces: BTreeSet<u8> = candidates.iter().map(|candidate| candidate.copy.piece).collect();
    // Shards that keep copies best have the first choice: a piece that has a domain never loses it to a lesser shard.
    let ranks: BTreeSet<u8> = candidates.iter().map(|candidate| candidate.rank).collect();
    for rank in ranks {
        let within: Vec<usize> = (0..candidates.len()).filter(|at| candidates[*at].rank <= rank).collect();
        for piece in &pieces {
            if !kept.has(*piece) {
                kept.settle(*piece, candidates, &within, &mut BTreeSet::new());
            }
        }
    }
    for piece in pieces {
        if !kept.has(piece) {
            kept.left.extend((0..candidates.len()).find(|at| candidates[*at].copy.piece == piece));
        }
    }
    kept.of.into_values().map(|(_, at)| at).chain(kept.left).collect()
}

/// Pieces and the failure domains that they have for themselves.
#[derive(Default)]
struct Matching {
    /// By domain the piece, and which candidate it is.
    of: BTreeMap<String, (u8, usize)>,
    /// Candidates of pieces that share a domain.
    left: Vec<usize>,
}

impl Matching {
    fn has(&self, piece: u8) -> bool {
        self.of.values().any(|(settled, _)| *settled == piece)
    }

    /// Finds a domain for a piece; others make room where they can go elsewhere (Kuhn's algorithm). Whether there is one.
    fn settle(&mut self, piece: u8, all: &[Candidate], within: &[usize], asked: &mut BTreeSet<String>) -> bool {
        for at in within.iter().copied().filter(|at| all[*at].copy.piece == piece) {
            let domain = &all[at].domain;
            if !asked.insert(domain.clone()) {
                continue;
            }
            let free = match self.of.get(domain).map(|(other, _)| *other) {
                None => true,
                Some(other) => self.settle(other, all, within, asked),
            };
            if free {
                self.of.insert(domain.clone(), (piece, at));
                return true;
            }
        }
        false
    }
}

fn has_twins(scheme: Scheme, good: &[Copy]) -> bool {
    match scheme {
        Scheme::Replicas { .. } => good.len() > scheme.width(),
        Scheme::Erasure { .. } => {
            good.iter().enumerate().any(|(at, copy)| good[..at].iter().any(|other| other.piece == copy.piece))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofre_shards::Locator;

    /// Candidates by piece, rank and domain, on shards numbered from 1.
    fn candidates(all: &[(u8, u8, &str)]) -> Vec<Candidate> {
        let candidate = |(shard, (piece, rank, domain)): (u32, &(u8, u8, &str))| Candidate {
            copy: Copy { shard: ShardId(shard), locator: Locator(Vec::new()), piece: *piece },
            rank: *rank,
            domain: (*domain).to_owned(),
        };
        (1..).zip(all).map(candidate).collect()
    }

    /// Shards of the copies that count.
    fn kept(scheme: Scheme, all: &[(u8, u8, &str)]) -> Vec<u32> {
        let split = split(scheme, candidates(all));
        assert_eq!(split.kept.len() + split.twins.len(), all.len());
        let mut kept: Vec<_> = split.kept.iter().map(|copy| copy.shard.0).collect();
        kept.sort_unstable();
        kept
    }

    const PIECES: Scheme = Scheme::Erasure { data: 2, parity: 1 };

    #[test]
    fn pieces_that_count_stand_on_domains_of_their_own_where_that_can_be() {
        // Each of the first two shares a domain, whichever is looked at alone.
        assert_eq!(kept(PIECES, &[(0, 0, "x"), (0, 0, "y"), (1, 0, "x"), (1, 0, "x")]), [2, 3]);
        // Three of one piece, of which only the last leaves the others theirs.
        assert_eq!(
            kept(PIECES, &[(0, 0, "x"), (0, 0, "y"), (0, 0, "z"), (1, 0, "x"), (2, 0, "y")]),
            [3, 4, 5],
            "a chain of pieces makes room"
        );
        assert_eq!(kept(PIECES, &[(0, 0, "x"), (0, 0, "y"), (1, 0, "y"), (1, 0, "z"), (2, 0, "z")]), [1, 3, 5]);
    }

    #[test]
    fn a_piece_that_cannot_stand_alone_counts_all_the_same() {
        assert_eq!(kept(PIECES, &[(0, 0, "x"), (0, 0, "x"), (1, 0, "x")]).len(), 2);
    }

    #[test]
    fn shards_that_stay_keep_before_those_that_leave() {
        assert_eq!(kept(PIECES, &[(0, 2, "x"), (0, 0, "y")]), [2]);
        assert_eq!(kept(PIECES, &[(0, 0, "x"), (0, 2, "y"), (1, 0, "x")]), [2, 3], "but for a domain of its own");
    }

    #[test]
    fn whole_copies_count_on_domains_of_their_own_first() {
        let scheme = Scheme::Replicas { count: 2 };
        assert_eq!(kept(scheme, &[(0, 0, "x"), (0, 0, "x"), (0, 0, "y")]), [1, 3]);
        assert_eq!(kept(scheme, &[(0, 0, "x"), (0, 0, "x"), (0, 0, "x")]), [1, 2]);
        assert_eq!(kept(scheme, &[(0, 2, "x"), (0, 0, "y"), (0, 1, "z")]), [2, 3]);
    }
}
