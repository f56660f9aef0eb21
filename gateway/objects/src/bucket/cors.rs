//! The rules of a bucket: set, told, and read for a door that answers browsers.

use crate::bucket::{ConfigKind, Unset};
use crate::domain::Objects;
use crate::error::Error;
use cofre_catalog::records::BucketConfig;
use cofre_iam::{Action, Caller};
use cofre_rules::Cors;
use cofre_types::BucketName;
use std::sync::Arc;

impl Objects {
    /// The CORS rules of a bucket.
    ///
    /// # Errors
    /// [`Error::NoSuchConfiguration`] if it has none.
    pub async fn cors(&self, caller: &Caller, name: &BucketName) -> Result<Cors, Error> {
        let bucket = self.bucket_for(caller, Action::GetBucketCors, name, None).await?;
        let rules = bucket.cors.as_deref().cloned();
        rules.ok_or(Error::NoSuchConfiguration(Unset::Config(ConfigKind::Cors)))
    }

    /// Sets the CORS rules of a bucket.
    ///
    /// # Errors
    /// [`Error::Rules`] if they are not valid.
    pub async fn put_cors(&self, caller: &Caller, name: &BucketName, rules: &Cors) -> Result<(), Error> {
        self.bucket_for(caller, Action::PutBucketCors, name, None).await?;
        let document = rules.validate()?;
        self.put_bucket_config(caller, name, BucketConfig::Cors(document)).await
    }

    /// The CORS rules that a browser's request is held against, whatever its caller may; none if the bucket
    /// has none, or is not there. Not for telling them.
    ///
    /// # Errors
    /// [`Error`] if the catalog cannot be read.
    pub async fn cors_for_browsers(&self, name: &BucketName) -> Result<Option<Arc<Cors>>, Error> {
        match self.bucket(name).await {
            Ok(bucket) => Ok(bucket.cors.clone()),
            Err(Error::NoSuchBucket) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
