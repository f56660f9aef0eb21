/// Declares the enum, the list of all and the names from one table, so that they cannot differ.
macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What a caller wants to do, by the names that policies use (AWS, "Actions, resources, and
        /// condition keys for Amazon S3", and the same for AWS Key Management Service).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Action {
            $($(#[$doc])* $name,)*
        }

        impl Action {
    /// What an object's owner may do to it, and the owner of its bucket may not.
    pub(crate) const fn is_of_the_object(self) -> bool {
        matches!(
            self,
            Self::GetObject
                | Self::GetObjectVersion
                | Self::GetObjectAttributes
                | Self::GetObjectVersionAttributes
                | Self::GetObjectAcl
                | Self::GetObjectVersionAcl
                | Self::PutObjectAcl
                | Self::PutObjectVersionAcl
                | Self::GetObjectTagging
                | Self::GetObjectVersionTagging
                | Self::PutObjectTagging
                | Self::PutObjectVersionTagging
                | Self::DeleteObjectTagging
                | Self::DeleteObjectVersionTagging
        )
    }

            /// Every action.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name in a policy, such as `s3:GetObject`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

actions! {
    /// Aborts a multipart upload.
    AbortMultipartUpload = "s3:AbortMultipartUpload",
    /// Deletes or changes what governance mode locks.
    BypassGovernanceRetention = "s3:BypassGovernanceRetention",
    /// Makes a bucket.
    CreateBucket = "s3:CreateBucket",
    /// Deletes an empty bucket.
    DeleteBucket = "s3:DeleteBucket",
    /// Deletes a bucket's policy.
    DeleteBucketPolicy = "s3:DeleteBucketPolicy",
    /// Deletes a bucket's website configuration.
    DeleteBucketWebsite = "s3:DeleteBucketWebsite",
    /// Deletes an object, or puts a delete marker.
    DeleteObject = "s3:DeleteObject",
    /// Deletes the tags of an object.
    DeleteObjectTagging = "s3:DeleteObjectTagging",
    /// Deletes one version for good.
    DeleteObjectVersion = "s3:DeleteObjectVersion",
    /// Deletes the tags of one version.
    DeleteObjectVersionTagging = "s3:DeleteObjectVersionTagging",
    /// Opens what a named key sealed.
    Decrypt = "kms:Decrypt",
    /// Seals under a named key.
    Encrypt = "kms:Encrypt",
    /// Makes the key of an object, sealed under a named key.
    GenerateDataKey = "kms:GenerateDataKey",
    /// Takes the key of an object from under a named key.
    ReEncryptFrom = "kms:ReEncryptFrom",
    /// Brings the key of an object under a named key.
    ReEncryptTo = "kms:ReEncryptTo",
    /// Reads whether a bucket is accelerated.
    GetAccelerateConfiguration = "s3:GetAccelerateConfiguration",
    /// Reads a bucket's analytics configurations.
    GetAnalyticsConfiguration = "s3:GetAnalyticsConfiguration",
    /// Reads whether a bucket's tags count in policies.
    GetBucketAbac = "s3:GetBucketAbac",
    /// Reads a bucket's access control list.
    GetBucketAcl = "s3:GetBucketAcl",
    /// Reads a bucket's CORS rules.
    GetBucketCors = "s3:GetBucketCORS",
    /// Reads a bucket's region.
    GetBucketLocation = "s3:GetBucketLocation",
    /// Reads a bucket's logging configuration.
    GetBucketLogging = "s3:GetBucketLogging",
    /// Reads a bucket's notification configuration.
    GetBucketNotification = "s3:GetBucketNotification",
    /// Reads a bucket's lock configuration.
    GetBucketObjectLockConfiguration = "s3:GetBucketObjectLockConfiguration",
    /// Reads who owns what others put in a bucket.
    GetBucketOwnershipControls = "s3:GetBucketOwnershipControls",
    /// Reads a bucket's policy.
    GetBucketPolicy = "s3:GetBucketPolicy",
    /// Reads whether a bucket's policy is public.
    GetBucketPolicyStatus = "s3:GetBucketPolicyStatus",
    /// Reads what a bucket refuses to make public.
    GetBucketPublicAccessBlock = "s3:GetBucketPublicAccessBlock",
    /// Reads who pays for requests.
    GetBucketRequestPayment = "s3:GetBucketRequestPayment",
    /// Reads a bucket's tags.
    GetBucketTagging = "s3:GetBucketTagging",
    /// Reads whether a bucket keeps old versions.
    GetBucketVersioning = "s3:GetBucketVersioning",
    /// Reads a bucket's website configuration.
    GetBucketWebsite = "s3:GetBucketWebsite",
    /// Reads a bucket's default encryption.
    GetEncryptionConfiguration = "s3:GetEncryptionConfiguration",
    /// Reads a bucket's tiering configurations.
    GetIntelligentTieringConfiguration = "s3:GetIntelligentTieringConfiguration",
    /// Reads a bucket's inventory configurations.
    GetInventoryConfiguration = "s3:GetInventoryConfiguration",
    /// Reads a bucket's lifecycle rules.
    GetLifecycleConfiguration = "s3:GetLifecycleConfiguration",
    /// Reads a bucket's metrics configurations.
    GetMetricsConfiguration = "s3:GetMetricsConfiguration",
    /// Reads an object.
    GetObject = "s3:GetObject",
    /// Reads an object's access control list.
    GetObjectAcl = "s3:GetObjectAcl",
    /// Reads an object's attributes.
    GetObjectAttributes = "s3:GetObjectAttributes",
    /// Reads an object's legal hold.
    GetObjectLegalHold = "s3:GetObjectLegalHold",
    /// Reads how long an object is kept.
    GetObjectRetention = "s3:GetObjectRetention",
    /// Reads an object's tags.
    GetObjectTagging = "s3:GetObjectTagging",
    /// Reads one version of an object.
    GetObjectVersion = "s3:GetObjectVersion",
    /// Reads the access control list of one version.
    GetObjectVersionAcl = "s3:GetObjectVersionAcl",
    /// Reads the attributes of one version.
    GetObjectVersionAttributes = "s3:GetObjectVersionAttributes",
    /// Reads the tags of one version.
    GetObjectVersionTagging = "s3:GetObjectVersionTagging",
    /// Reads a bucket's replication configuration.
    GetReplicationConfiguration = "s3:GetReplicationConfiguration",
    /// Lists the caller's buckets.
    ListAllMyBuckets = "s3:ListAllMyBuckets",
    /// Lists a bucket's objects, or asks whether it is there.
    ListBucket = "s3:ListBucket",
    /// Lists the multipart uploads under way in a bucket.
    ListBucketMultipartUploads = "s3:ListBucketMultipartUploads",
    /// Lists the versions in a bucket.
    ListBucketVersions = "s3:ListBucketVersions",
    /// Lists the parts of an upload.
    ListMultipartUploadParts = "s3:ListMultipartUploadParts",
    /// Reads a bucket's tags, by its ARN.
    ListTagsForResource = "s3:ListTagsForResource",
    /// Sets whether a bucket is accelerated.
    PutAccelerateConfiguration = "s3:PutAccelerateConfiguration",
    /// Sets a bucket's analytics configurations.
    PutAnalyticsConfiguration = "s3:PutAnalyticsConfiguration",
    /// Sets whether a bucket's tags count in policies.
    PutBucketAbac = "s3:PutBucketAbac",
    /// Sets a bucket's access control list.
    PutBucketAcl = "s3:PutBucketAcl",
    /// Sets or deletes a bucket's CORS rules.
    PutBucketCors = "s3:PutBucketCORS",
    /// Sets a bucket's logging configuration.
    PutBucketLogging = "s3:PutBucketLogging",
    /// Sets a bucket's notification configuration.
    PutBucketNotification = "s3:PutBucketNotification",
    /// Sets a bucket's lock configuration.
    PutBucketObjectLockConfiguration = "s3:PutBucketObjectLockConfiguration",
    /// Sets or deletes who owns what others put in a bucket.
    PutBucketOwnershipControls = "s3:PutBucketOwnershipControls",
    /// Sets a bucket's policy.
    PutBucketPolicy = "s3:PutBucketPolicy",
    /// Sets or deletes what a bucket refuses to make public.
    PutBucketPublicAccessBlock = "s3:PutBucketPublicAccessBlock",
    /// Sets who pays for requests.
    PutBucketRequestPayment = "s3:PutBucketRequestPayment",
    /// Sets or deletes a bucket's tags.
    PutBucketTagging = "s3:PutBucketTagging",
    /// Sets whether a bucket keeps old versions.
    PutBucketVersioning = "s3:PutBucketVersioning",
    /// Sets a bucket's website configuration.
    PutBucketWebsite = "s3:PutBucketWebsite",
    /// Sets or deletes a bucket's default encryption.
    PutEncryptionConfiguration = "s3:PutEncryptionConfiguration",
    /// Sets a bucket's tiering configurations.
    PutIntelligentTieringConfiguration = "s3:PutIntelligentTieringConfiguration",
    /// Sets a bucket's inventory configurations.
    PutInventoryConfiguration = "s3:PutInventoryConfiguration",
    /// Sets or deletes a bucket's lifecycle rules.
    PutLifecycleConfiguration = "s3:PutLifecycleConfiguration",
    /// Sets a bucket's metrics configurations.
    PutMetricsConfiguration = "s3:PutMetricsConfiguration",
    /// Puts an object, or a part of one.
    PutObject = "s3:PutObject",
    /// Sets an object's access control list.
    PutObjectAcl = "s3:PutObjectAcl",
    /// Sets an object's legal hold.
    PutObjectLegalHold = "s3:PutObjectLegalHold",
    /// Sets how long an object is kept.
    PutObjectRetention = "s3:PutObjectRetention",
    /// Sets an object's tags.
    PutObjectTagging = "s3:PutObjectTagging",
    /// Sets the access control list of one version.
    PutObjectVersionAcl = "s3:PutObjectVersionAcl",
    /// Sets the tags of one version.
    PutObjectVersionTagging = "s3:PutObjectVersionTagging",
    /// Sets or deletes a bucket's replication configuration.
    PutReplicationConfiguration = "s3:PutReplicationConfiguration",
    /// Restores an archived object.
    RestoreObject = "s3:RestoreObject",
    /// Adds tags to a bucket, by its ARN.
    TagResource = "s3:TagResource",
    /// Takes tags from a bucket, by its ARN.
    UntagResource = "s3:UntagResource",
    /// Brings an object's key under another named key.
    UpdateObjectEncryption = "s3:UpdateObjectEncryption",
}

impl Action {
    /// Whether it is asked of objects; else of a bucket, of a named key, or of the service.
    pub const fn is_of_object(self) -> bool {
        use Action as A;
        matches!(
            self,
            A::AbortMultipartUpload
                | A::BypassGovernanceRetention
                | A::DeleteObject
                | A::DeleteObjectTagging
                | A::DeleteObjectVersion
                | A::DeleteObjectVersionTagging
                | A::GetObject
                | A::GetObjectAcl
                | A::GetObjectAttributes
                | A::GetObjectLegalHold
                | A::GetObjectRetention
                | A::GetObjectTagging
                | A::GetObjectVersion
                | A::GetObjectVersionAcl
                | A::GetObjectVersionAttributes
                | A::GetObjectVersionTagging
                | A::ListMultipartUploadParts
                | A::PutObject
                | A::PutObjectAcl
                | A::PutObjectLegalHold
                | A::PutObjectRetention
                | A::PutObjectTagging
                | A::PutObjectVersionAcl
                | A::PutObjectVersionTagging
                | A::RestoreObject
                | A::UpdateObjectEncryption
        )
    }

    /// Whether it is asked of a named key.
    pub const fn is_of_key(self) -> bool {
        use Action as A;
        matches!(self, A::Decrypt | A::Encrypt | A::GenerateDataKey | A::ReEncryptFrom | A::ReEncryptTo)
    }
}

impl Action {
    /// Whether it makes, changes or deletes a bucket, or what is set of it.
    pub const fn sets_bucket(self) -> bool {
        use Action as A;
        matches!(
            self,
            A::CreateBucket
                | A::DeleteBucket
                | A::DeleteBucketPolicy
                | A::DeleteBucketWebsite
                | A::PutAccelerateConfiguration
                | A::PutAnalyticsConfiguration
                | A::PutBucketAbac
                | A::PutBucketAcl
                | A::PutBucketCors
                | A::PutBucketLogging
                | A::PutBucketNotification
                | A::PutBucketObjectLockConfiguration
                | A::PutBucketOwnershipControls
                | A::PutBucketPolicy
                | A::PutBucketPublicAccessBlock
                | A::PutBucketRequestPayment
                | A::PutBucketTagging
                | A::PutBucketVersioning
                | A::PutBucketWebsite
                | A::PutEncryptionConfiguration
                | A::PutIntelligentTieringConfiguration
                | A::PutInventoryConfiguration
                | A::PutLifecycleConfiguration
                | A::PutMetricsConfiguration
                | A::PutReplicationConfiguration
                | A::TagResource
                | A::UntagResource
        )
    }
}

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
