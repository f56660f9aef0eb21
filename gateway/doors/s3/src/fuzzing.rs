//! The parsers of forms, for the fuzz targets.

use crate::forms::multipart::{Delimiter, FIELDS_BYTES_MAX, FIELDS_MAX, read};
use crate::forms::policy::PostPolicy;
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, stream};
use s3s::StdError;

/// What a form turned out to be: its fields and its file, or why it is none.
type Outcome = Result<(Vec<(String, String)>, Vec<u8>), String>;

/// Reads a form of the boundary `b` whole and in pieces of as many bytes as its first one says: the
/// outcome is the same, and its fields are within their bounds.
///
/// # Panics
/// If that does not hold.
pub fn form(bytes: &[u8]) {
    let (size, body) = bytes.split_first().map_or((1, bytes), |(size, body)| (usize::from(*size).max(1), body));
    let whole = parse(body, body.len().max(1));
    assert_eq!(whole, parse(body, size), "in pieces of {size}");
    if let Ok((fields, file)) = whole {
        let held: usize = fields.iter().map(|(name, value)| name.len() + value.len()).sum();
        assert!(fields.len() <= FIELDS_MAX && held <= FIELDS_BYTES_MAX && file.len() <= body.len());
    }
}

/// Reads a policy: any bytes as its JSON.
pub fn policy(bytes: &[u8]) {
    if let Ok(policy) = PostPolicy::parse(&BASE64_STANDARD.encode(bytes)) {
        let _ = policy.length();
    }
}

fn parse(body: &[u8], size: usize) -> Outcome {
    let pieces: Vec<_> = body.chunks(size).map(|piece| Ok::<_, StdError>(Bytes::copy_from_slice(piece))).collect();
    let read = async {
        let code = |error: s3s::S3Error| error.code().as_str().to_owned();
        let form = read(stream::iter(pieces), &Delimiter::new("b").map_err(code)?).await.map_err(code)?;
        let fields = form.fields.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let (mut file, mut content) = (form.file, Vec::new());
        while let Some(piece) = file.next().await {
            content.extend_from_slice(&piece.map_err(|error| error.to_string())?);
        }
        Ok((fields, content))
    };
    read.now_or_never().unwrap_or_else(|| Err("it waits".to_owned()))
}
