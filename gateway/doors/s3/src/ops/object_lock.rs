//! Object lock: of a bucket, and retention and legal hold of an object.

use super::Operations;
use super::asked::{answer, take};
use crate::errors;
use crate::translate::lock::{self, malformed};
use crate::translate::{names, times};
use cofre_objects::{BucketConfig, ConfigKind, LockConfig, LockDefault, LockPeriod};
use s3s::dto::{
    DefaultRetention, GetObjectLegalHoldInput, GetObjectLegalHoldOutput, GetObjectLockConfigurationInput,
    GetObjectLockConfigurationOutput, GetObjectRetentionInput, GetObjectRetentionOutput, ObjectLockConfiguration,
    ObjectLockEnabled, ObjectLockLegalHold, ObjectLockRetention, ObjectLockRetentionMode, ObjectLockRule,
    PutObjectLegalHoldInput, PutObjectLegalHoldOutput, PutObjectLockConfigurationInput,
    PutObjectLockConfigurationOutput, PutObjectRetentionInput, PutObjectRetentionOutput,
};
use s3s::{S3Request, S3Response, S3Result};

/// Answers GetObjectLockConfiguration.
pub(super) async fn get(
    ops: &Operations,
    request: S3Request<GetObjectLockConfigurationInput>,
) -> S3Result<S3Response<GetObjectLockConfigurationOutput>> {
    let (input, asked) = take("GetObjectLockConfiguration", request)?;
    let bucket = names::bucket(&input.bucket)?;
    let found = ops.objects.bucket_config(&asked.caller, &bucket, ConfigKind::ObjectLock).await;
    let BucketConfig::ObjectLock(lock) = found.map_err(|error| asked.refuse(&input.bucket, error))? else {
        return Err(errors::internal());
    };
    let rule = lock.default.map(|default| ObjectLockRule { default_retention: Some(show_default(default)) });
    let enabled = Some(ObjectLockEnabled::from_static(ObjectLockEnabled::ENABLED));
    let shown = ObjectLockConfiguration { object_lock_enabled: enabled, rule };
    answer(GetObjectLockConfigurationOutput { object_lock_configuration: Some(shown) })
}

fn show_default(default: LockDefault) -> DefaultRetention {
    let shown = |count: u32| Some(i32::try_from(count).unwrap_or(i32::MAX));
    let (days, years) = match default.period {
        LockPeriod::Days(days) => (shown(days), None),
        LockPeriod::Years(years) => (None, shown(years)),
    };
    let mode = Some(ObjectLockRetentionMode::from_static(lock::mode_name(default.mode)));
    DefaultRetention { days, mode, years }
}

/// Answers PutObjectLockConfiguration.
pub(super) async fn put(
    ops: &Operations,
    request: S3Request<PutObjectLockConfigurationInput>,
) -> S3Result<S3Response<PutObjectLockConfigurationOutput>> {
    let (input, asked) = take("PutObjectLockConfiguration", request)?;
    let document = input.object_lock_configuration.ok_or_else(malformed)?;
    let enabled = document.object_lock_enabled.as_ref().map(ObjectLockEnabled::as_str);
    if enabled != Some(ObjectLockEnabled::ENABLED) {
        return Err(malformed());
    }
    let default = document.rule.map(|rule| parse_default(rule.default_retention)).transpose()?;
    let config = LockConfig { default };
    let put = ops.objects.put_object_lock(&asked.caller, &names::bucket(&input.bucket)?, config).await;
    put.map_err(|error| asked.refuse(&input.bucket, error))?;
    answer(PutObjectLockConfigurationOutput::default())
}

/// A rule has exactly one of days and years. What is below one the domain refuses as zero.
fn parse_default(given: Option<DefaultRetention>) -> S3Result<LockDefault> {
    let given = given.ok_or_else(malformed)?;
    let mode = given.mode.as_ref().and_then(|mode| lock::parse_mode(mode.as_str())).ok_or_else(malformed)?;
    let count = |count: i32| u32::try_from(count).unwrap_or(0);
    let period = match (given.days, given.years) {
        (Some(days), None) => LockPeriod::Days(count(days)),
        (None, Some(years)) => LockPeriod::Years(count(years)),
        _ => return Err(malformed()),
    };
    Ok(LockDefault { mode, period })
}

/// Answers GetObjectRetention.
pub(super) async fn get_retention(
    ops: &Operations,
    request: S3Request<GetObjectRetentionInput>,
) -> S3Result<S3Response<GetObjectRetentionOutput>> {
    let (input, asked) = take("GetObjectRetention", request)?;
    let (bucket, key) = (names::bucket(&input.bucket)?, names::key(input.key)?);
    let version = names::version(input.version_id.as_deref())?;
    let found = ops.objects.object_retention(&asked.caller, &bucket, &key, version).await;
    let found = found.map_err(|error| asked.refuse_object(&input.bucket, key.as_str(), error))?;
    let retention = ObjectLockRetention {
        mode: Some(ObjectLockRetentionMode::from_static(lock::mode_name(found.mode))),
        retain_until_date: Some(times::to_dto(found.until)),
    };
    answer(GetObjectRetentionOutput { retention: Some(retention) })
}

/// Answers PutObjectRetention.
pub(super) async fn put_retention(
    ops: &Operations,
    request: S3Request<PutObjectRetentionInput>,
) -> S3Result<S3Response<PutObjectRetentionOutput>> {
    let (input, asked) = take("PutObjectRetention", request)?;
    let (bucket, key) = (names::bucket(&input.bucket)?, names::key(input.key)?);
    let version = names::version(input.version_id.as_deref())?;
    let retention = lock::retention(&input.retention.ok_or_else(malformed)?)?;
    let bypass = input.bypass_governance_retention.unwrap_or(false);
    let put = ops.objects.put_object_retention(&asked.caller, &bucket, &key, version, retention, bypass).await;
    put.map_err(|error| asked.refuse_object(&input.bucket, key.as_str(), error))?;
    answer(PutObjectRetentionOutput::default())
}

/// Answers GetObjectLegalHold.
pub(super) async fn get_legal_hold(
    ops: &Operations,
    request: S3Request<GetObjectLegalHoldInput>,
) -> S3Result<S3Response<GetObjectLegalHoldOutput>> {
    let (input, asked) = take("GetObjectLegalHold", request)?;
    let (bucket, key) = (names::bucket(&input.bucket)?, names::key(input.key)?);
    let version = names::version(input.version_id.as_deref())?;
    let found = ops.objects.object_legal_hold(&asked.caller, &bucket, &key, version).await;
    let hold = found.map_err(|error| asked.refuse_object(&input.bucket, key.as_str(), error))?;
    let status = Some(lock::hold_to_dto(hold));
    answer(GetObjectLegalHoldOutput { legal_hold: Some(ObjectLockLegalHold { status }) })
}

/// Answers PutObjectLegalHold.
pub(super) async fn put_legal_hold(
    ops: &Operations,
    request: S3Request<PutObjectLegalHoldInput>,
) -> S3Result<S3Response<PutObjectLegalHoldOutput>> {
    let (input, asked) = take("PutObjectLegalHold", request)?;
    let (bucket, key) = (names::bucket(&input.bucket)?, names::key(input.key)?);
    let version = names::version(input.version_id.as_deref())?;
    let status = input.legal_hold.and_then(|hold| hold.status).ok_or_else(malformed)?;
    let hold = lock::parse_hold(&status).ok_or_else(malformed)?;
    let put = ops.objects.put_object_legal_hold(&asked.caller, &bucket, &key, version, hold).await;
    put.map_err(|error| asked.refuse_object(&input.bucket, key.as_str(), error))?;
    answer(PutObjectLegalHoldOutput::default())
}
