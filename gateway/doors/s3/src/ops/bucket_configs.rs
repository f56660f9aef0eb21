//! Sub-resources of buckets that this gateway does not have: reading one answers what S3 answers for
//! a bucket that never set it, deleting one succeeds as it does there, and setting one is refused by
//! name, after the bucket and the caller's right were looked at.

use super::Operations;
use super::asked::{Asked, answer, take};
use crate::errors::{custom, not_implemented};
use crate::translate::names;
use cofre_iam::Action;
use http::StatusCode;
use s3s::dto::*;
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

/// Whether the bucket is there and the caller may do this to it.
async fn allowed(ops: &Operations, asked: &Asked, action: Action, bucket: &str) -> S3Result<()> {
    let found = ops.objects.bucket_allowing(&asked.caller, action, &names::bucket(bucket)?).await;
    found.map(drop).map_err(|error| asked.refuse(bucket, error))
}

/// The answer for a configuration that is listed by ids.
fn no_such_configuration() -> S3Error {
    custom("NoSuchConfiguration", StatusCode::NOT_FOUND, "The specified configuration does not exist.")
}

macro_rules! refused {
    ($($name:ident: $input:ident => $output:ident, $operation:literal, $action:ident, $error:expr;)*) => {
        $(
            pub(super) async fn $name(ops: &Operations, request: S3Request<$input>) -> S3Result<S3Response<$output>> {
                let (input, asked) = take($operation, request)?;
                allowed(ops, &asked, Action::$action, &input.bucket).await?;
                Err($error)
            }
        )*
    };
}

macro_rules! deleted {
    ($($name:ident: $input:ident => $output:ident, $operation:literal, $action:ident;)*) => {
        $(
            pub(super) async fn $name(ops: &Operations, request: S3Request<$input>) -> S3Result<S3Response<$output>> {
                let (input, asked) = take($operation, request)?;
                allowed(ops, &asked, Action::$action, &input.bucket).await?;
                answer($output::default())
            }
        )*
    };
}

refused! {
    get_replication: GetBucketReplicationInput => GetBucketReplicationOutput, "GetBucketReplication",
        GetReplicationConfiguration,
        S3Error::with_message(
            S3ErrorCode::ReplicationConfigurationNotFoundError,
            "The replication configuration was not found",
        );
    get_analytics: GetBucketAnalyticsConfigurationInput => GetBucketAnalyticsConfigurationOutput,
        "GetBucketAnalyticsConfiguration", GetAnalyticsConfiguration, no_such_configuration();
    get_inventory: GetBucketInventoryConfigurationInput => GetBucketInventoryConfigurationOutput,
        "GetBucketInventoryConfiguration", GetInventoryConfiguration, no_such_configuration();
    get_metrics: GetBucketMetricsConfigurationInput => GetBucketMetricsConfigurationOutput,
        "GetBucketMetricsConfiguration", GetMetricsConfiguration, no_such_configuration();
    get_tiering: GetBucketIntelligentTieringConfigurationInput => GetBucketIntelligentTieringConfigurationOutput,
        "GetBucketIntelligentTieringConfiguration", GetIntelligentTieringConfiguration, no_such_configuration();

    put_replication: PutBucketReplicationInput => PutBucketReplicationOutput, "PutBucketReplication",
        PutReplicationConfiguration, not_implemented("A replication configuration");
    put_analytics: PutBucketAnalyticsConfigurationInput => PutBucketAnalyticsConfigurationOutput,
        "PutBucketAnalyticsConfiguration", PutAnalyticsConfiguration, not_implemented("An analytics configuration");
    put_inventory: PutBucketInventoryConfigurationInput => PutBucketInventoryConfigurationOutput,
        "PutBucketInventoryConfiguration", PutInventoryConfiguration, not_implemented("An inventory configuration");
    put_metrics: PutBucketMetricsConfigurationInput => PutBucketMetricsConfigurationOutput,
        "PutBucketMetricsConfiguration", PutMetricsConfiguration, not_implemented("A metrics configuration");
    put_tiering: PutBucketIntelligentTieringConfigurationInput => PutBucketIntelligentTieringConfigurationOutput,
        "PutBucketIntelligentTieringConfiguration", PutIntelligentTieringConfiguration,
        not_implemented("An intelligent tiering configuration");
}

/// Answers PutBucketNotificationConfiguration: the empty configuration, which is how one is deleted, is what every
/// bucket has.
pub(super) async fn put_notification(
    ops: &Operations,
    request: S3Request<PutBucketNotificationConfigurationInput>,
) -> S3Result<S3Response<PutBucketNotificationConfigurationOutput>> {
    let (input, asked) = take("PutBucketNotificationConfiguration", request)?;
    allowed(ops, &asked, Action::PutBucketNotification, &input.bucket).await?;
    let NotificationConfiguration {
        event_bridge_configuration,
        lambda_function_configurations,
        queue_configurations,
        topic_configurations,
    } = input.notification_configuration;
    let is_empty = event_bridge_configuration.is_none()
        && lambda_function_configurations.unwrap_or_default().is_empty()
        && queue_configurations.unwrap_or_default().is_empty()
        && topic_configurations.unwrap_or_default().is_empty();
    if !is_empty {
        return Err(not_implemented("A notification configuration"));
    }
    answer(PutBucketNotificationConfigurationOutput::default())
}

deleted! {
    delete_replication: DeleteBucketReplicationInput => DeleteBucketReplicationOutput, "DeleteBucketReplication",
        PutReplicationConfiguration;
}
