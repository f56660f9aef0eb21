//! The actions that policies may name (AWS, "Actions, resources, and condition keys for Amazon S3", and the same for
//! AWS Key Management Service), and what each is asked of.

use super::pattern::{Pattern, Syntax};
use super::scope::Scope;
use super::steps::{Overrun, Steps};
use super::{Unknown, parse::Keys};
use crate::action::Action;

/// What an action is asked of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum On {
    Bucket,
    Object,
    /// A named key.
    Key,
    /// Of what no bucket's policy is about, such as an account or an access point.
    Elsewhere,
}

/// AWS's actions that nothing here asks for, without the service. A policy that names one is taken.
const OTHERS: &[(On, &[&str])] = &[
    (
        On::Bucket,
        &[
            "CreateBucketMetadataTableConfiguration",
            "DeleteBucketMetadataTableConfiguration",
            "GetBucketMetadataTableConfiguration",
            "PauseReplication",
            "UpdateBucketMetadataAnnotationTableConfiguration",
            "UpdateBucketMetadataInventoryTableConfiguration",
            "UpdateBucketMetadataJournalTableConfiguration",
        ],
    ),
    (
        On::Object,
        &[
            "GetObjectTorrent",
            "GetObjectVersionForReplication",
            "GetObjectVersionTorrent",
            "InitiateReplication",
            "ObjectOwnerOverrideToBucketOwner",
            "ReplicateDelete",
            "ReplicateObject",
            "ReplicateTags",
        ],
    ),
    (
        On::Elsewhere,
        &[
            "AssociateAccessGrantsIdentityCenter",
            "CreateAccessGrant",
            "CreateAccessGrantsInstance",
            "CreateAccessGrantsLocation",
            "CreateAccessPoint",
            "CreateAccessPointForObjectLambda",
            "CreateJob",
            "CreateMultiRegionAccessPoint",
            "CreateStorageLensGroup",
            "DeleteAccessGrant",
            "DeleteAccessGrantsInstance",
            "DeleteAccessGrantsInstanceResourcePolicy",
            "DeleteAccessGrantsLocation",
            "DeleteAccessPoint",
            "DeleteAccessPointForObjectLambda",
            "DeleteAccessPointPolicy",
            "DeleteAccessPointPolicyForObjectLambda",
            "DeleteJobTagging",
            "DeleteMultiRegionAccessPoint",
            "DeleteStorageLensConfiguration",
            "DeleteStorageLensConfigurationTagging",
            "DeleteStorageLensGroup",
            "DescribeJob",
            "DescribeMultiRegionAccessPointOperation",
            "DissociateAccessGrantsIdentityCenter",
            "GetAccessGrant",
            "GetAccessGrantsInstance",
            "GetAccessGrantsInstanceForPrefix",
            "GetAccessGrantsInstanceResourcePolicy",
            "GetAccessGrantsLocation",
            "GetAccessPoint",
            "GetAccessPointConfigurationForObjectLambda",
            "GetAccessPointForObjectLambda",
            "GetAccessPointPolicy",
            "GetAccessPointPolicyForObjectLambda",
            "GetAccessPointPolicyStatus",
            "GetAccessPointPolicyStatusForObjectLambda",
            "GetAccountPublicAccessBlock",
            "GetDataAccess",
            "GetJobTagging",
            "GetMultiRegionAccessPoint",
            "GetMultiRegionAccessPointPolicy",
            "GetMultiRegionAccessPointPolicyStatus",
            "GetMultiRegionAccessPointRoutes",
            "GetStorageLensConfiguration",
            "GetStorageLensConfigurationTagging",
            "GetStorageLensDashboard",
            "GetStorageLensGroup",
            "ListAccessGrants",
            "ListAccessGrantsInstances",
            "ListAccessGrantsLocations",
            "ListAccessPoints",
            "ListAccessPointsForObjectLambda",
            "ListCallerAccessGrants",
            "ListJobs",
            "ListMultiRegionAccessPoints",
            "ListStorageLensConfigurations",
            "ListStorageLensGroups",
            "PutAccessGrantsInstanceResourcePolicy",
            "PutAccessPointConfigurationForObjectLambda",
            "PutAccessPointPolicy",
            "PutAccessPointPolicyForObjectLambda",
            "PutAccessPointPublicAccessBlock",
            "PutAccountPublicAccessBlock",
            "PutJobTagging",
            "PutMultiRegionAccessPointPolicy",
            "PutStorageLensConfiguration",
            "PutStorageLensConfigurationTagging",
            "SubmitMultiRegionAccessPointRoutes",
            "UpdateAccessGrantsLocation",
            "UpdateJobPriority",
            "UpdateJobStatus",
            "UpdateStorageLensGroup",
        ],
    ),
];

/// The actions of AWS KMS that nothing here asks for, without the service. The policy of a key that names one is taken.
const OTHERS_OF_KEYS: &[&str] = &[
    "CancelKeyDeletion",
    "CreateAlias",
    "CreateGrant",
    "DeleteAlias",
    "DeleteImportedKeyMaterial",
    "DeriveSharedSecret",
    "DescribeKey",
    "DisableKey",
    "DisableKeyRotation",
    "EnableKey",
    "EnableKeyRotation",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateMac",
    "GetKeyPolicy",
    "GetKeyRotationStatus",
    "GetParametersForImport",
    "GetPublicKey",
    "ImportKeyMaterial",
    "ListGrants",
    "ListKeyPolicies",
    "ListKeyRotations",
    "ListResourceTags",
    "ListRetirableGrants",
    "PutKeyPolicy",
    "ReplicateKey",
    "RetireGrant",
    "RevokeGrant",
    "RotateKeyOnDemand",
    "ScheduleKeyDeletion",
    "Sign",
    "SynchronizeMultiRegionKey",
    "TagResource",
    "UntagResource",
    "UpdateAlias",
    "UpdateKeyDescription",
    "UpdatePrimaryRegion",
    "Verify",
    "VerifyMac",
];

/// The names of all actions in lower case, as patterns are held against them.
pub(super) struct Names {
    /// Of [`Action::ALL`], in its order.
    own: Vec<(On, String)>,
    others: Vec<(On, String)>,
}

/// Which actions a pattern names.
pub(super) struct Named {
    /// For each of [`Action::ALL`], whether it is named.
    pub(super) own: Vec<bool>,
    /// Whether one that is asked of buckets is named.
    pub(super) of_buckets: bool,
    /// Whether one that is asked of objects is named.
    pub(super) of_objects: bool,
    /// Whether one that is asked of keys is named.
    pub(super) of_keys: bool,
    /// Whether any is named.
    pub(super) any: bool,
}

impl Names {
    pub(super) fn new() -> Self {
        let own = |action: &Action| {
            let on = match action {
                Action::ListAllMyBuckets => On::Elsewhere,
                action if action.is_of_object() => On::Object,
                action if action.is_of_key() => On::Key,
                _ => On::Bucket,
            };
            (on, action.as_str().to_ascii_lowercase())
        };
        let of_s3 = OTHERS
            .iter()
            .flat_map(|(on, names)| names.iter().map(|name| (*on, format!("s3:{}", name.to_ascii_lowercase()))));
        let of_keys = OTHERS_OF_KEYS.iter().map(|name| (On::Key, format!("kms:{}", name.to_ascii_lowercase())));
        Self { own: Action::ALL.iter().map(own).collect(), others: of_s3.chain(of_keys).collect() }
    }

    /// What a pattern in a policy names: without its case, with wildcards and without variables.
    pub(super) fn named(&self, pattern: &str) -> Result<Named, &'static str> {
        let syntax = Syntax { wildcards: true, variables: false };
        let pattern = Pattern::parse(&pattern.to_ascii_lowercase(), syntax, &mut Keys::default())?;
        let own = Vec::with_capacity(self.own.len());
        let mut named = Named { own, of_buckets: false, of_objects: false, of_keys: false, any: false };
        for (index, (on, name)) in self.own.iter().chain(&self.others).enumerate() {
            let matches = matches(&pattern, name).map_err(|_| "a value is too long")?;
            if index < self.own.len() {
                named.own.push(matches);
            }
            named.any |= matches;
            named.of_buckets |= matches && *on == On::Bucket;
            named.of_objects |= matches && *on == On::Object;
            named.of_keys |= matches && *on == On::Key;
        }
        Ok(named)
    }
}

/// Whether a text fits a pattern without variables.
pub(super) fn matches(pattern: &Pattern, text: &str) -> Result<bool, Overrun> {
    let steps = Steps::default();
    pattern.matches(text, &Scope::new(&[], &Unknown, &steps))
}
