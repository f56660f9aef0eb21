//! Encrypting: what is to be done, and the key of it.

use super::{EncryptAs, EncryptionError};
use crate::bucket::cached::Bucket;
use crate::domain::Objects;
use crate::error::Error;
use cofre_catalog::records::{BucketConfig, DefaultEncryption, Encryption, EncryptionMethod};
use cofre_iam::{Action, Caller};
use cofre_keys::{CustomerKey, DEFAULT_KEY, DataKey};
use cofre_types::{ETag, ObjectKey};

/// A data key in the clear, and the record that holds it sealed.
pub(crate) struct DataSeal {
    pub key: DataKey,
    pub record: Encryption,
}

/// What is to be done, before a key is made for it.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub method: EncryptionMethod,
    pub context: Option<String>,
    pub bucket_key: bool,
    pub customer: Option<CustomerKey>,
}

impl Plan {
    /// Whether content that is encrypted so may be shared as it stands, under the same sealed key.
    pub(crate) fn is_met_by(&self, held: &Encryption) -> bool {
        let same = self.method == held.method && self.context == held.context;
        same && self.customer.as_ref().is_none_or(|key| key.unseal(&held.sealed_key).is_ok())
    }
}

impl Bucket {
    /// Encryption of objects that ask for none.
    fn default_encryption(&self) -> Option<&DefaultEncryption> {
        self.record.config.iter().find_map(|config| match config {
            BucketConfig::Encryption(default) => Some(default),
            _ => None,
        })
    }

    /// Refuses a new object that is encrypted as the bucket blocks.
    pub(crate) fn refuse_blocked(&self, method: &EncryptionMethod) -> Result<(), EncryptionError> {
        match method {
            EncryptionMethod::Customer if self.blocks_customer_keys() => Err(EncryptionError::Blocked),
            EncryptionMethod::S3 | EncryptionMethod::Kms { .. } | EncryptionMethod::Customer => Ok(()),
        }
    }

    /// What is to be done for an object of this bucket; nothing if neither it nor the bucket asks.
    fn encryption_plan(&self, asked: &EncryptAs) -> Option<Plan> {
        let default = self.default_encryption();
        let plan = |method| Plan { method, context: None, bucket_key: false, customer: None };
        match asked {
            EncryptAs::AsBucket => {
                let default = default?;
                Some(Plan { bucket_key: default.bucket_key, ..plan(default.method.clone()) })
            }
            EncryptAs::S3 => Some(plan(EncryptionMethod::S3)),
            EncryptAs::Kms { key, dual_layer, context, bucket_key } => {
                let key = key.clone().unwrap_or_else(|| DEFAULT_KEY.to_owned());
                let bucket_key = bucket_key.unwrap_or_else(|| default.is_some_and(|default| default.bucket_key));
                let method = EncryptionMethod::Kms { key, dual_layer: *dual_layer };
                Some(Plan { context: context.clone(), bucket_key, ..plan(method) })
            }
            EncryptAs::Customer(key) => Some(Plan { customer: Some(key.clone()), ..plan(EncryptionMethod::Customer) }),
        }
    }
}

impl Objects {
    /// What is to be done for an object of a bucket, if it may be encrypted so and the caller use the key; nothing where
    /// its bytes stay in the clear.
    pub(crate) async fn plan_for(
        &self,
        caller: &Caller,
        bucket: &Bucket,
        key: &ObjectKey,
        asked: &EncryptAs,
    ) -> Result<Option<Plan>, Error> {
        let Some(mut plan) = bucket.encryption_plan(asked) else { return Ok(None) };
        plan.method = self.with_key_name(plan.method).await;
        bucket.refuse_blocked(&plan.method)?;
        self.authorise_key(caller, &[Action::GenerateDataKey], &plan.method, (bucket, Some(key))).await?;
        Ok(Some(plan))
    }

    /// A new data key, sealed as planned; none where nothing is.
    pub(crate) async fn new_seal(&self, plan: Option<Plan>) -> Result<Option<DataSeal>, Error> {
        let Some(Plan { method, context, bucket_key, customer }) = plan else { return Ok(None) };
        let bound = context.as_deref().unwrap_or_default().as_bytes();
        let (key, sealed_key) = match (&method, &customer) {
            (EncryptionMethod::S3, _) => {
                let made = self.key_ring().generate(None, b"").await?;
                (made.key, made.sealed)
            }
            (EncryptionMethod::Kms { key, .. }, _) => {
                let made = self.key_ring().generate(Some(key), bound).await?;
                (made.key, made.sealed)
            }
            (EncryptionMethod::Customer, Some(customer)) => {
                let key = DataKey::random(self.random());
                let sealed = customer.seal(&key, self.random());
                (key, sealed)
            }
            (EncryptionMethod::Customer, None) => {
                return Err(Error::Internal("a bucket cannot encrypt under a customer's key".to_owned()));
            }
        };
        let key_md5 = customer.map(|customer| customer.md5());
        Ok(Some(DataSeal { key, record: Encryption { method, sealed_key, key_md5, context, bucket_key } }))
    }
}

/// The entity tag of bytes with this MD5 (AWS, "Common Response Headers", ETag): it is the MD5 of the
/// plaintext only in the clear and under SSE-S3.
pub(crate) fn entity_tag(seal: Option<(&Encryption, &DataKey)>, md5: [u8; 16]) -> ETag {
    match seal {
        Some((record, key)) if record.method != EncryptionMethod::S3 => ETag::of_md5(key.entity_tag(md5)),
        _ => ETag::of_md5(md5),
    }
}
