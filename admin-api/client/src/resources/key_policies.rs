use crate::Client;
use crate::error::Error;
use crate::exchange::segment;
use cofre_admin_types::{KeyPolicy, SetKeyPolicy};
use hyper::Method;

impl Client {
    /// Every policy of a named encryption key.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn key_policies(&self) -> Result<Vec<KeyPolicy>, Error> {
        self.every("/key-policies").await
    }

    /// Who may use a named encryption key.
    ///
    /// # Errors
    /// [`Error`] as every call; 404 if it has no policy.
    pub async fn key_policy(&self, key: &str) -> Result<KeyPolicy, Error> {
        self.call(Method::GET, &format!("/key-policies/{}", segment(key))).json().await
    }

    /// Sets who may use a named encryption key.
    ///
    /// # Errors
    /// [`Error`] as every call; 400 if it is no policy of it.
    pub async fn set_key_policy(&self, key: &str, request: &SetKeyPolicy) -> Result<KeyPolicy, Error> {
        self.call(Method::PUT, &format!("/key-policies/{}", segment(key))).body(request)?.json().await
    }

    /// Takes the policy of a named encryption key back.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn delete_key_policy(&self, key: &str) -> Result<(), Error> {
        self.call(Method::DELETE, &format!("/key-policies/{}", segment(key))).nothing().await
    }
}
