use super::AcmeChallenge;
use crate::dynamic::LogLevel;
use cofre_types::Scheme;
use serde::{Deserialize, Deserializer};
use std::net::SocketAddr;
use std::path::PathBuf;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people at a terminal.
    Text,
    /// One JSON object a line, for collectors.
    Json,
}

/// Boot settings as someone gave them: flags of `cofre serve`, each with its variable of the
/// environment. The file has the same keys, with underscores. What is absent has a default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, clap::Args)]
#[serde(deny_unknown_fields, default)]
pub struct BootArgs {
    /// File with these settings, as TOML; keys are the flags' names with underscores.
    #[arg(long, env = "COFRE_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    pub config: Option<PathBuf>,

    /// Directory of catalog, credentials and, without --shard, of the one shard [default: ./cofre-data].
    /// Put it on a disk of its own that survives a power cut: every acknowledged write depends on it.
    #[arg(long, env = "COFRE_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// Address of the S3 API, as IP:PORT [default: 127.0.0.1:9000]; 0.0.0.0:9000 is for every network. Beyond loopback,
    /// set TLS too.
    #[arg(long, env = "COFRE_LISTEN", value_name = "ADDR", value_parser = address)]
    #[serde(deserialize_with = "listen_address")]
    pub listen: Option<SocketAddr>,

    /// Address of the admin API, as IP:PORT [default: 127.0.0.1:9001]. Keep it off public networks.
    #[arg(long, env = "COFRE_ADMIN_LISTEN", value_name = "ADDR", value_parser = address)]
    #[serde(deserialize_with = "listen_address")]
    pub admin_listen: Option<SocketAddr>,

    /// Address of the console alone, as IP:PORT, for people who are no operators [default: none; the console is also at
    /// --admin-listen]. It shows the certificate of the S3 API, or else that of the admin API.
    #[arg(long, env = "COFRE_CONSOLE_LISTEN", value_name = "ADDR", value_parser = address)]
    #[serde(deserialize_with = "listen_address")]
    pub console_listen: Option<SocketAddr>,

    /// Whether the admin API answers at --console-listen too, and the root account sees operations there [default: false].
    #[arg(long, env = "COFRE_CONSOLE_ADMIN", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub console_admin: Option<bool>,

    /// URL at which people reach the S3 API, such as `https://s3.example`, for links that the console makes [default: the
    /// host that the console is reached by, and the port of --listen].
    #[arg(long, env = "COFRE_S3_URL", value_name = "URL")]
    pub s3_url: Option<String>,

    /// Directory of a shard, once per shard [default: DATA/shard-1]. One per disk: shards on one disk
    /// are lost together. In the file `shards`, a list; in the environment separated by commas.
    #[arg(long = "shard", env = "COFRE_SHARDS", value_name = "PATH", value_delimiter = ',')]
    pub shards: Vec<PathBuf>,

    /// Redundancy of blobs [default: that of the last start; replicas:1 at the first]. Another than at the last start
    /// is for what stands too: it is converted in the background (job convert), which reads and writes every byte.
    /// replicas:N, N from 1 to 16: whole copies take N times the space and outlive the loss of N-1 shards; a write
    /// waits for a majority. ec:K+M, such as ec:4+2, K from 2 to 16 and M from 1 to K: K+M pieces take (K+M)/K times the
    /// space and outlive the loss of M shards; a write waits for K+1, and reads use K.
    #[arg(long, env = "COFRE_REDUNDANCY", value_name = "SCHEME")]
    #[serde(deserialize_with = "scheme")]
    pub redundancy: Option<Scheme>,

    /// Certificate chain of the S3 API, PEM; with --tls-key. Read again when the file changes.
    #[arg(long, env = "COFRE_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,

    /// Private key of the S3 API, PEM; with --tls-cert.
    #[arg(long, env = "COFRE_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,

    /// Certificate chain of the admin API, PEM; with --admin-tls-key.
    #[arg(long, env = "COFRE_ADMIN_TLS_CERT", value_name = "FILE")]
    pub admin_tls_cert: Option<PathBuf>,

    /// Private key of the admin API, PEM; with --admin-tls-cert.
    #[arg(long, env = "COFRE_ADMIN_TLS_KEY", value_name = "FILE")]
    pub admin_tls_key: Option<PathBuf>,

    /// Name of the S3 API's certificate, once per name, which is had from an authority by ACME (RFC 8555) and renewed by
    /// itself; the API speaks TLS then. To set it is to agree to the authority's terms. Until there is a certificate a
    /// self-signed one is shown, and the old one while the authority is away. Wildcards such as `*.s3.example` want
    /// --acme-dns-hook. In the file `acme_domains`.
    #[arg(long = "acme-domain", env = "COFRE_ACME_DOMAINS", value_name = "NAME", value_delimiter = ',')]
    pub acme_domains: Vec<String>,

    /// URL of the authority's directory [default: that of Let's Encrypt].
    #[arg(long, env = "COFRE_ACME_DIRECTORY", value_name = "URL")]
    pub acme_directory: Option<String>,

    /// E-mail address that the authority may write to.
    #[arg(long, env = "COFRE_ACME_CONTACT", value_name = "MAIL")]
    pub acme_contact: Option<String>,

    /// Certificates to trust for the authority besides the system's, PEM.
    #[arg(long, env = "COFRE_ACME_CA_FILE", value_name = "FILE")]
    pub acme_ca_file: Option<PathBuf>,

    /// How it is proven whose the names are [default: dns-01 with a hook, http-01 with --acme-http-listen, else
    /// tls-alpn-01]. The authority comes to port 443 of each name for tls-alpn-01, which must lead to --listen, and to
    /// port 80 for http-01, which must lead to --acme-http-listen or to --listen.
    #[arg(long, env = "COFRE_ACME_CHALLENGE", value_name = "CHALLENGE")]
    pub acme_challenge: Option<AcmeChallenge>,

    /// Address at which http-01 is answered, as IP:PORT, such as 0.0.0.0:80; nothing else is.
    #[arg(long, env = "COFRE_ACME_HTTP_LISTEN", value_name = "ADDR", value_parser = address)]
    #[serde(deserialize_with = "listen_address")]
    pub acme_http_listen: Option<SocketAddr>,

    /// Executable for dns-01. It is run as `HOOK present NAME VALUE`, and must put VALUE into a TXT record of NAME, and
    /// end with 0 once the DNS shows it; and as `HOOK cleanup NAME VALUE`, to take it out again. A name may have several
    /// at once. The three stand in its environment too, as ACME_VERB, ACME_NAME and ACME_VALUE.
    #[arg(long, env = "COFRE_ACME_DNS_HOOK", value_name = "FILE")]
    pub acme_dns_hook: Option<PathBuf>,

    /// Proxy that may say who its client is, once per address or CIDR range, such as 10.0.0.0/8. Of its connections the
    /// PROXY protocol (versions 1 and 2) is taken, and of its requests `X-Forwarded-For` and `X-Forwarded-Proto`;
    /// policies, limits and logs see the client that they name. From any other address they count for nothing. List
    /// only proxies that set them themselves, whatever their clients send. In the file `trusted_proxies`.
    #[arg(long = "trusted-proxy", env = "COFRE_TRUSTED_PROXIES", value_name = "CIDR", value_delimiter = ',')]
    pub trusted_proxies: Vec<String>,

    /// Domain of virtual-host style requests, once per domain: with s3.example, a request to
    /// bucket.s3.example is for that bucket. Without it only path style works. In the file `domains`.
    #[arg(long = "domain", env = "COFRE_DOMAINS", value_name = "NAME", value_delimiter = ',')]
    pub domains: Vec<String>,

    /// Domain of static websites, once per domain: with web.example, bucket.web.example is the website of that
    /// bucket, if it has one. Its pages are shown to anyone who may read them without credentials. Keep it apart
    /// from the hosts of consoles: pages run scripts. In the file `website_domains`.
    #[arg(long = "website-domain", env = "COFRE_WEBSITE_DOMAINS", value_name = "NAME", value_delimiter = ',')]
    pub website_domains: Vec<String>,

    /// Region that clients sign for, once per region [default: us-east-1]. A client that signs for another is refused.
    /// New buckets are in the first unless they ask for another of them. In the file `region`, a name or a list.
    #[arg(long = "region", env = "COFRE_REGION", value_name = "NAME", value_delimiter = ',')]
    #[serde(rename = "region", deserialize_with = "one_or_several")]
    pub regions: Vec<String>,

    /// How log lines look [default: text].
    #[arg(long, env = "COFRE_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,

    /// How much is logged until the dynamic settings say otherwise [default: info].
    #[arg(long, env = "COFRE_LOG_LEVEL", value_name = "LEVEL")]
    pub log_level: Option<LogLevel>,

    /// Bucket of the root account that the first start makes, once per bucket, at most 100. Later starts make none. In the
    /// file `buckets`.
    #[arg(long = "bucket", env = "COFRE_BUCKETS", value_name = "NAME", value_delimiter = ',')]
    pub buckets: Vec<String>,

    /// File with the accounts, keys, buckets and settings that there should be, as TOML or JSON. Each start makes them so
    /// before it is ready, says what it changed, and warns of what was changed by hand since. What is not in the file
    /// stays. `cofre admin export` writes such a file.
    #[arg(long, env = "COFRE_PROVISION", value_name = "FILE")]
    pub provision: Option<PathBuf>,

    /// File of the master key that seals secrets [default: DATA/master.key]. Made at the first
    /// start. Without it no access key works again: keep a copy apart from the data.
    #[arg(long, env = "COFRE_MASTER_KEY_FILE", value_name = "FILE")]
    pub master_key_file: Option<PathBuf>,

    /// File of the encryption keys of SSE-S3 and SSE-KMS [default: DATA/encryption-keys]. Made at the
    /// first start; `cofre encryption-keys` makes and rotates keys in it. Without it no encrypted object
    /// can be read again: keep a copy apart from the data.
    #[arg(long, env = "COFRE_ENCRYPTION_KEYS_FILE", value_name = "FILE")]
    pub encryption_keys_file: Option<PathBuf>,

    /// Start although encryption keys that this Cofre has had are missing from their file [default: false]. What
    /// they sealed can never be read again; give it once, when no copy of the file is left.
    #[arg(
        long,
        env = "COFRE_ACCEPT_LOST_ENCRYPTION_KEYS",
        value_name = "BOOL",
        num_args = 0..=1,
        default_missing_value = "true"
    )]
    pub accept_lost_encryption_keys: Option<bool>,

    /// Let clients send their own encryption keys (SSE-C) over plain HTTP [default: false]. Only where
    /// nobody listens: TLS that ends at a proxy on the same machine, or tests.
    #[arg(long, env = "COFRE_ALLOW_INSECURE_SSE_C", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub allow_insecure_sse_c: Option<bool>,

    /// Take presigned URLs and browsers' forms that are signed by version 2 [default: true]: boto3 and the AWS CLI
    /// sign so in us-east-1 unless told otherwise. Headers signed by it are never taken.
    #[arg(long, env = "COFRE_SIGNATURE_VERSION_2", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub signature_version_2: Option<bool>,

    /// Address of a HashiCorp Vault, such as `https://vault.example:8200`, whose transit engine seals new
    /// objects' keys instead of the file of encryption keys. Each encrypted write and read asks it. Its
    /// token comes from COFRE_VAULT_TOKEN or --vault-token-file.
    #[arg(long, env = "COFRE_VAULT_ADDRESS", value_name = "URL")]
    pub vault_address: Option<String>,

    /// Where Vault's transit engine is mounted [default: transit].
    #[arg(long, env = "COFRE_VAULT_MOUNT", value_name = "PATH")]
    pub vault_mount: Option<String>,

    /// Vault's key for SSE-S3, and for SSE-KMS that names none [default: cofre-default]. Objects that it
    /// sealed need it by this name.
    #[arg(long, env = "COFRE_VAULT_DEFAULT_KEY", value_name = "NAME")]
    pub vault_default_key: Option<String>,

    /// File of Vault's token, read for each call, so that an agent may renew it.
    #[arg(long, env = "COFRE_VAULT_TOKEN_FILE", value_name = "FILE")]
    pub vault_token_file: Option<PathBuf>,

    /// Certificates to trust for Vault besides the system's, PEM.
    #[arg(long, env = "COFRE_VAULT_CA_FILE", value_name = "FILE")]
    pub vault_ca_file: Option<PathBuf>,

    /// Memory for the catalog's block cache, in bytes or as 64MiB, 1 MiB to 1 TiB [default: 67108864]. More makes
    /// reads of many names faster.
    #[arg(long, env = "COFRE_CATALOG_CACHE_BYTES", value_name = "BYTES", value_parser = super::parse_bytes)]
    pub catalog_cache_bytes: Option<u64>,

    /// Most connections to each listener, 1 to 1000000 [default: 4096]. Further ones wait in the
    /// kernel's queue. Each takes a file descriptor and some 16 KiB; what a request takes comes on top.
    #[arg(long, env = "COFRE_CONNECTIONS_MAX", value_name = "COUNT")]
    pub connections_max: Option<u32>,

    /// Most connections of one address to each listener, 1 to 1000000 [default: 2048]; an IPv6 address counts by its
    /// /64. Further ones are closed. Those of a trusted proxy are bound by connections_max alone; any other proxy is one
    /// address.
    #[arg(long, env = "COFRE_CONNECTIONS_PER_ADDRESS_MAX", value_name = "COUNT")]
    pub connections_per_address_max: Option<u32>,

    /// Most S3 requests in flight, 1 to 1000000 [default: 2048]; further ones are answered 503 SlowDown, which clients
    /// try again. Each takes
    /// some 512 KiB while its client is slow, and 8 MiB at the most, so this bounds memory.
    #[arg(long, env = "COFRE_REQUESTS_MAX", value_name = "COUNT")]
    pub requests_max: Option<u32>,

    /// Most S3 requests in flight of one account, 1 to 1000000 [default: 1536]; further ones are answered 503 SlowDown.
    #[arg(long, env = "COFRE_REQUESTS_PER_ACCOUNT_MAX", value_name = "COUNT")]
    pub requests_per_account_max: Option<u32>,

    /// Most S3 requests in flight of one address, 1 to 1000000 [default: 1536]; an IPv6 address counts by its /64.
    /// Further ones are answered 503 SlowDown. A proxy that is not trusted is one address.
    #[arg(long, env = "COFRE_REQUESTS_PER_ADDRESS_MAX", value_name = "COUNT")]
    pub requests_per_address_max: Option<u32>,

    /// Requests a second that one address may make without a good signature, 0 to 1000000 [default: 1000]; 0 is no
    /// limit. Unsigned ones count, and those whose signature is refused. It may make twice as many at once after a
    /// rest; further ones are answered 503 SlowDown. A proxy that is not trusted is one address.
    #[arg(long, env = "COFRE_ANONYMOUS_REQUESTS_PER_SECOND", value_name = "COUNT")]
    pub anonymous_requests_per_second: Option<u32>,

    /// Requests a second that one account, or one address without a good signature, may have refused before the answers
    /// to more of them wait, 0 to 1000000 [default: 100]; 0 is no limit. Twice as many may be refused at once after a
    /// rest. An answer waits for 5 seconds at the most, and who does not wait is answered 503 SlowDown.
    #[arg(long, env = "COFRE_REFUSED_REQUESTS_PER_SECOND", value_name = "COUNT")]
    pub refused_requests_per_second: Option<u32>,

    /// Memory for bodies that are gathered before they are understood, such as the lists of keys to delete, in bytes or
    /// as 64MiB, 48 MiB to 1 TiB [default: 67108864]. No account, and no site without one, has more of it than it leaves
    /// for others. What needs more at a time is answered 503 SlowDown.
    #[arg(long, env = "COFRE_DOCUMENTS_BYTES_MAX", value_name = "BYTES", value_parser = super::parse_bytes)]
    pub documents_bytes_max: Option<u64>,

    /// Seconds in which a request's headers must arrive, 1 to 3600 [default: 15], and the first byte of a connection.
    /// Holds off slow-header attacks.
    #[arg(long, env = "COFRE_HEADER_TIMEOUT_SECS", value_name = "SECS")]
    pub header_timeout_secs: Option<u32>,

    /// Seconds that a body may stand still before its request is given up, 1 to 3600 [default: 60].
    #[arg(long, env = "COFRE_BODY_TIMEOUT_SECS", value_name = "SECS")]
    pub body_timeout_secs: Option<u32>,

    /// Bytes a second that a body must bring, or a client take of an answer, on average over each body_timeout_secs
    /// that Cofre waits for it, 0 to 1073741824 [default: 1024]. With 0 a byte in that time is enough.
    #[arg(long, env = "COFRE_BODY_RATE_MIN", value_name = "BYTES", value_parser = super::parse_bytes)]
    pub body_rate_min: Option<u64>,

    /// Seconds that a connection may idle between requests, 1 to 3600 [default: 75]. Longer than a
    /// balancer's own, or it reuses connections that are gone.
    #[arg(long, env = "COFRE_IDLE_TIMEOUT_SECS", value_name = "SECS")]
    pub idle_timeout_secs: Option<u32>,

    /// Seconds that Cofre goes on as before after SIGTERM, but says that it is not ready, 0 to 3600 [default: 0]. A
    /// balancer that asks for its health takes it out in that time, and no request meets a closed port.
    #[arg(long, env = "COFRE_SHUTDOWN_DELAY_SECS", value_name = "SECS")]
    pub shutdown_delay_secs: Option<u32>,

    /// Seconds that requests under way may take to finish after SIGTERM and that delay, 0 to 3600 [default: 30].
    #[arg(long, env = "COFRE_SHUTDOWN_GRACE_SECS", value_name = "SECS")]
    pub shutdown_grace_secs: Option<u32>,
}

fn scheme<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Scheme>, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map(Some).map_err(|error: cofre_types::Invalid| serde::de::Error::custom(error.reason))
}

/// A name may lead to several addresses, and a port alone says nothing about who may come: neither is guessed.
fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        let port = text.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap_or(9000_u16);
        format!(
            "must be an IP address and a port: 127.0.0.1:{port} for this machine alone, 0.0.0.0:{port} for every network"
        )
    })
}

fn listen_address<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(from)?;
    address(&text).map(Some).map_err(serde::de::Error::custom)
}

/// A name, or a list of them.
fn one_or_several<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Names {
        One(String),
        Several(Vec<String>),
    }
    Ok(match Names::deserialize(deserializer)? {
        Names::One(name) => vec![name],
        Names::Several(names) => names,
    })
}
