//! Browser forms. s3s checks a form's signature and policy while it parses it, so the gate cannot
//! stand between: this hook makes the caller instead.

use super::admit_caller;
use crate::credentials::Credentials;
use crate::errors;
use crate::exchange::Exchange;
use crate::facts::Signed;
use crate::layers::rate_limit::RateLimit;
use crate::ops::Admitted;
use crate::translate::conditions::Conditionals;
use crate::translate::encryption::CustomerKeys;
use s3s::access::{S3Access, S3AccessContext};
use s3s::{S3Error, S3ErrorCode, S3Result};
use std::sync::Arc;

/// Admits forms and nothing else.
pub(crate) struct FormAccess {
    pub(crate) credentials: Credentials,
    pub(crate) rate_limit: Arc<RateLimit>,
}

#[async_trait::async_trait]
impl S3Access for FormAccess {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        if context.s3_op().name() != "PostObject" {
            return Err(S3Error::new(S3ErrorCode::MethodNotAllowed));
        }
        let exchange = context.extensions_mut().get::<Exchange>().cloned().ok_or_else(errors::internal)?;
        let access_key = context.credentials().map(|credentials| credentials.access_key.clone());
        let caller = admit_caller(&self.credentials, &self.rate_limit, access_key.as_deref(), &exchange).await?;
        let signed = if access_key.is_some() { Signed::Form } else { Signed::Not };
        let admitted = Admitted {
            caller,
            exchange,
            conditionals: Conditionals::default(),
            trailers: None,
            signed,
            customer_keys: CustomerKeys::default(),
        };
        context.extensions_mut().insert(admitted);
        Ok(())
    }
}
