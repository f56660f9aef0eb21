use crate::bucket::cached::Bucket;
use crate::change::Change;
use crate::domain::{Objects, Tried};
use crate::error::Error;
use crate::object::{DeleteObject, DeleteOutcome};
use crate::rights::refuse;
use cofre_catalog::records::{VersionKind, VersionRecord};
use cofre_iam::{Action, Caller, Decision, DecisionMemo, Details};
use cofre_rules::Removal;
use cofre_runtime::uncancelled;
use cofre_types::{BucketName, VersionId};
use futures_util::stream::{self, StreamExt};
use std::sync::Arc;

/// Most deletions of one request that are under way at once: enough to share a commit's sync.
const DELETES_AT_ONCE_MAX: usize = 64;

/// What the deletions of one request share: what is decided of the bucket as it stood.
struct Shared {
    bucket: Arc<Bucket>,
    memo: DecisionMemo,
}

impl Shared {
    /// What is shared of a bucket, if it is the one that stood then.
    fn memo_of<'a>(shared: Option<&'a Self>, bucket: &Bucket) -> Option<&'a DecisionMemo> {
        shared.filter(|shared| std::ptr::eq(&*shared.bucket, bucket)).map(|shared| &shared.memo)
    }
}

impl Objects {
    /// Deletes an object or a version. What is not there counts as deleted, unless `If-Match` asks for it.
    ///
    /// # Errors
    /// [`Error`]; the object stands as it was.
    pub async fn delete_object(
        &self,
        caller: &Caller,
        bucket: &BucketName,
        request: DeleteObject,
    ) -> Result<DeleteOutcome, Error> {
        let found = self.bucket(bucket).await?;
        self.delete_in(caller, found, request, None).await
    }

    /// Deletes many. Each stands or falls for itself; outcomes come in the order of the requests.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`], [`Error::AccessDenied`] for a request that nobody pays for, or a failure to
    /// read the catalog.
    pub async fn delete_objects(
        &self,
        caller: &Caller,
        bucket: &BucketName,
        requests: Vec<DeleteObject>,
    ) -> Result<Vec<Result<DeleteOutcome, Error>>, Error> {
        let found = self.bucket(bucket).await?;
        if found.is_unpaid(caller, Action::DeleteObject, true) {
            return Err(Error::AccessDenied);
        }
        // The bucket stands as long as what is known of it.
        let shared = Arc::new(Shared { bucket: Arc::clone(&found), memo: DecisionMemo::new() });
        let each = requests
            .into_iter()
            .map(|request| self.delete_in(caller, Arc::clone(&found), request, Some(Arc::clone(&shared))));
        Ok(stream::iter(each).buffered(DELETES_AT_ONCE_MAX).collect().await)
    }

    async fn delete_in(
        &self,
        caller: &Caller,
        bucket: Arc<Bucket>,
        request: DeleteObject,
        shared: Option<Arc<Shared>>,
    ) -> Result<DeleteOutcome, Error> {
        let (objects, caller) = (self.clone(), caller.clone());
        uncancelled(async move {
            // Each key may cost a decision: others get their turn between.
            if shared.is_some() {
                tokio::task::yield_now().await;
            }
            objects.commit_delete(&caller, bucket, request, shared.as_deref()).await
        })
        .await
    }

    /// A bucket's list lets who may write delete what it owns, so there the object is looked at.
    async fn authorise_delete(
        &self,
        caller: &Caller,
        action: Action,
        bucket: &Bucket,
        request: &DeleteObject,
        shared: Option<&Shared>,
    ) -> Result<(), Error> {
        let details = Details { version: request.version, memo: Shared::memo_of(shared, bucket), ..Details::default() };
        let decision = self.decide(caller, action, bucket, Some(&request.key), None, details);
        let may_own = caller.principal.account().is_some() && bucket.access.acl.is_some();
        if decision != Decision::Default || !may_own || request.version.is_some() {
            return refuse(decision);
        }
        let state = self.key_state(bucket, &request.key).await?;
        let record = state.object().ok_or(Error::AccessDenied)?;
        self.authorise_version(caller, action, bucket, &request.key, record, details)
    }

    /// Who names an entity tag must be one who may read the object (AWS, "How to perform conditional deletes").
    async fn authorise_tag(
        &self,
        caller: &Caller,
        bucket: &Bucket,
        request: &DeleteObject,
        shared: Option<&Shared>,
    ) -> Result<(), Error> {
        let action = if request.version.is_some() { Action::GetObjectVersion } else { Action::GetObject };
        let details = Details { version: request.version, memo: Shared::memo_of(shared, bucket), ..Details::default() };
        match self.version_with(caller, action, bucket, &request.key, details).await {
            // What is missing is for the conditions to say.
            Ok(_) | Err(Error::NoSuchKey { .. } | Error::NoSuchVersion | Error::IsDeleteMarker { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn commit_delete(
        &self,
        caller: &Caller,
        mut bucket: Arc<Bucket>,
        mut request: DeleteObject,
        shared: Option<&Shared>,
    ) -> Result<DeleteOutcome, Error> {
        let action = if request.version.is_some() { Action::DeleteObjectVersion } else { Action::DeleteObject };
        let wants_bypass = request.bypass_governance;
        for _ in Self::tries() {
            self.authorise_delete(caller, action, &bucket, &request, shared).await?;
            if request.conditions.names_tag() {
                self.authorise_tag(caller, &bucket, &request, shared).await?;
            }
            let details = Details { memo: Shared::memo_of(shared, &bucket), ..Details::default() };
            request.bypass_governance = wants_bypass && self.may_bypass(caller, &bucket, &request.key, details);
            let _turn = self.lock_key(&bucket, &request.key).await;
            let tried = match request.version {
                None => self.try_delete_current(&bucket, &request).await,
                Some(version) => self.try_delete_version(&bucket, &request, version).await,
            };
            let (tried, outcome) = tried.map_err(|error| error.for_caller(caller, &bucket))?;
            if matches!(tried, Tried::Done) {
                return Ok(outcome);
            }
            bucket = self.same_bucket(&bucket).await?;
        }
        Err(Error::Conflict)
    }

    async fn try_delete_current(
        &self,
        bucket: &Bucket,
        request: &DeleteObject,
    ) -> Result<(Tried, DeleteOutcome), Error> {
        let state = self.key_state(bucket, &request.key).await?;
        match state.newest() {
            Some(record) => request.conditions.check(record)?,
            None => request.conditions.check_missing()?,
        }
        if state.current.is_none() && !bucket.names_versions() {
            return Ok((Tried::Done, DeleteOutcome::default()));
        }
        let now = self.now();
        let place = state.next_place(now);
        let marker = VersionRecord::delete_marker(self.version_at(bucket, place), place, now, bucket.record.owner);
        let mut change = Change::default();
        change.make_marker();
        let made = state.delete(bucket.record.versioning, marker, Removal::at(now), &mut change)?;
        let outcome =
            DeleteOutcome { version: made.as_ref().map(|marker| marker.version), delete_marker: made.is_some() };
        Ok((self.try_commit(bucket, change).await?, outcome))
    }

    async fn try_delete_version(
        &self,
        bucket: &Bucket,
        request: &DeleteObject,
        version: VersionId,
    ) -> Result<(Tried, DeleteOutcome), Error> {
        let state = self.key_state(bucket, &request.key).await?;
        let current = state.current.as_ref().filter(|held| held.record.version == version);
        let older = match current {
            Some(_) => None,
            None => self.any_version(bucket, &request.key, version).await?,
        };
        let Some(held) = current.or(older.as_ref()) else {
            request.conditions.check_missing()?;
            return Ok((Tried::Done, DeleteOutcome { version: Some(version), delete_marker: false }));
        };
        request.conditions.check(&held.record)?;
        let outcome = DeleteOutcome {
            version: bucket.shown(version),
            delete_marker: held.record.kind == VersionKind::DeleteMarker,
        };
        let mut change = Change::default();
        let removal = Removal { now: self.now(), bypass: request.bypass_governance };
        match current {
            Some(_) => state.remove_current(removal, &mut change)?,
            None => state.remove_old(held, removal, &mut change)?,
        }
        Ok((self.try_commit(bucket, change).await?, outcome))
    }
}
