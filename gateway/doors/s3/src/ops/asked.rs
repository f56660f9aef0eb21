//! What an operation is asked: the request's input and its context.

use crate::auth::Trailers;
use crate::errors::{self, About};
use crate::exchange::Exchange;
use crate::facts::{Facts, Signed};
use crate::host::host;
use crate::translate::conditions::Conditionals;
use crate::translate::encryption::CustomerKeys;
use crate::translate::text::Encoding;
use cofre_iam::Caller;
use cofre_objects::{CustomerKey, EncryptAs, Error};
use http::{HeaderMap, Uri};
use s3s::xml::{SerResult, Serializer};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};
use std::sync::Arc;

/// What the gate learnt of a request before s3s parsed it. Its presence says that the gate saw it.
#[derive(Clone)]
pub(crate) struct Admitted {
    pub(crate) caller: Caller,
    pub(crate) exchange: Exchange,
    pub(crate) conditionals: Conditionals,
    /// `response-expires`, as it was given.
    pub(crate) response_expires: Option<String>,
    /// Where checksums behind the body will be.
    pub(crate) trailers: Option<Trailers>,
    pub(crate) signed: Signed,
    pub(crate) customer_keys: CustomerKeys,
}

/// The context of one operation.
pub(crate) struct Asked {
    pub(crate) caller: Caller,
    pub(crate) exchange: Exchange,
    /// `response-expires`, as it was given.
    pub(crate) response_expires: Option<String>,
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
    let now = admitted.exchange.now();
    admitted.exchange.note(|noted| {
        noted.operation = operation;
        noted.operation_at = now;
    });
    Ok((request.input, Asked::new(operation, admitted, request.headers, request.uri)))
}

impl Asked {
    /// The context of a request with these headers.
    pub(crate) fn new(operation: &'static str, admitted: Admitted, headers: HeaderMap, uri: Uri) -> Self {
        let Admitted { mut caller, exchange, conditionals, response_expires, trailers, signed, customer_keys } =
            admitted;
        let facts = Arc::new(Facts { headers, conditionals, uri, operation, signed, exchange: exchange.clone() });
        caller.facts = Some(facts.clone());
        Self { caller, exchange, response_expires, trailers, facts, customer_keys }
    }

    /// The request's headers.
    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.facts.headers
    }

    /// Whether nobody signed the request.
    pub(crate) fn is_anonymous(&self) -> bool {
        matches!(self.facts.signed, Signed::Not)
    }

    /// Whether the request is signed by version 2.
    pub(crate) fn is_of_version_2(&self) -> bool {
        matches!(self.facts.signed, Signed::QueryOfVersion2 | Signed::FormOfVersion2)
    }

    /// The request's parameters, as they stand in its address.
    pub(crate) fn query(&self) -> &str {
        self.facts.uri.query().unwrap_or_default()
    }

    /// The path of the request's address, as it was written.
    pub(crate) fn path(&self) -> &str {
        self.facts.uri.path()
    }

    /// The host that the request is for.
    pub(crate) fn host(&self) -> Option<&str> {
        host(&self.facts.uri, &self.facts.headers)
    }

    /// The request's conditional headers.
    pub(crate) fn conditionals(&self) -> &Conditionals {
        &self.facts.conditionals
    }

    /// Lets a refusal of what is malformed give way to that of the caller's rights, which AWS decides first, and go
    /// before every other one.
    pub(crate) fn after_rights<K, T>(
        &self,
        ticket: Result<K, Error>,
        parsed: S3Result<T>,
        refuse: impl FnOnce(Error) -> S3Error,
    ) -> S3Result<(K, T)> {
        match (ticket, parsed) {
            (Ok(ticket), Ok(parsed)) => Ok((ticket, parsed)),
            (Err(error @ (Error::AccessDenied | Error::NeedsCredentials)), _) => Err(refuse(error)),
            (_, Err(malformed)) => Err(malformed),
            (Err(error), Ok(_)) => Err(refuse(error)),
        }
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
        self.write(Encoding::Plain, name)
    }

    /// Writes a name of a listing.
    pub(crate) fn write(&self, encoding: Encoding, name: String) -> String {
        let mut used = false;
        let safe = encoding.write(name, &mut used);
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

/// The namespace of S3's documents.
const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// An answer whose document s3s would write otherwise than S3 does: the gate puts this one in its place.
pub(crate) fn document<T: Default>(
    asked: &Asked,
    name: &str,
    content: impl FnOnce(&mut Serializer<&mut Vec<u8>>) -> SerResult,
) -> S3Result<S3Response<T>> {
    let mut text = Vec::with_capacity(1024);
    let mut xml = Serializer::new(&mut text);
    let written = xml.decl().and_then(|()| xml.element_with_ns(name, NAMESPACE, content));
    written.map_err(|error| S3Error::with_source(S3ErrorCode::InternalError, Box::new(error)))?;
    asked.exchange.note(|noted| noted.document = Some(text.into()));
    answer(T::default())
}
