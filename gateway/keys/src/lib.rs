//! Encryption at rest: the keys of objects, who seals them, and the form of encrypted bytes.
//!
//! Every encrypted object has a random [`DataKey`] of its own. The catalog keeps it sealed: by a
//! [`CustomerKey`] that comes with each request, or by a named key of a [`KeyService`]. The bytes on the
//! shards are a [`stream`] under a key that is derived from it.
//!
//! # Invariants
//! - A key in the clear is overwritten when it is dropped, and `Debug` never shows it.
//! - A customer's key is never written anywhere, not even as a digest that is not its MD5.
//! - What a service sealed says by its first byte which one it was, so that a Cofre that changes to
//!   another service still reads what the one before sealed.

mod customer;
mod data_key;
mod derive;
mod error;
mod local;
mod memory;
mod name;
mod ring;
mod service;
pub mod stream;
mod vault;
mod wrap;

pub use customer::CustomerKey;
pub use data_key::DataKey;
pub use error::KeyError;
pub use local::{KeyFile, KeyMark, LocalKeys, NamedKey};
pub use memory::MemoryKeys;
pub use name::{KEY_NAME_RULE, is_key_name};
pub use ring::KeyRing;
pub use service::{DEFAULT_KEY, Generated, KeyService};
pub use vault::{Vault, VaultOptions, VaultToken};
