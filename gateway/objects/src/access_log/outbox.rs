//! The lines of a bucket's requests, on their way to the catalog.

use crate::domain::Objects;
use crate::error::Error;
use crate::upkeep::Upkeep;
use cofre_access_log::{AccessLog, AccessLogError, BucketLog};
use cofre_catalog::records::AccessLogBacklog;
use cofre_types::BucketName;

impl Objects {
    /// The access log of a bucket of this name if its requests are logged: for a door that writes a line of each. Costs a
    /// look at a bucket's cached record. Not for telling anyone: it asks for no right.
    pub async fn logged_bucket(&self, name: &str) -> Option<BucketLog> {
        let name = BucketName::parse(name).ok()?;
        Some(self.0.access_log.of(self.bucket(&name).await.ok()?.logging.as_ref()?))
    }
}

impl Upkeep {
    /// The access logs of all buckets.
    pub fn access_log(&self) -> &AccessLog {
        &self.objects.0.access_log
    }

    /// How much of all access logs waits in the catalog for its delivery.
    ///
    /// # Errors
    /// [`Error::Internal`] if the catalog cannot be read.
    pub async fn access_log_backlog(&self) -> Result<AccessLogBacklog, Error> {
        Ok(self.objects.0.access_log.backlog().await?)
    }
}

impl From<AccessLogError> for Error {
    fn from(error: AccessLogError) -> Self {
        match error {
            AccessLogError::Store(error) => error.into(),
            AccessLogError::Record(error) => error.into(),
        }
    }
}
