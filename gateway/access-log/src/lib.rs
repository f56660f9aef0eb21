//! Lines of server access logs, from memory to the catalog (AWS, "Logging requests with server access logging"). Where they
//! go from there is the domain's matter.
//!
//! # Ordering
//! A line waits in memory, then in the catalog. Many lines become one commit. Lines of what the store itself does skip the
//! memory: they are part of the commit that does it.
//!
//! # Failure and recovery
//! A line in memory is lost with the process; whoever must not lose it waits until it is written.
//!
//! # Limits
//! Lines in memory, and lines in the catalog of each bucket and of all are bounded, and each account has a share of both.
//! What passes a bound is dropped, counted, and told by an event that names bucket and account.

mod bucket;
mod error;
mod group;
mod line;
mod log;
mod queue;

pub use bucket::LoggedBucket;
pub use error::AccessLogError;
pub use group::{Share, day_of};
pub use line::{LogFields, LogRequester};
pub use log::{AccessLog, BucketLog, LinePlace};
pub use queue::AccessLogCounts;
