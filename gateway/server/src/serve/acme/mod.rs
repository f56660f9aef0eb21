//! The certificate of the S3 API, had from an authority by ACME (RFC 8555) and renewed by itself.
//!
//! # Failure and retry
//! Whatever becomes of the authority, the API is served: by the certificate that there is, and by a self-signed one before
//! there is any. Who has failed to be reached is asked again soon; who has refused is left alone for longer, for
//! authorities count what they refuse. Since when it fails is told by the log, health and a metric.

mod challenge;
mod files;
mod http;
mod order;

pub(super) use challenge::Tokens;

use super::listen::{Certificates, certified, validity_of};
use anyhow::{Context, Result, ensure};
use challenge::{Prover, self_signed};
use cofre_admin_types::{Promise, Severity, Verdict};
use cofre_runtime::{Clock, Shutdown, blocking, spawn};
use cofre_settings::{AcmeChallenge, AcmeSettings};
use files::{Files, StoredCertificate};
use http::{Authority, Unreachable};
use parking_lot::Mutex;
use prometheus_client::metrics::gauge::Gauge;
use rustls::sign::CertifiedKey;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A certificate is renewed once two thirds of its life are over.
const LIFE_BEFORE_RENEWAL: (i64, i64) = (2, 3);

/// How often it is looked at whether that is so: the wall clock may be set.
const LOOK_EVERY: Duration = Duration::from_secs(3_600);

/// How long an authority is left alone that could not be reached, at first and at the most.
const UNREACHABLE_REST: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(3_600));

/// How long one is left alone that has refused, at first and at the most. Let's Encrypt takes five refusals of a name an
/// hour (Let's Encrypt, "Rate Limits").
const REFUSAL_REST: (Duration, Duration) = (Duration::from_secs(15 * 60), Duration::from_secs(12 * 3_600));

/// Since when no certificate is to be had.
#[derive(Debug, Clone)]
struct Trouble {
    /// Seconds since 1970.
    since: i64,
    why: String,
}

/// What has certificates made, and keeps them.
pub(super) struct Acme {
    settings: AcmeSettings,
    files: Files,
    certificates: Arc<Certificates>,
    tokens: Tokens,
    clock: Clock,
    /// Of the authority's, in seconds since 1970; none while a self-signed one stands in.
    end: Mutex<Option<i64>>,
    trouble: Mutex<Option<Trouble>>,
    failing_since: Gauge,
}

impl Acme {
    /// Shows the certificate that is kept, or one that is self-signed.
    ///
    /// # Errors
    /// If no certificate can be made.
    pub(super) async fn open(settings: &AcmeSettings, data: &Path, clock: Clock) -> Result<Arc<Self>> {
        let files = Files::of(data);
        let ours = files.clone();
        let kept = blocking(move || ours.certificate()).await;
        let ours = |kept: &StoredCertificate| kept.domains == settings.domains && kept.directory == settings.directory;
        let kept = kept.map(|kept| kept.filter(ours)).and_then(|kept| kept.as_ref().map(usable).transpose());
        let (key, end) = match kept {
            Ok(Some((key, end))) => (key, Some(end)),
            Ok(None) => (self_signed(&settings.domains)?, None),
            Err(error) => {
                tracing::warn!("the certificate that is kept cannot be used, and another is asked for: {error:#}");
                (self_signed(&settings.domains)?, None)
            }
        };
        let certificates = Certificates::with_challenges(key);
        Ok(Arc::new(Self {
            settings: settings.clone(),
            files,
            certificates,
            tokens: Tokens::default(),
            clock,
            end: Mutex::new(end),
            trouble: Mutex::default(),
            failing_since: Gauge::default(),
        }))
    }

    /// The certificate in use.
    pub(super) const fn certificates(&self) -> &Arc<Certificates> {
        &self.certificates
    }

    /// Answers of http-01.
    pub(super) const fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Since when no certificate is to be had, in seconds since 1970; 0 if all is well.
    pub(super) const fn failing_since(&self) -> &Gauge {
        &self.failing_since
    }

    /// Has certificates made and renewed until shutdown begins.
    pub(super) fn start(self: &Arc<Self>, shutdown: Shutdown) {
        let ours = Arc::clone(self);
        drop(spawn(async move {
            tokio::select! {
                () = ours.keep() => {}
                () = shutdown.begun() => {}
            }
        }));
    }

    async fn keep(&self) {
        let mut rest = Duration::ZERO;
        loop {
            let due = self.due().max(rest);
            if !due.is_zero() {
                let pause = due.min(LOOK_EVERY);
                self.clock.sleep(pause).await;
                rest = rest.saturating_sub(pause);
                continue;
            }
            match self.renew().await {
                Ok(()) => rest = self.is_well(),
                Err(error) => rest = self.is_in_trouble(&error),
            }
        }
    }

    /// How long the certificate in use is good enough.
    fn due(&self) -> Duration {
        if self.end.lock().is_none() {
            return Duration::ZERO;
        }
        let current = self.certificates.current();
        let Some(validity) = current.cert.first().and_then(|certificate| validity_of(certificate)) else {
            return Duration::ZERO;
        };
        let (over, of) = LIFE_BEFORE_RENEWAL;
        let at = validity.begin + (validity.end - validity.begin) / of * over;
        Duration::from_secs(u64::try_from(at - self.now()).unwrap_or(0))
    }

    /// Seconds since 1970.
    fn now(&self) -> i64 {
        i64::try_from(self.clock.now_nanos() / 1_000_000_000).unwrap_or(i64::MAX)
    }

    async fn renew(&self) -> Result<()> {
        let authority = Authority::new(self.settings.ca_file.clone()).await?;
        let prover = Prover {
            challenge: self.settings.challenge,
            tokens: self.tokens.clone(),
            certificates: Arc::clone(&self.certificates),
            hook: self.settings.dns_hook.clone(),
        };
        let made = order::certificate(&self.settings, &authority, &self.files, &prover).await?;
        let (key, end) = usable(&made).context("the certificate that the authority made")?;
        ensure!(end > self.now(), "it has ended at {}: is the clock of this machine right?", told(end));
        self.certificates.set(key);
        *self.end.lock() = Some(end);
        tracing::info!(domains = ?self.settings.domains, good_until = told(end), "a new certificate is in use");
        let files = self.files.clone();
        if let Err(error) = blocking(move || files.keep_certificate(&made)).await {
            tracing::warn!("the new certificate could not be kept, and the next start asks for another: {error:#}");
        }
        Ok(())
    }

    /// Notes that there is a certificate, and tells how long to leave the authority alone, however old it made that.
    fn is_well(&self) -> Duration {
        if self.trouble.lock().take().is_some() {
            tracing::info!("certificates are to be had again");
        }
        self.failing_since.set(0);
        let left = self.end.lock().map_or(0, |end| end - self.now());
        Duration::from_secs(u64::try_from(left).unwrap_or(0)) / 3
    }

    /// Notes why there is no certificate, and tells how long to leave the authority alone.
    fn is_in_trouble(&self, error: &anyhow::Error) -> Duration {
        let now = self.now();
        let why = format!("{error:#}");
        let trouble = {
            let mut trouble = self.trouble.lock();
            let since = trouble.as_ref().map_or(now, |trouble| trouble.since);
            trouble.insert(Trouble { since, why }).clone()
        };
        self.failing_since.set(trouble.since);
        let (first, most) = if is_unreachable(error) { UNREACHABLE_REST } else { REFUSAL_REST };
        // Each rest is as long as all before it.
        let rest = Duration::from_secs(u64::try_from(now - trouble.since).unwrap_or(0)).clamp(first, most);
        tracing::warn!(retry_secs = rest.as_secs(), "{}", self.message(&trouble));
        rest
    }

    /// What is the matter, and what to do about it.
    fn message(&self, trouble: &Trouble) -> String {
        let Trouble { since, why } = trouble;
        let shown = match *self.end.lock() {
            None => "a self-signed one is shown, which clients refuse".to_owned(),
            Some(end) if end <= self.now() => format!("the one that is shown has ended at {}", told(end)),
            Some(end) => format!("the one that is shown is good until {}", told(end)),
        };
        let advice = match self.settings.challenge {
            AcmeChallenge::Http01 => "port 80 of each name must lead to --acme-http-listen or --listen",
            AcmeChallenge::TlsAlpn01 => "port 443 of each name must lead to --listen",
            AcmeChallenge::Dns01 => "--acme-dns-hook must put its record where the DNS shows it",
        };
        let (since, directory) = (told(*since), &self.settings.directory);
        format!(
            "no certificate has been had from {directory} since {since}, and {shown}: {why}; it is asked again, and {advice}"
        )
    }

    /// What is in danger.
    pub(super) fn verdicts(&self) -> Vec<Verdict> {
        let Some(trouble) = self.trouble.lock().clone() else { return Vec::new() };
        let is_good = self.end.lock().is_some_and(|end| end > self.now());
        let severity = if is_good { Severity::Warning } else { Severity::Critical };
        let message = self.message(&trouble);
        vec![Verdict::new(severity, Promise::Availability, "certificate-due", "certificate", message)]
    }
}

/// Whether it was the way to the authority that failed.
fn is_unreachable(error: &anyhow::Error) -> bool {
    let is_ours =
        |error: &instant_acme::Error| matches!(error, instant_acme::Error::Other(why) if why.is::<Unreachable>());
    error.chain().any(|cause| cause.downcast_ref().is_some_and(is_ours) || cause.is::<Unreachable>())
}

/// A certificate as it is shown, and when it ends.
fn usable(stored: &StoredCertificate) -> Result<(CertifiedKey, i64)> {
    let key = PrivateKeyDer::from_pem_slice(stored.key.as_bytes()).context("no private key in PEM")?;
    let key = certified(stored.chain.as_bytes(), key)?;
    let validity = key.cert.first().and_then(|certificate| validity_of(certificate)).context("no validity in it")?;
    Ok((key, validity.end))
}

/// A time, for people.
fn told(seconds: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(seconds).ok().and_then(|time| time.format(&Rfc3339).ok());
    time.unwrap_or_else(|| format!("{seconds} s since 1970"))
}
