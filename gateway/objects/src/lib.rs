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
mod acl;
mod bucket;
mod buckets;
mod change;
mod checksum_error;
mod conditions;
mod content;
mod convert;
mod cors;
mod digest;
mod domain;
mod encryption;
mod error;
mod error_kind;
mod garbage;
mod in_use;
mod inspect;
mod lifecycle;
mod list;
mod lock;
mod object;
mod own_shard;
mod payment;
mod quota;
mod rewrite;
mod rights;
mod room;
mod upkeep;
mod upload;
mod verify;
mod versions;
mod website;

pub use access_log::{AccessLogCounts, AccessLogStep, LogFields, LogKeys, LogRequester, LoggedBucket, Logging};
pub use acl::{Acl, CannedAcl, GivenAcl};
pub use bucket::*;
pub use checksum_error::ChecksumError;
pub use cofre_catalog::records::{
    AccessLogBacklog, AccountUsage, AclGrant, AclGrantee, AclPermission, BucketConfig, DefaultEncryption,
    EncryptionBlock, EncryptionMethod, Header, Headers, LockConfig, LockDefault, LockMode, LockPeriod, Ownership,
    Payer, PublicAccessBlock, Retention, ShardPass, Usage, VersionKind, Versioning,
};
pub use cofre_catalog::{CommitState, StoreState};
pub use cofre_iam::MalformedPolicy;
pub use cofre_keys::{CustomerKey, DEFAULT_KEY};
pub use cofre_shards::{Body, BodyError, ByteStream, CopyState};
pub use convert::Converted;
pub use cors::{CORS_DOCUMENT_BYTES_MAX, CORS_RULES_MAX, Cors, CorsMethod, CorsRule};
pub use domain::{Objects, Parts};
pub use encryption::{EncryptAs, Encrypted, EncryptionError, KeyPolicy};
pub use error::Error;
pub use error_kind::ErrorKind;
pub use garbage::Reclaimed;
pub use in_use::{InUse, RedundancyOf};
pub use inspect::*;
pub use lifecycle::{
    Criteria, Expiration, Lifecycle, LifecycleCounts, LifecycleStep, NoncurrentExpiration, NoncurrentTransition,
    RULE_ID_CHARS_MAX, RULES_MAX, Rule, RulesError, Scope, Transition, When,
};
pub use list::*;
pub use lock::WantedLock;
pub use object::*;
pub use own_shard::leads_back;
pub use quota::{Amounts, Bounded, Excess, QuotaOf};
pub use upkeep::Upkeep;
pub use upload::*;
pub use verify::{Verified, Verify, VerifyStage};
pub use website::{
    Condition, Moved, Pages, ROUTING_RULES_MAX, ReplaceKey, RoutingRule, WebProtocol, WebRedirect, Website,
};
