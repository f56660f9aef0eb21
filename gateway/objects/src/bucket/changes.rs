//! What a change of a bucket's record changed, as its event tells it.

use crate::bucket::{ConfigKind, Unset};
use cofre_catalog::records::{BucketConfig, BucketRecord, EncryptionMethod, Ownership, Payer, Versioning};

/// The details of the event: which configuration, what became of it, and its value where that is short.
pub(super) fn details(before: &BucketRecord, after: &BucketRecord) -> Vec<(String, String)> {
    let mut details = Vec::new();
    let mut note = |name: &str, value: String| details.push((name.to_owned(), value));
    if before.versioning != after.versioning {
        note("versioning", from_to(versioning(before.versioning), versioning(after.versioning)));
    }
    if before.owner != after.owner {
        note("owner", from_to(before.owner, after.owner));
    }
    if before.bytes_max != after.bytes_max {
        note("bytes_max", from_to(or_none(before.bytes_max), or_none(after.bytes_max)));
    }
    if before.objects_max != after.objects_max {
        note("objects_max", from_to(or_none(before.objects_max), or_none(after.objects_max)));
    }
    if before.scheme != after.scheme {
        note("redundancy", from_to(or_none(before.scheme), or_none(after.scheme)));
    }
    if before.tags != after.tags {
        note("tags", from_to(before.tags.pairs().len(), after.tags.pairs().len()));
    }
    for kind in ConfigKind::ALL {
        let of = |record: &BucketRecord| record.config.iter().find(|config| ConfigKind::of(config) == kind).cloned();
        let change = match (of(before), of(after)) {
            (Some(before), Some(after)) if before == after => continue,
            (None, None) => continue,
            (None, Some(_)) => "set",
            (Some(_), Some(_)) => "replaced",
            (Some(_), None) => "deleted",
        };
        note("configuration", Unset::Config(kind).to_string());
        note("change", change.to_owned());
        if let Some(config) = of(after) {
            note("value", value(&config));
        }
    }
    if details.is_empty() {
        details.push(("change".to_owned(), "none: it was so already".to_owned()));
    }
    details
}

fn from_to(before: impl std::fmt::Display, after: impl std::fmt::Display) -> String {
    format!("{before} -> {after}")
}

fn or_none<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| value.to_string())
}

const fn versioning(versioning: Versioning) -> &'static str {
    match versioning {
        Versioning::Unversioned => "unversioned",
        Versioning::Enabled => "enabled",
        Versioning::Suspended => "suspended",
    }
}

/// A short value as it is, a document by its length.
fn value(config: &BucketConfig) -> String {
    match config {
        BucketConfig::Cors(text)
        | BucketConfig::Lifecycle(text)
        | BucketConfig::Policy(text)
        | BucketConfig::Website(text)
        | BucketConfig::Logging(text) => format!("{} bytes", text.len()),
        BucketConfig::Acl(acl) => format!("{} grants", acl.grants.len()),
        BucketConfig::Ownership(ownership) => match ownership {
            Ownership::BucketOwnerEnforced => "BucketOwnerEnforced".to_owned(),
            Ownership::BucketOwnerPreferred => "BucketOwnerPreferred".to_owned(),
            Ownership::ObjectWriter => "ObjectWriter".to_owned(),
            Ownership::HandedOver => "BucketOwnerEnforced, for good".to_owned(),
        },
        BucketConfig::PublicAccess(block) => format!(
            "BlockPublicAcls={} IgnorePublicAcls={} BlockPublicPolicy={} RestrictPublicBuckets={}",
            block.block_acls, block.ignore_acls, block.block_policy, block.restrict_buckets
        ),
        BucketConfig::Encryption(encryption) => match &encryption.method {
            EncryptionMethod::S3 => "AES256".to_owned(),
            EncryptionMethod::Kms { key, dual_layer: false } => format!("aws:kms {key}"),
            EncryptionMethod::Kms { key, dual_layer: true } => format!("aws:kms:dsse {key}"),
            EncryptionMethod::Customer => "customer".to_owned(),
        },
        BucketConfig::ObjectLock(lock) => {
            format!("default retention {}", if lock.default.is_some() { "set" } else { "none" })
        }
        BucketConfig::RequestPayment(Payer::Requester) => "Requester".to_owned(),
        BucketConfig::RequestPayment(Payer::BucketOwner) => "BucketOwner".to_owned(),
        BucketConfig::Accelerate(true) => "Enabled".to_owned(),
        BucketConfig::Accelerate(false) => "Suspended".to_owned(),
        BucketConfig::EncryptionBlock(block) => if block.customer_keys { "SSE-C" } else { "NONE" }.to_owned(),
        BucketConfig::Abac(true) => "Enabled".to_owned(),
        BucketConfig::Abac(false) => "Disabled".to_owned(),
    }
}
