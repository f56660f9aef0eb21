//! Typed client of the admin API, over HTTP and HTTPS.
//!
//! Each call opens a connection of its own: admin calls are few, and a connection that is never
//! kept is never stale. Nothing is tried again here; [`Error`] says when that makes sense.

mod connect;
mod error;
mod exchange;
mod lines;
mod resources;
mod stream;

pub use error::{Error, TlsFault};
pub use exchange::Tagged;
pub use lines::VerifyStream;
pub use stream::EventStream;

use connect::Endpoint;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Where the API is and what to send it.
#[derive(Clone, Default)]
pub struct ClientOptions {
    /// `http://HOST:PORT` or `https://HOST:PORT`.
    pub url: String,
    /// Secret of an admin token; without it only open routes answer.
    pub token: Option<String>,
    /// File with certificates, PEM, that the server's certificate may come from, besides the
    /// machine's own.
    pub ca_file: Option<PathBuf>,
}

impl fmt::Debug for ClientOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientOptions").field("url", &self.url).field("ca_file", &self.ca_file).finish_non_exhaustive()
    }
}

/// A client of one admin API. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Client {
    endpoint: Arc<Endpoint>,
}

impl Client {
    /// A client; nothing is sent yet. Blocks to read certificates if the URL is `https`.
    ///
    /// # Errors
    /// [`Error::Usage`] if the URL, the token or the file of certificates cannot be used.
    pub fn new(options: ClientOptions) -> Result<Self, Error> {
        Ok(Self { endpoint: Arc::new(Endpoint::new(options)?) })
    }

    /// The URL that calls go to.
    pub fn url(&self) -> &str {
        self.endpoint.url()
    }
}
