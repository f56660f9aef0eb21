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
fn an_endpoint_is_no_metadata_service_and_not_ourselves() {
    let ours = cofre_shards_s3::Forbidden::with_listeners(&["127.0.0.1:9000".parse().unwrap()]);
    for endpoint in [
        "http://169.254.169.254",
        "http://169.254.169.254/",
        "https://[fd00:ec2::254]:443",
        "http://[fe80::1]:9000",
        "http://[::ffff:a9fe:a9fe]",
        "http://127.0.0.1:9000",
    ] {
        let mut options = options("10.0.0.2:9000".parse().unwrap());
        options.forbidden = ours.clone();
        options.endpoint = endpoint.into();
        let error = options.check().unwrap_err().to_string();
        assert!(error.starts_with("endpoint: "), "{endpoint}: {error}");
    }
}

#[tokio::test]
async fn a_name_that_leads_to_a_forbidden_address_is_refused_when_it_is_resolved() {
    let endpoint = crate::endpoint::Endpoint::start().await;
    let port = endpoint.address.port();
    let create = async |name: &str, listeners: &[std::net::SocketAddr]| {
        let mut options = options(endpoint.address);
        options.endpoint = format!("http://{name}:{port}");
        options.forbidden = cofre_shards_s3::Forbidden::with_listeners(listeners);
        options.check().unwrap();
        cofre_shards_s3::S3Backend::create(&options, IDENTITY, cofre_runtime::Random::seeded(3)).await
    };
    let error = create("localhost", &[endpoint.address]).await.unwrap_err().to_string();
    assert!(error.contains("this Cofre itself"), "{error}");
    assert!(!endpoint.shard().exists(), "nothing was sent");
    // The system's resolver reads a number as an address.
    let error = create("2852039166", &[]).await.unwrap_err().to_string();
    assert!(error.contains("metadata address"), "{error}");
    create("localhost", &[]).await.unwrap();
}

#[test]
fn a_secret_is_never_shown() {
    let shown = format!("{:?}", options("127.0.0.1:9000".parse().unwrap()));
    assert!(!shown.contains(crate::endpoint::SECRET_KEY), "{shown}");
}
