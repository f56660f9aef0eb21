//! What stands around s3s, a file for each.

pub(crate) mod access_log;
pub(crate) mod admission;
pub(crate) mod answer;
pub(crate) mod before_s3s;
pub(crate) mod bucket_region;
pub(crate) mod cors;
pub(crate) mod error_xml;
pub(crate) mod log_line;
pub(crate) mod outcome;
pub(crate) mod report;
pub(crate) mod server_log;

/// The answer to more than may be, with what it is that there is too much of.
pub(crate) fn slow_down(what: impl std::fmt::Display) -> s3s::S3Error {
    s3s::s3_error!(SlowDown, "Please reduce your request rate. {what}")
}
