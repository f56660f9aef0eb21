//! The parsers of names and values: what they take, what they refuse, and that they print what they took.

use cofre_types::{
    AccessKeyId, AccountId, BlobId, BucketName, ByteRange, Checksum, ChecksumAlgorithm, ChecksumKind, ETag, ObjectKey,
    ResolvedRange, Scheme, Tags, TagsError, TagsLimit, UploadId, VersionId,
};
use proptest::prelude::*;

#[test]
fn bucket_names_follow_the_rules_for_general_purpose_buckets() {
    let longest = "a".repeat(63);
    for good in ["abc", "my-bucket.example", "1bucket2", "a.b.c", "192.168.1.300", longest.as_str()] {
        assert_eq!(BucketName::parse(good).map(|name| name.to_string()).as_deref(), Ok(good));
    }
    let long = "a".repeat(64);
    let bad = [
        "",
        "ab",
        long.as_str(),
        "Upper",
        "under_score",
        "-edge",
        "edge-",
        ".edge",
        "edge.",
        "a..b",
        "a.-b",
        "a-.b",
        "192.168.5.4",
        "xn--bucket",
        "sthree-bucket",
        "bucket-s3alias",
        "bucket--ol-s3",
        "a/b",
        "ünï",
        "a\0b",
        "..",
    ];
    for bad in bad {
        assert_eq!(BucketName::parse(bad).map_err(|error| error.field), Err("bucket"), "{bad:?}");
    }
}

#[test]
fn keys_are_any_text_of_1_to_1024_bytes() {
    for good in ["a", "/", "//", "..", "\u{0}", "\u{10ffff}", &"k".repeat(1024)] {
        assert_eq!(ObjectKey::parse(good).unwrap().as_str(), good);
    }
    assert!(ObjectKey::parse("").is_err());
    assert!(ObjectKey::parse(&"k".repeat(1025)).is_err());
    assert!(ObjectKey::parse(&"ü".repeat(513)).is_err(), "the bound is in bytes");
}

#[test]
fn etags_are_read_with_and_without_quotes() {
    let md5 = "d41d8cd98f00b204e9800998ecf8427e";
    assert_eq!(ETag::parse(&format!("\"{md5}\"")).unwrap().to_string(), md5);
    assert_eq!(ETag::parse(&format!("{md5}-12")).unwrap().parts(), Some(12));
    for bad in ["", "\"\"", "d41d8", &format!("{md5}-"), &format!("{md5}-70000"), &format!("W/\"{md5}\""), "ü"] {
        assert!(ETag::parse(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn checksums_have_the_length_of_their_algorithm() {
    let crc = Checksum::parse(ChecksumAlgorithm::Crc32, "y/Q5Jg==").unwrap();
    assert_eq!((crc.kind(), crc.value()), (ChecksumKind::FullObject, [0xcb, 0xf4, 0x39, 0x26].as_slice()));
    let composite = Checksum::parse(ChecksumAlgorithm::Crc32, "y/Q5Jg==-3").unwrap();
    assert_eq!((composite.kind(), composite.base64().as_str()), (ChecksumKind::Composite, "y/Q5Jg=="));
    for (algorithm, bad) in [
        (ChecksumAlgorithm::Sha256, "y/Q5Jg=="),
        (ChecksumAlgorithm::Crc32, "not base64"),
        (ChecksumAlgorithm::Crc32, ""),
    ] {
        assert!(Checksum::parse(algorithm, bad).is_err());
    }
}

#[test]
fn algorithms_have_the_kinds_that_aws_gives_them() {
    use ChecksumAlgorithm::{Crc32, Crc32c, Crc64Nvme};
    use ChecksumKind::{Composite, FullObject};
    assert!(Crc32.allows_multipart(Composite) && Crc32.allows_multipart(FullObject));
    assert!(!Crc64Nvme.allows_multipart(Composite) && Crc64Nvme.allows_multipart(FullObject));
    for algorithm in ChecksumAlgorithm::ALL {
        assert_eq!(ChecksumAlgorithm::parse(algorithm.name()), Ok(algorithm));
        let is_crc = [Crc32, Crc32c, Crc64Nvme].contains(&algorithm);
        assert_eq!(algorithm.allows_multipart(FullObject), is_crc, "{algorithm:?}");
        assert!(algorithm.allows_multipart(algorithm.default_multipart_kind()), "{algorithm:?}");
    }
    assert_eq!(ChecksumAlgorithm::parse("crc64nvme"), Ok(Crc64Nvme));
    assert!(ChecksumAlgorithm::parse("MD4").is_err());
}

#[test]
fn ranges_fit_themselves_to_the_object() {
    let resolved = |start, end| Some(ResolvedRange { start, end });
    let from = |first, last| ByteRange::From { first, last };
    assert_eq!(from(0, None).resolve(10), resolved(0, 10));
    assert_eq!(from(3, Some(3)).resolve(10), resolved(3, 4));
    assert_eq!(from(3, Some(u64::MAX)).resolve(10), resolved(3, 10));
    assert_eq!(from(10, None).resolve(10), None);
    assert_eq!(from(5, Some(4)).resolve(10), None);
    assert_eq!(ByteRange::Suffix { length: u64::MAX }.resolve(10), resolved(0, 10));
    assert_eq!(ByteRange::Suffix { length: 0 }.resolve(10), None);
    assert_eq!(ByteRange::Suffix { length: 5 }.resolve(0), resolved(0, 0), "all of an empty object");
    assert_eq!(ByteRange::Suffix { length: 0 }.resolve(0), None);
    assert_eq!(from(0, None).resolve(0), None);
}

#[test]
fn schemes_are_written_as_they_are_read() {
    for text in ["replicas:1", "replicas:3", "replicas:16", "ec:2+1", "ec:4+2", "ec:16+15"] {
        assert_eq!(text.parse::<Scheme>().unwrap().to_string(), text);
    }
    let replicas = ["", "replicas", "replicas:0", "replicas:17", "replicas:-1", "replicas:+2", "replicas:02"];
    let codes = ["ec:", "ec:4", "ec:4+0", "ec:1+1", "ec:2+3", "ec:17+2", "ec:16+16", "ec:4+2+1", "ec:4-2", "ec:04+2"];
    for bad in replicas.iter().chain(&codes) {
        assert_eq!(bad.parse::<Scheme>().map_err(|error| error.field), Err("redundancy"), "{bad:?}");
    }
    let quorums = [1, 2, 3, 4, 5].map(|count| Scheme::replicas(count).unwrap().write_quorum());
    assert_eq!(quorums, [1, 2, 2, 3, 3]);
    let code = Scheme::erasure(4, 2).unwrap();
    assert_eq!((code.width(), code.needed(), code.write_quorum()), (6, 4, 5));
    assert_eq!([None, Some(0), Some(2), Some(9)].map(|spares| code.write_quorum_with(spares)), [5, 4, 6, 6]);
    assert_eq!(code.replicated(), Scheme::replicas(3).unwrap());
}

#[test]
fn tag_sets_are_bounded_and_have_each_key_once() {
    let tags = |count: usize, limit| Tags::new((0..count).map(|i| (format!("k{i}"), String::new())).collect(), limit);
    assert!(tags(10, TagsLimit::Object).is_ok() && tags(11, TagsLimit::Object).is_err());
    assert!(tags(50, TagsLimit::Bucket).is_ok() && tags(51, TagsLimit::Bucket).is_err());
    let one = |key: &str, value: &str| Tags::new(vec![(key.into(), value.into())], TagsLimit::Object);
    assert!(one(&"ü".repeat(128), &"ü".repeat(256)).is_ok(), "the bounds are in characters");
    assert!(one("", "v").is_err() && one(&"k".repeat(129), "v").is_err() && one("k", &"v".repeat(257)).is_err());
    assert_eq!(one("aws:x", "v"), Err(TagsError::Reserved("aws:x".into())));
    let twice = vec![("k".into(), "1".into()), ("k".into(), "2".into())];
    assert_eq!(Tags::new(twice, TagsLimit::Object), Err(TagsError::Twice("k".into())));
    assert!(one("a b\u{3000}\u{65e5}+-=._:/@9", "a b\u{3000}\u{e9}+-=._:/@9").is_ok());
    for other in "!\"#$%&'()*,;<>?[\\]^`{|}~\u{1}\t\n\u{1f600}".chars() {
        assert_eq!(one(&format!("k{other}"), ""), Err(TagsError::Key(format!("k{other}"))), "{other:?}");
        assert_eq!(one("k", &other.to_string()), Err(TagsError::Value("k".into(), other.into())), "{other:?}");
    }
}

#[test]
fn access_keys_are_short_plain_words() {
    assert!(AccessKeyId::parse("AKIAIOSFODNN7EXAMPLE").is_ok());
    for bad in ["", "ab", "with space", "with/slash", "ü12345", &"A".repeat(129)] {
        assert!(AccessKeyId::parse(bad).is_err(), "{bad:?}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_a_parser_panic_and_what_is_taken_is_printed_again(text in "\\PC{0,80}|[0-9a-f-]{0,80}") {
        if let Ok(etag) = ETag::parse(&text) {
            prop_assert_eq!(ETag::parse(&etag.to_string()), Ok(etag));
        }
        if let Ok(id) = VersionId::parse(&text) {
            prop_assert_eq!(VersionId::parse(&id.to_string()), Ok(id));
        }
        if let Ok(name) = BucketName::parse(&text) {
            prop_assert_eq!(name.as_str(), &text);
        }
        for algorithm in ChecksumAlgorithm::ALL {
            if let Ok(checksum) = Checksum::parse(algorithm, &text) {
                prop_assert_eq!(checksum.value().len(), algorithm.bytes());
            }
        }
        let _ = (AccountId::parse(&text), BlobId::parse(&text), UploadId::parse(&text), text.parse::<Scheme>());
    }

    #[test]
    fn a_resolved_range_lies_in_the_object(first: u64, last: Option<u64>, length: u64, size: u64) {
        for range in [ByteRange::From { first, last }, ByteRange::Suffix { length }] {
            if let Some(range) = range.resolve(size) {
                prop_assert!(range.start < range.end && range.end <= size);
            }
        }
    }
}
