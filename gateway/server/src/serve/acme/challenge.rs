//! What proves to an authority whose a name is: answers in plain HTTP, certificates of their own, and records in the DNS.

use crate::serve::listen::{Answer, Certificates, InTheClear};
use anyhow::{Context, Result, bail, ensure};
use cofre_settings::AcmeChallenge;
use http::{HeaderValue, Method, Response, header};
use instant_acme::{ChallengeType, KeyAuthorization};
use parking_lot::Mutex;
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::crypto;
use rustls::sign::CertifiedKey;
use rustls_pki_types::PrivateKeyDer;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::process::Command;
use tokio::time::timeout;

/// Where an authority asks (RFC 8555, section 8.3).
const WELL_KNOWN: &str = "/.well-known/acme-challenge/";

/// How long the hook may take until the DNS shows a record.
const HOOK_TIME_MAX: Duration = Duration::from_secs(600);

/// Most of what the hook says that an error repeats, in characters.
const SAID_CHARS_MAX: usize = 300;

/// Answers of http-01, by their tokens. Cloning costs a reference count.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tokens(Arc<Mutex<HashMap<String, String>>>);

impl InTheClear for Tokens {
    fn answer(&self, method: &Method, path: &str) -> Option<Answer> {
        let token = path.strip_prefix(WELL_KNOWN).filter(|_| matches!(*method, Method::GET | Method::HEAD))?;
        let proof = self.0.lock().get(token).cloned()?;
        let mut response = Response::new(proof);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        Some(Box::pin(async move { response }))
    }
}

/// Puts what proves a name where the authority looks for it, and takes it away again.
pub(super) struct Prover {
    pub(super) challenge: AcmeChallenge,
    pub(super) tokens: Tokens,
    pub(super) certificates: Arc<Certificates>,
    pub(super) hook: Option<PathBuf>,
}

/// What was put somewhere.
pub(super) enum Proof {
    Token(String),
    Certificate(String),
    Record { name: String, value: String },
}

impl Prover {
    /// What the authority calls the challenge.
    pub(super) const fn kind(&self) -> ChallengeType {
        match self.challenge {
            AcmeChallenge::Http01 => ChallengeType::Http01,
            AcmeChallenge::TlsAlpn01 => ChallengeType::TlsAlpn01,
            AcmeChallenge::Dns01 => ChallengeType::Dns01,
        }
    }

    /// Puts up what proves a name.
    pub(super) async fn put_up(&self, name: &str, token: &str, authorization: &KeyAuthorization) -> Result<Proof> {
        match self.challenge {
            AcmeChallenge::Http01 => {
                self.tokens.0.lock().insert(token.to_owned(), authorization.as_str().to_owned());
                Ok(Proof::Token(token.to_owned()))
            }
            AcmeChallenge::TlsAlpn01 => {
                self.certificates.set_challenge(name, certificate_of(name, authorization.digest().as_ref())?);
                Ok(Proof::Certificate(name.to_owned()))
            }
            AcmeChallenge::Dns01 => {
                let (name, value) = (format!("_acme-challenge.{name}"), authorization.dns_value());
                self.run_hook("present", &name, &value).await?;
                Ok(Proof::Record { name, value })
            }
        }
    }

    /// Takes it away again.
    pub(super) async fn take_away(&self, proof: &Proof) {
        match proof {
            Proof::Token(token) => drop(self.tokens.0.lock().remove(token)),
            Proof::Certificate(name) => self.certificates.end_challenge(name),
            Proof::Record { name, value } => {
                if let Err(error) = self.run_hook("cleanup", name, value).await {
                    tracing::warn!("a record that proved a name stays in the DNS: {error:#}");
                }
            }
        }
    }

    async fn run_hook(&self, verb: &str, name: &str, value: &str) -> Result<()> {
        let hook = self.hook.as_deref().context("acme_dns_hook: there is none")?;
        run(hook, verb, name, value).await.with_context(|| format!("acme_dns_hook: {} {verb} {name}", hook.display()))
    }
}

/// Runs the hook, without the secrets of this process.
async fn run(hook: &Path, verb: &str, name: &str, value: &str) -> Result<()> {
    let mut command = Command::new(hook);
    for (variable, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"COFRE_")) {
        command.env_remove(variable);
    }
    command
        .args([verb, name, value])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let ended = match timeout(HOOK_TIME_MAX, command.output()).await {
        Ok(ended) => ended?,
        Err(_) => bail!("it did not end within {} s", HOOK_TIME_MAX.as_secs()),
    };
    let said: String = String::from_utf8_lossy(&ended.stderr).trim().chars().take(SAID_CHARS_MAX).collect();
    ensure!(ended.status.success(), "it ended with {}: {said}", ended.status);
    Ok(())
}

/// The certificate that answers tls-alpn-01 for a name (RFC 8737, section 3).
fn certificate_of(name: &str, digest: &[u8]) -> Result<CertifiedKey> {
    let mut params = CertificateParams::new([name.to_owned()])?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    signed_by_itself(params)
}

/// A certificate for these names that nobody vouches for.
pub(super) fn self_signed(names: &[String]) -> Result<CertifiedKey> {
    signed_by_itself(CertificateParams::new(names)?)
}

fn signed_by_itself(params: CertificateParams) -> Result<CertifiedKey> {
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    let private = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
    let private = crypto::aws_lc_rs::default_provider().key_provider.load_private_key(private)?;
    // They go together, and a check would refuse the extension of challenges, which is critical and rustls knows not.
    Ok(CertifiedKey::new(vec![certificate.der().clone()], private))
}
