use crate::Client;
use crate::error::Error;
use crate::exchange::Tagged;
use cofre_admin_types::{Drain, DrainQuery, PatchShard, ProbeResult, RegisterShard, Shard};
use hyper::Method;

impl Client {
    /// Every shard.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn shards(&self) -> Result<Vec<Shard>, Error> {
        self.every("/shards").await
    }

    /// Registers a shard.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn register_shard(&self, request: &RegisterShard) -> Result<Shard, Error> {
        self.call(Method::POST, "/shards").body(request)?.json().await
    }

    /// One shard.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn shard(&self, id: u32) -> Result<Tagged<Shard>, Error> {
        self.call(Method::GET, &format!("/shards/{id}")).tagged().await
    }

    /// Changes a shard, on top of the revision with this ETag; `*` for any.
    ///
    /// # Errors
    /// [`Error`] as every call; 412 if someone changed it since.
    pub async fn patch_shard(&self, id: u32, patch: &PatchShard, etag: &str) -> Result<Tagged<Shard>, Error> {
        self.call(Method::PATCH, &format!("/shards/{id}")).if_match(etag).body(patch)?.tagged().await
    }

    /// Removes a drained shard.
    ///
    /// # Errors
    /// [`Error`] as every call; 409 while it holds any copy.
    pub async fn remove_shard(&self, id: u32) -> Result<(), Error> {
        self.call(Method::DELETE, &format!("/shards/{id}")).nothing().await
    }

    /// Proves that a shard takes, gives and deletes a blob.
    ///
    /// # Errors
    /// [`Error`] as every call. A probe that fails is an answer, not an error.
    pub async fn probe_shard(&self, id: u32) -> Result<ProbeResult, Error> {
        self.call(Method::POST, &format!("/shards/{id}/probe")).json().await
    }

    /// Starts to drain a shard.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn start_drain(&self, id: u32, query: DrainQuery) -> Result<Drain, Error> {
        self.call(Method::PUT, &format!("/shards/{id}/drain")).query(&query)?.json().await
    }

    /// How far a drain is.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn drain(&self, id: u32) -> Result<Drain, Error> {
        self.call(Method::GET, &format!("/shards/{id}/drain")).json().await
    }

    /// Stops a drain: the shard takes new blobs again; what moved stays where it is.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn cancel_drain(&self, id: u32) -> Result<Drain, Error> {
        self.call(Method::DELETE, &format!("/shards/{id}/drain")).json().await
    }

    /// Declares a shard dead.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn declare_shard_dead(&self, id: u32) -> Result<Shard, Error> {
        self.call(Method::PUT, &format!("/shards/{id}/dead")).json().await
    }

    /// Takes a shard back that was given up.
    ///
    /// # Errors
    /// [`Error`] as every call; 409 if it was not given up, or does not answer.
    pub async fn take_shard_back(&self, id: u32) -> Result<Shard, Error> {
        self.call(Method::DELETE, &format!("/shards/{id}/dead")).json().await
    }
}
