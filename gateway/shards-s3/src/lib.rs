//! Blobs on a remote S3 endpoint: another Cofre, an s3s-fs, a cloud bucket, rclone's S3 server.
//!
//! ```text
//! <prefix>cofre-shard                                     the identity
//! <prefix>blobs/<blob>-<written>-<head>-<nonce>           one blob, in the framing of `cofre_shards::frame`
//! ```
//! # Invariants
//! - A blob is as durable when `put` returns as the endpoint makes an object that it acknowledged. What an endpoint
//!   that syncs nothing, such as s3s-fs, loses in a power cut is found by a scrub, and healed from other shards.
//! - An object has a name of its own and is written once, by one PUT or one multipart upload: it is never seen half there.
//! - Every block is bound by its checksum to its blob and its place in it, and checked here on every read. Nothing is
//!   asked of the endpoint's own checksums.
//! - Missing is told only where the endpoint says `NoSuchKey` and, asked again, shows the shard's identity.
//! - No connection is made to a metadata or link-local address, nor to a listener of this process, whatever a name
//!   resolves to.
//! - A shard is written only while its identity was seen in the last 30 seconds; one that is missing, foreign or
//!   another shard's is refused. The same look, every ten seconds while the room is asked for, tells that it answers.
//!
//! # Failure and retry
//! A call that changes nothing, or does the same when done twice, is tried up to three times with growing, random rests
//! where the endpoint says that it failed for now (429, 5xx) or the connection broke. What timed out is not tried again:
//! the pool has other shards, and stops writing to one that fails three times in a row. A put that fails or is dropped
//! deletes what it wrote and aborts its upload, in the background; where even that fails an orphan stays, which the job
//! that looks for orphans deletes. Uploads that a crash left are aborted a day later.
//!
//! # Limits
//! A blob is in memory in parts of 5 MiB: at most four of them for each put, one stride of 128 KiB for each read.

mod address;
mod backend;
mod calls;
mod delete;
mod error;
mod failure;
mod framer;
mod get;
mod identity;
mod list;
mod names;
mod options;
mod put;
mod shard;
mod unclaimed;
mod upload;

pub use address::Forbidden;
pub use backend::S3Backend;
pub use error::S3Error;
pub use options::{CA_BYTES_MAX, PREFIX_BYTES_MAX, S3Options};
