use super::env::handed_over;
use super::names::{host_names, regions};
use super::{AcmeSettings, BootArgs, LogFormat, Secrets};
use crate::dynamic::LogLevel;
use crate::error::BootError;
use cofre_types::{AddressRange, BucketName, Scheme};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// Most shards that may be given at the start; more are registered through the admin API.
const SHARDS_MAX: usize = 1_024;

/// Most ranges of trusted proxies.
const PROXIES_MAX: usize = 100;

/// Most buckets of a first start.
const BUCKETS_MAX: usize = 100;

/// Certificate and key of a listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// Certificate chain, PEM.
    pub cert: PathBuf,
    /// Private key, PEM.
    pub key: PathBuf,
}

/// How Vault is reached. Its token is among the secrets, or in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultSettings {
    /// Its address.
    pub address: String,
    /// Where its transit engine is mounted.
    pub mount: String,
    /// Its key that stands for the default key.
    pub default_key: String,
    /// File of the token; absent if the token is among the secrets.
    pub token_file: Option<PathBuf>,
    /// Certificates to trust besides the system's, PEM.
    pub ca_file: Option<PathBuf>,
}

/// Boot settings, complete and valid. [`BootArgs`] tells what each means and costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootSettings {
    /// File that some of these came from.
    pub config: Option<PathBuf>,
    /// Directory of catalog and credentials.
    pub data: PathBuf,
    /// Address of the S3 API.
    pub listen: SocketAddr,
    /// Address of the admin API.
    pub admin_listen: SocketAddr,
    /// Address of the console alone.
    pub console_listen: Option<SocketAddr>,
    /// Whether the admin API answers there too.
    pub console_admin: bool,
    /// URL at which people reach the S3 API, without a slash at its end.
    pub s3_url: Option<String>,
    /// Directories of shards, at least one.
    pub shards: Vec<PathBuf>,
    /// Redundancy of blobs, until the dynamic settings say otherwise; absent for that of the last start, which the
    /// catalog keeps, or one copy at the first.
    pub redundancy: Option<Scheme>,
    /// TLS of the S3 API; plain HTTP if absent.
    pub tls: Option<TlsFiles>,
    /// TLS of the admin API; plain HTTP if absent.
    pub admin_tls: Option<TlsFiles>,
    /// Proxies that may say who their clients are.
    pub trusted_proxies: Vec<AddressRange>,
    /// How the certificate of the S3 API is had, unless it is in files.
    pub acme: Option<AcmeSettings>,
    /// Domains of virtual-host style, in lower case.
    pub domains: Vec<String>,
    /// Domains of static websites, in lower case; none of them is one of virtual-host style too.
    pub website_domains: Vec<String>,
    /// Region that clients sign for, and that new buckets are in unless they ask for another.
    pub region: String,
    /// More regions that clients may sign for and buckets be in.
    pub other_regions: Vec<String>,
    /// How log lines look.
    pub log_format: LogFormat,
    /// How much is logged, until the dynamic settings say otherwise.
    pub log_level: LogLevel,
    /// Buckets of the root account that the first start makes.
    pub buckets: Vec<BucketName>,
    /// File with what there should be.
    pub provision: Option<PathBuf>,
    /// File of the master key.
    pub master_key_file: PathBuf,
    /// File of the encryption keys of SSE-S3 and SSE-KMS.
    pub encryption_keys_file: PathBuf,
    /// Whether to start although keys that were known are missing from that file.
    pub accept_lost_encryption_keys: bool,
    /// Whether customers' keys may come over plain HTTP.
    pub allow_insecure_sse_c: bool,
    /// Whether presigned URLs and forms may be signed by version 2.
    pub signature_version_2: bool,
    /// Vault, if it seals the keys of new objects.
    pub vault: Option<VaultSettings>,
    /// Memory for the catalog's block cache, in bytes.
    pub catalog_cache_bytes: u64,
    /// Most connections to each listener.
    pub connections_max: usize,
    /// Most connections of one address to each listener.
    pub connections_per_address_max: usize,
    /// Most S3 requests in flight.
    pub requests_max: usize,
    /// Most S3 requests in flight of one account.
    pub requests_per_account_max: usize,
    /// Most S3 requests in flight of one address.
    pub requests_per_address_max: usize,
    /// Requests a second that one address may make without a good signature; without a limit if absent.
    pub anonymous_requests_per_second: Option<u32>,
    /// Requests a second that one account or address may have refused before answers to more wait; without a limit if
    /// absent.
    pub refused_requests_per_second: Option<u32>,
    /// Memory for bodies that are gathered before they are understood, in bytes.
    pub documents_bytes_max: u64,
    /// In which a request's headers must arrive.
    pub header_timeout: Duration,
    /// That a body may stand still.
    pub body_timeout: Duration,
    /// Bytes of a body that must go in each second, whichever way it goes.
    pub body_rate_min: u64,
    /// That a connection may idle between requests.
    pub idle_timeout: Duration,
    /// That it serves on after the signal to end, but says that it is not ready.
    pub shutdown_delay: Duration,
    /// That requests under way may take to finish at shutdown.
    pub shutdown_grace: Duration,
    /// Secrets from the environment.
    pub secrets: Secrets,
}

impl BootSettings {
    /// Completes `args` (flags and environment, as clap has put them together) with the file they
    /// name, what a service manager hands over, the defaults, and the secrets in the environment. Blocks to read the
    /// files.
    ///
    /// # Errors
    /// [`BootError`] with the first setting that is wrong.
    pub fn load(args: BootArgs, variable: impl Fn(&str) -> Option<String>) -> Result<Self, BootError> {
        let file = args.config.as_deref().map(BootArgs::read).transpose()?.unwrap_or_default();
        Self::resolve(args.over(file).over(handed_over(&variable)), Secrets::from_env(variable)?)
    }

    /// Completes `args` with the defaults and checks every bound.
    ///
    /// # Errors
    /// [`BootError::Invalid`] with the first setting that is wrong.
    pub fn resolve(args: BootArgs, secrets: Secrets) -> Result<Self, BootError> {
        let acme = AcmeSettings::of(&args)?;
        let data = args.data.unwrap_or_else(|| PathBuf::from("./cofre-data"));
        let default_shards = || vec![data.join("shard-1")];
        let listen = args.listen.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 9000)));
        let admin_listen = args.admin_listen.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 9001)));
        if listen == admin_listen && listen.port() != 0 {
            return Err(invalid("admin_listen", "must be another address than listen"));
        }
        if let Some(taken) = acme.as_ref().and_then(|acme| acme.http_listen)
            && taken.port() != 0
            && [listen, admin_listen].contains(&taken)
        {
            return Err(invalid("acme_http_listen", "must be another address than listen and admin_listen"));
        }
        if let Some(taken) = args.console_listen
            && taken.port() != 0
            && ([listen, admin_listen].contains(&taken)
                || acme.as_ref().is_some_and(|acme| acme.http_listen == Some(taken)))
        {
            return Err(invalid("console_listen", "must be another address than those of the other listeners"));
        }
        if args.console_admin == Some(true) && args.console_listen.is_none() {
            return Err(invalid("console_admin", "goes with console_listen"));
        }
        let (region, other_regions) = regions(args.regions)?;
        let domains = host_names("domains", args.domains)?;
        let website_domains = host_names("website_domains", args.website_domains)?;
        if let Some(both) = website_domains.iter().find(|name| domains.contains(name)) {
            return Err(invalid("website_domains", format!("{both} is one of the domains; websites need another")));
        }
        Ok(Self {
            config: args.config,
            listen,
            admin_listen,
            console_listen: args.console_listen,
            console_admin: args.console_admin.unwrap_or(false),
            s3_url: args.s3_url.map(|url| base_url("s3_url", &url)).transpose()?,
            shards: if args.shards.is_empty() { default_shards() } else { shards(args.shards)? },
            redundancy: args.redundancy,
            tls: pair("tls_cert", args.tls_cert, "tls_key", args.tls_key)?,
            admin_tls: pair("admin_tls_cert", args.admin_tls_cert, "admin_tls_key", args.admin_tls_key)?,
            acme,
            trusted_proxies: trusted_proxies(&args.trusted_proxies)?,
            domains,
            website_domains,
            region,
            other_regions,
            log_format: args.log_format.unwrap_or(LogFormat::Text),
            log_level: args.log_level.unwrap_or(LogLevel::Info),
            buckets: first_buckets(args.buckets)?,
            provision: args.provision,
            master_key_file: args.master_key_file.unwrap_or_else(|| data.join("master.key")),
            encryption_keys_file: args.encryption_keys_file.unwrap_or_else(|| data.join("encryption-keys")),
            accept_lost_encryption_keys: args.accept_lost_encryption_keys.unwrap_or(false),
            allow_insecure_sse_c: args.allow_insecure_sse_c.unwrap_or(false),
            signature_version_2: args.signature_version_2.unwrap_or(true),
            vault: match args.vault_address {
                None => None,
                Some(address) => Some(VaultSettings {
                    address,
                    mount: args.vault_mount.unwrap_or_else(|| "transit".to_owned()),
                    default_key: args.vault_default_key.unwrap_or_else(|| "cofre-default".to_owned()),
                    token_file: vault_token_file(args.vault_token_file, &secrets)?,
                    ca_file: args.vault_ca_file,
                }),
            },
            catalog_cache_bytes: bounded(
                "catalog_cache_bytes",
                args.catalog_cache_bytes.unwrap_or(64 << 20),
                1 << 20,
                1 << 40,
            )?,
            connections_max: most("connections_max", args.connections_max, 4_096)?,
            connections_per_address_max: most("connections_per_address_max", args.connections_per_address_max, 2_048)?,
            requests_max: most("requests_max", args.requests_max, 2_048)?,
            requests_per_account_max: most("requests_per_account_max", args.requests_per_account_max, 1_536)?,
            requests_per_address_max: most("requests_per_address_max", args.requests_per_address_max, 1_536)?,
            anonymous_requests_per_second: Some(count(
                "anonymous_requests_per_second",
                args.anonymous_requests_per_second.unwrap_or(1_000),
                0,
                1_000_000,
            )?)
            .filter(|rate| *rate > 0),
            refused_requests_per_second: Some(count(
                "refused_requests_per_second",
                args.refused_requests_per_second.unwrap_or(100),
                0,
                1_000_000,
            )?)
            .filter(|rate| *rate > 0),
            documents_bytes_max: bounded(
                "documents_bytes_max",
                args.documents_bytes_max.unwrap_or(64 << 20),
                // Half of what accounts have holds the largest document of one, and what parsing makes of it.
                48 << 20,
                1 << 40,
            )?,
            header_timeout: secs("header_timeout_secs", args.header_timeout_secs.unwrap_or(15), 1)?,
            body_timeout: secs("body_timeout_secs", args.body_timeout_secs.unwrap_or(60), 1)?,
            body_rate_min: bounded("body_rate_min", args.body_rate_min.unwrap_or(1 << 10), 0, 1 << 30)?,
            idle_timeout: secs("idle_timeout_secs", args.idle_timeout_secs.unwrap_or(75), 1)?,
            shutdown_delay: secs("shutdown_delay_secs", args.shutdown_delay_secs.unwrap_or(0), 0)?,
            shutdown_grace: secs("shutdown_grace_secs", args.shutdown_grace_secs.unwrap_or(30), 0)?,
            data,
            secrets,
        })
    }
}

pub(super) fn invalid(setting: &'static str, reason: impl Into<String>) -> BootError {
    BootError::Invalid { setting, reason: reason.into() }
}

fn bounded(setting: &'static str, value: u64, min: u64, max: u64) -> Result<u64, BootError> {
    if (min..=max).contains(&value) { Ok(value) } else { Err(invalid(setting, format!("must be {min} to {max}"))) }
}

fn count(setting: &'static str, value: u32, min: u32, max: u32) -> Result<u32, BootError> {
    bounded(setting, value.into(), min.into(), max.into()).map(|_| value)
}

/// A bound on how many of something there may be at once.
fn most(setting: &'static str, given: Option<u32>, default: u32) -> Result<usize, BootError> {
    count(setting, given.unwrap_or(default), 1, 1_000_000).map(|most| most as usize)
}

fn secs(setting: &'static str, value: u32, min: u32) -> Result<Duration, BootError> {
    count(setting, value, min, 3_600).map(|secs| Duration::from_secs(secs.into()))
}

/// A URL of scheme and host, and perhaps a port: addresses are signed for a host, and begin at its root.
fn base_url(setting: &'static str, url: &str) -> Result<String, BootError> {
    let url = url.trim_end_matches('/');
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let is_host =
        |host: &str| !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:[]".contains(&b));
    match host {
        Some(host) if is_host(host) => Ok(url.to_owned()),
        _ => Err(invalid(
            setting,
            "must be like https://s3.example or http://192.0.2.1:9000, and nothing behind the host",
        )),
    }
}

fn pair(
    cert_name: &'static str,
    cert: Option<PathBuf>,
    key_name: &'static str,
    key: Option<PathBuf>,
) -> Result<Option<TlsFiles>, BootError> {
    match (cert, key) {
        (None, None) => Ok(None),
        (Some(cert), Some(key)) => Ok(Some(TlsFiles { cert, key })),
        (Some(_), None) => Err(invalid(key_name, format!("is needed, for there is a {cert_name}"))),
        (None, Some(_)) => Err(invalid(cert_name, format!("is needed, for there is a {key_name}"))),
    }
}

/// The token comes from one place.
fn vault_token_file(file: Option<PathBuf>, secrets: &Secrets) -> Result<Option<PathBuf>, BootError> {
    match (&file, &secrets.vault_token) {
        (None, None) => {
            Err(invalid("vault_token_file", "or COFRE_VAULT_TOKEN is needed, for there is a vault_address"))
        }
        (Some(_), Some(_)) => Err(invalid("vault_token_file", "and COFRE_VAULT_TOKEN are both set; keep one")),
        _ => Ok(file),
    }
}

fn shards(paths: Vec<PathBuf>) -> Result<Vec<PathBuf>, BootError> {
    if paths.len() > SHARDS_MAX {
        return Err(invalid("shards", "must have at most 1,024 paths"));
    }
    for (index, path) in paths.iter().enumerate() {
        if path.as_os_str().is_empty() {
            return Err(invalid("shards", "a path is empty"));
        }
        if paths[..index].contains(path) {
            return Err(invalid("shards", format!("{} stands there twice", path.display())));
        }
    }
    Ok(paths)
}

fn first_buckets(names: Vec<String>) -> Result<Vec<BucketName>, BootError> {
    if names.len() > BUCKETS_MAX {
        return Err(invalid("buckets", format!("must have at most {BUCKETS_MAX} names")));
    }
    let mut buckets = Vec::with_capacity(names.len());
    // An empty variable names none.
    for name in names.iter().map(|name| name.trim()).filter(|name| !name.is_empty()) {
        let bucket =
            BucketName::parse(name).map_err(|error| invalid("buckets", format!("{name:?}: {}", error.reason)))?;
        if buckets.contains(&bucket) {
            return Err(invalid("buckets", format!("{name} stands there twice")));
        }
        buckets.push(bucket);
    }
    Ok(buckets)
}

fn trusted_proxies(ranges: &[String]) -> Result<Vec<AddressRange>, BootError> {
    if ranges.len() > PROXIES_MAX {
        return Err(invalid("trusted_proxies", "must have at most 100 ranges"));
    }
    let parse = |text: &String| {
        text.trim()
            .parse()
            .map_err(|error: cofre_types::Invalid| invalid("trusted_proxies", format!("{text:?} {}", error.reason)))
    };
    ranges.iter().map(parse).collect()
}
