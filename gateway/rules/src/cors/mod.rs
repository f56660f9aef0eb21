//! Cross-origin resource sharing: the rules of a bucket, and what they allow to pages of other origins.
//!
//! Rules give no rights. They let a browser hand a page what the request's own signature, or the bucket's
//! policy, gave it.

mod rules;
mod validate;

pub use rules::{Cors, CorsMethod, CorsRule};
pub use validate::{CORS_DOCUMENT_BYTES_MAX, CORS_RULES_MAX};
