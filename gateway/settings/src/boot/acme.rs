//! How certificates are had from an authority by ACME (RFC 8555).

use super::BootArgs;
use super::names::host_names;
use super::resolve::invalid;
use crate::error::BootError;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The authority where none is named.
const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// How it is proven to the authority whose the names are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
pub enum AcmeChallenge {
    /// By an answer in plain HTTP at port 80 of each name (RFC 8555, section 8.3).
    #[value(name = "http-01")]
    #[serde(rename = "http-01")]
    Http01,
    /// By a certificate of its own at port 443 of each name (RFC 8737).
    #[value(name = "tls-alpn-01")]
    #[serde(rename = "tls-alpn-01")]
    TlsAlpn01,
    /// By a record in the DNS (RFC 8555, section 8.4); the only one for wildcards.
    #[value(name = "dns-01")]
    #[serde(rename = "dns-01")]
    Dns01,
}

/// How certificates of the S3 API are had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcmeSettings {
    /// Names of the certificate, in lower case, at least one; `*.` may stand before one.
    pub domains: Vec<String>,
    /// URL of the authority's directory.
    pub directory: String,
    /// E-mail address that the authority may write to.
    pub contact: Option<String>,
    /// Certificates to trust for the authority besides the system's, PEM.
    pub ca_file: Option<PathBuf>,
    /// How it is proven whose the names are.
    pub challenge: AcmeChallenge,
    /// Where challenges are answered in plain HTTP, beside the S3 API.
    pub http_listen: Option<SocketAddr>,
    /// Executable that puts records into the DNS, and takes them out.
    pub dns_hook: Option<PathBuf>,
}

impl AcmeSettings {
    /// What `args` say of it; none if they name no domains.
    pub(super) fn of(args: &BootArgs) -> Result<Option<Self>, BootError> {
        let given = [
            ("acme_directory", args.acme_directory.is_some()),
            ("acme_contact", args.acme_contact.is_some()),
            ("acme_ca_file", args.acme_ca_file.is_some()),
            ("acme_challenge", args.acme_challenge.is_some()),
            ("acme_http_listen", args.acme_http_listen.is_some()),
            ("acme_dns_hook", args.acme_dns_hook.is_some()),
        ];
        if args.acme_domains.is_empty() {
            let idle = given.iter().find(|(_, given)| *given);
            return idle.map_or(Ok(None), |(name, _)| Err(invalid(name, "counts for nothing without acme_domains")));
        }
        if args.tls_cert.is_some() || args.tls_key.is_some() {
            return Err(invalid(
                "acme_domains",
                "and tls_cert are both set; keep one: the certificate comes from one place",
            ));
        }
        let challenge = challenge(args)?;
        Ok(Some(Self {
            domains: domains(&args.acme_domains, challenge)?,
            directory: url(args.acme_directory.as_deref().unwrap_or(LETS_ENCRYPT))?,
            contact: args.acme_contact.as_deref().map(mail).transpose()?,
            ca_file: args.acme_ca_file.clone(),
            challenge,
            http_listen: args.acme_http_listen,
            dns_hook: args.acme_dns_hook.clone(),
        }))
    }
}

/// The challenge that is asked for, or that the other settings are of.
fn challenge(args: &BootArgs) -> Result<AcmeChallenge, BootError> {
    let (hook, http) = (args.acme_dns_hook.is_some(), args.acme_http_listen.is_some());
    let challenge = match args.acme_challenge {
        Some(challenge) => challenge,
        None if hook => AcmeChallenge::Dns01,
        None if http => AcmeChallenge::Http01,
        None => AcmeChallenge::TlsAlpn01,
    };
    match challenge {
        AcmeChallenge::Dns01 if !hook => Err(invalid("acme_dns_hook", "is needed for the challenge dns-01")),
        AcmeChallenge::Http01 | AcmeChallenge::TlsAlpn01 if hook => {
            Err(invalid("acme_dns_hook", "is for the challenge dns-01 alone"))
        }
        AcmeChallenge::TlsAlpn01 | AcmeChallenge::Dns01 if http => {
            Err(invalid("acme_http_listen", "is for the challenge http-01 alone"))
        }
        challenge => Ok(challenge),
    }
}

fn domains(names: &[String], challenge: AcmeChallenge) -> Result<Vec<String>, BootError> {
    let bare = names.iter().map(|name| name.strip_prefix("*.").unwrap_or(name).to_owned()).collect();
    let bare = host_names("acme_domains", bare)?;
    let mut domains = Vec::with_capacity(names.len());
    for (name, bare) in names.iter().zip(bare) {
        let is_wildcard = name.starts_with("*.");
        if is_wildcard && challenge != AcmeChallenge::Dns01 {
            let reason = format!("{name}: authorities prove wildcards by dns-01 alone; set acme_dns_hook");
            return Err(invalid("acme_domains", reason));
        }
        if !bare.contains('.') && bare != "localhost" {
            return Err(invalid("acme_domains", format!("{name}: no authority knows a name without a dot")));
        }
        let domain = if is_wildcard { format!("*.{bare}") } else { bare };
        if domains.contains(&domain) {
            return Err(invalid("acme_domains", format!("{domain} stands there twice")));
        }
        domains.push(domain);
    }
    Ok(domains)
}

fn url(text: &str) -> Result<String, BootError> {
    let legal = text.strip_prefix("https://").is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
    if legal { Ok(text.to_owned()) } else { Err(invalid("acme_directory", "must be a URL that begins with https://")) }
}

fn mail(text: &str) -> Result<String, BootError> {
    let address = text.strip_prefix("mailto:").unwrap_or(text);
    let legal = address.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
        && !address.contains(|c: char| c.is_whitespace() || c.is_control() || c == ',' || c == '?');
    if legal { Ok(address.to_owned()) } else { Err(invalid("acme_contact", "must be one e-mail address")) }
}
