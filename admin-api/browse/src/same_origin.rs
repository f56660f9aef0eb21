//! Whether a page of this very origin makes a request.
//!
//! A cookie does not know ports (RFC 6265, section 8.5): a page that stands as an object on the S3 port of the same host
//! is of the same *site*, so its requests bring the cookie. It is not of the same *origin*, which is what is asked here.

use axum::http::{HeaderMap, HeaderName, Method, Uri, header};
use cofre_iam::Origin;

/// The header that a request which changes anything must carry: the public id of the session that its page takes for its
/// own, or anything where it has none. A page of another origin may send it only after a preflight, which is never
/// answered.
pub const OWN_HEADER: HeaderName = HeaderName::from_static("x-cofre");

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Why a request is none of a page of this origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strange {
    /// The browser says that another site, or another port, makes it.
    Site,
    /// Its `Origin` is another one.
    Origin,
    /// It changes something and lacks [`OWN_HEADER`].
    OwnHeader,
}

/// Refuses a request that a page of another origin may have made.
///
/// # Errors
/// [`Strange`].
pub fn check_same_origin(method: &Method, uri: &Uri, headers: &HeaderMap, from: Origin) -> Result<(), Strange> {
    let is_safe = method == Method::GET || method == Method::HEAD;
    for site in headers.get_all(FETCH_SITE) {
        // `none`: a person typed the address.
        if site != "same-origin" && !(is_safe && site == "none") {
            return Err(Strange::Site);
        }
    }
    for origin in headers.get_all(header::ORIGIN) {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let host = uri.authority().map(axum::http::uri::Authority::as_str).or(host).ok_or(Strange::Origin)?;
        let origin = origin.to_str().map_err(|_| Strange::Origin)?;
        // Something in front may speak TLS for this server, which then sees none.
        let schemes: &[&str] = if from.secure { &["https://"] } else { &["http://", "https://"] };
        if !schemes.iter().any(|scheme| origin.strip_prefix(scheme).is_some_and(|rest| rest.eq_ignore_ascii_case(host)))
        {
            return Err(Strange::Origin);
        }
    }
    if !is_safe && !headers.contains_key(OWN_HEADER) {
        return Err(Strange::OwnHeader);
    }
    Ok(())
}

/// Whether a request's page means the session whose cookie came with it. A page on another port of the host can plant a
/// cookie of a session of its own, but not what a page of this origin remembers. Who navigates or downloads names none.
pub fn is_named(headers: &HeaderMap, session: &str) -> bool {
    headers.get_all(OWN_HEADER).iter().all(|named| named == session)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn check(method: &Method, headers: &[(&'static str, &'static str)], secure: bool) -> Result<(), Strange> {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        check_same_origin(method, &Uri::from_static("/x"), &headers, Origin { secure, ..Origin::default() })
    }

    #[test]
    fn our_own_pages_pass() {
        let host = ("host", "cofre.example:9001");
        let own = ("x-cofre", "1");
        for headers in [
            vec![host, own],
            vec![host, own, ("sec-fetch-site", "same-origin"), ("origin", "http://cofre.example:9001")],
            vec![host, own, ("origin", "https://COFRE.example:9001")],
        ] {
            assert_eq!(check(&Method::POST, &headers, false), Ok(()), "{headers:?}");
        }
        assert_eq!(check(&Method::GET, &[host, ("sec-fetch-site", "none")], false), Ok(()));
    }

    #[test]
    fn others_do_not() {
        let host = ("host", "cofre.example:9001");
        let own = ("x-cofre", "1");
        for (headers, strange) in [
            (vec![host], Strange::OwnHeader),
            (vec![host, own, ("sec-fetch-site", "same-site")], Strange::Site),
            (vec![host, own, ("sec-fetch-site", "cross-site")], Strange::Site),
            (vec![host, own, ("sec-fetch-site", "none")], Strange::Site),
            (vec![host, own, ("origin", "http://cofre.example:9000")], Strange::Origin),
            (vec![host, own, ("origin", "http://cofre.example")], Strange::Origin),
            (vec![host, own, ("origin", "null")], Strange::Origin),
            (vec![own, ("origin", "http://cofre.example:9001")], Strange::Origin),
        ] {
            assert_eq!(check(&Method::POST, &headers, false), Err(strange), "{headers:?}");
        }
        let plain = [host, own, ("origin", "http://cofre.example:9001")];
        assert_eq!(check(&Method::POST, &plain, true), Err(Strange::Origin), "TLS has another origin");
        let get = [host, ("sec-fetch-site", "same-site")];
        assert_eq!(check(&Method::GET, &get, false), Err(Strange::Site), "reading too");
    }
}
