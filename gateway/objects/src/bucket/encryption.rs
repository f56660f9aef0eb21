//! Encryption of a bucket: of objects that ask for none, and how new objects may not be encrypted.

use crate::bucket::cached::Bucket;
use crate::bucket::{ConfigKind, Unset};
use crate::domain::Objects;
use crate::error::Error;
use cofre_catalog::records::{BucketConfig, BucketRecord, DefaultEncryption, EncryptionBlock};
use cofre_iam::{Action, Caller};
use cofre_types::BucketName;

/// What a bucket says about the encryption of its objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BucketEncryption {
    /// Of objects that ask for none; if absent, they stand in the clear.
    pub default: Option<DefaultEncryption>,
    /// How new objects may not be encrypted; if absent, nobody ever said, and all may be.
    pub block: Option<EncryptionBlock>,
}

impl BucketEncryption {
    fn of(record: &BucketRecord) -> Self {
        let mut found = Self::default();
        for config in &record.config {
            match config {
                BucketConfig::Encryption(default) => found.default = Some(default.clone()),
                BucketConfig::EncryptionBlock(block) => found.block = Some(*block),
                _ => {}
            }
        }
        found
    }

    fn set(&self, record: &mut BucketRecord) {
        let of_encryption =
            |config: &BucketConfig| matches!(config, BucketConfig::Encryption(_) | BucketConfig::EncryptionBlock(_));
        record.config.retain(|config| !of_encryption(config));
        record.config.extend(self.default.clone().map(BucketConfig::Encryption));
        record.config.extend(self.block.map(BucketConfig::EncryptionBlock));
    }
}

impl Objects {
    /// What a bucket says about the encryption of its objects.
    ///
    /// # Errors
    /// [`Error::NoSuchConfiguration`] if it says nothing.
    pub async fn bucket_encryption(&self, caller: &Caller, name: &BucketName) -> Result<BucketEncryption, Error> {
        let bucket = self.bucket_for(caller, Action::GetEncryptionConfiguration, name, None).await?;
        match BucketEncryption::of(&bucket.record) {
            BucketEncryption { default: None, block: None } => {
                Err(Error::NoSuchConfiguration(Unset::Config(ConfigKind::Encryption)))
            }
            found => Ok(found),
        }
    }

    /// Replaces the encryption of objects that ask for none. What is not said stays: what is blocked, and the encryption
    /// where only that is said. Who names a key must be one that may encrypt under it.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn put_bucket_encryption(
        &self,
        caller: &Caller,
        name: &BucketName,
        wanted: BucketEncryption,
    ) -> Result<(), Error> {
        let action = Action::PutEncryptionConfiguration;
        if let Some(default) = &wanted.default {
            let bucket = self.bucket_for(caller, action, name, None).await?;
            let method = self.with_key_name(default.method.clone()).await;
            self.authorise_key(caller, &[Action::GenerateDataKey], &method, (&bucket, None)).await?;
        }
        let set = |_: &Bucket, record: &mut BucketRecord| {
            let before = BucketEncryption::of(record);
            let default = wanted.default.clone().or(before.default.filter(|_| wanted.block.is_some()));
            BucketEncryption { default, block: wanted.block.or(before.block) }.set(record);
            Ok(())
        };
        self.try_change_bucket(caller, action, name, "bucket.configured", set).await
    }

    /// Encrypts objects that ask for none no more; fine if they never were. What is blocked stays.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn delete_bucket_encryption(&self, caller: &Caller, name: &BucketName) -> Result<(), Error> {
        self.put_bucket_encryption(caller, name, BucketEncryption::default()).await
    }
}

impl Bucket {
    /// Whether no new object may be encrypted under a client's key.
    pub(crate) fn blocks_customer_keys(&self) -> bool {
        self.record.config.contains(&BucketConfig::EncryptionBlock(EncryptionBlock { customer_keys: true }))
    }
}
