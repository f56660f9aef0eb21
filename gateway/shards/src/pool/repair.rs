//! Checking copies, and adding copies to a blob: what scrub, heal and drain do to one blob.

use super::types::{AddError, BlobRef, Copy, CopyState, ReadError};
use super::{Excluded, Shards};
use crate::backend::{BackendError, BlobHeader};
use crate::scheme;
use cofre_types::{BlobId, ResolvedRange, Scheme, ShardId};
use futures_util::StreamExt;

impl Shards {
    /// Reads one copy whole, header and content, and says what it is. Reports nothing and changes
    /// nothing.
    pub async fn verify(&self, blob: &BlobRef, copy: &Copy) -> CopyState {
        match self.check(blob, copy).await {
            Ok(true) => CopyState::Deleted,
            Ok(false) => CopyState::Whole,
            Err(BackendError::Missing) => CopyState::Missing,
            Err(BackendError::Corrupt(why)) => CopyState::Corrupt(why),
            Err(BackendError::Unreachable(why)) => CopyState::Unreachable(why),
            Err(error @ (BackendError::Full | BackendError::Body(_))) => CopyState::Unreachable(error.to_string()),
        }
    }

    /// Reads a copy whole. Whether it was deleted all the same.
    async fn check(&self, blob: &BlobRef, copy: &Copy) -> Result<bool, BackendError> {
        let shard = self.attached(copy.shard)?;
        let header = shard.header(blob.id, copy).await?;
        if !scheme::is_of(&header, blob.scheme, copy.piece) {
            return Err(BackendError::Corrupt("another piece of the blob stands there".into()));
        }
        let size = scheme::copy_bytes(blob.scheme, blob.size, copy.piece);
        if size == 0 {
            return shard.is_deleted(blob.id, copy).await;
        }
        let mut stream = shard.get(blob.id, copy, ResolvedRange { start: 0, end: size }).await?;
        let mut ending = scheme::Ending::default();
        while let Some(piece) = stream.next().await {
            ending.pass(&piece.map_err(BackendError::of_stream)?);
        }
        ending.check(blob, size)?;
        shard.is_deleted(blob.id, copy).await
    }

    /// Whether a copy was deleted though it can still be read.
    ///
    /// # Errors
    /// [`BackendError::Unreachable`].
    pub async fn is_deleted(&self, blob: BlobId, copy: &Copy) -> Result<bool, BackendError> {
        self.attached(copy.shard)?.is_deleted(blob, copy).await
    }

    /// Adds copies to a blob until `scheme` is met, counting the `good` copies that are on no shard of
    /// `avoid`. The bytes and the header come from the good copies, with every checksum checked; only the time of
    /// writing is that of the new copy.
    ///
    /// Pieces are told apart by their numbers: only those that are missing are added, moved as they are where a good
    /// one is to leave its shard, else rebuilt.
    ///
    /// A new copy shares no failure domain with a copy that counts, and stands on no shard of `avoid`;
    /// the shard of a bad copy is used only where no other is left. To drain a shard: pass its copy
    /// as good, and the shard in `avoid`. Empty if nothing is missing.
    ///
    /// # Errors
    /// [`AddError::Read`] if no good copy can be read, [`AddError::Write`] if no copy could be added.
    pub async fn add_copies(
        &self,
        blob: &BlobRef,
        good: &[Copy],
        scheme: Scheme,
        avoid: &[ShardId],
    ) -> Result<Vec<Copy>, AddError> {
        self.add_copies_beside(blob, good, &[], scheme, avoid).await
    }

    /// As [`Shards::add_copies`], where bytes may come from `spare` copies as well. Those count for nothing: the piece that
    /// one holds may be wanted, and its shard may get another.
    ///
    /// # Errors
    /// As [`Shards::add_copies`].
    pub async fn add_copies_beside(
        &self,
        blob: &BlobRef,
        good: &[Copy],
        spare: &[Copy],
        scheme: Scheme,
        avoid: &[ShardId],
    ) -> Result<Vec<Copy>, AddError> {
        let keeps = |copy: &&Copy| !avoid.contains(&copy.shard);
        let wanted = scheme::missing(scheme, good, avoid);
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let mut excluded = Excluded::default();
        avoid.iter().for_each(|id| excluded.shard(*id));
        for copy in good.iter().filter(keeps) {
            self.exclude_domain_of(copy.shard, &mut excluded);
        }
        let source = BlobRef { copies: [good, spare].concat(), ..blob.clone() };
        // By its age a search for orphans spares a copy that no record refers to yet; so the copy is as old as
        // itself, not as its blob.
        let header = BlobHeader { written_nanos: self.now_nanos(), ..self.header(&source).await? };
        let targets = self.targets(blob, wanted, excluded).await;
        if targets.shards.is_empty() {
            return Err(AddError::Write(targets.shortage.error(1)));
        }
        scheme::add(self, &source, &header, targets).await
    }

    /// Shards for new copies: first those that hold no copy at all, good or bad. One that holds a bad copy gets the same
    /// piece again, where that is wanted: another beside it would share its shard for as long as the bad one is kept.
    async fn targets(&self, blob: &BlobRef, mut pieces: Vec<u8>, mut excluded: Excluded) -> scheme::Targets {
        let wanted = pieces.len();
        let size = pieces.iter().map(|piece| scheme::copy_bytes(blob.scheme, blob.size, *piece)).max().unwrap_or(0);
        let (mut shards, mut shortage) = {
            let mut clean = excluded.clone();
            blob.copies.iter().for_each(|copy| clean.shard(copy.shard));
            self.choose(wanted, size, &clean).await
        };
        if shards.len() < wanted {
            shards.iter().for_each(|shard| excluded.domain_of(shard));
            let (more, again) = self.choose(wanted - shards.len(), size, &excluded).await;
            shortage.full = shortage.full.max(again.full);
            for shard in more {
                let own = blob.copies.iter().find(|copy| copy.shard == shard.info.id).map(|copy| copy.piece);
                let at = pieces.iter().skip(shards.len()).position(|piece| Some(*piece) == own);
                if let Some(at) = at {
                    let place = shards.len();
                    pieces[place..=place + at].rotate_right(1);
                }
                shards.push(shard);
            }
        }
        shortage.reached = shards.len();
        scheme::Targets { shards, pieces, shortage }
    }

    /// What a blob says about itself, from the first copy that can tell, if any can. Nothing is reported: for messages.
    pub async fn about(&self, blob: &BlobRef) -> Option<BlobHeader> {
        for copy in &blob.copies {
            if let Ok(shard) = self.attached(copy.shard)
                && let Ok(header) = shard.header(blob.id, copy).await
            {
                return Some(header);
            }
        }
        None
    }

    /// What a blob says about itself, from the first copy that can tell.
    ///
    /// # Errors
    /// [`ReadError`] if none can.
    pub async fn header(&self, blob: &BlobRef) -> Result<BlobHeader, ReadError> {
        let mut verdict = scheme::Verdict::default();
        for copy in &blob.copies {
            let outcome = match self.attached(copy.shard) {
                Ok(shard) => shard.header(blob.id, copy).await,
                Err(error) => Err(error),
            };
            match outcome {
                Ok(header) => return Ok(header),
                Err(error) => {
                    self.report(blob.id, copy.shard, &error);
                    verdict.note(&error);
                }
            }
        }
        Err(verdict.error())
    }
}
