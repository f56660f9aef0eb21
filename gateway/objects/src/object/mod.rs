//! Operations on objects and their versions.

mod acl;
mod attributes;
pub(crate) mod copy;
mod copy_anew;
mod copy_requests;
mod delete;
mod get;
mod lock;
pub(crate) mod put;
mod requests;
pub(crate) mod right;
mod tags;
mod update_encryption;

pub use acl::AclTicket;
pub use attributes::AttributesTicket;
pub use copy::CopyTicket;
pub use copy_requests::*;
pub use get::GetTicket;
pub use put::{PUT_BYTES_MAX, PutTicket};
pub use requests::*;
pub use update_encryption::NewKey;
