//! What a request brings, as conditions of bucket policies ask for it. Made by moving what the request
//! has, so that it costs nothing until a policy asks.

use crate::exchange::Exchange;
use crate::translate::conditions::Conditionals;
use cofre_iam::{Explanation, RequestFacts, Signature};
use cofre_types::Timestamp;
use http::{HeaderMap, HeaderValue, Uri};
use percent_encoding::percent_decode_str;
use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// How a request was signed, as the gate saw it.
#[derive(Debug, Clone, Default)]
pub(crate) enum Signed {
    /// Not at all.
    #[default]
    Not,
    /// By its `Authorization` header, at this time.
    Header(Timestamp),
    /// By its address, at this time.
    Query(Timestamp),
    /// By its address, in version 2, which does not say when.
    QueryOfVersion2,
    /// By a form's policy.
    Form,
    /// By a form's policy, in version 2.
    FormOfVersion2,
}

/// The facts of one request.
pub(crate) struct Facts {
    /// Headers, less those that the gate takes out.
    pub(crate) headers: HeaderMap,
    pub(crate) conditionals: Conditionals,
    pub(crate) uri: Uri,
    /// The operation, by S3's name.
    pub(crate) operation: &'static str,
    pub(crate) signed: Signed,
    /// Where it is noted that an access control list decided.
    pub(crate) exchange: Exchange,
}

/// Headers may hold keys and tokens.
impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Facts")
    }
}

impl RequestFacts for Facts {
    fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        if !counts(name, self.operation) {
            return None;
        }
        let one = |value| String::from_utf8_lossy(HeaderValue::as_bytes(value));
        match name {
            "if-match" => return self.conditionals.seen_if_match().map(one),
            "if-none-match" => return self.conditionals.seen_if_none_match().map(one),
            _ => {}
        }
        let mut values = self.headers.get_all(name).iter().map(one);
        let first = values.next()?;
        // All that the operation may go by is seen.
        let all = values.fold(first, |all, next| format!("{all},{next}").into());
        let names_nobody = name.starts_with(GRANTS) && all.split(',').all(|grantee| grantee.trim().is_empty());
        (!names_nobody).then_some(all)
    }

    fn parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        let lists =
            matches!(self.operation, "ListObjects" | "ListObjectsV2" | "ListObjectVersions" | "ListMultipartUploads");
        if !lists {
            return None;
        }
        parameter(self.uri.query().unwrap_or_default(), name)
    }

    fn signature(&self, now: Timestamp) -> Option<Signature> {
        const V2: &str = "AWS";
        const V4: &str = "AWS4-HMAC-SHA256";
        let (auth_type, version, at) = match self.signed {
            Signed::Not => return None,
            Signed::Header(at) => ("REST-HEADER", V4, Some(at)),
            Signed::Query(at) => ("REST-QUERY-STRING", V4, Some(at)),
            Signed::QueryOfVersion2 => ("REST-QUERY-STRING", V2, None),
            Signed::Form => ("POST", V4, None),
            Signed::FormOfVersion2 => ("POST", V2, None),
        };
        let age = at.map(|at| Duration::from_nanos(now.0.saturating_sub(at.0)));
        Some(Signature { auth_type, version, age })
    }

    fn wants_list_use(&self) -> bool {
        self.exchange.is_logged()
    }

    fn list_used(&self) {
        self.exchange.note(|noted| noted.list_used = true);
    }

    fn wants_explanation(&self) -> bool {
        self.exchange.wants_explanation()
    }

    fn explained(&self, explanation: Explanation) {
        self.exchange.explained(explanation);
    }
}

/// Operations that make an object, or an upload of which one comes.
const MAKES: [&str; 4] = ["PutObject", "PostObject", "CopyObject", "CreateMultipartUpload"];

/// Whether an operation goes by a header. To the conditions of policies others are not there: who sends a header that
/// does nothing must not satisfy what asks for it.
fn counts(header: &str, operation: &str) -> bool {
    let makes = MAKES.contains(&operation);
    match header {
        "if-match" => makes && operation != "CreateMultipartUpload" || matches!(operation, COMPLETES | "DeleteObject"),
        "if-none-match" => makes && operation != "CreateMultipartUpload" || operation == COMPLETES,
        "x-amz-metadata-directive" | "x-amz-tagging-directive" => operation == "CopyObject",
        "x-amz-object-ownership" => operation == "CreateBucket",
        "x-amz-storage-class"
        | "x-amz-website-redirect-location"
        | "x-amz-server-side-encryption"
        | "x-amz-server-side-encryption-aws-kms-key-id"
        | "x-amz-server-side-encryption-context"
        | "x-amz-server-side-encryption-bucket-key-enabled" => makes,
        "x-amz-acl" => makes || SETS_LISTS.contains(&operation),
        grant if grant.starts_with(GRANTS) => makes || SETS_LISTS.contains(&operation),
        _ => true,
    }
}

/// What headers that grant something begin with.
const GRANTS: &str = "x-amz-grant-";

const COMPLETES: &str = "CompleteMultipartUpload";

/// Operations that set an access control list of something else than a new object.
const SETS_LISTS: [&str; 3] = ["CreateBucket", "PutBucketAcl", "PutObjectAcl"];

/// The value of a parameter of a query string, decoded.
pub(crate) fn parameter<'a>(query: &'a str, wanted: &str) -> Option<Cow<'a, str>> {
    query.split('&').find_map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name) == wanted).then(|| decode(value))
    })
}

/// Decodes a part of a query string: `+` is a space.
fn decode(text: &str) -> Cow<'_, str> {
    if text.contains('+') {
        let spaced = text.replace('+', " ");
        return percent_decode_str(&spaced).decode_utf8_lossy().into_owned().into();
    }
    percent_decode_str(text).decode_utf8_lossy()
}
