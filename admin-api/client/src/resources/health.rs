use crate::Client;
use crate::error::Error;
use cofre_admin_types::{Health, Ready};
use hyper::Method;

impl Client {
    /// Health in detail.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn health(&self) -> Result<Health, Error> {
        self.call(Method::GET, "/health").json().await
    }

    /// Whether the process should get requests. Not being ready is an error with the status 503.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn ready(&self) -> Result<Ready, Error> {
        self.call_root(Method::GET, "/health/ready").json().await
    }

    /// Metrics, in Prometheus' text format.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn metrics(&self) -> Result<String, Error> {
        self.call_root(Method::GET, "/metrics").text().await
    }
}
