use crate::Client;
use crate::error::Error;
use crate::exchange::segment;
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

    /// One background job.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn job(&self, name: &str) -> Result<Job, Error> {
        self.call(Method::GET, &format!("/jobs/{}", segment(name))).json().await
    }

    /// Runs a job now, though it is not due.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn run_job(&self, name: &str) -> Result<Job, Error> {
        self.call(Method::POST, &format!("/jobs/{}/run", segment(name))).json().await
    }

    /// Pauses a job until it is resumed.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn pause_job(&self, name: &str) -> Result<Job, Error> {
        self.call(Method::POST, &format!("/jobs/{}/pause", segment(name))).json().await
    }

    /// Resumes a job that is paused.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn resume_job(&self, name: &str) -> Result<Job, Error> {
        self.call(Method::POST, &format!("/jobs/{}/resume", segment(name))).json().await
    }

    /// Ends the rest of a job.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn wake_job(&self, name: &str) -> Result<Job, Error> {
        self.call(Method::POST, &format!("/jobs/{}/wake", segment(name))).json().await
    }
}
