//! Secrets for checking signatures, and the callers behind them.

use crate::errors;
use crate::exchange::Exchange;
use cofre_iam::{Caller, Credential, Iam, Lookup, Principal};
use cofre_types::AccessKeyId;
use s3s::{S3Error, S3ErrorCode, S3Result};
use std::sync::Arc;

/// Looks access keys up.
#[derive(Clone)]
pub(crate) struct Credentials(pub(crate) Iam);

impl Credentials {
    /// The credential of a key that may be used.
    pub(crate) async fn credential(&self, access_key: &str) -> S3Result<Arc<Credential>> {
        let unknown = || S3Error::new(S3ErrorCode::InvalidAccessKeyId);
        let id = AccessKeyId::parse(access_key).map_err(|_| unknown())?;
        match self.0.lookup(&id).await {
            Ok(Lookup::Active(credential)) => Ok(credential),
            Ok(Lookup::Unknown | Lookup::Disabled | Lookup::Expired) => Err(unknown()),
            Err(error) => {
                tracing::error!(%error, "an access key could not be looked up");
                Err(errors::internal())
            }
        }
    }

    /// The caller behind a signature that was good, or the anonymous one.
    pub(crate) async fn caller(&self, access_key: Option<&str>, exchange: &Exchange) -> S3Result<Caller> {
        let principal = match access_key {
            Some(access_key) => self.credential(access_key).await?.principal.clone(),
            None => Principal::Anonymous,
        };
        Ok(Caller::new(principal, exchange.origin(), exchange.request_id()))
    }
}
