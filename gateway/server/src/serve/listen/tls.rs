//! Certificates that are read again when their files change.
//!
//! # Failure and retry
//! Files that are being replaced may be half there, or not match: then the certificate in use stays,
//! a warning is logged, and the files are read again at the next look.

use super::validity;
use anyhow::{Context, Result};
use cofre_iam::Tls;
use cofre_runtime::{Shutdown, blocking, spawn};
use cofre_settings::TlsFiles;
use parking_lot::Mutex;
use prometheus_client::metrics::gauge::Gauge;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, crypto};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, RwLock};
use std::time::{Duration, SystemTime};
use tokio_rustls::TlsAcceptor;

/// Mode bits of group and others.
const OTHERS: u32 = 0o077;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The certificate in use, for the listeners that share it.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>, CertificateEnds);

impl Current {
    fn set(&self, key: CertifiedKey) {
        self.1.set(&key);
        *self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Arc::new(key);
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
        ends.at = key.cert.first().and_then(|certificate| validity::end(certificate));
        if let Some(told) = &ends.told {
            told.set(ends.at.unwrap_or(0));
        }
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // A lock that a panic poisoned still holds a whole certificate.
        Some(Arc::clone(&self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner)))
    }
}

/// What tells one state of the files from another.
type Stamp = [(u64, Option<SystemTime>); 2];

/// An acceptor for the certificate in these files, which follows them until shutdown begins.
pub(super) async fn acceptor(files: &TlsFiles, shutdown: Shutdown) -> Result<(TlsAcceptor, CertificateEnds)> {
    let (stamp, key) = look(files.clone()).await?;
    let ends = CertificateEnds::default();
    ends.set(&key);
    let current = Arc::new(Current(RwLock::new(Arc::new(key)), ends.clone()));
    let mut config = ServerConfig::builder().with_no_client_auth().with_cert_resolver(Arc::clone(&current) as _);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    drop(spawn(follow(files.clone(), stamp, current, shutdown)));
    Ok((TlsAcceptor::from(Arc::new(config)), ends))
}

/// What a handshake agreed on, by the names of access logs: those of OpenSSL up to TLS 1.2, as AWS has them.
pub(super) fn agreed(connection: &rustls::ServerConnection) -> Option<Tls> {
    use rustls::{CipherSuite as Suite, ProtocolVersion};
    let version = match connection.protocol_version()? {
        ProtocolVersion::TLSv1_3 => "TLSv1.3",
        ProtocolVersion::TLSv1_2 => "TLSv1.2",
        _ => return None,
    };
    let cipher_suite = match connection.negotiated_cipher_suite()?.suite() {
        Suite::TLS13_AES_128_GCM_SHA256 => "TLS_AES_128_GCM_SHA256",
        Suite::TLS13_AES_256_GCM_SHA384 => "TLS_AES_256_GCM_SHA384",
        Suite::TLS13_CHACHA20_POLY1305_SHA256 => "TLS_CHACHA20_POLY1305_SHA256",
        Suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 => "ECDHE-ECDSA-AES128-GCM-SHA256",
        Suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 => "ECDHE-ECDSA-AES256-GCM-SHA384",
        Suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 => "ECDHE-ECDSA-CHACHA20-POLY1305",
        Suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 => "ECDHE-RSA-AES128-GCM-SHA256",
        Suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 => "ECDHE-RSA-AES256-GCM-SHA384",
        Suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 => "ECDHE-RSA-CHACHA20-POLY1305",
        _ => return None,
    };
    Some(Tls { version, cipher_suite })
}

async fn look(files: TlsFiles) -> Result<(Stamp, CertifiedKey)> {
    blocking(move || {
        let stamp = stamp(&files);
        Ok((stamp, read(&files)?))
    })
    .await
}

async fn follow(files: TlsFiles, mut seen: Stamp, current: Arc<Current>, shutdown: Shutdown) {
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
                current.set(key);
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
    let chain: Vec<_> = CertificateDer::pem_file_iter(&files.cert)
        .and_then(Iterator::collect)
        .with_context(|| format!("{cert}: no certificate chain in PEM"))?;
    anyhow::ensure!(!chain.is_empty(), "{cert}: no certificate in it");
    let mode = fs::metadata(&files.key).with_context(|| key.to_string())?.mode();
    anyhow::ensure!(mode & OTHERS == 0, "{key}: others may read it (mode {:03o}); run: chmod 600 {key}", mode & 0o777);
    let private = PrivateKeyDer::from_pem_file(&files.key).with_context(|| format!("{key}: no private key in PEM"))?;
    let certified = CertifiedKey::from_der(chain, private, &crypto::aws_lc_rs::default_provider())
        .with_context(|| format!("{key} and {cert} do not go together"))?;
    Ok(certified)
}
