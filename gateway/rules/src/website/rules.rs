//! What a website's configuration says of a request (AWS, "Hosting a static website using Amazon S3",
//! "Configuring an index document" and "(Optional) Configuring a webpage redirect").

use cofre_catalog::records::BucketConfig;
use serde::{Deserialize, Serialize};

/// The website of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Website {
    /// Every request is sent to another host.
    Elsewhere {
        /// The host.
        host: String,
        /// The protocol; the request's own if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        protocol: Option<WebProtocol>,
    },
    /// The objects of the bucket are its pages.
    Pages(Pages),
}

/// A website whose pages are objects.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pages {
    /// What is appended to the key of a folder: `index.html`.
    pub index: String,
    /// Key of the object that is shown for errors of the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Redirects. The first whose condition holds acts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RoutingRule>,
}

/// A redirect and when it acts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoutingRule {
    /// When; always if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<Condition>,
    /// Where to.
    pub redirect: WebRedirect,
}

/// When a redirect acts. All that is there must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// The key of the request begins with this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Reading the page fails with this status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
}

/// Where a redirect leads. What is absent stays as it is in the request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebRedirect {
    /// The host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The protocol.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<WebProtocol>,
    /// The status of the answer; 301 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<ReplaceKey>,
}

/// What becomes of the key of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReplaceKey {
    /// This stands for the whole key.
    Whole(String),
    /// This stands for the prefix of the condition; before the key if there is none.
    Prefix(String),
}

/// How browsers reach a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WebProtocol {
    /// HTTP.
    Http,
    /// HTTP over TLS.
    Https,
}

impl WebProtocol {
    /// Its name in addresses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// Where a request is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved<'a> {
    /// The status of the answer.
    pub status: u16,
    /// The protocol; the request's own if absent.
    pub protocol: Option<WebProtocol>,
    /// The host; the request's own if absent.
    pub host: Option<&'a str>,
    /// How the new key begins, as the configuration writes it: it may go on with a query.
    pub given: &'a str,
    /// How the new key goes on: this is of the request's key.
    pub kept: &'a str,
}

/// The status of a redirect that names none.
const MOVED_PERMANENTLY: u16 = 301;

impl Website {
    /// Reads the website of a bucket's record. One that cannot be read is none.
    pub fn in_config(config: &[BucketConfig]) -> Option<Self> {
        let document = config.iter().find_map(|config| match config {
            BucketConfig::Website(document) => Some(document),
            _ => None,
        })?;
        serde_json::from_str(document)
            .inspect_err(|error| tracing::error!(%error, "the website of a bucket cannot be read; it is not served"))
            .ok()
    }
}

impl Website {
    /// Where a request for a key is sent before anything is read.
    pub fn moved<'a>(&'a self, key: &'a str) -> Option<Moved<'a>> {
        match self {
            Self::Elsewhere { host, protocol } => {
                Some(Moved { status: MOVED_PERMANENTLY, protocol: *protocol, host: Some(host), given: "", kept: key })
            }
            Self::Pages(pages) => pages.first(key, None),
        }
    }

    /// Where a request for a key is sent since reading it failed with a status.
    pub fn moved_after<'a>(&'a self, key: &'a str, status: u16) -> Option<Moved<'a>> {
        match self {
            Self::Elsewhere { .. } => None,
            Self::Pages(pages) => pages.first(key, Some(status)),
        }
    }

    /// The key of the object that a request for a key shows: in a folder, its index.
    pub fn page_of(&self, key: &str) -> String {
        match self {
            Self::Pages(pages) if is_folder(key) => format!("{key}{}", pages.index),
            Self::Pages(_) | Self::Elsewhere { .. } => key.to_owned(),
        }
    }

    /// The key of the index that would be there if the key of a request, where no object is, were that of a
    /// folder without its slash.
    pub fn index_below(&self, key: &str) -> Option<String> {
        match self {
            Self::Pages(pages) if !is_folder(key) => Some(format!("{key}/{}", pages.index)),
            Self::Pages(_) | Self::Elsewhere { .. } => None,
        }
    }

    /// Key of the object that is shown for errors of the client.
    pub fn error_page(&self) -> Option<&str> {
        match self {
            Self::Pages(pages) => pages.error.as_deref(),
            Self::Elsewhere { .. } => None,
        }
    }
}

fn is_folder(key: &str) -> bool {
    key.is_empty() || key.ends_with('/')
}

impl Pages {
    /// What the first rule says that is about this key and this failure. Rules about a failure say nothing
    /// before there is one, and the others have spoken before.
    fn first<'a>(&'a self, key: &'a str, failed: Option<u16>) -> Option<Moved<'a>> {
        self.rules.iter().find(|rule| rule.holds(key, failed)).map(|rule| rule.moved(key))
    }
}

impl RoutingRule {
    fn prefix(&self) -> &str {
        self.condition.as_ref().and_then(|condition| condition.prefix.as_deref()).unwrap_or_default()
    }

    fn holds(&self, key: &str, failed: Option<u16>) -> bool {
        let status = self.condition.as_ref().and_then(|condition| condition.status);
        status == failed && key.starts_with(self.prefix())
    }

    fn moved<'a>(&'a self, key: &'a str) -> Moved<'a> {
        let redirect = &self.redirect;
        let (given, kept) = match &redirect.key {
            None => ("", key),
            Some(ReplaceKey::Whole(whole)) => (whole.as_str(), ""),
            Some(ReplaceKey::Prefix(prefix)) => (prefix.as_str(), key.strip_prefix(self.prefix()).unwrap_or(key)),
        };
        Moved {
            status: redirect.status.unwrap_or(MOVED_PERMANENTLY),
            protocol: redirect.protocol,
            host: redirect.host.as_deref(),
            given,
            kept,
        }
    }
}

#[cfg(test)]
mod tests;
