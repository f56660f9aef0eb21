//! What a process needs to start: flags, environment and file, parsed once into plain data.
//!
//! A flag wins over the environment, the environment over the file, the file over what a service manager hands over,
//! and that over the default.

mod acme;
mod args;
mod bytes;
mod env;
mod file;
mod names;
mod over;
mod resolve;
mod unknown;

pub use acme::{AcmeChallenge, AcmeSettings};
pub use args::{BootArgs, LogFormat};
pub use bytes::parse_bytes;
pub use env::{RootCredentials, Secrets, credential};
pub use resolve::{BootSettings, TlsFiles, VaultSettings};
pub use unknown::{UnknownVariable, unknown_variables};
