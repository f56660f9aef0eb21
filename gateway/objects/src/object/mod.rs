//! Operations on objects and their versions.

mod acl;
mod attributes;
pub(crate) mod copy;
mod copy_anew;
mod delete;
mod get;
pub(crate) mod put;
mod requests;
mod tags;
mod update_encryption;

pub use put::{PUT_BYTES_MAX, PutTicket};
pub use requests::*;
pub use update_encryption::NewKey;
