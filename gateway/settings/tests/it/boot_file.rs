use cofre_settings::{BootArgs, BootError, BootSettings, LogFormat, LogLevel, Secrets};
use cofre_types::Scheme;
use proptest::prelude::*;
use std::path::Path;

fn parse(text: &str) -> Result<BootArgs, BootError> {
    BootArgs::parse(Path::new("cofre.toml"), text)
}

#[test]
fn every_key_is_taken() {
    let text = r#"
        data = "/var/lib/cofre"
        listen = "0.0.0.0:9000"
        admin_listen = "[::1]:9001"
        shards = ["/mnt/a", "/mnt/b"]
        redundancy = "replicas:2"
        tls_cert = "cert.pem"
        tls_key = "key.pem"
        admin_tls_cert = "admin-cert.pem"
        admin_tls_key = "admin-key.pem"
        domains = ["S3.example"]
        website_domains = ["web.S3.example"]
        region = "eu-west-1"
        log_format = "json"
        log_level = "warn"
        master_key_file = "/etc/cofre/master.key"
        catalog_cache_bytes = 134217728
        connections_max = 100
        connections_per_address_max = 101
        requests_max = 102
        requests_per_account_max = 103
        requests_per_address_max = 104
        anonymous_requests_per_second = 0
        refused_requests_per_second = 7
        documents_bytes_max = 50331648
        body_rate_min = 0
        header_timeout_secs = 5
        body_timeout_secs = 6
        idle_timeout_secs = 7
        shutdown_grace_secs = 0
    "#;
    let settings = BootSettings::resolve(parse(text).unwrap(), Secrets::default()).unwrap();
    assert_eq!(settings.data, Path::new("/var/lib/cofre"));
    assert_eq!(settings.listen.to_string(), "0.0.0.0:9000");
    assert_eq!(settings.admin_listen.to_string(), "[::1]:9001");
    assert_eq!(settings.shards, [Path::new("/mnt/a"), Path::new("/mnt/b")]);
    assert_eq!(settings.redundancy, Some(Scheme::Replicas { count: 2 }));
    assert_eq!(settings.tls.unwrap().key, Path::new("key.pem"));
    assert_eq!(settings.admin_tls.unwrap().cert, Path::new("admin-cert.pem"));
    assert_eq!(settings.website_domains, ["web.s3.example"]);
    assert_eq!((settings.domains, settings.region.as_str()), (vec!["s3.example".to_owned()], "eu-west-1"));
    assert_eq!((settings.log_format, settings.log_level), (LogFormat::Json, LogLevel::Warn));
    assert_eq!(settings.master_key_file, Path::new("/etc/cofre/master.key"));
    assert_eq!((settings.catalog_cache_bytes, settings.connections_max), (134_217_728, 100));
    assert_eq!((settings.connections_per_address_max, settings.requests_max), (101, 102));
    assert_eq!((settings.requests_per_account_max, settings.requests_per_address_max), (103, 104));
    assert_eq!((settings.anonymous_requests_per_second, settings.documents_bytes_max), (None, 50_331_648));
    assert_eq!((settings.refused_requests_per_second, settings.body_rate_min), (Some(7), 0));
    let timeouts = [settings.header_timeout, settings.body_timeout, settings.idle_timeout, settings.shutdown_grace];
    assert_eq!(timeouts.map(|timeout| timeout.as_secs()), [5, 6, 7, 0]);
}

#[test]
fn what_is_wrong_is_named() {
    for (text, expected) in [
        ("data = \"x\"\nlisten_address = \"127.0.0.1:1\"", "listen_address"),
        ("listen = \"localhost\"", "listen"),
        ("admin_listen = \":9001\"", "admin_listen"),
        ("redundancy = \"replicas:0\"", "redundancy"),
        ("connections_max = -1", "connections_max"),
        ("shards = [\"/a\", 7]", "shards[1]"),
        ("config = \"other.toml\"", "config"),
        ("data = \"x\"\nlisten = ", "line 2"),
    ] {
        match parse(text) {
            Err(BootError::File { key, reason, .. }) => {
                assert_eq!(key, expected, "{text}");
                assert!(!reason.is_empty());
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn an_unreadable_or_oversized_file_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing.toml");
    let error = BootArgs::read(&missing).unwrap_err();
    assert!(matches!(&error, BootError::Unreadable { path, .. } if *path == missing), "{error}");
    let large = directory.path().join("large.toml");
    std::fs::write(&large, "#".repeat(256 * 1024 + 1)).unwrap();
    assert!(matches!(BootArgs::read(&large), Err(BootError::Unreadable { .. })));
}

proptest! {
    #[test]
    fn any_text_parses_or_says_where_it_is_wrong(
        text in "\\PC*|((listen|shards|region|redundancy|connections_max|[a-z]{1,3}) = (\"[a-z:0-9.]{0,12}\"|[0-9]{1,12}|\\[\\]|true)\n){0,4}"
    ) {
        match parse(&text) {
            Ok(args) => { let _ = BootSettings::resolve(args, Secrets::default()); }
            Err(BootError::File { key, reason, .. }) => prop_assert!(!key.is_empty() && !reason.is_empty(), "{key}: {reason}"),
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}
