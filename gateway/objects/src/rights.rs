//! Asking for rights. What a bucket says is at hand with its cached record, so a question costs no read
//! of the catalog; what an object says comes with the record that its operation reads anyway.

use crate::bucket::cached::Bucket;
use crate::domain::Objects;
use crate::error::Error;
use crate::versions::Held;
use cofre_catalog::records::{AclRecord, Guards, Ownership, VersionRecord};
use cofre_iam::{
    Action, AskedLock, Caller, Decision, Details, Explanation, GivenAcl, ObjectAccess, OperatorAct, Question, Resource,
    Rule, evaluate, evaluate_operator, explain, is_public, needs_list,
};
use cofre_rules::WantedLock;
use cofre_types::{AccountId, BucketName, ObjectKey, Tags, VersionId};
use std::sync::Arc;

/// Who writes an object, and what it is to be guarded by.
pub(crate) struct Writer {
    pub caller: Caller,
    pub acl: Option<GivenAcl>,
    pub lock: WantedLock,
    /// What it is a copy of.
    pub source: Option<(BucketName, ObjectKey)>,
}

/// What a write asks for that conditions of policies may look at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asking<'a> {
    pub tags: &'a Tags,
    pub makes: Makes,
    pub lock: WantedLock,
    pub source: Option<(&'a BucketName, &'a ObjectKey)>,
}

/// What a write makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Makes {
    /// An object.
    Object,
    /// An upload, of which an object may come later.
    Upload,
}

impl Objects {
    /// Refuses what the caller may not do to a bucket, or to an object of it. Not for reading, tagging
    /// and granting an object: see [`Objects::authorise_version`].
    pub(crate) fn authorise(
        &self,
        caller: &Caller,
        action: Action,
        bucket: &Bucket,
        key: Option<&ObjectKey>,
    ) -> Result<(), Error> {
        self.authorise_with(caller, action, bucket, key, Details::default())
    }

    /// As [`Objects::authorise`], with what conditions of a policy may look at.
    pub(crate) fn authorise_with(
        &self,
        caller: &Caller,
        action: Action,
        bucket: &Bucket,
        key: Option<&ObjectKey>,
        details: Details<'_>,
    ) -> Result<(), Error> {
        refuse(self.decide(caller, action, bucket, key, None, details))
    }

    /// Refuses what the caller may not do to a version that is there.
    pub(crate) fn authorise_version(
        &self,
        caller: &Caller,
        action: Action,
        bucket: &Bucket,
        key: &ObjectKey,
        record: &VersionRecord,
        details: Details<'_>,
    ) -> Result<(), Error> {
        refuse(self.decide(caller, action, bucket, Some(key), Some(record), details))
    }

    /// Refuses what is for operators.
    pub(crate) fn authorise_operator(&self, caller: &Caller, act: OperatorAct) -> Result<(), Error> {
        refuse(evaluate_operator(caller, act))
    }

    /// Refuses what is asked of no bucket that is there.
    pub(crate) fn authorise_beyond_buckets(
        &self,
        caller: &Caller,
        action: Action,
        resource: Resource<'_>,
    ) -> Result<(), Error> {
        let question = Question { caller, action, resource, details: Details::default(), now: self.now() };
        let decision = evaluate(&question);
        if !decision.is_allowed()
            && let Some(facts) = caller.facts.as_ref().filter(|facts| facts.wants_explanation())
        {
            facts.explained(explain(&question));
        }
        refuse(decision)
    }

    pub(crate) fn decide(
        &self,
        caller: &Caller,
        action: Action,
        bucket: &Bucket,
        key: Option<&ObjectKey>,
        record: Option<&VersionRecord>,
        details: Details<'_>,
    ) -> Decision {
        let object = record.map(|record| ObjectAccess {
            owner: record.owner,
            acl: record.guards.acl.as_ref(),
            tags: &record.tags,
        });
        self.decide_about(caller, action, bucket, key, object, details)
    }

    fn decide_about(
        &self,
        caller: &Caller,
        action: Action,
        bucket: &Bucket,
        key: Option<&ObjectKey>,
        object: Option<ObjectAccess<'_>>,
        details: Details<'_>,
    ) -> Decision {
        let resource = resource(bucket, key, object);
        let question = Question { caller, action, resource, details, now: self.now() };
        if bucket.is_unpaid(caller, action, key.is_some()) {
            if let Some(facts) = caller.facts.as_ref().filter(|facts| facts.wants_explanation()) {
                facts.explained(Explanation::of_rule(&question, Rule::Unpaid));
            }
            return Decision::Deny;
        }
        Self::decide_question(&question)
    }

    /// Decides a question, and tells the request what it wants to know of it.
    pub(crate) fn decide_question(question: &Question<'_>) -> Decision {
        let decision = evaluate(question);
        if let Some(facts) = &question.caller.facts {
            if decision.is_allowed() {
                if facts.wants_list_use() && needs_list(question) {
                    facts.list_used();
                }
            } else if facts.wants_explanation() {
                facts.explained(explain(question));
            }
        }
        decision
    }

    /// Refuses a public list where the bucket's public access block does.
    pub(crate) fn refuse_public(
        &self,
        caller: &Caller,
        action: Action,
        bucket: &Bucket,
        key: Option<&ObjectKey>,
        acl: Option<&AclRecord>,
    ) -> Result<(), Error> {
        if !blocks_list(bucket, acl) {
            return Ok(());
        }
        Err(self.refused_by(Rule::PublicList, caller, action, bucket, key))
    }

    /// The refusal of what the caller has the right to, by another rule. Tells the request by which.
    pub(crate) fn refused_by(
        &self,
        rule: Rule,
        caller: &Caller,
        action: Action,
        bucket: &Bucket,
        key: Option<&ObjectKey>,
    ) -> Error {
        if let Some(facts) = caller.facts.as_ref().filter(|facts| facts.wants_explanation()) {
            let resource = resource(bucket, key, None);
            let question = Question { caller, action, resource, details: Details::default(), now: self.now() };
            facts.explained(Explanation::of_rule(&question, rule));
        }
        Error::AccessDenied
    }

    /// A bucket and the right to do something to it or to an object of it.
    pub(crate) async fn bucket_for(
        &self,
        caller: &Caller,
        action: Action,
        name: &BucketName,
        key: Option<&ObjectKey>,
    ) -> Result<Arc<Bucket>, Error> {
        let bucket = self.bucket(name).await?;
        self.authorise(caller, action, &bucket, key)?;
        Ok(bucket)
    }

    /// A version that is an object, and the right to do something to it. That it is not there is told only
    /// to who may list the bucket (AWS, "GetObject", "Permissions").
    pub(crate) async fn version_for(
        &self,
        caller: &Caller,
        action: Action,
        bucket: &Bucket,
        key: &ObjectKey,
        version: Option<VersionId>,
    ) -> Result<Held, Error> {
        self.version_with(caller, action, bucket, key, Details { version, ..Details::default() }).await
    }

    /// As [`Objects::version_for`], of the version that `details` names.
    pub(crate) async fn version_with(
        &self,
        caller: &Caller,
        action: Action,
        bucket: &Bucket,
        key: &ObjectKey,
        details: Details<'_>,
    ) -> Result<Held, Error> {
        match self.object_version(bucket, key, details.version).await {
            Ok(held) => {
                self.authorise_version(caller, action, bucket, key, &held.record, details)?;
                Ok(held)
            }
            Err(missing @ (Error::NoSuchKey { .. } | Error::NoSuchVersion | Error::IsDeleteMarker { .. })) => {
                match self.decide(caller, action, bucket, Some(key), None, details) {
                    Decision::Allow | Decision::Default => {}
                    refused => refuse(refused)?,
                }
                let details = Details { prefix: Some(key.as_str()), budget: details.memo, ..Details::default() };
                self.authorise_with(caller, Action::ListBucket, bucket, None, details)?;
                Err(missing)
            }
            Err(error) => Err(error),
        }
    }

    /// Refuses a caller that nothing lets do any of these actions to a bucket or to any object of it, whatever else it
    /// asks: what can be told before its request is read. It is no right.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`] or [`Error::AccessDenied`].
    pub async fn could_be_allowed(&self, caller: &Caller, actions: &[Action], name: &BucketName) -> Result<(), Error> {
        let bucket = self.bucket(name).await?;
        let could = actions.iter().any(|action| bucket.access.could_allow(&caller.principal, *action));
        if could { Ok(()) } else { Err(Error::AccessDenied) }
    }

    /// The right to make an object or an upload.
    pub(crate) fn authorise_put(
        &self,
        caller: &Caller,
        bucket: &Bucket,
        key: &ObjectKey,
        asking: Asking<'_>,
    ) -> Result<(), Error> {
        let Asking { tags, makes, lock, source } = asking;
        let request_tags = (!tags.is_empty()).then_some(tags);
        let details = Details {
            request_tags,
            creates: Some(makes == Makes::Object),
            begins_upload: makes == Makes::Upload,
            copy_source: source,
            lock: Some(asked_lock(lock)),
            ..Details::default()
        };
        self.authorise_with(caller, Action::PutObject, bucket, Some(key), details)?;
        if request_tags.is_some() {
            self.authorise_with(caller, Action::PutObjectTagging, bucket, Some(key), details)?;
        }
        Ok(())
    }

    /// The right to make an object or an upload with these tags, its owner and its guards. Asked of every state of the
    /// bucket that a commit is tried on.
    pub(crate) fn authorise_write(
        &self,
        writer: &Writer,
        bucket: &Bucket,
        key: &ObjectKey,
        tags: &Tags,
        makes: Makes,
    ) -> Result<(AccountId, Guards), Error> {
        let Writer { caller, acl, lock, source } = writer;
        let source = source.as_ref().map(|(bucket, key)| (bucket, key));
        self.authorise_put(caller, bucket, key, Asking { tags, makes, lock: *lock, source })?;
        let (owner, acl) = self.written_by(caller, bucket, key, acl.as_ref())?;
        let lock = self.lock_for(caller, bucket, key, *lock)?;
        Ok((owner, Guards { acl, ..lock.guards() }))
    }

    /// Who will own an object that the caller puts, and its access control list (AWS, "Controlling
    /// ownership of objects and disabling ACLs for your bucket").
    ///
    /// What someone without credentials, the root account or a part of Cofre puts is the bucket owner's:
    /// else nobody who uses the bucket could read it.
    pub(crate) fn written_by(
        &self,
        caller: &Caller,
        bucket: &Bucket,
        key: &ObjectKey,
        given: Option<&GivenAcl>,
    ) -> Result<(AccountId, Option<AclRecord>), Error> {
        let bucket_owner = bucket.record.owner;
        let full = given.is_some_and(|given| given.is_full_control_of(bucket_owner));
        let writer = caller.principal.account().filter(|account| !account.root).map(|account| account.id);
        let owner = match bucket.access.ownership {
            Some(ownership) if ownership.disables_lists() => {
                return if given.is_some() && !full { Err(Error::AclNotSupported) } else { Ok((bucket_owner, None)) };
            }
            Some(Ownership::BucketOwnerPreferred) if full => bucket_owner,
            Some(_) | None => writer.unwrap_or(bucket_owner),
        };
        let Some(given) = given else { return Ok((owner, None)) };
        let acl = given.of_object(owner, bucket_owner);
        self.refuse_public(caller, Action::PutObjectAcl, bucket, Some(key), acl.as_ref())?;
        // A writer may grant what it owns; what will be another's only with the right to (AWS, "PutObject",
        // "Permissions"). A list that grants nothing to others takes none, unless a policy denies just that.
        let object = ObjectAccess { owner, acl: None, tags: &Tags::default() };
        let details = Details { creates: Some(true), ..Details::default() };
        match self.decide_about(caller, Action::PutObjectAcl, bucket, Some(key), Some(object), details) {
            Decision::Allow => Ok((owner, acl)),
            Decision::Default if acl.is_none() => Ok((owner, acl)),
            refused => refuse(refused).map(|()| (owner, acl)),
        }
    }
}

/// A lock as conditions of policies see it.
pub(crate) const fn asked_lock(wanted: WantedLock) -> AskedLock {
    AskedLock { retention: wanted.retention, legal_hold: wanted.legal_hold }
}

/// What a question is about.
fn resource<'a>(bucket: &'a Bucket, key: Option<&'a ObjectKey>, object: Option<ObjectAccess<'a>>) -> Resource<'a> {
    let (bucket, access) = (&bucket.name, &bucket.access);
    match key {
        Some(key) => Resource::Object { bucket, access, key, object },
        None => Resource::Bucket { bucket, access },
    }
}

/// Whether a bucket's public access block refuses a list.
pub(crate) fn blocks_list(bucket: &Bucket, acl: Option<&AclRecord>) -> bool {
    bucket.access.block.block_acls && acl.is_some_and(is_public)
}

pub(crate) fn refuse(decision: Decision) -> Result<(), Error> {
    match decision {
        Decision::Allow => Ok(()),
        Decision::Default | Decision::Deny => Err(Error::AccessDenied),
        Decision::OwnerOnly => Err(Error::OwnerOnly),
        Decision::NeedsCredentials => Err(Error::NeedsCredentials),
    }
}
