//! Translation between S3's wire types and the domain's: pure functions, no clock and no catalog.

pub(crate) mod acl;
pub(crate) mod checksums;
pub(crate) mod conditions;
pub(crate) mod cors;
pub(crate) mod document;
pub(crate) mod encryption;
pub(crate) mod headers;
pub(crate) mod lifecycle;
pub(crate) mod lock;
pub(crate) mod logging;
pub(crate) mod names;
pub(crate) mod range;
pub(crate) mod tags;
pub(crate) mod text;
pub(crate) mod times;
pub(crate) mod token;
pub(crate) mod website;
