//! The operations of S3, one file per family: each translates a request for the domain, asks it, and
//! translates the outcome back. Rights, durability and meaning are the domain's.

mod abac;
mod accelerate;
mod acl;
mod asked;
mod attributes;
mod bucket_configs;
mod bucket_encryption;
mod buckets;
mod complete_upload;
mod copy_object;
mod cors;
mod delete_object;
mod delete_objects;
mod get_object;
mod lifecycle;
mod list_buckets;
mod list_objects;
mod list_uploads;
mod list_versions;
mod logging;
pub(crate) mod object_encryption;
mod object_lock;
mod owners;
mod ownership;
mod policy;
pub(crate) mod post_object;
mod public_access;
mod put_object;
mod request_payment;
mod restore;
mod table;
mod tagging;
mod unset_configs;
mod upload_part;
mod uploads;
mod versioning;
mod website;

pub(crate) use asked::{Admitted, Asked};

use cofre_iam::Iam;
use cofre_objects::Objects;
use std::sync::Arc;

/// What every operation needs. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct Operations {
    pub(crate) objects: Objects,
    /// Accounts, by the names that clients give.
    pub(crate) iam: Iam,
    /// Whether customers' keys may come over plain HTTP.
    pub(crate) allow_insecure_sse_c: bool,
    /// The regions that a bucket may be made in; its own is the first.
    pub(crate) regions: Arc<[String]>,
}
