//! Logging configurations between XML and the domain.

use super::acl::{self, Written};
use super::lock::malformed;
use super::names;
use cofre_objects::{AclPermission, LogKeys, Logging};
use s3s::S3Result;
use s3s::dto::{
    AccessControlPolicy, BucketLogsPermission, Grant, LoggingEnabled, PartitionDateSource, PartitionedPrefix,
    Permission, SimplePrefix, TargetGrant, TargetObjectKeyFormat,
};

/// Reads a configuration, but for its grants.
pub(crate) fn from_dto(enabled: LoggingEnabled) -> S3Result<Logging> {
    Ok(Logging {
        bucket: names::bucket(&enabled.target_bucket)?,
        prefix: enabled.target_prefix,
        keys: enabled.target_object_key_format.map_or(Ok(LogKeys::Simple), keys)?,
        grants: Vec::new(),
    })
}

fn keys(format: TargetObjectKeyFormat) -> S3Result<LogKeys> {
    let partitioned = match (format.simple_prefix, format.partitioned_prefix) {
        (Some(_), None) => return Ok(LogKeys::Simple),
        (None, Some(partitioned)) => partitioned,
        (Some(_), Some(_)) | (None, None) => return Err(malformed()),
    };
    match partitioned.partition_date_source.as_ref().map(PartitionDateSource::as_str) {
        Some(PartitionDateSource::DELIVERY_TIME) | None => Ok(LogKeys::ByDeliveryTime),
        Some(PartitionDateSource::EVENT_TIME) => Ok(LogKeys::ByEventTime),
        Some(_) => Err(malformed()),
    }
}

/// Reads the grants; their accounts are still as the client names them. None if there are none.
pub(crate) fn grants(given: Vec<TargetGrant>) -> S3Result<Option<Written>> {
    if given.is_empty() {
        return Ok(None);
    }
    let grants = given.into_iter().map(|grant| {
        let permission = match grant.permission.as_ref().map(BucketLogsPermission::as_str) {
            Some(BucketLogsPermission::FULL_CONTROL) => Permission::FULL_CONTROL,
            Some(BucketLogsPermission::READ) => Permission::READ,
            Some(BucketLogsPermission::WRITE) => Permission::WRITE,
            Some(_) | None => return Err(malformed()),
        };
        Ok(Grant { grantee: grant.grantee, permission: Some(Permission::from_static(permission)) })
    });
    let grants = grants.collect::<S3Result<Vec<_>>>()?;
    acl::from_dto(AccessControlPolicy { grants: Some(grants), owner: None }).map(Some)
}

/// A permission as answers name it. Only these three are ever kept.
pub(crate) fn permission_name(permission: AclPermission) -> &'static str {
    match permission {
        AclPermission::Read => BucketLogsPermission::READ,
        AclPermission::Write => BucketLogsPermission::WRITE,
        AclPermission::FullControl | AclPermission::ReadAcp | AclPermission::WriteAcp => {
            BucketLogsPermission::FULL_CONTROL
        }
    }
}

/// Writes a configuration. The format of keys is named even where it is the default.
pub(crate) fn to_dto(logging: Logging, grants: Vec<TargetGrant>) -> LoggingEnabled {
    let partitioned =
        |source| PartitionedPrefix { partition_date_source: Some(PartitionDateSource::from_static(source)) };
    let (simple_prefix, partitioned_prefix) = match logging.keys {
        LogKeys::Simple => (Some(SimplePrefix {}), None),
        LogKeys::ByDeliveryTime => (None, Some(partitioned(PartitionDateSource::DELIVERY_TIME))),
        LogKeys::ByEventTime => (None, Some(partitioned(PartitionDateSource::EVENT_TIME))),
    };
    LoggingEnabled {
        target_bucket: logging.bucket.into(),
        target_grants: (!grants.is_empty()).then_some(grants),
        target_object_key_format: Some(TargetObjectKeyFormat { partitioned_prefix, simple_prefix }),
        target_prefix: logging.prefix,
    }
}
