//! What stands around s3s, a file for each.

pub(crate) mod access_log;
pub(crate) mod answer;
pub(crate) mod before_s3s;
pub(crate) mod bucket_region;
pub(crate) mod cors;
pub(crate) mod error_xml;
pub(crate) mod log_line;
pub(crate) mod rate_limit;
pub(crate) mod server_log;
