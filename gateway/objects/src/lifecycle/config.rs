//! The rules of a bucket: set, told, and shown on what they end.

use crate::bucket::cached::Bucket;
use crate::bucket::{ConfigKind, Unset};
use crate::domain::Objects;
use crate::error::Error;
use crate::object::Ending;
use cofre_catalog::records::{BucketConfig, VersionRecord};
use cofre_iam::{Action, Caller};
use cofre_rules::{Calendar, Lifecycle, RulesError};
use cofre_types::{BucketName, ObjectKey, Timestamp};

impl Objects {
    /// The lifecycle rules of a bucket.
    ///
    /// # Errors
    /// [`Error::NoSuchConfiguration`] if it has none.
    pub async fn lifecycle(&self, caller: &Caller, name: &BucketName) -> Result<Lifecycle, Error> {
        let bucket = self.bucket_for(caller, Action::GetLifecycleConfiguration, name, None).await?;
        let rules = bucket.lifecycle.as_deref().cloned();
        rules.ok_or(Error::NoSuchConfiguration(Unset::Config(ConfigKind::Lifecycle)))
    }

    /// Sets the lifecycle rules of a bucket. Rules without an id get one.
    ///
    /// # Errors
    /// [`Error::Rules`] if they are not valid.
    pub async fn put_lifecycle(&self, caller: &Caller, name: &BucketName, mut rules: Lifecycle) -> Result<(), Error> {
        self.bucket_for(caller, Action::PutLifecycleConfiguration, name, None).await?;
        rules.validate(|class| self.is_class(class))?;
        for rule in rules.rules.iter_mut().filter(|rule| rule.id.is_empty()) {
            let [a, b] = [self.random().u64(), self.random().u64()];
            rule.id = format!("{a:016x}{b:016x}");
        }
        let document = serde_json::to_string(&rules).map_err(|error| Error::Internal(error.to_string()))?;
        self.put_bucket_config(caller, name, BucketConfig::Lifecycle(document)).await
    }

    /// When the rules end a current object, as answers tell it: in days of people, whatever the
    /// length of a day is for tests.
    pub(crate) fn ending(bucket: &Bucket, key: &ObjectKey, record: &VersionRecord) -> Option<Ending> {
        let (at, rule) = bucket.lifecycle.as_ref()?.end_of(key.as_str(), record, Calendar::Days)?;
        Some(Ending { at, rule: rule.to_owned() })
    }

    /// When the rules end an upload that is still under way.
    pub(crate) fn ending_upload(bucket: &Bucket, key: &ObjectKey, begun: Timestamp) -> Option<Ending> {
        let (at, rule) = bucket.lifecycle.as_ref()?.end_of_upload(key.as_str(), begun, Calendar::Days)?;
        Some(Ending { at, rule: rule.to_owned() })
    }
}

impl From<RulesError> for Error {
    fn from(error: RulesError) -> Self {
        Self::Rules(error)
    }
}
