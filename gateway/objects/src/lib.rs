//! The domain: buckets, objects, versions, multipart uploads, copies, listings, and the maintenance
//! verbs. Every door and every job works through [`Objects`]; authorisation is decided here, so no
//! door can forget it.
//!
//! # Invariants
//! - A write is acknowledged after its blob is durable on its write quorum and the catalog's commit
//!   is. A crash between the two leaves a blob that no record refers to.
//! - Content is shared, never copied: a blob's record counts the records that refer to it.
//! - Nothing is deleted inline: a reference that is let go becomes a garbage record, due after a
//!   grace, in the commit that lets it go.
//!
//! # Ordering
//! A commit checks every record that its decision was made on, the bucket's own among them. Where a
//! check fails the operation reads again and decides anew.

mod access_log;
mod account;
mod bucket;
mod buckets;
mod caches;
mod change;
mod checksum_error;
mod content;
mod convert;
mod digest;
mod domain;
mod encryption;
mod error;
mod error_kind;
mod excess;
mod garbage;
mod in_flight;
mod in_use;
mod inspect;
mod lifecycle;
mod list;
mod object;
mod own_shard;
mod payment;
mod rewrite;
mod rights;
mod room;
mod upkeep;
mod upload;
mod verify;
mod versions;

pub use access_log::{AccessLogStep, LogKeys, Logging};
pub use bucket::*;
pub use checksum_error::ChecksumError;
pub use cofre_access_log::{AccessLog, AccessLogCounts, BucketLog, LinePlace, LogFields, LogRequester};
pub use cofre_catalog::records::{
    AccessLogBacklog, AccountUsage, AclGrant, AclGrantee, AclPermission, BucketConfig, DefaultEncryption,
    EncryptionBlock, EncryptionMethod, Header, Headers, LockConfig, LockDefault, LockMode, LockPeriod, Ownership,
    Payer, PublicAccessBlock, Retention, ShardPass, Usage, VersionKind, Versioning,
};
pub use cofre_catalog::{CommitState, StoreState};
pub use cofre_iam::{Acl, CannedAcl, GivenAcl, MalformedPolicy};
pub use cofre_keys::{CustomerKey, DEFAULT_KEY};
pub use cofre_rules::{
    Amounts, Bounded, CORS_DOCUMENT_BYTES_MAX, CORS_RULES_MAX, Condition, Cors, CorsMethod, CorsRule, Criteria,
    DeleteConditions, Excess, Expiration, Lifecycle, Moved, NoncurrentExpiration, NoncurrentTransition, Pages, QuotaOf,
    ROUTING_RULES_MAX, RULE_ID_CHARS_MAX, RULES_MAX, RangeOf, ReadConditions, ReplaceKey, RoutingRule, Rule,
    RulesError, Scope, TagMatch, Transition, WantedLock, WebProtocol, WebRedirect, Website, When, WriteConditions,
};
pub use cofre_shards::{Body, BodyError, ByteStream, CopyState};
pub use convert::Converted;
pub use domain::{Objects, Parts};
pub use encryption::{EncryptAs, Encrypted, EncryptionError, KeyPolicy};
pub use error::Error;
pub use error_kind::ErrorKind;
pub use garbage::Reclaimed;
pub use in_use::{InUse, RedundancyOf};
pub use inspect::*;
pub use lifecycle::{LifecycleCounts, LifecycleStep};
pub use list::*;
pub use object::*;
pub use own_shard::leads_back;
pub use upkeep::Upkeep;
pub use upload::*;
pub use verify::{Verified, Verify, VerifyStage};
