//! Real processes for tests: starts `cofre` as its users do, waits until it is ready, talks to it,
//! stops or kills it, and starts it again on the same data.
//!
//! Everything is synchronous: a test is a thread, and a client is a socket. A server that logs a
//! warning or an error that the test did not announce fails the test, and so does a panic.

mod cofre;
mod data;
mod faulty_disk;
mod fill;
mod http;
pub mod http2;
mod log;
mod options;
mod sign;
mod tool;
mod wait;

pub use cofre::{Account, Cofre};
pub use data::{DataDir, FullDisk};
pub use faulty_disk::{Fault, FaultyDisk};
pub use fill::{Fill, sha256_base64, sha256_hex};
pub use http::{Connection, Request, Response};
pub use log::Log;
pub use options::Options;
pub use sign::{Payload, Signer, encode_key, encode_value};
pub use tool::{Tool, browser_tools, generators, venv};
pub use wait::until;
