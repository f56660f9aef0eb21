use cofre_types::{
    AccessKeyId, AccountId, BlobId, BucketName, ByteRange, Checksum, ChecksumAlgorithm, ETag, KEY_BYTES_MAX, ObjectKey,
    Scheme, Tags, TagsLimit, UploadId, VersionId,
};
use std::fmt::{Debug, Display};

/// Names, ids, checksums and ranges of the outer protocol.
pub fn names(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        from_text(text);
    }
    if let Some((first, rest)) = bytes.split_first_chunk::<8>() {
        let (first, second) = (u64::from_le_bytes(*first), rest.first_chunk().map(|rest| u64::from_le_bytes(*rest)));
        ranges(first, second);
    }
}

fn from_text(text: &str) {
    if let Ok(name) = BucketName::parse(text) {
        assert!((3..=63).contains(&name.as_str().len()) && name.as_str() == text);
    }
    if let Ok(key) = ObjectKey::parse(text) {
        assert!((1..=KEY_BYTES_MAX).contains(&key.as_str().len()) && key.as_str() == text);
    }
    same_again(VersionId::parse(text), VersionId::parse);
    same_again(UploadId::parse(text), UploadId::parse);
    same_again(BlobId::parse(text), BlobId::parse);
    same_again(AccountId::parse(text), AccountId::parse);
    same_again(text.parse::<Scheme>(), str::parse);
    if let Ok(id) = AccessKeyId::parse(text) {
        assert_eq!(id.as_str(), text);
    }
    let _ = ETag::parse(text);
    let _ = ChecksumAlgorithm::parse(text);
    let (name, value) = text.split_once(':').unwrap_or(("CRC32", text));
    if let Ok(algorithm) = ChecksumAlgorithm::parse(name)
        && let Ok(checksum) = Checksum::parse(algorithm, value)
    {
        assert_eq!(Checksum::parse(algorithm, &checksum.base64()).as_ref(), Ok(&checksum));
    }
    let pairs = text.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let pairs: Vec<(String, String)> = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    if let Ok(tags) = Tags::new(pairs, TagsLimit::Object) {
        assert!(tags.pairs().is_sorted() && tags.pairs().len() <= 10);
    }
}

/// What is written must be read as the same.
fn same_again<T: Display + Debug + PartialEq, E: Debug>(read: Result<T, E>, parse: impl Fn(&str) -> Result<T, E>) {
    if let Ok(value) = read {
        match parse(&value.to_string()) {
            Ok(again) => assert_eq!(again, value),
            Err(error) => panic!("{value} is not read again: {error:?}"),
        }
    }
}

fn ranges(first: u64, second: Option<u64>) {
    for size in [0, 1, first, second.unwrap_or(u64::MAX), u64::MAX] {
        for range in [ByteRange::From { first, last: second }, ByteRange::Suffix { length: first }] {
            if let Some(resolved) = range.resolve(size) {
                // The last bytes of nothing are none.
                let is_empty = size == 0 && resolved.end == 0 && matches!(range, ByteRange::Suffix { .. });
                let lies_in = resolved.start < resolved.end && resolved.end <= size;
                assert!(lies_in || is_empty, "{range:?} of {size}: {resolved:?}");
            }
        }
    }
}

/// Text of every kind.
pub fn seeds() -> Vec<Vec<u8>> {
    let texts = [
        "my-bucket.2024",
        "photos/2024/ü 漢字//..",
        "null",
        "3sL4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY+MTRCxf3vjVBH40Nr8X8gdRQBpUMLUo",
        "0123456789abcdef0123456789abcdef",
        "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a",
        "AKIAIOSFODNN7EXAMPLE",
        "\"9b2cf535f27731c974343645a3985328-12\"",
        "CRC32:NhCmhg==",
        "SHA256:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
        "CRC64NVME:M3eFcAZSQlc=",
        "replicas:3",
        "ec:4+2",
        "key=value&other=&third",
    ];
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}
