//! Encryption at rest: which objects are encrypted, under whose key, and who may read them.
//!
//! Each encrypted object has a data key of its own, which a multipart upload gets when it begins. The
//! record holds it sealed. Bytes are encrypted between their digests and the shards, so checksums are
//! of the plaintext, sizes in records are plain, and the lengths of segments are of what is stored: one
//! stream for each blob. How a stream looks is `cofre_keys::stream`'s matter.
//!
//! # Invariants
//! - Content is all encrypted under the key of its record, or all in the clear: what is shared between
//!   records is shared only where each of them holds the same key, sealed alike or under different ones.
//! - A named key is used only by who its policy lets, wherever an operation makes, opens or moves a key.
//! - A bucket that blocks clients' keys gets no new object under one: the commit asks its record.
//! - A customer's key that is wrong, missing or needless is refused before anything is read or written.

mod body;
mod error;
mod open;
mod requests;
mod rights;
mod seal;

pub(crate) use body::{open_stream, seal_body, take_head};
pub use error::EncryptionError;
pub(crate) use open::{check_completion, check_customer_key, check_part};
pub use requests::{EncryptAs, Encrypted};
pub use rights::KeyPolicy;
pub(crate) use seal::{Plan, entity_tag};
