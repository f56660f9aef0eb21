use crate::Client;
use crate::error::Error;
use crate::exchange::segment;
use cofre_admin_types::{Bucket, BucketOwner, BucketRedundancy, CreateBucket, Quota};
use hyper::Method;

impl Client {
    /// Every bucket of every account.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn buckets(&self) -> Result<Vec<Bucket>, Error> {
        self.every("/buckets").await
    }

    /// One bucket.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn bucket(&self, name: &str) -> Result<Bucket, Error> {
        self.call(Method::GET, &format!("/buckets/{}", segment(name))).json().await
    }

    /// Makes a bucket for an account.
    ///
    /// # Errors
    /// [`Error`] as every call; 409 if the name is taken.
    pub async fn create_bucket(&self, request: &CreateBucket) -> Result<Bucket, Error> {
        self.call(Method::POST, "/buckets").body(request)?.json().await
    }

    /// Deletes a bucket that holds nothing.
    ///
    /// # Errors
    /// [`Error`] as every call; 409 if it is not empty.
    pub async fn delete_bucket(&self, name: &str) -> Result<(), Error> {
        self.call(Method::DELETE, &format!("/buckets/{}", segment(name))).nothing().await
    }

    /// Hands a bucket over to another account, with every object in it.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn set_bucket_owner(&self, name: &str, request: &BucketOwner) -> Result<Bucket, Error> {
        self.call(Method::PUT, &format!("/buckets/{}/owner", segment(name))).body(request)?.json().await
    }

    /// Sets a bucket's own redundancy.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn set_bucket_redundancy(&self, name: &str, request: &BucketRedundancy) -> Result<Bucket, Error> {
        self.call(Method::PUT, &format!("/buckets/{}/redundancy", segment(name))).body(request)?.json().await
    }

    /// Sets what a bucket may hold.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn set_bucket_quota(&self, name: &str, quota: &Quota) -> Result<Bucket, Error> {
        self.call(Method::PUT, &format!("/buckets/{}/quota", segment(name))).body(quota)?.json().await
    }
}
