//! What an operation is asked: the request's input and its context.

use crate::auth::Trailers;
use crate::errors::{self, About};
use crate::exchange::Exchange;
use crate::facts::{Facts, Signed};
use crate::translate::conditions::Conditionals;
use crate::translate::encryption::CustomerKeys;
use crate::translate::text;
use cofre_iam::Caller;
use cofre_objects::{CustomerKey, EncryptAs, Error};
use http::{HeaderMap, Uri};
use s3s::{S3Error, S3Request, S3Response, S3Result};
use std::sync::Arc;

/// What the gate learnt of a request before s3s parsed it. Its presence says that the gate saw it.
#[derive(Clone)]
pub(crate) struct Admitted {
    pub(crate) caller: Caller,
    pub(crate) exchange: Exchange,
    pub(crate) conditionals: Conditionals,
    /// Where checksums behind the body will be.
    pub(crate) trailers: Option<Trailers>,
    pub(crate) signed: Signed,
    pub(crate) customer_keys: CustomerKeys,
}

/// The context of one operation.
pub(crate) struct Asked {
    pub(crate) caller: Caller,
    pub(crate) exchange: Exchange,
    pub(crate) trailers: Option<Trailers>,
    /// What the request brings; the caller has it too.
    facts: Arc<Facts>,
    pub(crate) customer_keys: CustomerKeys,
}

/// Takes a request apart and notes which operation it is.
pub(crate) fn take<T>(operation: &'static str, mut request: S3Request<T>) -> S3Result<(T, Asked)> {
    // s3s does no authentication behind the gate: a request that did not come through the gate has
    // no caller, and must not get one here.
    let admitted: Admitted = request.extensions.remove().ok_or_else(errors::internal)?;
    admitted.exchange.note(|noted| noted.operation = operation);
    Ok((request.input, Asked::new(admitted, request.headers, request.uri)))
}

impl Asked {
    /// The context of a request with these headers.
    pub(crate) fn new(admitted: Admitted, headers: HeaderMap, uri: Uri) -> Self {
        let Admitted { mut caller, exchange, conditionals, trailers, signed, customer_keys } = admitted;
        let facts = Arc::new(Facts { headers, conditionals, uri, signed, exchange: exchange.clone() });
        caller.facts = Some(facts.clone());
        Self { caller, exchange, trailers, facts, customer_keys }
    }

    /// The request's headers.
    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.facts.headers
    }

    /// Whether nobody signed the request.
    pub(crate) fn is_anonymous(&self) -> bool {
        matches!(self.facts.signed, Signed::Not)
    }

    /// The request's parameters, as they stand in its address.
    pub(crate) fn query(&self) -> &str {
        self.facts.uri.query().unwrap_or_default()
    }

    /// The request's conditional headers.
    pub(crate) fn conditionals(&self) -> &Conditionals {
        &self.facts.conditionals
    }

    /// Lets a refusal of what is malformed give way to that of the caller's rights, which AWS decides first:
    /// policies look at the headers as they came.
    pub(crate) async fn after_rights<T>(
        &self,
        parsed: S3Result<T>,
        allowed: impl Future<Output = Result<(), Error>>,
    ) -> S3Result<T> {
        if parsed.is_err()
            && let Err(error @ Error::AccessDenied) = allowed.await
        {
            return Err(self.refuse("", error));
        }
        parsed
    }

    /// What the request asks for as encryption of what it writes.
    pub(crate) fn encrypt_as(&self) -> S3Result<EncryptAs> {
        self.customer_keys.to_write(self.headers())
    }

    /// The customer's key that what the request reads is encrypted under.
    pub(crate) fn customer_key(&self) -> S3Result<Option<CustomerKey>> {
        self.customer_keys.to_read(self.headers())
    }

    /// The customer's key that the source of a copy is encrypted under.
    pub(crate) fn source_customer_key(&self) -> S3Result<Option<CustomerKey>> {
        self.customer_keys.of_source(self.headers())
    }

    /// Tells a client of an error about a bucket.
    pub(crate) fn refuse(&self, bucket: &str, error: Error) -> S3Error {
        errors::refuse(error, About { exchange: &self.exchange, bucket, key: None, upload: None })
    }

    /// Tells a client of an error about an object.
    pub(crate) fn refuse_object(&self, bucket: &str, key: &str, error: Error) -> S3Error {
        errors::refuse(error, About { exchange: &self.exchange, bucket, key: Some(key), upload: None })
    }

    /// Tells a client of an error about an upload.
    pub(crate) fn refuse_upload(&self, bucket: &str, key: &str, upload: &str, error: Error) -> S3Error {
        errors::refuse(error, About { exchange: &self.exchange, bucket, key: Some(key), upload: Some(upload) })
    }

    /// Makes a name writable in an XML answer that has no `EncodingType`.
    pub(crate) fn escape(&self, name: String) -> String {
        let mut used = false;
        let safe = text::escape(name, &mut used);
        if used {
            self.exchange.note(|noted| noted.escaped = true);
        }
        safe
    }
}

/// An answer with headers that its output has no field for.
pub(crate) fn answer_with<T>(output: T, headers: HeaderMap) -> S3Result<S3Response<T>> {
    Ok(S3Response::with_headers(output, headers))
}

/// An answer without anything beside its output.
pub(crate) fn answer<T>(output: T) -> S3Result<S3Response<T>> {
    Ok(S3Response::new(output))
}
