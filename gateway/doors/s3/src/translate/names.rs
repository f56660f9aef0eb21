//! Names of buckets, keys, versions, uploads and parts.

use cofre_objects::ObjectRef;
use cofre_types::{BucketName, ETag, ObjectKey, UploadId, VersionId};
use s3s::{S3Error, S3ErrorCode, dto, s3_error};

/// Parses a bucket's name.
pub(crate) fn bucket(name: &str) -> Result<BucketName, S3Error> {
    BucketName::parse(name)
        .map_err(|invalid| s3_error!(InvalidBucketName, "The specified bucket is not valid: {}.", invalid.reason))
}

/// Parses an object's key.
pub(crate) fn key(key: String) -> Result<ObjectKey, S3Error> {
    match ObjectKey::try_from(key) {
        Ok(key) => Ok(key),
        Err(invalid) if invalid.reason.contains("empty") => Err(s3_error!(InvalidArgument, "The object key is empty.")),
        Err(_) => Err(S3Error::new(S3ErrorCode::KeyTooLongError)),
    }
}

/// Parses a version id.
pub(crate) fn version(id: Option<&str>) -> Result<Option<VersionId>, S3Error> {
    id.map(|id| VersionId::parse(id).map_err(|_| s3_error!(InvalidArgument, "Invalid version id specified")))
        .transpose()
}

/// The id of a version that was made, where S3 tells it: not of a null version.
pub(crate) fn made(version: Option<VersionId>) -> Option<String> {
    version.filter(|version| *version != VersionId::Null).map(|version| version.to_string())
}

/// Parses an upload id. One that is not of our form names no upload.
pub(crate) fn upload(id: &str) -> Result<UploadId, S3Error> {
    UploadId::parse(id).map_err(|_| S3Error::new(S3ErrorCode::NoSuchUpload))
}

/// Parses a part's number, 1 to 10,000.
pub(crate) fn part(number: i32) -> Result<u16, S3Error> {
    u16::try_from(number)
        .ok()
        .filter(|number| (1..=cofre_objects::PARTS_MAX).contains(number))
        .ok_or_else(|| s3_error!(InvalidArgument, "Part number must be an integer between 1 and 10000, inclusive"))
}

/// Reads how many entries a page may have: the default if absent, never more than `most`.
pub(crate) fn page(asked: Option<i32>, name: &str, most: usize) -> Result<usize, S3Error> {
    match asked {
        None => Ok(most),
        Some(asked) => usize::try_from(asked)
            .map(|asked| asked.min(most))
            .map_err(|_| s3_error!(InvalidArgument, "Argument {name} must be an integer between 0 and 2147483647")),
    }
}

/// A page's size back as S3 prints it.
pub(crate) fn count(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// A size back as S3 prints it. Sizes of S3 fit: an object has at most 48.8 TiB.
pub(crate) fn size(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// An entity tag back as S3 prints it.
pub(crate) fn etag(etag: &ETag) -> dto::ETag {
    dto::ETag::Strong(etag.to_string())
}

/// Reads which object, or version of one, a request is about.
pub(crate) fn object(name: &str, of: String, id: Option<&str>) -> Result<ObjectRef, S3Error> {
    Ok(ObjectRef { bucket: bucket(name)?, key: key(of)?, version: version(id)? })
}

/// Reads `x-amz-copy-source`.
pub(crate) fn copy_source(source: dto::CopySource) -> Result<ObjectRef, S3Error> {
    match source {
        dto::CopySource::Bucket { bucket: name, key: of, version_id } => {
            object(&name, of.into_string(), version_id.as_deref())
        }
        dto::CopySource::AccessPoint { .. } | dto::CopySource::Outpost { .. } => Err(s3_error!(
            InvalidArgument,
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn code<T>(result: Result<T, S3Error>) -> String {
        result.err().map(|error| error.code().as_str().to_owned()).unwrap_or_default()
    }

    #[test]
    fn refuses_with_s3s_codes() {
        assert_eq!(code(bucket("Not_A_Bucket")), "InvalidBucketName");
        assert_eq!(code(key(String::new())), "InvalidArgument");
        assert_eq!(code(key("k".repeat(1025))), "KeyTooLongError");
        assert_eq!(code(version(Some("xyz"))), "InvalidArgument");
        assert_eq!(code(upload("../../etc/passwd")), "NoSuchUpload");
        assert_eq!(code(part(0)), "InvalidArgument");
        assert_eq!(code(part(10_001)), "InvalidArgument");
        assert_eq!(part(10_000).unwrap(), 10_000);
        assert_eq!(code(page(Some(-1), "max-keys", 1000)), "InvalidArgument");
        assert_eq!(page(Some(5000), "max-keys", 1000).unwrap(), 1000);
        assert_eq!(page(None, "max-keys", 1000).unwrap(), 1000);
    }

    #[test]
    fn reads_copy_sources() {
        let read = |header: &str| copy_source(dto::CopySource::parse(header).unwrap());
        let source = read("/bucket/a%2Fb%20c/../d?versionId=null").unwrap();
        assert_eq!(source.bucket.as_str(), "bucket");
        assert_eq!(source.key.as_str(), "a/b c/../d", "a key is not a path");
        assert_eq!(source.version, Some(VersionId::Null));
        assert_eq!(code(read("bucket/")), "InvalidArgument");
        assert_eq!(code(read("arn:aws:s3:us-east-1:123456789012:accesspoint/point/object/key")), "InvalidArgument");
    }

    proptest! {
        #[test]
        fn any_key_survives_a_copy_source(text in "[^\u{0}]{1,60}") {
            let header = format!("bucket/{}", percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC));
            let source = copy_source(dto::CopySource::parse(&header).unwrap()).unwrap();
            prop_assert_eq!(source.key.as_str(), text);
        }
    }
}
