//! PostObject: a browser's form, whose signature and policy `forms` has checked. Its fields stand for the
//! headers of a PUT.

use super::asked::{Admitted, Asked};
use super::{Operations, put_object};
use crate::body;
use crate::translate::tags;
use bytes::Bytes;
use cofre_objects::PutOutcome;
use futures_util::Stream;
use http::{HeaderMap, Uri};
use s3s::dto::PutObjectInput;
use s3s::{S3Result, StdError};

/// A form.
pub(crate) struct Posted<'a, S> {
    pub(crate) admitted: Admitted,
    /// Its fields, as the headers that they stand for.
    pub(crate) headers: HeaderMap,
    pub(crate) uri: Uri,
    pub(crate) input: PutObjectInput,
    /// Tags, in XML.
    pub(crate) tagging: Option<&'a str>,
    pub(crate) file: S,
}

/// Stores the file of a form.
pub(crate) async fn post<S>(ops: &Operations, posted: Posted<'_, S>) -> S3Result<PutOutcome>
where
    S: Stream<Item = Result<Bytes, StdError>> + Send + Sync + 'static,
{
    let Posted { admitted, headers, uri, input, tagging, file } = posted;
    let asked = Asked::new("PostObject", admitted, headers, uri);
    let tags = tags::from_xml(tagging, &asked.exchange)?;
    put_object::store(ops, input, tags, body::of_any_length(file), &asked).await
}
