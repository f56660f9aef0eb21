//! Whether a blob lacks a copy that its record does not name: the one judgement by which copies are named again.

use crate::blob::{HeldBlob, blob_ref};
use crate::blobs::Blobs;
use crate::error::BlobsError;
use cofre_shards::{BlobRef, Copy, CopyState, Locator, ReadError, standing};
use cofre_types::ShardId;

/// What a blob says of a copy that its record does not name.
pub(crate) enum Judgement {
    /// It lacks the copy.
    Lacks {
        /// The copy, with the piece that it is.
        copy: Copy,
        /// The copies that the record names and that are proved bad.
        bad: Vec<Copy>,
    },
    /// It is whole without the copy, or the copy is no good.
    Needless,
    /// That cannot be told now.
    Unknown,
}

/// How copies count that the record names and that are out of reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutOfReach {
    /// They may be whole: nothing is decided without them.
    Undecided,
    /// They are not whole, and still stand on their failure domains.
    NotWhole,
}

impl Blobs {
    /// Judges a copy on a shard by what of the blob's copies is proved whole: the blob lacks it if it would be more
    /// redundant with it. One that shares a failure domain with another makes it so only if it could not be read without.
    /// One that its shard has deleted counts only where nothing else is left to read: compaction rescues it then.
    pub(crate) async fn judge(
        &self,
        held: &HeldBlob,
        (shard, locator): (ShardId, Locator),
        out_of_reach: OutOfReach,
    ) -> Result<Judgement, BlobsError> {
        let blob = blob_ref(held.id, &held.record);
        let mut copy = Copy { shard, locator, piece: 0 };
        // Which piece of the blob it is stands in its header.
        match self.shards().header(&BlobRef { copies: vec![copy.clone()], ..blob.clone() }).await {
            Ok(header) => copy.piece = header.piece,
            Err(ReadError::Unreachable(_)) => return Ok(Judgement::Unknown),
            Err(ReadError::AllMissing | ReadError::Corrupt(_)) => return Ok(Judgement::Needless),
        }
        let (mut whole, mut away, mut bad) = (Vec::new(), Vec::new(), Vec::new());
        for (named, state) in self.check_copies(&blob, &blob.copies).await {
            match (state, out_of_reach) {
                (CopyState::Whole, _) => whole.push(named),
                (CopyState::Missing | CopyState::Corrupt(_) | CopyState::Deleted, _) => bad.push(named),
                (CopyState::Unreachable(_), OutOfReach::NotWhole) => away.push(named),
                (CopyState::Unreachable(_), OutOfReach::Undecided) => return Ok(Judgement::Unknown),
            }
        }
        let stands = |more: Option<u8>| standing(blob.scheme, whole.iter().map(|copy| copy.piece).chain(more));
        let (without, with) = (stands(None), stands(Some(copy.piece)));
        let is_there = whole.iter().any(|other| other.shard == shard);
        if is_there || without >= blob.scheme.width() || with <= without {
            return Ok(Judgement::Needless);
        }
        let is_readable = without >= blob.scheme.needed();
        if is_readable && self.shares_domain(shard, &[whole, away].concat()).await? {
            return Ok(Judgement::Needless);
        }
        Ok(match self.shards().verify(&blob, &copy).await {
            CopyState::Whole => Judgement::Lacks { copy, bad },
            CopyState::Deleted if !is_readable => Judgement::Lacks { copy, bad },
            CopyState::Deleted | CopyState::Missing | CopyState::Corrupt(_) => Judgement::Needless,
            CopyState::Unreachable(_) => Judgement::Unknown,
        })
    }

    /// Whether a shard is of the failure domain of a shard that one of these copies stands on.
    pub(crate) async fn shares_domain(&self, shard: ShardId, copies: &[Copy]) -> Result<bool, BlobsError> {
        let shards: Vec<_> = std::iter::once(shard).chain(copies.iter().map(|copy| copy.shard)).collect();
        let domains = self.failure_domains(&shards).await?;
        Ok(domains.split_first().is_some_and(|(own, others)| own.is_some() && others.contains(own)))
    }
}
