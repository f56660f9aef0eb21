use crate::error::Error;
use cofre_access_log::LoggedBucket;
use cofre_catalog::records::{BucketConfig, BucketRecord, LockConfig, Payer, Record, VersionRecord, Versioning};
use cofre_catalog::{Entry, Revision};
use cofre_iam::BucketAccess;
use cofre_rules::{Cors, Lifecycle, Website, lock_of};
use cofre_types::{AccountId, BucketName, VersionId};
use std::sync::Arc;

/// A bucket as it was read: every commit to it checks that it still is.
#[derive(Debug)]
pub(crate) struct Bucket {
    pub name: BucketName,
    pub revision: Revision,
    pub record: BucketRecord,
    /// What the record says about who may reach it: its policy is parsed once, here.
    pub access: BucketAccess,
    /// Its lifecycle rules, read once.
    pub lifecycle: Option<Arc<Lifecycle>>,
    /// Its CORS rules, read once.
    pub cors: Option<Arc<Cors>>,
    /// Its website, read once.
    pub website: Option<Arc<Website>>,
    /// Whether who makes a request to it pays for that.
    pub requester_pays: bool,
    /// Where its access log goes.
    pub logging: Option<Arc<LoggedBucket>>,
}

impl Bucket {
    /// Its object lock, if it is enabled.
    pub(crate) fn lock(&self) -> Option<&LockConfig> {
        lock_of(&self.record)
    }

    pub(crate) fn of(name: &BucketName, entry: &Entry) -> Result<Self, Error> {
        let record = BucketRecord::decode(&entry.value)?;
        let access = BucketAccess::of(name, &record);
        Ok(Self {
            name: name.clone(),
            revision: entry.revision,
            access,
            lifecycle: Lifecycle::in_config(&record.config).map(Arc::new),
            cors: Cors::in_config(&record.config).map(Arc::new),
            website: Website::in_config(&record.config).map(Arc::new),
            requester_pays: requester_pays(&record.config),
            logging: LoggedBucket::of(name, &record),
            record,
        })
    }

    /// Who owns a version: under ownership controls that disable lists, the bucket's owner.
    pub fn owner_of(&self, record: &VersionRecord) -> AccountId {
        self.access.object_owner(record.owner)
    }

    /// Whether its versions have ids of their own, so that answers name them.
    pub fn names_versions(&self) -> bool {
        self.record.versioning != Versioning::Unversioned
    }

    /// A version's id where answers name it.
    pub fn shown(&self, version: VersionId) -> Option<VersionId> {
        self.names_versions().then_some(version)
    }
}

/// Whether the record of a bucket leaves the cost of requests to who makes them.
fn requester_pays(config: &[BucketConfig]) -> bool {
    config.contains(&BucketConfig::RequestPayment(Payer::Requester))
}
