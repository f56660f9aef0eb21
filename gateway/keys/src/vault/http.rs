//! One request over one connection: TCP, and TLS where the address says so.

use super::VaultToken;
use crate::error::KeyError;
use bytes::Bytes;
use cofre_runtime::{blocking, spawn};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

/// How long a call may take: requests of clients wait for it.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// Longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Most of an answer's text that an error repeats, in characters.
const WHY_CHARS_MAX: usize = 200;

const TOKEN: HeaderName = HeaderName::from_static("x-vault-token");

pub(super) struct Endpoint {
    url: String,
    authority: HeaderValue,
    host: String,
    port: u16,
    token: VaultToken,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Bytes,
}

impl Answer {
    /// What an answer that is an error says. It holds no key.
    pub(super) fn why(&self) -> String {
        String::from_utf8_lossy(&self.body).trim().chars().take(WHY_CHARS_MAX).collect()
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("url", &self.url).field("token", &self.token).finish_non_exhaustive()
    }
}

impl Endpoint {
    pub(super) fn new(address: &str, token: VaultToken, ca_file: Option<&Path>) -> Result<Self, KeyError> {
        let url = address.trim_end_matches('/').to_owned();
        let usage = |reason: &str| KeyError::Usage(format!("Vault's address {url:?} {reason}"));
        let uri: Uri = url.parse().map_err(|_| usage("is none; it reads like https://vault.example:8200"))?;
        let host = uri.host().ok_or_else(|| usage("names no host"))?.to_owned();
        let tls = match uri.scheme_str() {
            Some("http") => None,
            Some("https") => Some(tls(&host, ca_file)?),
            _ => return Err(usage("begins with neither http:// nor https://")),
        };
        let authority = uri.authority().and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
        let authority = authority.ok_or_else(|| usage("names no host"))?;
        Ok(Self { authority, host, port: uri.port_u16().unwrap_or(8200), token, tls, url })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Posts JSON and reads the answer, whatever its status.
    pub(super) async fn post(&self, path: &str, body: String) -> Result<Answer, KeyError> {
        let call = tokio::time::timeout(CALL_TIMEOUT, self.exchange(path, body));
        call.await.map_err(|_| self.unavailable("no answer within 10 seconds"))?
    }

    async fn exchange(&self, path: &str, body: String) -> Result<Answer, KeyError> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(HOST, &self.authority)
            .header(CONTENT_TYPE, "application/json")
            .header(TOKEN, self.token().await?)
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| self.unavailable(error))?;
        let response = self.connect().await?.send_request(request).await.map_err(|error| self.unavailable(error))?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        Ok(Answer { status, body: body.map_err(|error| self.unavailable(error))?.to_bytes() })
    }

    async fn token(&self) -> Result<HeaderValue, KeyError> {
        let text = match &self.token {
            VaultToken::Text(text) => text.clone(),
            VaultToken::File(path) => {
                let owned = path.clone();
                let read = blocking(move || std::fs::read_to_string(owned)).await;
                Zeroizing::new(read.map_err(|error| self.unavailable(format!("{}: {error}", path.display())))?)
            }
        };
        let mut value = HeaderValue::from_str(text.trim())
            .map_err(|_| KeyError::Usage("Vault's token has characters that no token has".to_owned()))?;
        value.set_sensitive(true);
        Ok(value)
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, KeyError> {
        let address = (self.host.trim_matches(['[', ']']), self.port);
        let tcp = TcpStream::connect(address).await.map_err(|error| self.unavailable(error))?;
        tcp.set_nodelay(true).map_err(|error| self.unavailable(error))?;
        match &self.tls {
            None => self.handshake(tcp).await,
            Some((connector, name)) => {
                let tls = connector.connect(name.clone(), tcp).await;
                self.handshake(tls.map_err(|error| self.unavailable(format!("TLS: {error}")))?).await
            }
        }
    }

    async fn handshake<T>(&self, io: T) -> Result<SendRequest<Full<Bytes>>, KeyError>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, connection) = http1::handshake(TokioIo::new(io)).await.map_err(|error| self.unavailable(error))?;
        // The task ends with the connection, which ends with the answer that it carries.
        drop(spawn(connection));
        Ok(sender)
    }

    fn unavailable(&self, reason: impl fmt::Display) -> KeyError {
        KeyError::Unavailable(format!("Vault at {}: {reason}", self.url))
    }
}

fn tls(host: &str, ca_file: Option<&Path>) -> Result<(TlsConnector, ServerName<'static>), KeyError> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = ca_file {
        let unreadable = |error: &dyn fmt::Display| KeyError::Usage(format!("{}: {error}", path.display()));
        for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unreadable(&error))? {
            let certificate = certificate.map_err(|error| unreadable(&error))?;
            roots.add(certificate).map_err(|error| unreadable(&error))?;
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| KeyError::Usage(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
        .map_err(|_| KeyError::Usage(format!("{host:?} is no host name")))?;
    Ok((TlsConnector::from(Arc::new(config)), name))
}
