//! What a request and its answer say to whom lets clients in.

use http::{Request, StatusCode, header};

/// What an address has that was signed, in version 4 and 2.
const SIGNATURES: [&str; 2] = ["X-Amz-Signature=", "Signature="];

/// Whether a request brings a signature, good or not.
pub(crate) fn claims_signature<B>(request: &Request<B>) -> bool {
    let in_query = |query: &str| SIGNATURES.iter().any(|name| query.contains(name));
    request.headers().contains_key(header::AUTHORIZATION) || request.uri().query().is_some_and(in_query)
}

/// Whether a status says that a request should not have been made. That something is not there, is in the way or does not
/// match is no refusal: clients ask such things all day.
pub(crate) fn is_refusal(status: StatusCode) -> bool {
    match status {
        StatusCode::NOT_FOUND
        | StatusCode::CONFLICT
        | StatusCode::PRECONDITION_FAILED
        | StatusCode::RANGE_NOT_SATISFIABLE => false,
        StatusCode::SERVICE_UNAVAILABLE => true,
        status => status.is_client_error(),
    }
}

/// Whether reading the document of a request came to nothing.
pub(crate) fn is_wasted(status: StatusCode) -> bool {
    status.is_client_error() || status == StatusCode::SERVICE_UNAVAILABLE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_ask_all_day_is_no_refusal() {
        let status = |code| StatusCode::from_u16(code).unwrap();
        for code in [200, 204, 206, 304, 404, 409, 412, 416, 500, 507] {
            assert!(!is_refusal(status(code)), "{code}");
        }
        for code in [400, 401, 403, 405, 411, 413, 503] {
            assert!(is_refusal(status(code)) && is_wasted(status(code)), "{code}");
        }
        assert!(is_wasted(status(404)) && !is_wasted(status(200)) && !is_wasted(status(500)));
    }

    #[test]
    fn a_signature_stands_in_a_header_or_in_the_address() {
        let signed = |uri: &str| claims_signature(&Request::get(uri).body(()).unwrap());
        assert!(signed("/b?X-Amz-Signature=1") && signed("/b?Signature=1"));
        assert!(!signed("/b?list-type=2"));
        assert!(claims_signature(&Request::get("/").header("authorization", "AWS4-HMAC-SHA256 x").body(()).unwrap()));
    }
}
