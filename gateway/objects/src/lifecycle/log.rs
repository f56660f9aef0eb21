//! Lines that the access log of a bucket gets of what its rules did (AWS, "How S3 Lifecycle interacts with other bucket
//! configurations").
//!
//! There is no request, so most fields are absent. The version is the one that the action is about; of a delete marker
//! that was made, the marker's.

use super::apply::Walk;
use cofre_access_log::{LogFields, LogRequester};
use cofre_iam::RequestId;
use cofre_types::{ObjectKey, VersionId};

/// An object or a version was deleted for good.
pub(super) const EXPIRE: &str = "S3.EXPIRE.OBJECT";

/// A delete marker was put before an object.
pub(super) const CREATE_MARKER: &str = "S3.CREATE.DELETEMARKER";

/// An upload under way was aborted.
pub(super) const DELETE_UPLOAD: &str = "S3.DELETE.UPLOAD";

/// The name of a move to a storage class. Classes that AWS does not have are called as its archive is, without a mark.
pub(super) fn transition(class: &str) -> &'static str {
    match class {
        "STANDARD_IA" => "S3.TRANSITION_SIA.OBJECT",
        "ONEZONE_IA" => "S3.TRANSITION_ZIA.OBJECT",
        "INTELLIGENT_TIERING" => "S3.TRANSITION_INT.OBJECT",
        "GLACIER_IR" => "S3.TRANSITION_GIR.OBJECT",
        "DEEP_ARCHIVE" => "S3.TRANSITION_GDA.OBJECT",
        _ => "S3.TRANSITION.OBJECT",
    }
}

impl Walk {
    /// The line of an action; none if the bucket is not logged.
    pub(super) fn line(
        &self,
        operation: &str,
        key: &ObjectKey,
        size: Option<u64>,
        version: Option<VersionId>,
    ) -> Option<String> {
        let to = self.bucket.logging.as_ref()?;
        let request_id = RequestId::new(self.objects.random()).to_string();
        let version = version.and_then(|version| self.bucket.shown(version)).map(|version| version.to_string());
        let fields = LogFields {
            bucket_owner: to.owner,
            bucket: to.name.as_str(),
            time: self.objects.now(),
            remote_ip: None,
            requester: Some(LogRequester::Store),
            request_id: &request_id,
            operation,
            key: Some(key.as_str()),
            request_uri: None,
            status: None,
            error_code: None,
            bytes_sent: 0,
            object_size: size,
            total_time: None,
            turn_around_time: None,
            referer: None,
            user_agent: None,
            version_id: version.as_deref(),
            host_id: None,
            cipher_suite: None,
            signature_version: None,
            authentication: None,
            host: None,
            tls_version: None,
            acl_required: false,
        };
        Some(fields.line())
    }
}
