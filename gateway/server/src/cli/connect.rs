use anyhow::{Context, Result, bail};
use clap::Args;
use cofre_admin_client::{Client, ClientOptions, Error, TlsFault};
use cofre_settings::credential;
use std::path::{Path, PathBuf};

/// Where the API of a Cofre on this machine is.
const DEFAULT_URL: &str = "http://127.0.0.1:9001";

/// Where a Cofre that was started here keeps its first token.
const DEFAULT_TOKEN_FILE: &str = "./cofre-data/admin-token";

/// What help shows the options of every command under, behind those of its own.
pub(super) const COMMON: &str = "Common options";

/// Longest file of a token, in bytes.
const TOKEN_BYTES_MAX: u64 = 4096;

/// Which admin API to call, and with what.
#[derive(Debug, Args)]
pub(super) struct Connect {
    /// URL of the admin API [default: http://127.0.0.1:9001].
    #[arg(long, env = "COFRE_ADMIN_URL", value_name = "URL", global = true, help_heading = COMMON)]
    url: Option<String>,

    /// File that holds an admin token [default: admin-token in $CREDENTIALS_DIRECTORY, ./cofre-data/admin-token].
    /// COFRE_ADMIN_TOKEN, the token itself, goes before it.
    #[arg(long, env = "COFRE_ADMIN_TOKEN_FILE", value_name = "FILE", global = true, help_heading = COMMON)]
    token_file: Option<PathBuf>,

    /// File with certificates, PEM, that the API's certificate may come from, besides the machine's own.
    #[arg(long, env = "COFRE_ADMIN_CA_FILE", value_name = "FILE", global = true, help_heading = COMMON)]
    ca_file: Option<PathBuf>,
}

impl Connect {
    /// A client; nothing is sent yet.
    pub(super) fn client(&self) -> Result<Client> {
        let url = self.url.clone().unwrap_or_else(|| DEFAULT_URL.to_owned());
        // A flag for the token itself would show in the process list.
        let token = match std::env::var("COFRE_ADMIN_TOKEN").ok().filter(|token| !token.is_empty()) {
            Some(token) => token,
            None => self.token_from_file()?,
        };
        let token = Some(token.trim().to_owned());
        Ok(Client::new(ClientOptions { url, token, ca_file: self.ca_file.clone() })?)
    }

    fn token_from_file(&self) -> Result<String> {
        let handed_over = || credential(|name| std::env::var(name).ok(), "admin-token");
        let (path, given) = match self.token_file.clone().or_else(handed_over) {
            Some(path) => (path, true),
            None => (PathBuf::from(DEFAULT_TOKEN_FILE), false),
        };
        match read_token(&path) {
            Ok(token) => Ok(token),
            Err(error) if given => Err(error).with_context(|| format!("--token-file {}", path.display())),
            Err(_) => bail!(
                "no admin token: set COFRE_ADMIN_TOKEN or COFRE_ADMIN_TOKEN_FILE, or run this where \
                 {DEFAULT_TOKEN_FILE} is; the first start of cofre serve makes that file in its data directory"
            ),
        }
    }
}

fn read_token(path: &Path) -> Result<String> {
    use std::io::Read;
    let mut token = String::new();
    std::fs::File::open(path)?.take(TOKEN_BYTES_MAX).read_to_string(&mut token)?;
    Ok(token)
}

/// What a person should do about an error of the API.
pub(super) fn explain(error: Error) -> anyhow::Error {
    let advice = match &error {
        Error::Unreachable { .. } => Some(
            "is cofre serve running there? Its first lines say where the admin API listens; set COFRE_ADMIN_URL or --url"
                .to_owned(),
        ),
        Error::Tls { fault, .. } => Some(match fault {
            TlsFault::UntrustedCertificate => {
                "name the server's certificate, or that of who issued it, with --ca-file FILE or COFRE_ADMIN_CA_FILE".to_owned()
            }
            TlsFault::AuthorityCertificate => {
                "the server shows a certificate that may only issue others: make it one with basicConstraints=CA:FALSE, \
                 which that one may issue"
                    .to_owned()
            }
            TlsFault::OtherName => {
                "its certificate is for other names: use one of them in --url or COFRE_ADMIN_URL".to_owned()
            }
            TlsFault::NotTls => "that port seems to speak plain HTTP: use http:// in --url or COFRE_ADMIN_URL".to_owned(),
            TlsFault::Other => "is that the port of the admin API? It speaks TLS if --admin-tls-cert is set".to_owned(),
        }),
        Error::Problem(problem) if problem.status == 401 => {
            Some("check COFRE_ADMIN_TOKEN, or the file of --token-file: is it the token of this Cofre?".to_owned())
        }
        Error::Problem(problem) if problem.status == 403 => {
            Some("make a token with that scope: cofre admin token create --scope SCOPE".to_owned())
        }
        Error::Problem(problem) if problem.status == 500 => {
            Some(format!("look for {} in the server's log", problem.request_id))
        }
        Error::Problem(_) | Error::Usage(_) | Error::Answer { .. } => None,
    };
    match advice {
        Some(advice) => anyhow::anyhow!("{error}\n  {advice}"),
        None => error.into(),
    }
}
