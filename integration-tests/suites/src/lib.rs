//! What the suites share: a server with a bucket, and the few requests that most tests make.

use anyhow::{Result, ensure};
use cofre_harness::{Cofre, Options, Request, Response, encode_key};

/// Bucket of most tests.
pub const BUCKET: &str = "suite-bucket";

/// A server with [`BUCKET`].
///
/// # Errors
/// If it does not start, or refuses the bucket.
pub fn with_bucket(options: Options) -> Result<Cofre> {
    let cofre = Cofre::start(options)?;
    make_bucket(&cofre, BUCKET)?;
    Ok(cofre)
}

/// Makes a bucket.
///
/// # Errors
/// If it is refused.
pub fn make_bucket(cofre: &Cofre, name: &str) -> Result<()> {
    succeeded(cofre.send(Request::new("PUT", &format!("/{name}")))?).map(drop)
}

/// Path of an object in [`BUCKET`].
pub fn path(key: &str) -> String {
    format!("/{BUCKET}/{}", encode_key(key))
}

/// A request that puts an object.
pub fn put(key: &str, body: &[u8]) -> Request {
    Request::new("PUT", &path(key)).body(body)
}

/// A request that gets an object.
pub fn get(key: &str) -> Request {
    Request::new("GET", &path(key))
}

/// The response, if it is a success.
///
/// # Errors
/// If it is not; the error shows it.
pub fn succeeded(response: Response) -> Result<Response> {
    ensure!((200..300).contains(&response.status), "status {}: {}", response.status, response.text());
    Ok(response)
}

/// Holds an error against the status and the code that it must have.
///
/// # Errors
/// If it has others, or lacks the id by which an operator finds it.
pub fn refused(response: &Response, status: u16, code: &str) -> Result<()> {
    ensure!(
        response.status == status && response.code() == code,
        "expected {status} {code}, and got {} {}",
        response.status,
        response.text()
    );
    ensure!(response.header("x-amz-request-id").is_some(), "an error without a request id: {response:?}");
    Ok(())
}

/// The contents of an object; `None` if there is none.
///
/// # Errors
/// If the answer is neither.
pub fn contents(cofre: &Cofre, key: &str) -> Result<Option<Vec<u8>>> {
    let response = cofre.send(get(key))?;
    if response.status == 404 {
        return Ok(None);
    }
    succeeded(response).map(|response| Some(response.body))
}
