//! Settings of buckets between the document's form and the domain's.

use crate::ApiError;
use crate::convert::time_text;
use cofre_admin_types::provision as api;
use cofre_objects::{
    AclGrantee, AclPermission, DefaultEncryption, EncryptionBlock, EncryptionMethod, LockConfig, LockDefault, LockMode,
    LockPeriod, LogKeys, Ownership, Payer, PublicAccessBlock, Versioning,
};
use cofre_types::{Tags, TagsLimit, Timestamp};
use std::collections::BTreeMap;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A moment of RFC 3339.
pub(super) fn moment(text: &str) -> Result<Timestamp, String> {
    let parsed =
        OffsetDateTime::parse(text, &Rfc3339).ok().and_then(|at| u64::try_from(at.unix_timestamp_nanos()).ok());
    parsed.map(Timestamp).ok_or_else(|| format!("{text:?} is no time of RFC 3339, as 2027-01-31T00:00:00Z"))
}

pub(super) fn text_of(at: Timestamp) -> String {
    time_text(at)
}

pub(super) const fn versioning(of: api::Versioning) -> Versioning {
    match of {
        api::Versioning::Enabled => Versioning::Enabled,
        api::Versioning::Suspended => Versioning::Suspended,
    }
}

pub(super) const fn shown_versioning(of: Versioning) -> Option<api::Versioning> {
    match of {
        Versioning::Unversioned => None,
        Versioning::Enabled => Some(api::Versioning::Enabled),
        Versioning::Suspended => Some(api::Versioning::Suspended),
    }
}

pub(super) fn lock(of: api::ObjectLock) -> Result<LockConfig, ApiError> {
    let default = of.default_retention.map(|retention| {
        let period = match (retention.days, retention.years) {
            (Some(days), None) => LockPeriod::Days(days),
            (None, Some(years)) => LockPeriod::Years(years),
            _ => return Err(ApiError::invalid("object_lock.default_retention", "has either days or years")),
        };
        let most = match period {
            LockPeriod::Days(days) => (1..=36_500).contains(&days),
            LockPeriod::Years(years) => (1..=100).contains(&years),
        };
        if !most {
            return Err(ApiError::invalid("object_lock.default_retention", "has 1 to 36,500 days, or 1 to 100 years"));
        }
        let mode = match retention.mode {
            api::LockMode::Governance => LockMode::Governance,
            api::LockMode::Compliance => LockMode::Compliance,
        };
        Ok(LockDefault { mode, period })
    });
    Ok(LockConfig { default: default.transpose()? })
}

pub(super) fn shown_lock(of: LockConfig) -> api::ObjectLock {
    let default_retention = of.default.map(|default| {
        let (days, years) = match default.period {
            LockPeriod::Days(days) => (Some(days), None),
            LockPeriod::Years(years) => (None, Some(years)),
        };
        let mode = match default.mode {
            LockMode::Governance => api::LockMode::Governance,
            LockMode::Compliance => api::LockMode::Compliance,
        };
        api::DefaultRetention { mode, days, years }
    });
    api::ObjectLock { default_retention }
}

/// The default key is named where it is meant.
pub(super) fn encryption(of: &api::DefaultEncryption) -> Result<DefaultEncryption, ApiError> {
    let named = |dual_layer| EncryptionMethod::Kms {
        key: of.key.clone().unwrap_or_else(|| cofre_objects::DEFAULT_KEY.to_owned()),
        dual_layer,
    };
    let method = match of.algorithm {
        api::EncryptionAlgorithm::Aes256 if of.key.is_some() => {
            return Err(ApiError::invalid("encryption.key", "does not go with AES256: take aws:kms, or leave it out"));
        }
        api::EncryptionAlgorithm::Aes256 => EncryptionMethod::S3,
        api::EncryptionAlgorithm::Kms => named(false),
        api::EncryptionAlgorithm::KmsDualLayer => named(true),
    };
    Ok(DefaultEncryption { method, bucket_key: of.bucket_key })
}

pub(super) fn shown_encryption(of: &DefaultEncryption) -> Option<api::DefaultEncryption> {
    let (algorithm, key) = match &of.method {
        EncryptionMethod::S3 => (api::EncryptionAlgorithm::Aes256, None),
        EncryptionMethod::Kms { key, dual_layer: false } => (api::EncryptionAlgorithm::Kms, Some(key.clone())),
        EncryptionMethod::Kms { key, dual_layer: true } => (api::EncryptionAlgorithm::KmsDualLayer, Some(key.clone())),
        // No bucket has it for a default.
        EncryptionMethod::Customer => return None,
    };
    Some(api::DefaultEncryption { algorithm, key, bucket_key: of.bucket_key })
}

pub(super) fn block(of: &[api::BlockedEncryption]) -> EncryptionBlock {
    EncryptionBlock { customer_keys: of.contains(&api::BlockedEncryption::CustomerKeys) }
}

pub(super) fn shown_block(of: EncryptionBlock) -> Vec<api::BlockedEncryption> {
    if of.customer_keys { vec![api::BlockedEncryption::CustomerKeys] } else { Vec::new() }
}

pub(super) const fn ownership(of: api::Ownership) -> Ownership {
    match of {
        api::Ownership::BucketOwnerEnforced => Ownership::BucketOwnerEnforced,
        api::Ownership::BucketOwnerPreferred => Ownership::BucketOwnerPreferred,
        api::Ownership::ObjectWriter => Ownership::ObjectWriter,
    }
}

pub(super) const fn shown_ownership(of: Ownership) -> api::Ownership {
    match of {
        Ownership::BucketOwnerEnforced | Ownership::HandedOver => api::Ownership::BucketOwnerEnforced,
        Ownership::BucketOwnerPreferred => api::Ownership::BucketOwnerPreferred,
        Ownership::ObjectWriter => api::Ownership::ObjectWriter,
    }
}

pub(super) const fn public_access(of: api::PublicAccessBlock) -> PublicAccessBlock {
    PublicAccessBlock {
        block_acls: of.block_public_acls,
        ignore_acls: of.ignore_public_acls,
        block_policy: of.block_public_policy,
        restrict_buckets: of.restrict_public_buckets,
    }
}

pub(super) const fn shown_public_access(of: PublicAccessBlock) -> api::PublicAccessBlock {
    api::PublicAccessBlock {
        block_public_acls: of.block_acls,
        ignore_public_acls: of.ignore_acls,
        block_public_policy: of.block_policy,
        restrict_public_buckets: of.restrict_buckets,
    }
}

pub(super) fn tags(of: &BTreeMap<String, String>) -> Result<Tags, ApiError> {
    let pairs = of.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    Tags::new(pairs, TagsLimit::Bucket).map_err(|error| ApiError::invalid("tags", error.to_string()))
}

pub(super) const fn log_keys(of: api::LogKeyFormat) -> LogKeys {
    match of {
        api::LogKeyFormat::Simple => LogKeys::Simple,
        api::LogKeyFormat::PartitionedByDeliveryTime => LogKeys::ByDeliveryTime,
        api::LogKeyFormat::PartitionedByEventTime => LogKeys::ByEventTime,
    }
}

pub(super) const fn shown_log_keys(of: LogKeys) -> api::LogKeyFormat {
    match of {
        LogKeys::Simple => api::LogKeyFormat::Simple,
        LogKeys::ByDeliveryTime => api::LogKeyFormat::PartitionedByDeliveryTime,
        LogKeys::ByEventTime => api::LogKeyFormat::PartitionedByEventTime,
    }
}

pub(super) const fn payer(of: api::Payer) -> Payer {
    match of {
        api::Payer::BucketOwner => Payer::BucketOwner,
        api::Payer::Requester => Payer::Requester,
    }
}

pub(super) const fn shown_payer(of: Payer) -> api::Payer {
    match of {
        Payer::BucketOwner => api::Payer::BucketOwner,
        Payer::Requester => api::Payer::Requester,
    }
}

pub(super) const fn group(of: api::AclGroup) -> AclGrantee {
    match of {
        api::AclGroup::AllUsers => AclGrantee::AllUsers,
        api::AclGroup::AuthenticatedUsers => AclGrantee::AuthenticatedUsers,
        api::AclGroup::LogDelivery => AclGrantee::LogDelivery,
    }
}

/// The group of a grant, or none if it is an account's.
pub(super) const fn shown_group(of: AclGrantee) -> Option<api::AclGroup> {
    match of {
        AclGrantee::AllUsers => Some(api::AclGroup::AllUsers),
        AclGrantee::AuthenticatedUsers => Some(api::AclGroup::AuthenticatedUsers),
        AclGrantee::LogDelivery => Some(api::AclGroup::LogDelivery),
        AclGrantee::Account(_) => None,
    }
}

pub(super) const fn permission(of: api::AclPermission) -> AclPermission {
    match of {
        api::AclPermission::Read => AclPermission::Read,
        api::AclPermission::Write => AclPermission::Write,
        api::AclPermission::ReadAcp => AclPermission::ReadAcp,
        api::AclPermission::WriteAcp => AclPermission::WriteAcp,
        api::AclPermission::FullControl => AclPermission::FullControl,
    }
}

pub(super) const fn shown_permission(of: AclPermission) -> api::AclPermission {
    match of {
        AclPermission::Read => api::AclPermission::Read,
        AclPermission::Write => api::AclPermission::Write,
        AclPermission::ReadAcp => api::AclPermission::ReadAcp,
        AclPermission::WriteAcp => api::AclPermission::WriteAcp,
        AclPermission::FullControl => api::AclPermission::FullControl,
    }
}
