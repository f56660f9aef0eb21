//! What a person sees who opens the S3 API in a browser: where the console is.

use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use std::net::SocketAddr;

/// What the page carries: it runs nothing, and nobody frames it.
const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_TYPE, "text/html; charset=utf-8"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'; sandbox allow-top-navigation-by-user-activation",
    ),
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
];

/// Where the console is.
#[derive(Debug, Clone, Copy)]
pub(super) struct ConsoleAt {
    pub(super) address: SocketAddr,
    pub(super) tls: bool,
}

impl ConsoleAt {
    /// The page, for a browser that asks for the root and brings no credentials. S3 would refuse it likewise.
    pub(super) fn page<B>(&self, request: &Request<B>) -> Option<Response<String>> {
        let headers = request.headers();
        let is_plain =
            *request.method() == Method::GET && request.uri().path() == "/" && request.uri().query().is_none();
        let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !is_plain || !accept.contains("text/html") || headers.contains_key(header::AUTHORIZATION) {
            return None;
        }
        let host = headers.get(header::HOST).and_then(|value| value.to_str().ok());
        let host = request.uri().authority().map(http::uri::Authority::as_str).or(host).unwrap_or_default();
        let mut response = Response::new(self.text(name_of(host)));
        *response.status_mut() = StatusCode::FORBIDDEN;
        for (name, value) in HEADERS {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        Some(response)
    }

    fn text(&self, name: &str) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        let (ip, port) = (self.address.ip(), self.address.port());
        // Who came by this name reaches the console by it if it listens everywhere, or where that name leads.
        let here = ["localhost", "127.0.0.1", "[::1]"].contains(&name);
        let is_reachable = !ip.to_canonical().is_loopback() || here;
        let said = if is_reachable && is_name(name) {
            let name = if ip.is_unspecified() || here { name.to_owned() } else { host_of(self.address) };
            let url = format!("{scheme}://{name}:{port}/");
            format!(
                "<p>The console is at <a href=\"{url}\">{url}</a>.<p lang=\"pt-BR\">O console fica em <a href=\"{url}\">{url}</a>."
            )
        } else {
            format!(
                "<p>The console listens on port {port} of the server itself, and not for you: ask who runs it.\
                 <p lang=\"pt-BR\">O console atende na porta {port} só na própria máquina: fale com quem cuida dela."
            )
        };
        format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Cofre</title><h1>Cofre</h1><p>This is the S3 API: programs speak to it with signed requests.{said}\n"
        )
    }
}

/// The name in a host with a port.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Whether a text can only be the name of a host: it stands in a page.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:[]".contains(&b))
}

fn host_of(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => format!("[{}]", address.ip()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(address: &str, method: &str, uri: &str, headers: &[(&str, &str)]) -> Option<String> {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let at = ConsoleAt { address: address.parse().unwrap(), tls: false };
        at.page(&request.body(()).unwrap()).map(Response::into_body)
    }

    #[test]
    fn browsers_are_told_where_the_console_is() {
        let html = ("accept", "text/html,application/xhtml+xml");
        for (address, host, said) in [
            ("127.0.0.1:9001", "127.0.0.1:9000", "http://127.0.0.1:9001/"),
            ("127.0.0.1:9001", "localhost:9000", "http://localhost:9001/"),
            ("[::]:9001", "nas.local:9000", "http://nas.local:9001/"),
            ("0.0.0.0:9001", "[fd00::1]:9000", "http://[fd00::1]:9001/"),
            ("192.0.2.1:9001", "s3.example", "http://192.0.2.1:9001/"),
            ("127.0.0.1:9001", "nas.local:9000", "port 9001 of the server itself"),
            ("0.0.0.0:9001", "\"><script>alert(1)</script>", "port 9001 of the server itself"),
        ] {
            let page = page(address, "GET", "/", &[html, ("host", host)]).unwrap();
            assert!(page.contains(said) && !page.contains("<script"), "{host}: {page}");
        }
    }

    #[test]
    fn programs_are_not() {
        let html = ("accept", "text/html");
        assert!(page("127.0.0.1:9001", "GET", "/", &[]).is_none());
        assert!(page("127.0.0.1:9001", "GET", "/", &[("accept", "*/*")]).is_none());
        assert!(page("127.0.0.1:9001", "GET", "/bucket/page.html", &[html]).is_none());
        assert!(page("127.0.0.1:9001", "GET", "/?X-Amz-Signature=x", &[html]).is_none());
        assert!(page("127.0.0.1:9001", "POST", "/", &[html]).is_none());
        assert!(page("127.0.0.1:9001", "GET", "/", &[html, ("authorization", "AWS4-HMAC-SHA256 x")]).is_none());
    }
}
