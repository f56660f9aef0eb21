//! The S3 door: authentication, and the translation between S3's protocol and the domain.
//!
//! The only user of s3s. A request passes through, from outside in:
//! 1. [`S3Door`]: request id, CORS, what s3s must not see; and on the way back the headers of every
//!    answer, the details of errors, the access log, and the answer to a panic.
//!    Browsers' forms end here: `forms` reads them and asks the operation.
//! 2. The gate, which asks `auth` for the sender: the caller, the key's rate, what belongs to the operation, digests
//!    of XML bodies, headers that s3s reads more strictly than S3 does, and those that must be refused.
//! 3. s3s, to parse.
//! 4. The operation (`ops`), which translates (`translate`, pure) and asks the domain.
//!
//! A request to the host of a website (`website`) goes from 1 straight to the domain, as anyone's.
//!
//! # Limits
//! XML bodies and signed chunks are bounded; bodies of objects are streamed. Time-outs and the number of
//! connections are the listener's.
//!
//! s3s logs every client's mistake as an error: a log filter should turn the target `s3s` off. What
//! the operator must know of a request is logged by this crate, once, with the request id.

mod auth;
mod body;
mod credentials;
mod door;
mod errors;
mod exchange;
mod facts;
mod forms;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod gate;
mod host;
mod layers;
mod ops;
mod options;
mod translate;
mod website;

pub use door::{S3Connection, S3Door, S3Parts};
pub use layers::answer::AnswerBody;
pub use options::{Answered, Observe, REQUEST_BYTES_MAX, S3Options, Traffic};
