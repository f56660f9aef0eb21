//! s3s' trait, whose methods only say which function of this folder answers which operation.

use super::{
    Operations, abac, accelerate, acl, attributes, bucket_configs, bucket_encryption, buckets, complete_upload,
    copy_object, cors, delete_object, delete_objects, get_object, lifecycle, list_buckets, list_objects, list_uploads,
    list_versions, logging, object_encryption, object_lock, ownership, policy, public_access, put_object,
    request_payment, restore, tagging, unset_configs, upload_part, uploads, versioning, website,
};
use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result};

macro_rules! table {
    ($($name:ident: $input:ty => $output:ty, $answer:path;)*) => {
        #[async_trait::async_trait]
        impl S3 for Operations {
            $(async fn $name(&self, request: S3Request<$input>) -> S3Result<S3Response<$output>> {
                $answer(self, request).await
            })*
        }
    };
}

table! {
    get_object: GetObjectInput => GetObjectOutput, get_object::get;
    head_object: HeadObjectInput => HeadObjectOutput, get_object::head;
    get_object_attributes: GetObjectAttributesInput => GetObjectAttributesOutput, attributes::get;
    put_object: PutObjectInput => PutObjectOutput, put_object::put;
    copy_object: CopyObjectInput => CopyObjectOutput, copy_object::copy;
    delete_object: DeleteObjectInput => DeleteObjectOutput, delete_object::delete;
    delete_objects: DeleteObjectsInput => DeleteObjectsOutput, delete_objects::delete;
    get_object_tagging: GetObjectTaggingInput => GetObjectTaggingOutput, tagging::get_object;
    put_object_tagging: PutObjectTaggingInput => PutObjectTaggingOutput, tagging::put_object;
    delete_object_tagging: DeleteObjectTaggingInput => DeleteObjectTaggingOutput, tagging::delete_object;
    get_object_acl: GetObjectAclInput => GetObjectAclOutput, acl::get_object;
    put_object_acl: PutObjectAclInput => PutObjectAclOutput, acl::put_object;
    get_object_retention: GetObjectRetentionInput => GetObjectRetentionOutput, object_lock::get_retention;
    put_object_retention: PutObjectRetentionInput => PutObjectRetentionOutput, object_lock::put_retention;
    get_object_legal_hold: GetObjectLegalHoldInput => GetObjectLegalHoldOutput, object_lock::get_legal_hold;
    restore_object: RestoreObjectInput => RestoreObjectOutput, restore::restore;
    put_object_legal_hold: PutObjectLegalHoldInput => PutObjectLegalHoldOutput, object_lock::put_legal_hold;
    update_object_encryption: UpdateObjectEncryptionInput => UpdateObjectEncryptionOutput, object_encryption::update;

    create_multipart_upload: CreateMultipartUploadInput => CreateMultipartUploadOutput, uploads::create;
    abort_multipart_upload: AbortMultipartUploadInput => AbortMultipartUploadOutput, uploads::abort;
    list_parts: ListPartsInput => ListPartsOutput, uploads::list_parts;
    upload_part: UploadPartInput => UploadPartOutput, upload_part::put;
    upload_part_copy: UploadPartCopyInput => UploadPartCopyOutput, upload_part::copy;
    complete_multipart_upload: CompleteMultipartUploadInput => CompleteMultipartUploadOutput, complete_upload::complete;
    list_multipart_uploads: ListMultipartUploadsInput => ListMultipartUploadsOutput, list_uploads::list;

    list_objects: ListObjectsInput => ListObjectsOutput, list_objects::v1;
    list_objects_v2: ListObjectsV2Input => ListObjectsV2Output, list_objects::v2;
    list_object_versions: ListObjectVersionsInput => ListObjectVersionsOutput, list_versions::list;
    list_buckets: ListBucketsInput => ListBucketsOutput, list_buckets::list;

    create_bucket: CreateBucketInput => CreateBucketOutput, buckets::create;
    head_bucket: HeadBucketInput => HeadBucketOutput, buckets::head;
    delete_bucket: DeleteBucketInput => DeleteBucketOutput, buckets::delete;
    get_bucket_location: GetBucketLocationInput => GetBucketLocationOutput, buckets::location;
    get_bucket_tagging: GetBucketTaggingInput => GetBucketTaggingOutput, tagging::get_bucket;
    put_bucket_tagging: PutBucketTaggingInput => PutBucketTaggingOutput, tagging::put_bucket;
    delete_bucket_tagging: DeleteBucketTaggingInput => DeleteBucketTaggingOutput, tagging::delete_bucket;
    get_bucket_versioning: GetBucketVersioningInput => GetBucketVersioningOutput, versioning::get;
    put_bucket_versioning: PutBucketVersioningInput => PutBucketVersioningOutput, versioning::put;
    get_bucket_acl: GetBucketAclInput => GetBucketAclOutput, acl::get_bucket;
    put_bucket_acl: PutBucketAclInput => PutBucketAclOutput, acl::put_bucket;

    get_bucket_abac: GetBucketAbacInput => GetBucketAbacOutput, abac::get;
    put_bucket_abac: PutBucketAbacInput => PutBucketAbacOutput, abac::put;
    get_bucket_accelerate_configuration: GetBucketAccelerateConfigurationInput => GetBucketAccelerateConfigurationOutput, accelerate::get;
    get_bucket_request_payment: GetBucketRequestPaymentInput => GetBucketRequestPaymentOutput, request_payment::get;
    get_bucket_logging: GetBucketLoggingInput => GetBucketLoggingOutput, logging::get;
    get_bucket_notification_configuration: GetBucketNotificationConfigurationInput => GetBucketNotificationConfigurationOutput, unset_configs::notification;
    list_bucket_analytics_configurations: ListBucketAnalyticsConfigurationsInput => ListBucketAnalyticsConfigurationsOutput, unset_configs::analytics;
    list_bucket_inventory_configurations: ListBucketInventoryConfigurationsInput => ListBucketInventoryConfigurationsOutput, unset_configs::inventory;
    list_bucket_metrics_configurations: ListBucketMetricsConfigurationsInput => ListBucketMetricsConfigurationsOutput, unset_configs::metrics;
    list_bucket_intelligent_tiering_configurations: ListBucketIntelligentTieringConfigurationsInput => ListBucketIntelligentTieringConfigurationsOutput, unset_configs::tiering;

    get_bucket_policy: GetBucketPolicyInput => GetBucketPolicyOutput, policy::get;
    get_bucket_policy_status: GetBucketPolicyStatusInput => GetBucketPolicyStatusOutput, policy::status;
    get_bucket_cors: GetBucketCorsInput => GetBucketCorsOutput, cors::get;
    get_bucket_lifecycle_configuration: GetBucketLifecycleConfigurationInput => GetBucketLifecycleConfigurationOutput, lifecycle::get;
    get_bucket_website: GetBucketWebsiteInput => GetBucketWebsiteOutput, website::get;
    get_bucket_encryption: GetBucketEncryptionInput => GetBucketEncryptionOutput, bucket_encryption::get;
    get_bucket_replication: GetBucketReplicationInput => GetBucketReplicationOutput, bucket_configs::get_replication;
    get_object_lock_configuration: GetObjectLockConfigurationInput => GetObjectLockConfigurationOutput, object_lock::get;
    get_bucket_ownership_controls: GetBucketOwnershipControlsInput => GetBucketOwnershipControlsOutput, ownership::get;
    get_public_access_block: GetPublicAccessBlockInput => GetPublicAccessBlockOutput, public_access::get;
    get_bucket_analytics_configuration: GetBucketAnalyticsConfigurationInput => GetBucketAnalyticsConfigurationOutput, bucket_configs::get_analytics;
    get_bucket_inventory_configuration: GetBucketInventoryConfigurationInput => GetBucketInventoryConfigurationOutput, bucket_configs::get_inventory;
    get_bucket_metrics_configuration: GetBucketMetricsConfigurationInput => GetBucketMetricsConfigurationOutput, bucket_configs::get_metrics;
    get_bucket_intelligent_tiering_configuration: GetBucketIntelligentTieringConfigurationInput => GetBucketIntelligentTieringConfigurationOutput, bucket_configs::get_tiering;

    put_bucket_policy: PutBucketPolicyInput => PutBucketPolicyOutput, policy::put;
    put_bucket_cors: PutBucketCorsInput => PutBucketCorsOutput, cors::put;
    put_bucket_lifecycle_configuration: PutBucketLifecycleConfigurationInput => PutBucketLifecycleConfigurationOutput, lifecycle::put;
    put_bucket_website: PutBucketWebsiteInput => PutBucketWebsiteOutput, website::put;
    put_bucket_encryption: PutBucketEncryptionInput => PutBucketEncryptionOutput, bucket_encryption::put;
    put_bucket_replication: PutBucketReplicationInput => PutBucketReplicationOutput, bucket_configs::put_replication;
    put_object_lock_configuration: PutObjectLockConfigurationInput => PutObjectLockConfigurationOutput, object_lock::put;
    put_bucket_ownership_controls: PutBucketOwnershipControlsInput => PutBucketOwnershipControlsOutput, ownership::put;
    put_public_access_block: PutPublicAccessBlockInput => PutPublicAccessBlockOutput, public_access::put;
    put_bucket_logging: PutBucketLoggingInput => PutBucketLoggingOutput, logging::put;
    put_bucket_notification_configuration: PutBucketNotificationConfigurationInput => PutBucketNotificationConfigurationOutput, bucket_configs::put_notification;
    put_bucket_accelerate_configuration: PutBucketAccelerateConfigurationInput => PutBucketAccelerateConfigurationOutput, accelerate::put;
    put_bucket_request_payment: PutBucketRequestPaymentInput => PutBucketRequestPaymentOutput, request_payment::put;
    put_bucket_analytics_configuration: PutBucketAnalyticsConfigurationInput => PutBucketAnalyticsConfigurationOutput, bucket_configs::put_analytics;
    put_bucket_inventory_configuration: PutBucketInventoryConfigurationInput => PutBucketInventoryConfigurationOutput, bucket_configs::put_inventory;
    put_bucket_metrics_configuration: PutBucketMetricsConfigurationInput => PutBucketMetricsConfigurationOutput, bucket_configs::put_metrics;
    put_bucket_intelligent_tiering_configuration: PutBucketIntelligentTieringConfigurationInput => PutBucketIntelligentTieringConfigurationOutput, bucket_configs::put_tiering;

    delete_bucket_policy: DeleteBucketPolicyInput => DeleteBucketPolicyOutput, policy::delete;
    delete_bucket_cors: DeleteBucketCorsInput => DeleteBucketCorsOutput, cors::delete;
    delete_bucket_lifecycle: DeleteBucketLifecycleInput => DeleteBucketLifecycleOutput, lifecycle::delete;
    delete_bucket_website: DeleteBucketWebsiteInput => DeleteBucketWebsiteOutput, website::delete;
    delete_bucket_encryption: DeleteBucketEncryptionInput => DeleteBucketEncryptionOutput, bucket_encryption::delete;
    delete_bucket_replication: DeleteBucketReplicationInput => DeleteBucketReplicationOutput, bucket_configs::delete_replication;
    delete_bucket_ownership_controls: DeleteBucketOwnershipControlsInput => DeleteBucketOwnershipControlsOutput, ownership::delete;
    delete_public_access_block: DeletePublicAccessBlockInput => DeletePublicAccessBlockOutput, public_access::delete;
}
