use crate::Client;
use crate::error::Error;
use crate::exchange::segment;
use cofre_admin_types::{
    Account, AccountCreated, CreateAccount, CreateKey, CreateToken, Key, KeyCreated, PatchAccount, PatchKey, Quota,
    RevokeQuery, RotateKey, Token, TokenCreated,
};
use hyper::Method;

impl Client {
    /// Every account.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn accounts(&self) -> Result<Vec<Account>, Error> {
        self.every("/accounts").await
    }

    /// One account, by id.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn account(&self, id: &str) -> Result<Account, Error> {
        self.call(Method::GET, &format!("/accounts/{}", segment(id))).json().await
    }

    /// Makes an account and its first key.
    ///
    /// # Errors
    /// [`Error`] as every call; 409 if name or e-mail address is taken.
    pub async fn create_account(&self, request: &CreateAccount) -> Result<AccountCreated, Error> {
        self.call(Method::POST, "/accounts").body(request)?.json().await
    }

    /// Changes an account.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn patch_account(&self, id: &str, patch: &PatchAccount) -> Result<Account, Error> {
        self.call(Method::PATCH, &format!("/accounts/{}", segment(id))).body(patch)?.json().await
    }

    /// Sets what all buckets of an account together may hold.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn set_account_quota(&self, id: &str, quota: &Quota) -> Result<Account, Error> {
        self.call(Method::PUT, &format!("/accounts/{}/quota", segment(id))).body(quota)?.json().await
    }

    /// Deletes an account and its keys.
    ///
    /// # Errors
    /// [`Error`] as every call; 409 while it owns a bucket.
    pub async fn delete_account(&self, id: &str) -> Result<(), Error> {
        self.call(Method::DELETE, &format!("/accounts/{}", segment(id))).nothing().await
    }

    /// Every key of an account.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn keys(&self, account: &str) -> Result<Vec<Key>, Error> {
        self.every(&format!("/accounts/{}/keys", segment(account))).await
    }

    /// Makes a key.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn create_key(&self, account: &str, request: &CreateKey) -> Result<KeyCreated, Error> {
        self.call(Method::POST, &format!("/accounts/{}/keys", segment(account))).body(request)?.json().await
    }

    /// Makes a new key in the place of an old one.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn rotate_key(&self, id: &str, request: &RotateKey) -> Result<KeyCreated, Error> {
        self.call(Method::POST, &format!("/keys/{}/rotate", segment(id))).body(request)?.json().await
    }

    /// Changes a key.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn patch_key(&self, id: &str, patch: &PatchKey) -> Result<Key, Error> {
        self.call(Method::PATCH, &format!("/keys/{}", segment(id))).body(patch)?.json().await
    }

    /// Deletes a key.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn delete_key(&self, id: &str) -> Result<(), Error> {
        self.call(Method::DELETE, &format!("/keys/{}", segment(id))).nothing().await
    }

    /// Every admin token, without secrets.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn tokens(&self) -> Result<Vec<Token>, Error> {
        self.every("/tokens").await
    }

    /// Makes an admin token.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn create_token(&self, request: &CreateToken) -> Result<TokenCreated, Error> {
        self.call(Method::POST, "/tokens").body(request)?.json().await
    }

    /// Revokes an admin token; the last one of the scope `admin` only if forced.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn revoke_token(&self, id: &str, force: bool) -> Result<(), Error> {
        let call = self.call(Method::DELETE, &format!("/tokens/{}", segment(id)));
        call.query(&RevokeQuery { force })?.nothing().await
    }
}
