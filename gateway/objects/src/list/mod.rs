//! Listings: one snapshot a page, in byte order of the key, at a cost that depends on the page and
//! not on the bucket: a common prefix is passed by seeking behind it.

mod objects;
mod requests;
mod rollup;
mod uploads;
mod versions;

pub use requests::*;
