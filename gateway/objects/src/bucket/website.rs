//! The website of a bucket: set, told, and read for a door that serves it.

use crate::bucket::{ConfigKind, Unset};
use crate::domain::Objects;
use crate::error::Error;
use cofre_catalog::records::BucketConfig;
use cofre_iam::{Action, Caller};
use cofre_rules::Website;
use cofre_types::BucketName;
use std::sync::Arc;

const NOT_SET: Error = Error::NoSuchConfiguration(Unset::Config(ConfigKind::Website));

impl Objects {
    /// The website of a bucket.
    ///
    /// # Errors
    /// [`Error::NoSuchConfiguration`] if it has none.
    pub async fn website(&self, caller: &Caller, name: &BucketName) -> Result<Website, Error> {
        let bucket = self.bucket_for(caller, Action::GetBucketWebsite, name, None).await?;
        bucket.website.as_deref().cloned().ok_or(NOT_SET)
    }

    /// Makes a bucket a website.
    ///
    /// # Errors
    /// [`Error::Rules`] if the configuration is not valid.
    pub async fn put_website(&self, caller: &Caller, name: &BucketName, website: &Website) -> Result<(), Error> {
        self.bucket_for(caller, Action::PutBucketWebsite, name, None).await?;
        website.validate()?;
        let document = serde_json::to_string(website).map_err(|error| Error::Internal(error.to_string()))?;
        self.put_bucket_config(caller, name, BucketConfig::Website(document)).await
    }

    /// The website of a bucket, for who serves it to anyone. Not for telling it.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`], or [`Error::NoSuchConfiguration`] if it is no website.
    pub async fn website_to_serve(&self, name: &BucketName) -> Result<Arc<Website>, Error> {
        self.bucket(name).await?.website.clone().ok_or(NOT_SET)
    }
}
