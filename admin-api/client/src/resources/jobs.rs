use crate::exchange::segment;
use crate::{Client, Error};
use cofre_admin_types::Job;
use hyper::Method;

impl Client {
    /// Every background job.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn jobs(&self) -> Result<Vec<Job>, Error> {
        self.every("/jobs").await
    }

    /// Ends the rest of a job.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn wake_job(&self, name: &str) -> Result<Job, Error> {
        self.call(Method::POST, &format!("/jobs/{}/wake", segment(name))).json().await
    }
}
