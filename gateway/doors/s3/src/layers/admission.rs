//! What a request and its answer say to whom lets clients in.

use http::{Request, header};

/// What an address has that was signed, in version 4 and 2.
const SIGNATURES: [&str; 2] = ["X-Amz-Signature=", "Signature="];

/// Whether a request brings a signature, good or not.
pub(crate) fn claims_signature<B>(request: &Request<B>) -> bool {
    let in_query = |query: &str| SIGNATURES.iter().any(|name| query.contains(name));
    request.headers().contains_key(header::AUTHORIZATION) || request.uri().query().is_some_and(in_query)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_stands_in_a_header_or_in_the_address() {
        let signed = |uri: &str| claims_signature(&Request::get(uri).body(()).unwrap());
        assert!(signed("/b?X-Amz-Signature=1") && signed("/b?Signature=1"));
        assert!(!signed("/b?list-type=2"));
        assert!(claims_signature(&Request::get("/").header("authorization", "AWS4-HMAC-SHA256 x").body(()).unwrap()));
    }
}
