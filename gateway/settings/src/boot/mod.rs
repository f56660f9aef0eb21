//! What a process needs to start: flags, environment and file, parsed once into plain data.
//!
//! A flag wins over the environment, the environment over the file, the file over the default.

mod args;
mod bytes;
mod env;
mod file;
mod resolve;
mod unknown;

pub use args::{BootArgs, LogFormat};
pub use bytes::parse_bytes;
pub use env::{RootCredentials, Secrets};
pub use resolve::{BootSettings, TlsFiles, VaultSettings};
pub use unknown::{UnknownVariable, unknown_variables};
