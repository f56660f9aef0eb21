use crate::Client;
use crate::error::Error;
use crate::exchange::{Tagged, segment};
use cofre_admin_types::{RollbackSettings, Settings, SettingsDiff, SettingsRevision};
use hyper::Method;
use serde_json::Value;

impl Client {
    /// The settings in force.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn settings(&self) -> Result<Tagged<Settings>, Error> {
        self.call(Method::GET, "/settings").tagged().await
    }

    /// Changes settings by a merge patch (RFC 7396), on top of the revision with this ETag.
    ///
    /// # Errors
    /// [`Error`] as every call; 412 if someone changed them since.
    pub async fn patch_settings(&self, patch: &Value, etag: &str, note: &str) -> Result<Tagged<Settings>, Error> {
        let call = self.call(Method::PATCH, "/settings").query(&[("note", note)])?;
        call.if_match(etag).body(patch)?.tagged().await
    }

    /// Every revision that the history keeps, newest first.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn settings_history(&self) -> Result<Vec<SettingsRevision>, Error> {
        self.every("/settings/history").await
    }

    /// The settings of a revision.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn settings_at(&self, revision: u64) -> Result<Settings, Error> {
        self.call(Method::GET, &format!("/settings/history/{}", segment(&revision.to_string()))).json().await
    }

    /// What differs between two revisions.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn settings_diff(&self, from: u64, to: u64) -> Result<SettingsDiff, Error> {
        self.call(Method::GET, "/settings/diff").query(&[("from", from), ("to", to)])?.json().await
    }

    /// Brings an earlier document back, on top of the revision with this ETag.
    ///
    /// # Errors
    /// [`Error`] as every call; 412 if someone changed them since.
    pub async fn rollback_settings(&self, request: &RollbackSettings, etag: &str) -> Result<Tagged<Settings>, Error> {
        self.call(Method::POST, "/settings/rollback").if_match(etag).body(request)?.tagged().await
    }
}
