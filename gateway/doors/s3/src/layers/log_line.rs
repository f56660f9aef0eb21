//! What a request is called in a line of a server access log. Pure.

use http::{Method, Uri, Version};
use percent_encoding::percent_decode_str;
use std::fmt::Write;

/// Parameters of an address that would let its reader do what its maker may.
const SECRET_PARAMETERS: [&str; 3] = ["X-Amz-Signature", "X-Amz-Security-Token", "Signature"];

/// Method, address and version of a request, without what would let a reader repeat it.
pub(crate) fn request_uri(method: &Method, uri: &Uri, version: Version) -> String {
    let mut text = format!("{method} {}", uri.path());
    for (index, pair) in uri.query().into_iter().flat_map(|query| query.split('&')).enumerate() {
        text.push(if index == 0 { '?' } else { '&' });
        let name = pair.split_once('=').map_or(pair, |(name, _)| name);
        let decoded = percent_decode_str(name).decode_utf8_lossy();
        if SECRET_PARAMETERS.iter().any(|secret| decoded.eq_ignore_ascii_case(secret)) {
            text.push_str(name);
            text.push_str("=REDACTED");
        } else {
            text.push_str(pair);
        }
    }
    let _ = write!(text, " {version:?}");
    text
}

/// What the sub-resource of a request, or none, is called in the name of its operation.
const RESOURCES: [(&str, &str); 31] = [
    ("abac", "ABAC"),
    ("accelerate", "ACCELERATE"),
    ("acl", "ACL"),
    ("analytics", "ANALYTICS"),
    ("attributes", "OBJECT_ATTRIBUTES"),
    ("cors", "CORS"),
    ("delete", "MULTI_OBJECT_DELETE"),
    ("encryption", "ENCRYPTION"),
    ("intelligent-tiering", "INTELLIGENT_TIERING"),
    ("inventory", "INVENTORY"),
    ("legal-hold", "OBJECT_LOCK_LEGALHOLD"),
    ("lifecycle", "LIFECYCLE"),
    ("location", "LOCATION"),
    ("logging", "LOGGING_STATUS"),
    ("metrics", "METRICS"),
    ("notification", "NOTIFICATION"),
    ("object-lock", "OBJECT_LOCK_CONFIGURATION"),
    ("ownershipControls", "OWNERSHIP_CONTROLS"),
    ("policy", "BUCKETPOLICY"),
    ("policyStatus", "POLICY_STATUS"),
    ("publicAccessBlock", "PUBLIC_ACCESS_BLOCK"),
    ("replication", "REPLICATION"),
    ("requestPayment", "REQUEST_PAYMENT"),
    ("restore", "RESTORE"),
    ("retention", "OBJECT_LOCK_RETENTION"),
    ("select", "SELECT"),
    ("tagging", "TAGGING"),
    ("uploads", "UPLOADS"),
    ("versioning", "VERSIONING"),
    ("versions", "BUCKETVERSIONS"),
    ("website", "WEBSITE"),
];

/// Names an operation by its request alone, so that one that was refused before anyone knew it has a name
/// too.
pub(crate) fn operation(method: &Method, has_key: bool, query: &str, copies: bool) -> String {
    let names = || query.split('&').map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name));
    let is_part = has_key && names().any(|name| name == "uploadId");
    let named = names().find_map(|name| RESOURCES.iter().find(|(own, _)| *own == name));
    let resource = match named {
        Some(("tagging", _)) if has_key => "OBJECT_TAGGING",
        Some((_, resource)) => resource,
        None if is_part && *method == Method::PUT => "PART",
        None if is_part => "UPLOAD",
        None if *method == Method::OPTIONS => "PREFLIGHT",
        // A form names its key in its body.
        None if has_key || *method == Method::POST => "OBJECT",
        None => "BUCKET",
    };
    if copies && *method == Method::PUT && has_key && named.is_none() {
        return format!("REST.COPY.{resource}");
    }
    format!("REST.{method}.{resource}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_left_out() {
        let uri = Uri::from_static("/b/k?versionId=1&X-Amz-Signature=abc&x-amz-security%2Dtoken=t&empty");
        assert_eq!(
            request_uri(&Method::GET, &uri, Version::HTTP_11),
            "GET /b/k?versionId=1&X-Amz-Signature=REDACTED&x-amz-security%2Dtoken=REDACTED&empty HTTP/1.1"
        );
    }

    #[test]
    fn operations_have_the_names_of_aws() {
        for (method, has_key, query, copies, name) in [
            (Method::GET, true, "", false, "REST.GET.OBJECT"),
            (Method::HEAD, true, "versionId=1", false, "REST.HEAD.OBJECT"),
            (Method::GET, false, "list-type=2", false, "REST.GET.BUCKET"),
            (Method::GET, false, "logging", false, "REST.GET.LOGGING_STATUS"),
            (Method::PUT, false, "policy=", false, "REST.PUT.BUCKETPOLICY"),
            (Method::PUT, true, "", true, "REST.COPY.OBJECT"),
            (Method::PUT, true, "partNumber=1&uploadId=x", true, "REST.COPY.PART"),
            (Method::PUT, true, "partNumber=1&uploadId=x", false, "REST.PUT.PART"),
            (Method::POST, true, "uploads", false, "REST.POST.UPLOADS"),
            (Method::POST, true, "uploadId=x", false, "REST.POST.UPLOAD"),
            (Method::DELETE, true, "uploadId=x", false, "REST.DELETE.UPLOAD"),
            (Method::POST, false, "delete", false, "REST.POST.MULTI_OBJECT_DELETE"),
            (Method::GET, true, "tagging", false, "REST.GET.OBJECT_TAGGING"),
            (Method::GET, false, "tagging", false, "REST.GET.TAGGING"),
            (Method::POST, false, "", false, "REST.POST.OBJECT"),
            (Method::OPTIONS, true, "", false, "REST.OPTIONS.PREFLIGHT"),
        ] {
            assert_eq!(operation(&method, has_key, query, copies), name, "{query}");
        }
    }
}
