//! The console's door: what the pages in a browser ask of buckets and objects, by the rights of the account that is
//! signed in.
//!
//! # Invariants
//! - Each call makes the `Caller` and the call of the domain that S3 would make: rights, quotas and locks are the same.
//! - A call counts only where the browser says that a page of this very origin makes it. What changes anything also
//!   carries [`OWN_HEADER`], which no form and no page of another origin can send (Fetch Standard, "CORS protocol"). It
//!   names the session that the page means: a cookie that another page planted is none.
//! - Nothing of an object is ever shown as a page: bytes go out as an attachment without their own type, or as an image, a
//!   sound or a film whose type stands in them, and always in a sandbox.
//! - The name of an object is text. It stands in queries and in bodies, never in a path of the server.
//!
//! # Limits
//! Requests in flight are bounded in all, for each address and for each account; what walks many records more narrowly, and
//! in what it looks at; tries to sign in by address and key. A body of JSON has at most [`JSON_BYTES_MAX`] bytes, one that
//! names many things 2 MiB.

#![allow(unused_qualifications, reason = "utoipa's macro repeats the types of queries with their paths")]

mod about;
mod attempts;
mod buckets;
mod cookie;
mod copies;
mod deletions;
mod door;
mod download;
mod edge;
mod entries;
mod error;
mod extract;
mod facts;
mod folders;
mod hidden;
mod in_flight;
mod links;
mod objects;
mod preview;
mod same_origin;
mod session;
mod uploads;
mod versions;
mod walk;
mod zip;

pub use cookie::session_text;
pub use door::{Door, DoorParts, Limits, SECURITY_SCHEME, router};
pub use edge::WithOperations;
pub use error::Refusal;
pub use extract::JSON_BYTES_MAX;
pub use links::LinksTo;
pub use same_origin::{OWN_HEADER, Strange, check_same_origin, is_named};

/// What every path of the door begins with.
pub const PREFIX: &str = "/console/v1";
