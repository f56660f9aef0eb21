//! Whose a request is that comes through proxies: the client that `X-Forwarded-For` names, and whether it came over TLS
//! by `X-Forwarded-Proto`. Only the word of a proxy that is listed counts.

use cofre_iam::Origin;
use cofre_types::AddressRange;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use hyper::service::Service;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Proxies that may say who their clients are. Cloning costs a reference count.
#[derive(Debug, Clone)]
pub(crate) struct TrustedProxies(Arc<[AddressRange]>);

impl TrustedProxies {
    /// Those in these ranges.
    pub(crate) fn new(ranges: &[AddressRange]) -> Self {
        Self(ranges.into())
    }

    /// Whether an address is of one of them.
    pub(super) fn hold(&self, ip: Option<IpAddr>) -> bool {
        ip.is_some_and(|ip| self.0.iter().any(|range| range.holds(ip.to_canonical())))
    }

    /// Where a request comes from that a listed proxy hands on, which is at `proxy`.
    ///
    /// Each proxy adds at the end of `X-Forwarded-For` whom it got the request from, so the list is read from its end,
    /// as far as it names listed proxies; what stands before the first other address is that client's own word. Where
    /// an entry is no address, the proxy that wrote it counts.
    fn origin(&self, headers: &HeaderMap, proxy: Origin) -> Origin {
        if !headers.contains_key(FORWARDED_FOR) && !headers.contains_key(FORWARDED_PROTO) {
            return proxy;
        }
        let (mut ip, mut hops) = (proxy.ip, 0_usize);
        for entry in from_the_end(headers, FORWARDED_FOR) {
            let Some(address) = entry.and_then(address) else { break };
            ip = Some(address);
            hops += 1;
            if !self.hold(ip) {
                break;
            }
        }
        // A proxy says how its own client came, so the word of the one that is next to the client counts. Many replace
        // what stands there: then there is one for all.
        let protos = from_the_end(headers, FORWARDED_PROTO);
        let proto = protos.take(hops.max(1)).last().flatten();
        // Only a proxy knows how its client came: that it came to us over TLS says nothing of that.
        Origin { ip, secure: proto.is_some_and(|proto| proto.eq_ignore_ascii_case("https")), tls: None }
    }
}

/// The entries of a list that may stand in several headers, the last first; none for what is no text.
fn from_the_end(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = Option<&str>> {
    headers.get_all(name).iter().rev().flat_map(|value: &HeaderValue| {
        let text = value.to_str().ok();
        let entries =
            text.into_iter().flat_map(|text| text.rsplit(',')).map(str::trim).filter(|entry| !entry.is_empty());
        entries.map(Some).chain(text.is_none().then_some(None))
    })
}

/// An address, with a port or without; one of IPv6 may stand in brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let ip = match bare {
        Some(bare) => IpAddr::V6(bare.parse().ok()?),
        None => text.parse().or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip())).ok()?,
    };
    Some(ip.to_canonical())
}

/// The service of a connection, on which each request may be another client's.
pub(super) struct ByClient<M, S> {
    service: S,
    origin: Origin,
    /// Makes the service of another client; none where the connection is no listed proxy's.
    others: Option<(Arc<M>, TrustedProxies)>,
}

impl<M: Fn(Origin) -> S, S> ByClient<M, S> {
    /// The service of a connection from `origin`.
    pub(super) fn new(make: Arc<M>, origin: Origin, proxies: &TrustedProxies) -> Self {
        let service = make(origin);
        Self { service, origin, others: proxies.hold(origin.ip).then(|| (make, proxies.clone())) }
    }
}

impl<M, S, B> Service<Request<B>> for ByClient<M, S>
where
    M: Fn(Origin) -> S,
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn call(&self, request: Request<B>) -> S::Future {
        if let Some((make, proxies)) = &self.others {
            let origin = proxies.origin(request.headers(), self.origin);
            if origin != self.origin {
                return make(origin).call(request);
            }
        }
        self.service.call(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn proxies() -> TrustedProxies {
        TrustedProxies::new(&["10.0.0.0/8".parse().unwrap(), "2001:db8:1::/48".parse().unwrap()])
    }

    fn from(headers: &[(&'static str, &str)], secure: bool) -> (String, bool) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let peer = Origin { ip: Some(IpAddr::from([10, 0, 0, 1])), secure, tls: None };
        let origin = proxies().origin(&map, peer);
        (origin.ip.map(|ip| ip.to_string()).unwrap_or_default(), origin.secure)
    }

    #[test]
    fn the_last_address_that_is_no_proxys_is_the_client() {
        let xff = "x-forwarded-for";
        for (headers, ip) in [
            (&[][..], "10.0.0.1"),
            (&[(xff, "192.0.2.7")], "192.0.2.7"),
            (&[(xff, "203.0.113.1, 192.0.2.7")], "192.0.2.7"),
            (&[(xff, "203.0.113.1,192.0.2.7 , 10.2.3.4")], "192.0.2.7"),
            (&[(xff, "203.0.113.1"), (xff, "192.0.2.7"), (xff, "10.2.3.4,")], "192.0.2.7"),
            (&[(xff, "192.0.2.7:4711")], "192.0.2.7"),
            (&[(xff, "2001:db8::7")], "2001:db8::7"),
            (&[(xff, "[2001:db8::7]")], "2001:db8::7"),
            (&[(xff, "[2001:db8::7]:4711")], "2001:db8::7"),
            (&[(xff, "::ffff:192.0.2.7, 2001:db8:1::9")], "192.0.2.7"),
            (&[(xff, "10.9.9.9, 10.2.3.4")], "10.9.9.9"),
            // What is no address was written by the proxy before it.
            (&[(xff, "192.0.2.7, unknown")], "10.0.0.1"),
            (&[(xff, "192.0.2.7, junk, 10.2.3.4")], "10.2.3.4"),
            (&[(xff, "192.0.2.7"), (xff, "\u{fc}")], "10.0.0.1"),
            (&[(xff, "192.0.2.999")], "10.0.0.1"),
            (&[(xff, "[192.0.2.7]")], "10.0.0.1"),
            (&[(xff, ""), (xff, ",,")], "10.0.0.1"),
        ] {
            assert_eq!(from(headers, false).0, ip, "{headers:?}");
        }
    }

    #[test]
    fn how_the_client_came_is_its_proxys_word() {
        let (xff, proto) = ("x-forwarded-for", "x-forwarded-proto");
        for (headers, secure, expected) in [
            (&[][..], true, true),
            (&[], false, false),
            (&[(proto, "https")], false, true),
            (&[(proto, "HTTPS")], false, true),
            (&[(proto, "http")], true, false),
            (&[(xff, "192.0.2.7"), (proto, "https")], false, true),
            (&[(xff, "192.0.2.7")], true, false),
            // The client's own word stands first.
            (&[(xff, "192.0.2.7"), (proto, "https, http")], true, false),
            (&[(xff, "192.0.2.7, 10.2.3.4"), (proto, "https, http")], false, true),
            (&[(xff, "192.0.2.7, 10.2.3.4"), (proto, "https")], false, true),
            (&[(xff, "192.0.2.7, 10.2.3.4"), (proto, "https, http, http")], false, false),
            (&[(xff, "junk"), (proto, "https")], false, true),
            (&[(proto, "wss")], true, false),
            (&[(proto, "\u{fc}")], true, false),
        ] {
            assert_eq!(from(headers, secure).1, expected, "{headers:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(lists in proptest::collection::vec("[0-9a-f:.,\\[\\] ]{0,40}", 0..4)) {
            let headers: Vec<_> = lists.iter().map(|list| ("x-forwarded-for", list.as_str())).collect();
            let (ip, _) = from(&headers, false);
            prop_assert!(ip.parse::<IpAddr>().is_ok());
        }

        #[test]
        fn what_a_client_sends_changes_nothing(own in "[ -~]{0,60}", client: [u8; 4]) {
            let client = IpAddr::from(client);
            prop_assume!(!proxies().hold(Some(client)));
            let sent = format!("{own}, {client}");
            prop_assert_eq!(from(&[("x-forwarded-for", sent.as_str())], false).0, client.to_string());
        }
    }
}
