use cofre_types::{ChecksumAlgorithm, ChecksumKind};

/// Why the checksums of a request are refused, in AWS's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChecksumError {
    /// A trailing checksum was declared and did not come.
    #[error("The declared trailing checksum did not come")]
    Missing,
    /// A trailing checksum is not base64, or has not its algorithm's length.
    #[error("Value for x-amz-checksum-{} trailing header is invalid.", lower(*.0))]
    Invalid(ChecksumAlgorithm),
    /// A part has no checksum of its upload's algorithm (AWS, "UploadPart").
    #[error(
        "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
        lower(*.expected),
        .given.map_or_else(|| "null".to_owned(), lower)
    )]
    OtherAlgorithm {
        /// That of the upload.
        expected: ChecksumAlgorithm,
        /// That of the part, if it has one.
        given: Option<ChecksumAlgorithm>,
    },
    /// Completing a composite upload leaves out a part's checksum (AWS, "CompleteMultipartUpload").
    #[error(
        "The upload was created using a {} checksum. The complete request must include the checksum for each part. It \
         was missing for part {number} in the request.",
        lower(*.algorithm)
    )]
    PartMissing {
        /// The part.
        number: u16,
        /// The upload's algorithm.
        algorithm: ChecksumAlgorithm,
    },
    /// Completing names a part's checksum of another algorithm than the part has.
    #[error("The {} you specified for part {number} did not match what we received.", lower(*.algorithm))]
    PartMismatch {
        /// The part.
        number: u16,
        /// The algorithm that was named.
        algorithm: ChecksumAlgorithm,
    },
    /// Completing names another kind than the upload has.
    #[error(
        "The upload was created using the {} checksum mode. The complete request must use the same checksum mode.",
        kind(*.0)
    )]
    OtherKind(ChecksumKind),
    /// The algorithm does not have the kind in multipart uploads.
    #[error("The {} checksum type cannot be used with the {} checksum algorithm.", kind(*.0), lower(*.1))]
    NoSuchKind(ChecksumKind, ChecksumAlgorithm),
}

fn lower(algorithm: ChecksumAlgorithm) -> String {
    algorithm.name().to_ascii_lowercase()
}

const fn kind(kind: ChecksumKind) -> &'static str {
    match kind {
        ChecksumKind::Composite => "COMPOSITE",
        ChecksumKind::FullObject => "FULL_OBJECT",
    }
}
