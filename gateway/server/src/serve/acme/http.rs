//! Requests to the authority, each over a connection of its own.

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use cofre_runtime::{blocking, spawn};
use http::{HeaderValue, Request, Response, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use rustls::{ClientConfig, RootCertStore, crypto};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// How long an answer may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// Longest answer that is read, in bytes. Certificate chains have a few thousand.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// A client of the authority. Cloning costs a reference count.
#[derive(Clone)]
pub(super) struct Authority(TlsConnector);

impl Authority {
    /// A client that trusts the system's certificates and those of a file.
    pub(super) async fn new(ca_file: Option<PathBuf>) -> Result<Self> {
        let roots = blocking(move || roots(ca_file)).await?;
        let config = ClientConfig::builder_with_provider(Arc::new(crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    async fn exchange(self, request: Request<BodyWrapper<Bytes>>) -> Result<Response<Full<Bytes>>> {
        let uri = request.uri().clone();
        ensure!(uri.scheme_str() == Some("https"), "{uri} is not https, which RFC 8555 asks for");
        let host = uri.host().with_context(|| format!("{uri} names no host"))?;
        let bare = host.trim_matches(['[', ']']).to_owned();
        let tcp = TcpStream::connect((bare.as_str(), uri.port_u16().unwrap_or(443))).await?;
        tcp.set_nodelay(true)?;
        let tls = self.0.connect(ServerName::try_from(bare)?, tcp).await.context("TLS")?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(tls)).await?;
        // The task ends with the connection, which ends with the answer that it carries.
        drop(spawn(connection));
        let response = sender.send_request(by_path(request, &uri)?).await?;
        let (head, body) = response.into_parts();
        match Limited::new(body, ANSWER_BYTES_MAX).collect().await {
            Ok(body) => Ok(Response::from_parts(head, Full::from(body.to_bytes()))),
            Err(error) => bail!("the answer of {uri}: {error}"),
        }
    }
}

/// A request as HTTP/1 sends it to the origin itself: with its host in a header.
fn by_path(mut request: Request<BodyWrapper<Bytes>>, uri: &Uri) -> Result<Request<BodyWrapper<Bytes>>> {
    let authority = uri.authority().map(|authority| HeaderValue::from_str(authority.as_str()));
    request.headers_mut().insert(header::HOST, authority.with_context(|| format!("{uri} names no host"))??);
    *request.uri_mut() = uri.path_and_query().map_or("/", |path| path.as_str()).parse()?;
    Ok(request)
}

impl HttpClient for Authority {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let (ours, url) = (self.clone(), request.uri().clone());
        Box::pin(async move {
            let answered = match timeout(CALL_TIMEOUT, ours.exchange(request)).await {
                Ok(answered) => answered,
                Err(_) => Err(anyhow::anyhow!("no answer within {} s", CALL_TIMEOUT.as_secs())),
            };
            let unreachable = |error: anyhow::Error| Error::Other(Unreachable(format!("{url}: {error:#}")).into());
            answered.map(BytesResponse::from).map_err(unreachable)
        })
    }
}

/// That the authority could not be asked.
#[derive(Debug)]
pub(super) struct Unreachable(String);

impl std::error::Error for Unreachable {}

impl std::fmt::Display for Unreachable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

fn roots(ca_file: Option<PathBuf>) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = ca_file {
        let named = || format!("acme_ca_file: {}", path.display());
        for certificate in CertificateDer::pem_file_iter(&path).with_context(named)? {
            roots.add(certificate.with_context(named)?).with_context(named)?;
        }
    }
    Ok(roots)
}
