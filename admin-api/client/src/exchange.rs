//! A request and its answer, as JSON.

use crate::Client;
use crate::error::Error;
use bytes::Bytes;
use cofre_admin_types::{PREFIX, Problem};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{ACCEPT, CONTENT_TYPE, ETAG, HeaderName, IF_MATCH};
use hyper::{Method, Request, Response, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Serialize, de::DeserializeOwned};

/// Longest answer that is read, in bytes: a page of 1,000 items is far below it.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Writes one segment of a path.
pub(crate) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// A value and the ETag that it came with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tagged<T> {
    /// The value.
    pub value: T,
    /// What to send as If-Match; empty if the resource has none.
    pub etag: String,
}

/// A request that is put together.
pub(crate) struct Call<'a> {
    client: &'a Client,
    method: Method,
    path: String,
    headers: Vec<(HeaderName, String)>,
    body: Bytes,
}

impl Client {
    /// A call of a path below the version's prefix.
    pub(crate) fn call(&self, method: Method, path: &str) -> Call<'_> {
        self.call_root(method, &format!("{PREFIX}{path}"))
    }

    /// A call of a path outside the version's prefix.
    pub(crate) fn call_root(&self, method: Method, path: &str) -> Call<'_> {
        Call { client: self, method, path: path.to_owned(), headers: Vec::new(), body: Bytes::new() }
    }
}

impl Call<'_> {
    pub(crate) fn query(mut self, query: &impl Serialize) -> Result<Self, Error> {
        let text = serde_urlencoded::to_string(query).map_err(|error| Error::Usage(error.to_string()))?;
        if !text.is_empty() {
            self.path = format!("{}?{text}", self.path);
        }
        Ok(self)
    }

    pub(crate) fn body(mut self, body: &impl Serialize) -> Result<Self, Error> {
        let text = serde_json::to_vec(body).map_err(|error| Error::Usage(error.to_string()))?;
        self.body = text.into();
        self.headers.push((CONTENT_TYPE, "application/json".to_owned()));
        Ok(self)
    }

    pub(crate) fn if_match(mut self, etag: &str) -> Self {
        self.headers.push((IF_MATCH, etag.to_owned()));
        self
    }

    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Sends it and hands back the answer, if it is a success.
    pub(crate) async fn answer(self) -> Result<Response<Incoming>, Error> {
        let mut request = Request::builder().method(self.method).uri(self.path);
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(self.body)).map_err(|error| Error::Usage(error.to_string()))?;
        let response = self.client.endpoint.send(request).await?;
        if response.status().is_success() { Ok(response) } else { Err(self.client.problem(response).await) }
    }

    pub(crate) async fn json<T: DeserializeOwned>(self) -> Result<T, Error> {
        Ok(self.tagged().await?.value)
    }

    pub(crate) async fn tagged<T: DeserializeOwned>(self) -> Result<Tagged<T>, Error> {
        let client = self.client;
        let response = self.header(ACCEPT, "application/json").answer().await?;
        let etag = response.headers().get(ETAG).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let bytes = client.read(response).await?;
        let value = serde_json::from_slice(&bytes).map_err(|error| client.endpoint.nonsense(error.to_string()))?;
        Ok(Tagged { value, etag })
    }

    pub(crate) async fn nothing(self) -> Result<(), Error> {
        self.answer().await.map(|_| ())
    }

    pub(crate) async fn text(self) -> Result<String, Error> {
        let client = self.client;
        let bytes = client.read(self.answer().await?).await?;
        String::from_utf8(bytes.into()).map_err(|error| client.endpoint.nonsense(error.to_string()))
    }
}

impl Client {
    async fn read(&self, response: Response<Incoming>) -> Result<Bytes, Error> {
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        body.map(http_body_util::Collected::to_bytes).map_err(|error| self.endpoint.unreachable(&error.to_string()))
    }

    async fn problem(&self, response: Response<Incoming>) -> Error {
        let status = response.status();
        match self.read(response).await.map(|bytes| serde_json::from_slice::<Problem>(&bytes)) {
            Ok(Ok(problem)) => Error::Problem(Box::new(problem)),
            Ok(Err(_)) => self.endpoint.nonsense(not_ours(status)),
            Err(error) => error,
        }
    }
}

fn not_ours(status: StatusCode) -> String {
    format!("it says {status} without a problem document; is this the admin listener of cofre serve?")
}
