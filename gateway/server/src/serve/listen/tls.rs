//! Certificates that are read again when their files change.
//!
//! # Failure and retry
//! Files that are being replaced may be half there, or not match: then the certificate in use stays,
//! a warning is logged, and the files are read again at the next look.

use super::validity;
use anyhow::{Context, Result};
use cofre_iam::Tls;
use cofre_runtime::{Shutdown, blocking, open_mode, spawn};
use cofre_settings::TlsFiles;
use parking_lot::{Mutex, RwLock};
use prometheus_client::metrics::gauge::Gauge;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{CipherSuite, ProtocolVersion, ServerConfig, ServerConnection, crypto};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::collections::HashMap;
use std::fs;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio_rustls::TlsAcceptor;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What a connection asks for by which an authority proves whose a name is (RFC 8737, section 4).
const ACME_PROTOCOL: &[u8] = b"acme-tls/1";

/// The certificate in use, and those that prove to an authority whose a name is.
#[derive(Debug)]
pub(crate) struct Certificates {
    current: RwLock<Arc<CertifiedKey>>,
    ends: CertificateEnds,
    /// Certificates of challenges, by name; none where there never are any.
    challenges: Option<Mutex<HashMap<String, Arc<CertifiedKey>>>>,
}

impl Certificates {
    /// This certificate, until there is another, and certificates of challenges beside it.
    pub(crate) fn with_challenges(key: CertifiedKey) -> Arc<Self> {
        Arc::new(Self { challenges: Some(Mutex::default()), ..Self::of(key) })
    }

    fn of(key: CertifiedKey) -> Self {
        let ends = CertificateEnds::default();
        ends.set(&key);
        Self { current: RwLock::new(Arc::new(key)), ends, challenges: None }
    }

    /// Uses a certificate from the next handshake on.
    pub(crate) fn set(&self, key: CertifiedKey) {
        self.ends.set(&key);
        *self.current.write() = Arc::new(key);
    }

    /// When the certificate in use ends.
    pub(super) const fn ends(&self) -> &CertificateEnds {
        &self.ends
    }

    /// The certificate in use.
    pub(crate) fn current(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.current.read())
    }

    /// Shows an authority that asks for a name's challenge this certificate.
    pub(crate) fn set_challenge(&self, name: &str, key: CertifiedKey) {
        if let Some(challenges) = &self.challenges {
            challenges.lock().insert(name.to_owned(), Arc::new(key));
        }
    }

    /// Ends the challenge of a name.
    pub(crate) fn end_challenge(&self, name: &str) {
        if let Some(challenges) = &self.challenges {
            challenges.lock().remove(name);
        }
    }
}

/// When the certificate in use ends.
#[derive(Debug, Clone, Default)]
pub(crate) struct CertificateEnds(Arc<Mutex<Ends>>);

#[derive(Debug, Default)]
struct Ends {
    /// Seconds since 1970; none if the certificate does not say.
    at: Option<i64>,
    told: Option<Gauge>,
}

impl CertificateEnds {
    /// Has a gauge tell it, now and whenever there is another certificate.
    pub(crate) fn tell(&self, gauge: Gauge) {
        let mut ends = self.0.lock();
        gauge.set(ends.at.unwrap_or(0));
        ends.told = Some(gauge);
    }

    fn set(&self, key: &CertifiedKey) {
        let mut ends = self.0.lock();
        ends.at = key.cert.first().and_then(|certificate| validity::of(certificate)).map(|validity| validity.end);
        if let Some(told) = &ends.told {
            told.set(ends.at.unwrap_or(0));
        }
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if let Some(challenges) = &self.challenges
            && hello.alpn().is_some_and(|mut protocols| protocols.any(|protocol| protocol == ACME_PROTOCOL))
        {
            return challenges.lock().get(&hello.server_name()?.to_ascii_lowercase()).cloned();
        }
        Some(self.current())
    }
}

/// What tells one state of the files from another.
type Stamp = [(u64, Option<SystemTime>); 2];

/// The certificate in these files, which follows them until shutdown begins.
async fn certificates_in(files: &TlsFiles, shutdown: Shutdown) -> Result<Arc<Certificates>> {
    let (stamp, key) = look(files.clone()).await?;
    let certificates = Arc::new(Certificates::of(key));
    drop(spawn(follow(files.clone(), stamp, Arc::clone(&certificates), shutdown)));
    Ok(certificates)
}

/// Shows these certificates.
pub(super) fn acceptor(certificates: &Arc<Certificates>) -> TlsAcceptor {
    let mut config = ServerConfig::builder().with_no_client_auth().with_cert_resolver(Arc::clone(certificates) as _);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    if certificates.challenges.is_some() {
        config.alpn_protocols.push(ACME_PROTOCOL.to_vec());
    }
    TlsAcceptor::from(Arc::new(config))
}

/// Versions of TLS, as access logs name them.
const VERSIONS: [(ProtocolVersion, &str); 2] =
    [(ProtocolVersion::TLSv1_3, "TLSv1.3"), (ProtocolVersion::TLSv1_2, "TLSv1.2")];

/// Cipher suites, as access logs name them: by the names of OpenSSL up to TLS 1.2, as AWS has them.
const CIPHER_SUITES: [(CipherSuite, &str); 9] = [
    (CipherSuite::TLS13_AES_128_GCM_SHA256, "TLS_AES_128_GCM_SHA256"),
    (CipherSuite::TLS13_AES_256_GCM_SHA384, "TLS_AES_256_GCM_SHA384"),
    (CipherSuite::TLS13_CHACHA20_POLY1305_SHA256, "TLS_CHACHA20_POLY1305_SHA256"),
    (CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, "ECDHE-ECDSA-AES128-GCM-SHA256"),
    (CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, "ECDHE-ECDSA-AES256-GCM-SHA384"),
    (CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-ECDSA-CHACHA20-POLY1305"),
    (CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "ECDHE-RSA-AES128-GCM-SHA256"),
    (CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, "ECDHE-RSA-AES256-GCM-SHA384"),
    (CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-RSA-CHACHA20-POLY1305"),
];

/// What a handshake agreed on.
pub(super) fn agreed(connection: &ServerConnection) -> Option<Tls> {
    let (version, suite) = (connection.protocol_version()?, connection.negotiated_cipher_suite()?.suite());
    let (_, version) = VERSIONS.iter().find(|(known, _)| *known == version)?;
    let (_, cipher_suite) = CIPHER_SUITES.iter().find(|(known, _)| *known == suite)?;
    Some(Tls { version, cipher_suite })
}

/// The version of TLS that a proxy names.
pub(super) fn version_named(name: &[u8]) -> Option<&'static str> {
    VERSIONS.iter().find(|(_, known)| known.as_bytes() == name).map(|(_, known)| *known)
}

/// The cipher suite that a proxy names.
pub(super) fn cipher_suite_named(name: &[u8]) -> Option<&'static str> {
    CIPHER_SUITES.iter().find(|(_, known)| known.as_bytes() == name).map(|(_, known)| *known)
}

async fn look(files: TlsFiles) -> Result<(Stamp, CertifiedKey)> {
    blocking(move || {
        let stamp = stamp(&files);
        Ok((stamp, read(&files)?))
    })
    .await
}

async fn follow(files: TlsFiles, mut seen: Stamp, certificates: Arc<Certificates>, shutdown: Shutdown) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = shutdown.begun() => return,
        }
        let ours = files.clone();
        if blocking(move || stamp(&ours)).await == seen {
            continue;
        }
        match look(files.clone()).await {
            Ok((stamp, key)) => {
                seen = stamp;
                certificates.set(key);
                tracing::info!(cert = %files.cert.display(), "a new certificate is in use");
            }
            Err(error) => {
                tracing::warn!(
                    "the certificate files changed and cannot be used; the old certificate stays: {error:#}"
                );
            }
        }
    }
}

fn stamp(files: &TlsFiles) -> Stamp {
    [&files.cert, &files.key].map(|path| match fs::metadata(path) {
        Ok(metadata) => (metadata.len(), metadata.modified().ok()),
        Err(_) => (0, None),
    })
}

fn read(files: &TlsFiles) -> Result<CertifiedKey> {
    let (cert, key) = (files.cert.display(), files.key.display());
    let chain = fs::read(&files.cert).with_context(|| cert.to_string())?;
    if let Some(mode) = open_mode(&fs::metadata(&files.key).with_context(|| key.to_string())?) {
        anyhow::bail!("{key}: others may read it (mode {mode}); run: chmod 600 {key}");
    }
    let private = PrivateKeyDer::from_pem_file(&files.key).with_context(|| format!("{key}: no private key in PEM"))?;
    certified(&chain, private).with_context(|| format!("{key} and {cert}"))
}

/// A certificate chain, PEM, with its private key.
pub(crate) fn certified(chain: &[u8], key: PrivateKeyDer<'static>) -> Result<CertifiedKey> {
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(chain).collect::<Result<_, _>>().context("no certificate chain in PEM")?;
    anyhow::ensure!(!chain.is_empty(), "no certificate in the chain");
    CertifiedKey::from_der(chain, key, &crypto::aws_lc_rs::default_provider()).context("they do not go together")
}

/// The certificate of a listener, if there are files of it.
pub(in crate::serve) async fn certificates_of(
    files: Option<&TlsFiles>,
    setting: &'static str,
    closing: &Shutdown,
) -> Result<Option<Arc<Certificates>>> {
    match files {
        Some(files) => Ok(Some(certificates_in(files, closing.clone()).await.context(setting)?)),
        None => Ok(None),
    }
}
