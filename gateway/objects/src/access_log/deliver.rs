//! From records in the catalog to objects in the target bucket, each exactly once.

use super::Logging;
use super::config::Moment;
use crate::bucket::cached::Bucket;
use crate::change::{Change, Refusal};
use crate::content::{Target, Written};
use crate::domain::{Objects, Tried};
use crate::encryption::{EncryptAs, entity_tag};
use crate::error::Error;
use crate::object::put::Draft;
use crate::object::{DeclaredChecksum, PUT_BYTES_MAX, Upload};
use crate::rights::blocks_list;
use crate::room::BodyBound;
use crate::upkeep::Upkeep;
use cofre_catalog::records::{
    AccessLogBacklog, AccessLogRecord, AclGrant, AclGrantee, AclPermission, AclRecord, Content, Guards, Header,
    Headers, Record, RecordError, as_delta,
};
use cofre_catalog::{Check, Committed, GuardedBatch, ReadExt, Revision, Scan, Visit, VisitStep, keys};
use cofre_iam::{Action, Caller, Details, GivenAcl, LOG_DELIVERY, Origin, RequestId};
use cofre_rules::WriteConditions;
use cofre_runtime::uncancelled;
use cofre_shards::Body;
use cofre_types::{BucketId, ObjectKey, Tags, VersionId};
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

/// Bytes of lines after which an object takes no further record.
const OBJECT_BYTES_MAX: usize = 4 << 20;

/// Most records that one object takes: each is a check of its commit.
const RECORDS_MAX: usize = 4_096;

/// How long lines are kept that their target does not take.
const KEEP: Duration = Duration::from_secs(7 * 86_400);

/// What a step of delivery did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessLogStep {
    /// Where the next step begins; none at the end of the pass.
    pub next: Option<Vec<u8>>,
    /// Objects that were made, at most one.
    pub objects: u64,
    /// Lines in it.
    pub lines: u64,
    /// Its bytes.
    pub bytes: u64,
    /// Lines that were given up, since their target did not take them for a week.
    pub dropped: u64,
    /// A bucket whose lines wait, and why.
    pub problem: Option<(String, String)>,
}

/// Records of one bucket and day, for one destination, in the order of their commits.
#[derive(Default)]
struct Gathered {
    of: Option<(BucketId, u32)>,
    records: Vec<(Vec<u8>, Revision, AccessLogRecord)>,
    bytes: usize,
    /// Whether more cannot come to the object.
    full: bool,
    damaged: Option<RecordError>,
}

impl Visit for Gathered {
    fn visit(&mut self, key: &[u8], revision: Revision, value: &[u8]) -> VisitStep {
        let of = keys::access_log_of(key);
        if self.of.is_some() && self.of != of {
            return VisitStep::Stop;
        }
        self.of = of;
        let record = match AccessLogRecord::decode(value) {
            Ok(record) => record,
            Err(error) => {
                self.damaged = Some(error);
                return VisitStep::Stop;
            }
        };
        let other = self.records.first().is_some_and(|(_, _, first)| {
            (&first.destination, &first.source, first.owner) != (&record.destination, &record.source, record.owner)
        });
        let bytes = self.bytes + record.text.len();
        if other || !self.records.is_empty() && bytes > OBJECT_BYTES_MAX || self.records.len() == RECORDS_MAX {
            self.full = true;
            return VisitStep::Stop;
        }
        self.bytes = bytes;
        self.records.push((key.to_vec(), revision, record));
        VisitStep::Continue
    }
}

/// Records that become one object.
struct Group {
    source: BucketId,
    day: u32,
    first: AccessLogRecord,
    lines: u64,
    /// What of it is counted for the owner.
    of_owner: AccessLogBacklog,
    text: String,
    /// Keys and revisions of the records.
    places: Vec<(Vec<u8>, Revision)>,
}

impl Upkeep {
    /// Makes one object of log lines that are due, from a place on; the empty one is the beginning. Memory is
    /// bounded by what one object holds.
    ///
    /// # Errors
    /// [`Error::Internal`] if the catalog fails. That a target does not take its lines is no error but a
    /// problem of the step.
    pub async fn deliver_access_log(&self, from: &[u8]) -> Result<AccessLogStep, Error> {
        let mut scan = Scan::prefix(&[keys::family::ACCESS_LOG]);
        if !from.is_empty() {
            scan.from = Bound::Included(from.to_vec());
        }
        let gathered = self.objects.store().scan(scan, Gathered::default()).await?;
        if let Some(damaged) = gathered.damaged {
            return Err(damaged.into());
        }
        let Some((source, day)) = gathered.of else { return Ok(AccessLogStep::default()) };
        let beyond = keys::prefix_end(&keys::access_log(source, day));
        let full = gathered.full;
        let Some(group) = Group::of(source, day, gathered).map(Arc::new) else { return Ok(AccessLogStep::default()) };
        let interval = Duration::from_secs(self.objects.0.parts.settings.current().timers.access_log_delivery_secs);
        let age = self.objects.now().since(group.first.written);
        if !full && age < interval {
            return Ok(AccessLogStep { next: beyond, ..AccessLogStep::default() });
        }
        let (lines, bytes) = (group.lines, group.text.len() as u64);
        let (name, last) = (group.first.source.clone(), group.places.last().map(|(key, _)| key.clone()));
        match self.objects.deliver(&group).await {
            Ok(()) => Ok(AccessLogStep { next: last, objects: 1, lines, bytes, ..AccessLogStep::default() }),
            Err(Error::Internal(why)) => Err(Error::Internal(why)),
            Err(_) if age >= KEEP => {
                self.objects.give_up(&group).await?;
                Ok(AccessLogStep { next: last, dropped: lines, ..AccessLogStep::default() })
            }
            Err(error) => {
                let why = format!("its access log cannot be delivered: {error}");
                Ok(AccessLogStep { next: beyond, problem: Some((name.to_string(), why)), ..AccessLogStep::default() })
            }
        }
    }
}

impl Objects {
    async fn deliver(&self, group: &Arc<Group>) -> Result<(), Error> {
        let first = &group.first;
        let to: Logging = serde_json::from_str(&first.destination).map_err(|e| Error::Internal(e.to_string()))?;
        let bucket = self.bucket(&to.bucket).await?;
        let moment = Moment { delivered: self.now(), day: group.day, unique: self.random().u64() };
        let key = to.key(&first.source, first.owner, &first.region, moment)?;
        let acl = self.authorise_log(first, &to, &bucket, &key)?;
        // The bucket's owner has named the key of its default: a policy of that key has no say in Cofre's own lines.
        let writer = Caller::internal("access-logs", self.random());
        let plan = self.plan_for(&writer, &bucket, &key, &EncryptAs::AsBucket).await?;
        let seal = self.new_seal(plan).await?;
        let version = self.planned_version(&bucket);
        let target = Target {
            bucket: &bucket,
            key: &key,
            version: version.to_string(),
            part: None,
            class: "",
            data_key: seal.as_ref().map(|seal| &seal.key),
            checksum: None,
        };
        let body = Body::Whole(group.text.clone().into());
        let upload = Upload { body, content_md5: None, checksum: DeclaredChecksum::None };
        let written = self.write_blob(target, upload, BodyBound::size(PUT_BYTES_MAX)).await?;
        let draft = Draft {
            owner: bucket.record.owner,
            size: written.digests.size,
            etag: entity_tag(seal.as_ref().map(|seal| (&seal.record, &seal.key)), written.digests.md5),
            checksum: Some(written.digests.checksum.clone()),
            storage_class: String::new(),
            headers: Headers { system: vec![(Header::ContentType, "text/plain".to_owned())], user: Vec::new() },
            tags: Tags::default(),
            content: Content::Segments(written.segments()),
            guards: Guards { acl, encryption: seal.map(|seal| seal.record), ..Guards::default() },
        };
        let (objects, group) = (self.clone(), Arc::clone(group));
        uncancelled(async move {
            let outcome = objects.commit_log(&group, &to, (&bucket, &key), draft, &written, version).await;
            // Whether an engine that failed has committed is not known, so only a clear no discards.
            if let Err(error) = &outcome
                && error.is_definite()
            {
                objects.blobs().discard(written.blob).await;
            }
            outcome
        })
        .await
    }

    /// What delivers logs, as a caller.
    fn log_caller(&self) -> Caller {
        // It does not leave the process.
        let origin = Origin { secure: true, ..Origin::default() };
        Caller::new(LOG_DELIVERY, origin, RequestId::new(self.random()))
    }

    /// Whether a bucket takes lines now, and the list that their object gets.
    fn authorise_log(
        &self,
        first: &AccessLogRecord,
        to: &Logging,
        bucket: &Bucket,
        key: &ObjectKey,
    ) -> Result<Option<AclRecord>, Error> {
        if bucket.record.owner != first.owner {
            return Err(Error::LogTarget("the target bucket belongs to another account"));
        }
        let source = Some((&first.source, first.owner));
        let details = Details { source, creates: Some(true), ..Details::default() };
        self.authorise_with(&self.log_caller(), Action::PutObject, bucket, Some(key), details)?;
        granted(bucket, &to.grants)
    }

    /// Makes the object, and deletes the lines, in one commit.
    async fn commit_log(
        &self,
        group: &Group,
        to: &Logging,
        (before, key): (&Arc<Bucket>, &ObjectKey),
        mut draft: Draft,
        written: &Written,
        version: VersionId,
    ) -> Result<(), Error> {
        let mut bucket = Arc::clone(before);
        for _ in Self::tries() {
            let _turn = self.lock_key(&bucket, key).await;
            let mut change = Change::default();
            if let Some(blob) = &written.blob {
                change.add_blob(blob);
            }
            group.consume(&mut change.batch);
            let conditions = WriteConditions::default();
            let (tried, _) = self.try_put(&bucket, key, &draft, &conditions, change, Some(version)).await?;
            if matches!(tried, Tried::Done) {
                return Ok(());
            }
            bucket = self.same_bucket(&bucket).await?;
            // What the bucket let in before says nothing of the bucket as it is.
            draft.guards.acl = self.authorise_log(&group.first, to, &bucket, key)?;
        }
        Err(Error::Conflict)
    }

    /// Drops lines that nobody takes, and says so.
    async fn give_up(&self, group: &Group) -> Result<(), Error> {
        let mut batch = GuardedBatch::new();
        group.consume(&mut batch);
        let (source, owner) = (group.first.source.to_string(), group.first.owner);
        let why = "their target bucket did not take them for a week";
        let event = self.0.access_log.dropped_event(source, Some(owner), group.lines, why).await?;
        batch.writes.push(event.append(0));
        match batch.commit(self.store()).await? {
            Committed::Done(_) | Committed::Refused(_) | Committed::Changed => Ok(()),
        }
    }
}

impl Group {
    fn of(source: BucketId, day: u32, gathered: Gathered) -> Option<Self> {
        let first = gathered.records.first()?.2.clone();
        let mut text = String::with_capacity(gathered.bytes);
        let (mut lines, mut places) = (0, Vec::with_capacity(gathered.records.len()));
        let mut of_owner = AccessLogBacklog::default();
        for (key, revision, record) in gathered.records {
            if record.counted {
                of_owner.bytes -= as_delta(record.text.len() as u64);
                of_owner.lines -= i64::from(record.lines);
            }
            text.push_str(&record.text);
            lines += u64::from(record.lines);
            places.push((key, revision));
        }
        Some(Self { source, day, first, lines, of_owner, text, places })
    }

    /// Deletes the lines, which must still be there.
    fn consume(&self, batch: &mut GuardedBatch<Refusal>) {
        for (key, revision) in &self.places {
            batch.require(Check::At(key.clone(), *revision), Refusal::Delivered).delete(key.clone());
        }
        let backlog = AccessLogBacklog { bytes: -as_delta(self.text.len() as u64), lines: -as_delta(self.lines) };
        batch.add(keys::access_log_backlog_of(self.first.owner), self.of_owner.row());
        batch.add(keys::access_log_backlog(Some(self.source)), backlog.row());
        batch.add(keys::access_log_backlog(None), backlog.row());
    }
}

/// The list of a log object.
fn granted(bucket: &Bucket, grants: &[AclGrant]) -> Result<Option<AclRecord>, Error> {
    if grants.is_empty() || bucket.access.acls_disabled() {
        return Ok(None);
    }
    let owner = bucket.record.owner;
    let own = AclGrant { grantee: AclGrantee::Account(owner), permission: AclPermission::FullControl };
    let grants = std::iter::once(own).chain(grants.iter().copied()).collect();
    let acl = GivenAcl::Grants(grants).of_object(owner, owner);
    if blocks_list(bucket, acl.as_ref()) { Err(Error::AccessDenied) } else { Ok(acl) }
}
