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
mod outbox;

pub use deliver::AccessLogStep;

use cofre_catalog::records::AclGrant;
use cofre_types::BucketName;
use serde::{Deserialize, Serialize};

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
