//! TLS where none is spoken, and the other way round; and headers of the PROXY protocol that do not count.

use super::refusal::{Door, Refusal};
use http::StatusCode;

/// What a client is told that speaks plain HTTP to a listener with TLS.
pub(super) fn plain_to_tls(door: Door) -> Refusal {
    let advice = match door {
        Door::S3 | Door::Challenges => {
            "This port speaks TLS, and the request came as plain HTTP: use https:// in the endpoint URL (with aws, --ca-bundle \
             FILE for a certificate of one's own). --tls-cert and --tls-key set it so."
        }
        Door::Console => "This port speaks TLS, and the request came as plain HTTP: use https:// in the address.",
        Door::Admin => {
            "This port speaks TLS, and the request came as plain HTTP: use https:// in --url or COFRE_ADMIN_URL, with --ca-file \
             FILE for a certificate of one's own. --admin-tls-cert and --admin-tls-key set it so."
        }
    };
    Refusal { status: StatusCode::BAD_REQUEST, code: "InvalidRequest", advice: advice.into() }
}

/// What a client is told that speaks TLS to a listener without. Some show the beginning of a plain answer, and some say
/// that they got one.
pub(super) fn tls_to_plain(door: Door) -> Refusal {
    let advice = match door {
        Door::Challenges => "This port answers challenges in plain HTTP: the S3 API is at the address of --listen.",
        Door::S3 => {
            "This port speaks plain HTTP, and a TLS handshake came: use http:// in the endpoint URL, or set --tls-cert and \
             --tls-key."
        }
        Door::Console => {
            "This port speaks plain HTTP, and a TLS handshake came: use http:// in the address, or set --tls-cert and \
             --tls-key."
        }
        Door::Admin => {
            "This port speaks plain HTTP, and a TLS handshake came: use http:// in --url or COFRE_ADMIN_URL, or set \
             --admin-tls-cert and --admin-tls-key."
        }
    };
    Refusal { status: StatusCode::BAD_REQUEST, code: "InvalidRequest", advice: advice.into() }
}

/// What a proxy is told whose word does not count.
pub(super) fn unlisted_proxy() -> Refusal {
    let advice = "A header of the PROXY protocol came from an address that is not listed: name the proxy with --trusted-proxy, \
         or have it send none (HAProxy: without send-proxy).";
    Refusal { status: StatusCode::BAD_REQUEST, code: "InvalidRequest", advice: advice.into() }
}

/// What a proxy is told whose header is none.
pub(super) fn malformed_proxy_header(reason: &str) -> Refusal {
    let advice = format!("The header of the PROXY protocol is not valid: {reason}.");
    Refusal { status: StatusCode::BAD_REQUEST, code: "InvalidRequest", advice: advice.into() }
}

/// What a client is told that has as many connections as it may.
pub(super) fn too_many_connections() -> Refusal {
    Refusal {
        status: StatusCode::SERVICE_UNAVAILABLE,
        code: "SlowDown",
        advice: "Please reduce your request rate. Your address has as many connections as --connections-per-address-max allows."
            .into(),
    }
}
