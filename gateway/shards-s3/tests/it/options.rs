use crate::samples::*;
use cofre_shards_s3::{S3Error, S3Options};

/// The field that is refused after a change.
fn refused(change: impl Fn(&mut S3Options)) -> &'static str {
    let mut options = options("127.0.0.1:9000".parse().unwrap());
    options.check().unwrap();
    change(&mut options);
    match options.check() {
        Err(S3Error::Invalid { field, .. }) => field,
        other => panic!("{other:?}"),
    }
}

#[test]
fn fields_that_are_not_valid_are_named() {
    for endpoint in
        ["", "ftp://host", "host:9000", "http://", "http://host/path", "http://user:secret@host", "http://h?a"]
    {
        assert_eq!(refused(|options| options.endpoint = endpoint.into()), "endpoint", "{endpoint}");
    }
    for bucket in ["", "ab", "a/b", "a?b", "..", "../x", "a b c"] {
        assert_eq!(refused(|options| options.bucket = bucket.into()), "bucket", "{bucket}");
    }
    let long = format!("{}/", "x".repeat(512));
    for prefix in ["/", "a", "a//", "../", "a/../", "./", "a b/", "\u{e4}/", &long] {
        assert_eq!(refused(|options| options.prefix = prefix.into()), "prefix", "{prefix}");
    }
    assert_eq!(refused(|options| options.region = String::new()), "region");
    assert_eq!(refused(|options| options.access_key_id = "a b".into()), "access_key_id");
    assert_eq!(refused(|options| options.secret_access_key = String::new().into()), "secret_access_key");
    assert_eq!(refused(|options| options.capacity_bytes = 0), "capacity_bytes");
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for pem in ["", "no certificate", broken, &"x".repeat(70_000)] {
        assert_eq!(refused(|options| options.ca_pem = Some(pem.into())), "ca_pem", "{pem:.20}");
    }
}

#[test]
fn a_secret_is_never_shown() {
    let shown = format!("{:?}", options("127.0.0.1:9000".parse().unwrap()));
    assert!(!shown.contains(crate::endpoint::SECRET_KEY), "{shown}");
}
