//! Which sub-resources, parameters and headers a request may have, by its method and by what it is about. What does
//! not belong to an operation is refused as AWS does: else it would be left out, and another operation be done than
//! the one that was meant.
//!
//! Parameters that are no sub-resource are the operations' own; those that nobody knows are ignored, as on AWS.

use crate::auth::query::Query;
use crate::errors::{self, custom};
use crate::exchange::Exchange;
use crate::translate::names;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

const COPY_SOURCE: HeaderName = HeaderName::from_static("x-amz-copy-source");

/// Which bytes of their source copies of parts take.
const SOURCE_RANGE: HeaderName = HeaderName::from_static("x-amz-copy-source-range");

/// What copies say of their source beside its name.
const ABOUT_SOURCE: &str = "x-amz-copy-source-";

/// A sub-resource, the methods that a bucket has for it, and those that an object has.
type Row = (&'static str, &'static [&'static str], &'static [&'static str]);

const NONE: &[&str] = &[];
const GET: &[&str] = &["GET"];
const PUT: &[&str] = &["PUT"];
const POST: &[&str] = &["POST"];
const GET_PUT: &[&str] = &["GET", "PUT"];
const GET_PUT_DELETE: &[&str] = &["GET", "PUT", "DELETE"];
const GET_POST_DELETE: &[&str] = &["GET", "POST", "DELETE"];
const OF_UPLOAD: &[&str] = &["GET", "PUT", "POST", "DELETE"];

/// The sub-resources of S3 (AWS, "API reference", the request syntax of each operation).
const SUB_RESOURCES: [Row; 41] = [
    ("abac", GET_PUT, NONE),
    ("accelerate", GET_PUT, NONE),
    ("acl", GET_PUT, GET_PUT),
    ("analytics", GET_PUT_DELETE, NONE),
    ("annotation", NONE, GET_PUT_DELETE),
    ("attributes", NONE, GET),
    ("cors", GET_PUT_DELETE, NONE),
    ("delete", POST, NONE),
    ("encryption", GET_PUT_DELETE, PUT),
    ("intelligent-tiering", GET_PUT_DELETE, NONE),
    ("inventory", GET_PUT_DELETE, NONE),
    ("legal-hold", NONE, GET_PUT),
    ("lifecycle", GET_PUT_DELETE, NONE),
    ("location", GET, NONE),
    ("logging", GET_PUT, NONE),
    ("metadataAnnotationTable", PUT, NONE),
    ("metadataConfiguration", GET_POST_DELETE, NONE),
    ("metadataInventoryTable", PUT, NONE),
    ("metadataJournalTable", PUT, NONE),
    ("metadataTable", GET_POST_DELETE, NONE),
    ("metrics", GET_PUT_DELETE, NONE),
    ("notification", GET_PUT, NONE),
    ("object-lock", GET_PUT, NONE),
    ("ownershipControls", GET_PUT_DELETE, NONE),
    ("policy", GET_PUT_DELETE, NONE),
    ("policyStatus", GET, NONE),
    ("publicAccessBlock", GET_PUT_DELETE, NONE),
    ("renameObject", NONE, PUT),
    ("replication", GET_PUT_DELETE, NONE),
    ("requestPayment", GET_PUT, NONE),
    ("restore", NONE, POST),
    ("retention", NONE, GET_PUT),
    ("select", NONE, POST),
    ("session", GET, NONE),
    ("tagging", GET_PUT_DELETE, GET_PUT_DELETE),
    ("torrent", NONE, GET),
    (UPLOAD_ID, NONE, OF_UPLOAD),
    ("uploads", GET, POST),
    ("versioning", GET_PUT, NONE),
    ("versions", GET, NONE),
    ("website", GET_PUT_DELETE, NONE),
];

/// Parameters that are numbers.
const NUMBERS: [&str; 5] = ["max-buckets", "max-keys", "max-parts", "max-uploads", "part-number-marker"];

const UPLOAD_ID: &str = "uploadId";
const PART_NUMBER: &str = "partNumber";
const VERSION_ID: &str = "versionId";

/// Sub-resources whose PUT is a document.
const IN_BODY: [&str; 14] = [
    "abac",
    "accelerate",
    "cors",
    "encryption",
    "lifecycle",
    "logging",
    "object-lock",
    "ownershipControls",
    "publicAccessBlock",
    "replication",
    "requestPayment",
    "tagging",
    "versioning",
    "website",
];

/// Sub-resources that are of an object as a whole, and of no version.
const OF_NO_VERSION: [&str; 2] = [UPLOAD_ID, "uploads"];

/// What a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resource {
    Service,
    Bucket,
    Object,
}

impl Resource {
    const fn name(self) -> &'static str {
        match self {
            Self::Service => "SERVICE",
            Self::Bucket => "BUCKET",
            Self::Object => "OBJECT",
        }
    }

    /// What may be done with it as a whole.
    const fn methods(self) -> &'static [&'static str] {
        match self {
            Self::Service => GET,
            Self::Bucket => &["GET", "HEAD", "PUT", "POST", "DELETE"],
            Self::Object => &["GET", "HEAD", "PUT", "DELETE"],
        }
    }
}

/// Whether a parameter is the name of a sub-resource.
pub(crate) fn is_sub_resource(name: &str) -> bool {
    SUB_RESOURCES.iter().any(|(known, ..)| *known == name)
}

/// The sub-resource of a request; refuses what does not belong to its operation.
pub(crate) fn check(
    method: &Method,
    resource: Resource,
    query: &Query<'_>,
    headers: &HeaderMap,
    exchange: &Exchange,
) -> S3Result<Option<&'static str>> {
    let sub_resource = one_sub_resource(query, exchange)?;
    let copies =
        *method == Method::PUT && resource == Resource::Object && matches!(sub_resource, None | Some(UPLOAD_ID));
    let has = |name: &str| query.pairs().any(|(given, _)| given == name.as_bytes());
    check_part(method, resource, sub_resource, has(PART_NUMBER), exchange)?;
    if let Some(source) = headers.get(&COPY_SOURCE).filter(|_| !copies) {
        let why = "You can only specify a copy source header for copy requests.";
        return Err(invalid(exchange, COPY_SOURCE.as_str(), source.as_bytes(), why));
    }
    if let Some(name) = headers.keys().find(|name| name.as_str().starts_with(ABOUT_SOURCE))
        && !headers.contains_key(&COPY_SOURCE)
    {
        let why = "You can only specify a condition, range or key of a copy source with a copy source.";
        let value = headers.get(name).map(HeaderValue::as_bytes).unwrap_or_default();
        return Err(invalid(exchange, name.as_str(), value, why));
    }
    if let Some(range) = headers.get(&SOURCE_RANGE)
        && (sub_resource.is_none() || range.as_bytes().trim_ascii().is_empty())
    {
        let why = "You can only specify a range of a copy source for a part, and it must be one.";
        return Err(invalid(exchange, SOURCE_RANGE.as_str(), range.as_bytes(), why));
    }
    let writes_new = matches!(*method, Method::PUT | Method::POST) && sub_resource.is_none();
    let of_no_version = resource != Resource::Object
        || writes_new
        || sub_resource.is_some_and(|sub_resource| OF_NO_VERSION.contains(&sub_resource));
    if has(VERSION_ID) && of_no_version {
        let value = query.single(VERSION_ID).unwrap_or_default().as_bytes();
        return Err(invalid(exchange, VERSION_ID, value, "This operation does not accept a version-id."));
    }
    match sub_resource {
        Some(name) => check_sub_resource(method, resource, name, exchange)?,
        None if !resource.methods().contains(&method.as_str()) => {
            return Err(not_allowed(method, resource.name(), resource.methods(), exchange));
        }
        None if *method == Method::POST => {
            exchange.detail("Condition", "Bucket POST must be of the enclosure-type multipart/form-data");
            return Err(S3Error::new(S3ErrorCode::PreconditionFailed));
        }
        None => {}
    }
    Ok(sub_resource)
}

/// Whether a bucket must be there before anything of a body or an upload is looked at.
pub(crate) fn asks_of_bucket_first(method: &Method, sub_resource: Option<&str>) -> bool {
    sub_resource == Some(UPLOAD_ID) || sub_resource.is_some() && matches!(*method, Method::PUT | Method::POST)
}

/// Whether a request says all that it does in its body.
pub(crate) fn needs_body(method: &Method, sub_resource: Option<&str>) -> bool {
    match (method, sub_resource) {
        (&Method::PUT, Some(name)) => IN_BODY.contains(&name),
        (&Method::POST, Some(name)) => name == "delete",
        _ => false,
    }
}

/// A number is text: the answer that refuses another one repeats it, and XML cannot hold every character.
pub(crate) fn check_numbers(query: &Query<'_>, exchange: &Exchange) -> S3Result<()> {
    let is_odd = |value: &[u8]| value.iter().any(u8::is_ascii_control) || std::str::from_utf8(value).is_err();
    let number = |name: &[u8]| NUMBERS.iter().find(|number| number.as_bytes() == name);
    let odd = query.pairs().filter(|(_, value)| is_odd(value)).find_map(|(name, value)| Some((number(name)?, value)));
    match odd {
        Some((name, value)) => Err(invalid(exchange, name, value, "The value must be an integer")),
        None => Ok(()),
    }
}

/// A part's number, wherever it stands, is 1 to 10,000.
pub(crate) fn check_part_number(query: &Query<'_>, exchange: &Exchange) -> S3Result<()> {
    let number = query.pairs().find(|(name, _)| *name == PART_NUMBER.as_bytes());
    let Some((_, value)) = number else { return Ok(()) };
    let text = std::str::from_utf8(value).unwrap_or_default();
    if text.parse().is_ok_and(|number| names::part(number).is_ok()) {
        return Ok(());
    }
    Err(invalid(exchange, PART_NUMBER, value, "Part number must be an integer between 1 and 10000, inclusive"))
}

fn one_sub_resource(query: &Query<'_>, exchange: &Exchange) -> S3Result<Option<&'static str>> {
    let mut found = None;
    for (given, _) in query.pairs() {
        let Some((name, ..)) = SUB_RESOURCES.iter().find(|(name, ..)| name.as_bytes() == given) else { continue };
        if let Some(first) = found.replace(*name)
            && first != *name
        {
            let why = format!("Conflicting query string parameters: {first}, {name}");
            return Err(invalid(exchange, "ResourceType", first.as_bytes(), &why));
        }
    }
    Ok(found)
}

/// A part is put by number and upload, and read by number alone.
fn check_part(
    method: &Method,
    resource: Resource,
    sub_resource: Option<&str>,
    has_number: bool,
    exchange: &Exchange,
) -> S3Result<()> {
    let puts = *method == Method::PUT && resource == Resource::Object;
    let reads = matches!(*method, Method::GET | Method::HEAD) && resource == Resource::Object;
    let of_upload = sub_resource == Some(UPLOAD_ID);
    let why = match (has_number, of_upload) {
        (true, true) if puts => return Ok(()),
        (true, false) if reads && sub_resource.is_none() => return Ok(()),
        (false, _) if !(puts && of_upload) => return Ok(()),
        (false, _) => "This operation does not accept uploadId without partNumber",
        (true, false) => "This operation does not accept partNumber without uploadId",
        (true, true) => "This operation does not accept partNumber",
    };
    let name = if has_number { PART_NUMBER } else { UPLOAD_ID };
    Err(invalid(exchange, name, name.as_bytes(), why))
}

fn check_sub_resource(method: &Method, resource: Resource, name: &str, exchange: &Exchange) -> S3Result<()> {
    let row = SUB_RESOURCES.iter().find(|(known, ..)| *known == name);
    let (_, of_bucket, of_object) = row.ok_or_else(errors::internal)?;
    let (methods, others) = match resource {
        Resource::Service => (&NONE, &NONE),
        Resource::Bucket => (of_bucket, of_object),
        Resource::Object => (of_object, of_bucket),
    };
    let method_name = method.as_str();
    if methods.contains(&method_name) {
        return Ok(());
    }
    match resource {
        Resource::Object if name == "uploads" && others.contains(&method_name) => {
            Err(s3_error!(InvalidRequest, "Key is not expected for the {method} method ?{name} subresource"))
        }
        Resource::Object if methods.is_empty() => {
            Err(s3_error!(InvalidRequest, "There is no such thing as the ?{name} sub-resource for a key"))
        }
        Resource::Bucket if methods.is_empty() => {
            Err(s3_error!(InvalidRequest, "A key is expected for the {method} method ?{name} subresource"))
        }
        _ => Err(not_allowed(method, &name.to_uppercase(), methods, exchange)),
    }
}

fn not_allowed(method: &Method, resource: &str, methods: &[&str], exchange: &Exchange) -> S3Error {
    exchange.detail("Method", method.as_str());
    exchange.detail("ResourceType", resource);
    let mut error = custom(
        "MethodNotAllowed",
        StatusCode::METHOD_NOT_ALLOWED,
        "The specified method is not allowed against this resource.",
    );
    if let Ok(methods) = HeaderValue::try_from(methods.join(", ")) {
        error.set_headers(HeaderMap::from_iter([(header::ALLOW, methods)]));
    }
    error
}

fn invalid(exchange: &Exchange, name: &str, value: &[u8], why: &str) -> S3Error {
    exchange.detail("ArgumentName", name);
    exchange.detail("ArgumentValue", String::from_utf8_lossy(value));
    S3Error::with_message(S3ErrorCode::InvalidArgument, why.to_owned())
}
