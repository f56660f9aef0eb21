//! What an operation is asked: the request's input and its context.

use crate::errors::{self, About};
use crate::exchange::Exchange;
use crate::translate::conditions::Conditionals;
use crate::translate::text;
use cofre_iam::Caller;
use cofre_objects::Error;
use http::HeaderMap;
use s3s::{S3Error, S3Request, S3Response, S3Result, TrailingHeaders};

/// What the gate learnt of a request before s3s parsed it. Its presence says that the gate saw it.
#[derive(Clone)]
pub(crate) struct Admitted {
    pub(crate) caller: Caller,
    pub(crate) exchange: Exchange,
    pub(crate) conditionals: Conditionals,
    /// Where checksums behind the body will be.
    pub(crate) trailers: Option<TrailingHeaders>,
}

/// The context of one operation.
pub(crate) struct Asked {
    pub(crate) caller: Caller,
    pub(crate) exchange: Exchange,
    pub(crate) conditionals: Conditionals,
    pub(crate) trailers: Option<TrailingHeaders>,
    pub(crate) headers: HeaderMap,
}

/// Takes a request apart and notes which operation it is.
pub(crate) fn take<T>(operation: &'static str, mut request: S3Request<T>) -> S3Result<(T, Asked)> {
    // s3s does no authentication behind the gate: a request that did not come through the gate has
    // no caller, and must not get one here.
    let admitted: Admitted = request.extensions.remove().ok_or_else(errors::internal)?;
    let Admitted { caller, exchange, conditionals, trailers } = admitted;
    exchange.note(|noted| noted.operation = operation);
    Ok((request.input, Asked { caller, exchange, conditionals, trailers, headers: request.headers }))
}

impl Asked {
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

/// An answer without anything beside its output.
pub(crate) fn answer<T>(output: T) -> S3Result<S3Response<T>> {
    Ok(S3Response::new(output))
}
