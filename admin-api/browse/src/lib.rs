//! The console's door: what the pages in a browser ask of buckets and objects, by the rights of the account that is
//! signed in.
//!
//! # Invariants
//! - Each call makes the `Caller` and the call of the domain that S3 would make: rights, quotas and locks are the same.
//! - A call counts only where the browser says that a page of this very origin makes it. What changes anything also
//!   carries [`OWN_HEADER`], which no form and no page of another origin can send (Fetch Standard, "CORS protocol").
//! - Nothing of an object is ever shown as a page: bytes go out as an attachment, in a sandbox, without their own type.
//! - The name of an object is text. It stands in queries and in bodies, never in a path of the server.
//!
//! # Limits
//! Requests in flight are bounded in all, for each address and for each account; tries to sign in by address and key. A
//! body of JSON has at most [`JSON_BYTES_MAX`] bytes.

#![allow(unused_qualifications, reason = "utoipa's macro repeats the types of queries with their paths")]

mod attempts;
mod buckets;
mod cookie;
mod door;
mod download;
mod edge;
mod entries;
mod error;
mod extract;
mod facts;
mod folders;
mod in_flight;
mod objects;
mod same_origin;
mod session;
mod uploads;
mod versions;

pub use cookie::session_text;
pub use door::{Door, DoorParts, Limits, SECURITY_SCHEME, router};
pub use error::Refusal;
pub use extract::JSON_BYTES_MAX;
pub use same_origin::{OWN_HEADER, Strange, check_same_origin};

/// What every path of the door begins with.
pub const PREFIX: &str = "/console/v1";
