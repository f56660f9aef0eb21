use crate::address::{Forbidden, Resolver};
use crate::error::S3Error;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    AppName, BehaviorVersion, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
    SharedHttpClient, StalledStreamProtectionConfig, retry::RetryConfig,
};
use aws_sdk_s3::{Client, Config};
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use http::Uri;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::fmt;
use std::time::Duration;
use zeroize::Zeroizing;

/// Longest prefix, in bytes: with it a name stays below the 1,024 bytes of an S3 key.
pub const PREFIX_BYTES_MAX: usize = 512;
/// Longest text of certificates, in bytes.
pub const CA_BYTES_MAX: usize = 64 * 1024;
/// Longest endpoint, region or access key id, in bytes.
const FIELD_BYTES_MAX: usize = 512;
/// How long a connection may take to stand, TLS included.
const CONNECT_MAX: Duration = Duration::from_secs(3);
/// How long an idle connection is kept: less than most servers do, so that few requests meet a closed one.
const IDLE_MAX: Duration = Duration::from_secs(15);
/// Idle connections that are kept.
const IDLE_CONNECTIONS_MAX: usize = 32;

/// Which part of which bucket of which endpoint, and who we are there.
#[derive(Clone)]
pub struct S3Options {
    /// URL of the endpoint, without a path: `https://s3.example.com` or `http://10.0.0.2:9000`.
    pub endpoint: String,
    /// Region that requests are signed for.
    pub region: String,
    /// The bucket, which must be there. It is addressed by path.
    pub bucket: String,
    /// What every name begins with: empty, or ending in `/`.
    pub prefix: String,
    /// Access key.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: Zeroizing<String>,
    /// Certificates, PEM, that the endpoint's may come from, in place of the machine's own.
    pub ca_pem: Option<String>,
    /// Room that placement goes by, in bytes: S3 tells none.
    pub capacity_bytes: u64,
    /// Where the endpoint must not be.
    pub forbidden: Forbidden,
}

impl fmt::Debug for S3Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoint, region, bucket, prefix, access_key_id, capacity_bytes, .. } = self;
        f.debug_struct("S3Options")
            .field("endpoint", endpoint)
            .field("region", region)
            .field("bucket", bucket)
            .field("prefix", prefix)
            .field("access_key_id", access_key_id)
            .field("capacity_bytes", capacity_bytes)
            .finish_non_exhaustive()
    }
}

impl S3Options {
    /// Checks every field, without a look at the network.
    ///
    /// # Errors
    /// [`S3Error::Invalid`] names the field.
    pub fn check(&self) -> Result<(), S3Error> {
        let (host, port) = self.host()?;
        // A name is looked at when it is resolved.
        if let Ok(ip) = host.parse() {
            self.forbidden.check(ip, port).map_err(|why| invalid("endpoint", &why))?;
        }
        text("region", &self.region)?;
        text("access_key_id", &self.access_key_id)?;
        text("secret_access_key", &self.secret_access_key)?;
        let bucket = &self.bucket;
        let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
        if !(3..=63).contains(&bucket.len()) || !bucket.bytes().all(good) || bucket.starts_with('.') {
            return Err(invalid("bucket", "must be the name of a bucket"));
        }
        let prefix = &self.prefix;
        let segments = || prefix.split('/').rev().skip(1);
        if !prefix.is_empty() && (!prefix.ends_with('/') || segments().any(|part| matches!(part, "" | "." | ".."))) {
            return Err(invalid("prefix", "must be empty or end in '/', without empty segments, '.' and '..'"));
        }
        if prefix.len() > PREFIX_BYTES_MAX || prefix.bytes().any(|b| !b.is_ascii_graphic()) {
            return Err(invalid("prefix", "must have at most 512 printable ASCII characters without spaces"));
        }
        if self.capacity_bytes == 0 {
            return Err(invalid("capacity_bytes", "must be above 0"));
        }
        self.check_certificates()
    }

    fn check_certificates(&self) -> Result<(), S3Error> {
        let Some(pem) = &self.ca_pem else { return Ok(()) };
        let wrong = || invalid("ca_pem", "must hold certificates in PEM, of at most 65,536 bytes");
        if pem.len() > CA_BYTES_MAX {
            return Err(wrong());
        }
        let mut roots = rustls::RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            certificate.ok().and_then(|certificate| roots.add(certificate).ok()).ok_or_else(wrong)?;
        }
        if roots.is_empty() { Err(wrong()) } else { Ok(()) }
    }

    /// Host and port of the endpoint; an IPv6 address without its brackets.
    fn host(&self) -> Result<(String, u16), S3Error> {
        let default = if self.is_tls()? { 443 } else { 80 };
        let uri: Uri = self.endpoint.parse().map_err(|_| wrong_endpoint())?;
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        Ok((host.to_owned(), uri.port_u16().unwrap_or(default)))
    }

    fn is_tls(&self) -> Result<bool, S3Error> {
        let wrong = wrong_endpoint;
        let uri: Uri = self.endpoint.parse().map_err(|_| wrong())?;
        let bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
        let authority = uri.authority().ok_or_else(wrong)?.as_str();
        if !bare || authority.contains('@') || self.endpoint.len() > FIELD_BYTES_MAX {
            return Err(wrong());
        }
        match uri.scheme_str() {
            Some("https") => Ok(true),
            Some("http") => Ok(false),
            _ => Err(wrong()),
        }
    }

    /// A client of the endpoint; nothing is sent yet.
    pub(crate) fn client(&self) -> Result<Client, S3Error> {
        self.check()?;
        let secret = self.secret_access_key.as_str();
        let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_MAX).build();
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .app_name(AppName::new("cofre").map_err(|error| invalid("app_name", &error.to_string()))?)
            .endpoint_url(self.endpoint.trim_end_matches('/'))
            .region(Region::new(self.region.clone()))
            .credentials_provider(Credentials::new(&self.access_key_id, secret, None, None, "cofre"))
            .force_path_style(true)
            .http_client(self.connector()?)
            .timeout_config(timeouts)
            // Time-outs and tries are ours: see `calls`.
            .retry_config(RetryConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            // Not every endpoint knows the checksums that the SDK adds by itself, and our blocks have their own.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        Ok(Client::from_conf(config.build()))
    }

    fn connector(&self) -> Result<SharedHttpClient, S3Error> {
        let builder = aws_smithy_http_client::Builder::new()
            .pool_idle_timeout(IDLE_MAX)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX);
        let resolver = Resolver { forbidden: self.forbidden.clone(), port: self.host()?.1 };
        let trust = match &self.ca_pem {
            // Nothing is asked of certificates.
            _ if !self.is_tls()? => TrustStore::empty(),
            Some(pem) => TrustStore::empty().with_pem_certificate(pem.as_bytes()),
            None => TrustStore::default(),
        };
        let context = TlsContext::builder().with_trust_store(trust).build();
        let context = context.map_err(|error| invalid("ca_pem", &error.to_string()))?;
        Ok(builder.tls_provider(Provider::Rustls(CryptoMode::AwsLc)).tls_context(context).build_with_resolver(resolver))
    }
}

fn wrong_endpoint() -> S3Error {
    invalid("endpoint", "must be a URL like https://s3.example.com or http://10.0.0.2:9000")
}

fn text(field: &'static str, value: &str) -> Result<(), S3Error> {
    if (1..=FIELD_BYTES_MAX).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(());
    }
    Err(invalid(field, "must have 1 to 512 printable ASCII characters without spaces"))
}

fn invalid(field: &'static str, reason: &str) -> S3Error {
    S3Error::Invalid { field, reason: reason.to_owned() }
}
