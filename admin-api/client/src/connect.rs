//! One connection: TCP, and TLS where the URL says so.

use crate::ClientOptions;
use crate::error::{Error, TlsFault};
use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::HeaderValue;
use hyper::{Request, Response, Uri, body::Incoming};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// How long a connection may take to stand.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an answer's headers may take. Probes and drains of slow shards are waited for.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);

pub(crate) struct Endpoint {
    url: String,
    host: String,
    port: u16,
    authorization: Option<HeaderValue>,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Endpoint {
    pub(crate) fn new(options: ClientOptions) -> Result<Self, Error> {
        let url = options.url.trim_end_matches('/').to_owned();
        let usage = |reason: &str| Error::Usage(format!("the admin API's URL '{url}' {reason}"));
        let uri: Uri = url.parse().map_err(|_| usage("is no URL; it reads like http://127.0.0.1:9001"))?;
        let host = uri.host().ok_or_else(|| usage("names no host; it reads like http://127.0.0.1:9001"))?.to_owned();
        if !uri.path().trim_matches('/').is_empty() || uri.query().is_some() {
            return Err(usage("has a path; it ends after host and port"));
        }
        let tls = match uri.scheme_str() {
            Some("http") => None,
            Some("https") => Some(tls(&host, &options)?),
            _ => return Err(usage("begins with neither http:// nor https://")),
        };
        let port = uri.port_u16().unwrap_or(if tls.is_some() { 443 } else { 80 });
        let authorization = options.token.as_deref().map(bearer).transpose()?;
        Ok(Self { host, port, authorization, tls, url })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Sends a request and waits for the headers of the answer.
    pub(crate) async fn send(&self, mut request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Error> {
        let headers = request.headers_mut();
        let authority = self.url.split_once("://").map_or("", |(_, authority)| authority);
        let host = HeaderValue::from_str(authority).map_err(|error| Error::Usage(error.to_string()))?;
        headers.insert(hyper::header::HOST, host);
        if let Some(authorization) = &self.authorization {
            headers.insert(hyper::header::AUTHORIZATION, authorization.clone());
        }
        let connecting = tokio::time::timeout(CONNECT_TIMEOUT, self.connect());
        let mut sender = connecting.await.map_err(|_| self.unreachable("no connection within 10 seconds"))??;
        let answering = tokio::time::timeout(ANSWER_TIMEOUT, sender.send_request(request));
        answering
            .await
            .map_err(|_| self.unreachable("no answer within 120 seconds"))?
            .map_err(|error| self.unreachable(&describe(&error)))
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, Error> {
        let address = (self.host.trim_matches(['[', ']']), self.port);
        let tcp = TcpStream::connect(address).await.map_err(|error| self.unreachable(&error.to_string()))?;
        let nodelay = tcp.set_nodelay(true);
        nodelay.map_err(|error| self.unreachable(&error.to_string()))?;
        match &self.tls {
            None => self.handshake(tcp).await,
            Some((connector, name)) => {
                let tls = connector.connect(name.clone(), tcp).await;
                self.handshake(tls.map_err(|error| Error::Tls {
                    url: self.url.clone(),
                    reason: error.to_string(),
                    fault: TlsFault::of(&error),
                })?)
                .await
            }
        }
    }

    async fn handshake<T>(&self, io: T) -> Result<SendRequest<Full<Bytes>>, Error>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, connection) =
            http1::handshake(TokioIo::new(io)).await.map_err(|error| self.unreachable(&describe(&error)))?;
        // The task ends with the connection, which ends with the answer that it carries.
        drop(cofre_runtime::spawn(connection));
        Ok(sender)
    }

    pub(crate) fn unreachable(&self, reason: &str) -> Error {
        Error::Unreachable { url: self.url.clone(), reason: reason.to_owned() }
    }

    pub(crate) fn nonsense(&self, reason: impl Into<String>) -> Error {
        Error::Answer { url: self.url.clone(), reason: reason.into() }
    }
}

/// hyper's own text says little; what is behind it says more.
fn describe(error: &hyper::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

fn bearer(token: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
        .map_err(|_| Error::Usage("the admin token has characters that no token has".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn tls(host: &str, options: &ClientOptions) -> Result<(TlsConnector, ServerName<'static>), Error> {
    let usage = |reason: String| Error::Usage(reason);
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = &options.ca_file {
        let unreadable = |error: &dyn std::fmt::Display| usage(format!("{}: {error}", path.display()));
        for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unreadable(&error))? {
            let certificate = certificate.map_err(|error| unreadable(&error))?;
            roots.add(certificate).map_err(|error| unreadable(&error))?;
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| usage(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
        .map_err(|_| usage(format!("'{host}' is no host name")))?;
    Ok((TlsConnector::from(Arc::new(config)), name))
}
