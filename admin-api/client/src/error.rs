use cofre_admin_types::Problem;

/// Why a call did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The client was set up wrongly: mend the options.
    #[error("{0}")]
    Usage(String),
    /// No answer came. The call may or may not have been carried out, unless the connection itself
    /// could not be made.
    #[error("cannot reach the admin API at {url}: {reason}")]
    Unreachable {
        /// The URL of the API.
        url: String,
        /// What went wrong.
        reason: String,
    },
    /// A connection stands, and no TLS on it: nothing was sent.
    #[error("cannot speak TLS with the admin API at {url}: {reason}")]
    Tls {
        /// The URL of the API.
        url: String,
        /// What went wrong.
        reason: String,
        /// What is to be mended.
        fault: TlsFault,
    },
    /// The server answered why not.
    #[error("{}{}", .0.title, detail(.0))]
    Problem(Box<Problem>),
    /// The answer is none of this API: another server, or another version of it.
    #[error("the answer of {url} makes no sense: {reason}")]
    Answer {
        /// The URL of the API.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// Why no TLS connection came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsFault {
    /// The server's certificate comes from nobody who is trusted.
    UntrustedCertificate,
    /// The server shows the certificate of an authority as its own.
    AuthorityCertificate,
    /// The server's certificate is for other names.
    OtherName,
    /// The server speaks something else, plain HTTP as a rule.
    NotTls,
    /// Anything else.
    Other,
}

impl TlsFault {
    pub(crate) fn of(error: &std::io::Error) -> Self {
        use rustls::CertificateError as Certificate;
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match inner {
            Some(rustls::Error::InvalidMessage(_)) => Self::NotTls,
            Some(rustls::Error::InvalidCertificate(
                Certificate::NotValidForName | Certificate::NotValidForNameContext { .. },
            )) => Self::OtherName,
            Some(rustls::Error::InvalidCertificate(Certificate::Other(other)))
                if format!("{other:?}").contains("CaUsedAsEndEntity") =>
            {
                Self::AuthorityCertificate
            }
            Some(rustls::Error::InvalidCertificate(_)) => Self::UntrustedCertificate,
            _ => Self::Other,
        }
    }
}

impl Error {
    /// The HTTP status, if the server answered why not.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Problem(problem) => Some(problem.status),
            Self::Usage(_) | Self::Unreachable { .. } | Self::Tls { .. } | Self::Answer { .. } => None,
        }
    }
}

fn detail(problem: &Problem) -> String {
    if problem.detail.is_empty() { String::new() } else { format!(": {}", problem.detail) }
}
