//! Sub-resources that S3 answers for a bucket that never set them: an empty document, or a default.
//! Terraform's provider reads each of them.

use super::Operations;
use super::asked::{answer, take};
use crate::translate::names;
use cofre_iam::Action;
use s3s::dto::{
    GetBucketNotificationConfigurationInput, GetBucketNotificationConfigurationOutput,
    ListBucketAnalyticsConfigurationsInput, ListBucketAnalyticsConfigurationsOutput,
    ListBucketIntelligentTieringConfigurationsInput, ListBucketIntelligentTieringConfigurationsOutput,
    ListBucketInventoryConfigurationsInput, ListBucketInventoryConfigurationsOutput,
    ListBucketMetricsConfigurationsInput, ListBucketMetricsConfigurationsOutput,
};
use s3s::{S3Request, S3Response, S3Result};

macro_rules! unset {
    ($($name:ident($operation:literal, $action:ident): $input:ident => $output:expr, $type:ty;)*) => {
        $(
            pub(super) async fn $name(ops: &Operations, request: S3Request<$input>) -> S3Result<S3Response<$type>> {
                let (input, asked) = take($operation, request)?;
                let bucket = names::bucket(&input.bucket)?;
                let allowed = ops.objects.bucket_allowing(&asked.caller, Action::$action, &bucket).await;
                allowed.map_err(|error| asked.refuse(&input.bucket, error))?;
                answer($output)
            }
        )*
    };
}

unset! {
    notification("GetBucketNotificationConfiguration", GetBucketNotification):
        GetBucketNotificationConfigurationInput => GetBucketNotificationConfigurationOutput::default(),
        GetBucketNotificationConfigurationOutput;
    analytics("ListBucketAnalyticsConfigurations", GetAnalyticsConfiguration):
        ListBucketAnalyticsConfigurationsInput => ListBucketAnalyticsConfigurationsOutput {
            is_truncated: Some(false),
            ..ListBucketAnalyticsConfigurationsOutput::default()
        }, ListBucketAnalyticsConfigurationsOutput;
    inventory("ListBucketInventoryConfigurations", GetInventoryConfiguration):
        ListBucketInventoryConfigurationsInput => ListBucketInventoryConfigurationsOutput {
            is_truncated: Some(false),
            ..ListBucketInventoryConfigurationsOutput::default()
        }, ListBucketInventoryConfigurationsOutput;
    metrics("ListBucketMetricsConfigurations", GetMetricsConfiguration):
        ListBucketMetricsConfigurationsInput => ListBucketMetricsConfigurationsOutput {
            is_truncated: Some(false),
            ..ListBucketMetricsConfigurationsOutput::default()
        }, ListBucketMetricsConfigurationsOutput;
    tiering("ListBucketIntelligentTieringConfigurations", GetIntelligentTieringConfiguration):
        ListBucketIntelligentTieringConfigurationsInput => ListBucketIntelligentTieringConfigurationsOutput {
            is_truncated: Some(false),
            ..ListBucketIntelligentTieringConfigurationsOutput::default()
        }, ListBucketIntelligentTieringConfigurationsOutput;
}
