//! What the door is told when it is made, and what may change while it is open.

use http::StatusCode;
use std::time::Duration;

/// Fixed for as long as the door is open.
#[derive(Debug, Clone)]
pub struct S3Options {
    /// Domains for virtual-host style, without a port: with `s3.example.com` a request to
    /// `photos.s3.example.com` is about the bucket `photos`. Any other host is path style.
    pub domains: Vec<String>,
    /// Domains of websites, without a port: with `web.example.com` a request to `photos.web.example.com` is
    /// for a page of the website of the bucket `photos`, whatever `domains` says of that host.
    pub website_domains: Vec<String>,
    /// The region that requests are signed for; a request that is signed for another one is refused,
    /// with the right one in the error. Some clients (s3cmd) begin with a wrong one and learn it so.
    pub region: String,
    /// More regions that a bucket may be made in.
    pub other_regions: Vec<String>,
    /// Whether customers' keys (SSE-C) may come over plain HTTP: where TLS ends before Cofre, or in tests.
    pub allow_insecure_sse_c: bool,
    /// Memory for documents that requests bring, in bytes.
    pub documents_bytes_max: usize,
    /// Whether presigned addresses and forms may be signed by version 2, as boto3 and the AWS CLI do in us-east-1 unless
    /// told otherwise. Headers may not.
    pub takes_version_2: bool,
    /// The `Server` header.
    pub server_name: String,
    /// The `x-amz-id-2` header: which node answered.
    pub host_id: String,
}

impl Default for S3Options {
    fn default() -> Self {
        Self {
            domains: Vec::new(),
            website_domains: Vec::new(),
            region: "us-east-1".to_owned(),
            other_regions: Vec::new(),
            allow_insecure_sse_c: false,
            documents_bytes_max: 64 << 20,
            takes_version_2: true,
            server_name: "Cofre".to_owned(),
            host_id: "cofre".to_owned(),
        }
    }
}

impl S3Options {
    /// The regions that a bucket may be made in.
    pub(crate) fn regions(&self) -> impl Iterator<Item = &str> {
        [&self.region].into_iter().chain(&self.other_regions).map(String::as_str)
    }
}

/// Most memory that one request in flight holds, in bytes, beside the budgets that all share (documents, long buffers of
/// the shards): of a request's body what the listener's window lets in, a signed chunk, and the buffers that are written
/// meanwhile, about 3 MiB; of an answer a page of a listing whose keys are all escaped, 7 MiB. While its client is slow
/// it is a window or a buffer, 512 KiB.
pub const REQUEST_BYTES_MAX: usize = 8 * 1024 * 1024;

/// May change at any time, from the dynamic settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Origins that browsers may call from: exact ones, or `*` for all. None is no CORS.
    pub cors_origins: Vec<String>,
    /// How long a browser may keep the answer to a preflight request, in seconds.
    pub cors_max_age_secs: u32,
}

/// One answered request, for metrics.
#[derive(Debug, Clone)]
pub struct Answered {
    /// S3's name of the operation; empty if the request was refused before it was known.
    pub operation: &'static str,
    /// The answer's status.
    pub status: StatusCode,
    /// The code of an error, such as `NoSuchKey`; none of what succeeded.
    pub code: Option<String>,
    /// From the request's head to the answer's last byte.
    pub duration: Duration,
    /// Bytes of the request's body that came.
    pub received_bytes: u64,
    /// Bytes of the answer's body that went.
    pub sent_bytes: u64,
}

/// Is told of every answered request. Called on the hot path: must be quick and must not block.
pub trait Observe: Send + Sync + 'static {
    /// A request's head came. [`Observe::answered`] follows once.
    fn began(&self) {}

    /// One request was answered, or its client went away.
    fn answered(&self, answered: Answered);
}

/// Nobody watches.
impl Observe for () {
    fn answered(&self, _: Answered) {}
}
