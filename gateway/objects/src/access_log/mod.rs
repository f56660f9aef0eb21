//! Server access logs: where they go, the outbox of their lines, and their delivery as objects (AWS,
//! "Logging requests with server access logging").
//!
//! # Ordering
//! A line waits in memory, then in the catalog, then stands in an object of the target bucket. Many lines
//! become one commit, and many commits one object. The commit that makes the object deletes the lines that
//! it holds. Lines of what lifecycle rules do skip the memory: they are part of the commit that does it.
//!
//! # Failure and recovery
//! A line that is in the catalog is delivered once, whatever crashes between. One that is still in memory
//! is lost with the process; a door that must not lose it waits until it is written.
//!
//! # Limits
//! Lines in memory, and lines in the catalog of each bucket and of all are bounded, and each account has a share of both.
//! What passes a bound is dropped, counted, and told by an event that names bucket and account.

mod beside;
mod config;
mod deliver;
mod line;
mod outbox;

pub use deliver::AccessLogStep;
pub use line::{LogFields, LogRequester};
pub use outbox::AccessLogCounts;
pub(crate) use outbox::Outbox;

use crate::Objects;
use cofre_catalog::records::{AclGrant, BucketConfig, BucketRecord};
use cofre_types::{AccountId, BucketId, BucketName};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Where the access log of a bucket goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logging {
    /// The bucket that gets it; it may be the one that is logged.
    pub bucket: BucketName,
    /// What the keys of its objects begin with.
    pub prefix: String,
    /// How their keys go on.
    pub keys: LogKeys,
    /// Whom each object is granted to, beside the owner of the bucket.
    pub grants: Vec<AclGrant>,
}

/// How the keys of log objects are made of the prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LogKeys {
    /// `YYYY-mm-DD-HH-MM-SS-UNIQUE`, of the delivery.
    Simple,
    /// `ACCOUNT/REGION/BUCKET/YYYY/mm/DD/YYYY-mm-DD-HH-MM-SS-UNIQUE`, of the delivery.
    ByDeliveryTime,
    /// The same, of the day of the requests.
    ByEventTime,
}

/// A bucket whose requests are logged, as it was when one of them came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedBucket {
    /// Its name.
    pub name: BucketName,
    /// Who owns it.
    pub owner: AccountId,
    pub(crate) id: BucketId,
    pub(crate) region: String,
    /// Its configuration, as it is kept.
    pub(crate) destination: String,
}

impl LoggedBucket {
    /// What a record says; none if it is not logged.
    pub(crate) fn of(name: &BucketName, record: &BucketRecord) -> Option<Arc<Self>> {
        let destination = record.config.iter().find_map(|config| match config {
            BucketConfig::Logging(document) => Some(document.clone()),
            _ => None,
        })?;
        let (name, region) = (name.clone(), record.region.clone());
        Some(Arc::new(Self { name, owner: record.owner, id: record.id, region, destination }))
    }
}

impl Objects {
    /// The bucket of this name if its requests are logged. Costs a look at a bucket's cached record. Not for
    /// telling anyone: it asks for no right.
    pub async fn logged_bucket(&self, name: &str) -> Option<Arc<LoggedBucket>> {
        let name = BucketName::parse(name).ok()?;
        self.bucket(&name).await.ok()?.logging.clone()
    }
}
