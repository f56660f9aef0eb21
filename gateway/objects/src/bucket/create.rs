use crate::bucket::{BucketInfo, CreateBucket};
use crate::domain::Objects;
use crate::error::Error;
use cofre_catalog::records::{
    AccountRecord, AccountUsage, BucketConfig, BucketRecord, Durability, EncryptionBlock, EventRecord, LockConfig,
    Ownership, PublicAccessBlock, Record, Versioning,
};
use cofre_catalog::{Check, Committed, GuardedBatch, keys};
use cofre_iam::{Action, Caller, GivenAcl, OperatorAct, Resource, is_public};
use cofre_settings::DefaultOwnership;
use cofre_types::{AccountId, BucketId, Tags};

/// The public access block that refuses and ignores all that is public.
const ALL_BLOCKED: PublicAccessBlock =
    PublicAccessBlock { block_acls: true, ignore_acls: true, block_policy: true, restrict_buckets: true };

/// Why an account gets no further bucket.
struct TooMany;

const fn ownership(default: DefaultOwnership) -> Ownership {
    match default {
        DefaultOwnership::BucketOwnerEnforced => Ownership::BucketOwnerEnforced,
        DefaultOwnership::BucketOwnerPreferred => Ownership::BucketOwnerPreferred,
        DefaultOwnership::ObjectWriter => Ownership::ObjectWriter,
    }
}

/// The right to make one bucket, which was asked once.
pub struct BucketTicket<'a> {
    objects: &'a Objects,
    caller: &'a Caller,
    account: AccountId,
    request: CreateBucket,
}

impl BucketTicket<'_> {
    /// Gives the bucket another access control list than it was begun with.
    pub fn give_acl(&mut self, given: GivenAcl) {
        self.request.acl = Some(given);
    }

    /// Makes the bucket.
    ///
    /// # Errors
    /// As [`Objects::create_bucket`].
    pub async fn create(self) -> Result<BucketInfo, Error> {
        self.objects.make_bucket(self.account, self.request, &self.caller.actor()).await
    }
}

impl Objects {
    /// Makes a bucket, which the caller's account owns.
    ///
    /// # Errors
    /// [`Error::BucketAlreadyOwnedByYou`], [`Error::BucketAlreadyExists`], [`Error::TooManyBuckets`]; and for
    /// a list that the settings for new buckets do not allow [`Error::AclWithOwnership`] or
    /// [`Error::AclWithPublicAccessBlock`].
    pub async fn create_bucket(&self, caller: &Caller, request: CreateBucket) -> Result<BucketInfo, Error> {
        self.begin_bucket(caller, request)?.create().await
    }

    /// Asks for the right to make a bucket, before the accounts that its list names are known.
    ///
    /// # Errors
    /// [`Error::AccessDenied`].
    pub fn begin_bucket<'a>(&'a self, caller: &'a Caller, request: CreateBucket) -> Result<BucketTicket<'a>, Error> {
        let resource = Resource::NewBucket { bucket: &request.name };
        self.authorise_beyond_buckets(caller, Action::CreateBucket, resource)?;
        let account = caller.principal.account_id().ok_or(Error::AccessDenied)?;
        Ok(BucketTicket { objects: self, caller, account, request })
    }

    /// Makes a bucket that another account owns.
    ///
    /// # Errors
    /// As [`Objects::create_bucket`]; [`Error::AccessDenied`] for everyone but operators, and if there is no such account.
    pub async fn create_bucket_for(
        &self,
        caller: &Caller,
        owner: AccountId,
        request: CreateBucket,
    ) -> Result<BucketInfo, Error> {
        self.authorise_operator(caller, OperatorAct::CreateBucketForAccount)?;
        self.make_bucket(owner, request, &caller.actor()).await
    }

    async fn make_bucket(&self, account: AccountId, request: CreateBucket, actor: &str) -> Result<BucketInfo, Error> {
        for _ in Self::tries() {
            match self.bucket(&request.name).await {
                Ok(bucket) if bucket.record.owner == account => return Err(Error::BucketAlreadyOwnedByYou),
                Ok(_) => return Err(Error::BucketAlreadyExists),
                Err(Error::NoSuchBucket) => {}
                Err(error) => return Err(error),
            }
            let record = self.new_bucket(account, &request)?;
            let batch = self.creation(account, &request, &record, actor).await?;
            match batch.commit(self.store()).await? {
                Committed::Done(_) => return Ok(BucketInfo::of(&request.name, &record)),
                Committed::Refused(TooMany) => return Err(Error::TooManyBuckets),
                Committed::Changed => {}
            }
        }
        Err(Error::Conflict)
    }

    fn new_bucket(&self, account: AccountId, request: &CreateBucket) -> Result<BucketRecord, Error> {
        let region = if request.region.is_empty() { &self.0.parts.region } else { &request.region };
        let acl = request.acl.as_ref().and_then(|acl| acl.of_bucket(account));
        let defaults = self.0.parts.settings.current().new_buckets;
        let ownership = request.ownership.or(defaults.ownership.map(ownership));
        if ownership == Some(Ownership::BucketOwnerEnforced) && acl.is_some() {
            return Err(Error::AclWithOwnership);
        }
        let block = defaults.public_access_block.then_some(ALL_BLOCKED);
        if block.is_some() && acl.as_ref().is_some_and(is_public) {
            return Err(Error::AclWithPublicAccessBlock);
        }
        let lock = request.object_lock.then(|| BucketConfig::ObjectLock(LockConfig::default()));
        let acl = acl.map(BucketConfig::Acl);
        let ownership = ownership.map(BucketConfig::Ownership);
        let block = block.map(BucketConfig::PublicAccess);
        let sse_c =
            defaults.sse_c_block.then_some(BucketConfig::EncryptionBlock(EncryptionBlock { customer_keys: true }));
        Ok(BucketRecord {
            id: BucketId(self.random().u64()),
            owner: account,
            created: self.now(),
            region: region.clone(),
            versioning: if request.object_lock { Versioning::Enabled } else { Versioning::Unversioned },
            durability: Durability::Durable,
            scheme: None,
            bytes_max: None,
            objects_max: None,
            tags: Tags::default(),
            config: lock.into_iter().chain(acl).chain(ownership).chain(block).chain(sse_c).collect(),
        })
    }

    async fn creation(
        &self,
        account: AccountId,
        request: &CreateBucket,
        record: &BucketRecord,
        actor: &str,
    ) -> Result<GuardedBatch<TooMany>, Error> {
        let mut batch = GuardedBatch::new();
        // The account must still be there: deleting one checks that it owns no bucket.
        let entry = self.get(keys::account(account)).await?.ok_or(Error::AccessDenied)?;
        batch.unchanged(keys::account(account), Some(entry.revision));
        batch.checks.push(Check::Absent(keys::bucket(&request.name)));
        batch.checks.push(Check::Absent(keys::bucket_id(record.id)));
        let default = self.0.parts.settings.current().quotas.buckets_per_account_max;
        let max = AccountRecord::decode(&entry.value)?.buckets_max.unwrap_or(default).into();
        let key = keys::account_usage(account);
        batch.require(Check::CounterAtMost { key, index: AccountUsage::BUCKETS, adding: 1, max }, TooMany);
        batch.add(keys::account_usage(account), AccountUsage { buckets: 1, ..AccountUsage::default() }.row());
        batch.put(keys::bucket(&request.name), record.encode());
        batch.put(keys::bucket_id(record.id), request.name.as_str().as_bytes().to_vec());
        batch.put(keys::owned_bucket(account, &request.name), Vec::new());
        let event = EventRecord {
            at: record.created,
            kind: "bucket.created".to_owned(),
            subject: request.name.to_string(),
            actor: actor.to_owned(),
            details: vec![
                ("region".to_owned(), record.region.clone()),
                ("owner".to_owned(), AccountRecord::decode(&entry.value)?.name),
            ],
        };
        batch.writes.push(event.append(0));
        Ok(batch)
    }
}
