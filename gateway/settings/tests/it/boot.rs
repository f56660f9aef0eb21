use clap::Parser;
use cofre_settings::{BootArgs, BootError, BootSettings, LogLevel, Secrets, unknown_variables};
use std::path::Path;
use std::process::Command;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    boot: BootArgs,
}

fn flags(flags: &[&str]) -> Result<BootArgs, clap::Error> {
    Cli::try_parse_from([&["cofre"], flags].concat()).map(|cli| cli.boot)
}

fn resolve(given: &[&str]) -> Result<BootSettings, BootError> {
    BootSettings::resolve(flags(given).unwrap(), Secrets::default())
}

#[test]
fn without_anything_the_defaults_hold() {
    let settings = resolve(&[]).unwrap();
    assert_eq!(settings.data, Path::new("./cofre-data"));
    assert_eq!(settings.shards, [Path::new("./cofre-data/shard-1")]);
    assert_eq!(settings.master_key_file, Path::new("./cofre-data/master.key"));
    assert_eq!(
        (settings.listen.to_string(), settings.admin_listen.to_string()),
        ("127.0.0.1:9000".into(), "127.0.0.1:9001".into())
    );
    assert_eq!((settings.redundancy, settings.region.as_str()), (None, "us-east-1"));
    assert!(
        settings.tls.is_none()
            && settings.admin_tls.is_none()
            && settings.domains.is_empty()
            && settings.website_domains.is_empty()
    );
}

/// Prints what the flags, environment and file that it is given come to: the test below runs it in
/// a process of its own, for the environment of this one is shared by all tests.
#[test]
fn print_settings() {
    let args = std::env::var("TEST_FLAGS").unwrap_or_default();
    let args = flags(&args.split_whitespace().collect::<Vec<_>>()).unwrap();
    let settings = BootSettings::load(args, |name| std::env::var(name).ok()).unwrap();
    println!(
        "region={} level={} header={} shards={:?} root={:?}",
        settings.region,
        settings.log_level.as_str(),
        settings.header_timeout.as_secs(),
        settings.shards,
        settings.secrets.root_credentials.map(|root| root.access_key_id)
    );
}

fn in_a_process(flags: &str, environment: &[(&str, &str)]) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "boot::print_settings", "--nocapture"])
        .env("TEST_FLAGS", flags)
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let found = text.find("region=").unwrap_or_else(|| panic!("{text}"));
    text[found..].lines().next().unwrap().to_owned()
}

#[test]
fn a_flag_wins_over_the_environment_and_that_over_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("cofre.toml");
    std::fs::write(&file, "region = \"file\"\nlog_level = \"error\"\nheader_timeout_secs = 3\nshards = [\"/f\"]")
        .unwrap();
    let file = file.to_str().unwrap();
    let environment = [
        ("COFRE_CONFIG", file),
        ("COFRE_REGION", "environment"),
        ("COFRE_LOG_LEVEL", "debug"),
        ("COFRE_SHARDS", "/a,/b"),
    ];
    assert_eq!(
        in_a_process("--region flag", &environment),
        r#"region=flag level=debug header=3 shards=["/a", "/b"] root=None"#
    );
    assert_eq!(
        in_a_process("--shard /x --shard /y", &[("COFRE_CONFIG", file)]),
        r#"region=file level=error header=3 shards=["/x", "/y"] root=None"#
    );
    let root = [("COFRE_ROOT_ACCESS_KEY_ID", "KEY"), ("COFRE_ROOT_SECRET_ACCESS_KEY", "secret")];
    assert!(in_a_process("", &root).ends_with(r#"root=Some("KEY")"#));
}

#[test]
fn a_value_out_of_bounds_names_its_setting() {
    for (given, expected) in [
        (&["--header-timeout-secs", "0"][..], "header_timeout_secs"),
        (&["--connections-max", "0"], "connections_max"),
        (&["--catalog-cache-bytes", "1"], "catalog_cache_bytes"),
        (&["--region", "US East"], "region"),
        (&["--region", "us-east-1,eu-west-1", "--region", "us-east-1"], "region"),
        (&["--domain=-bad.example"], "domains"),
        (&["--domain", "s3.example:9000"], "domains"),
        (&["--website-domain", "web_example"], "website_domains"),
        (&["--domain", "s3.example", "--website-domain", "S3.example"], "website_domains"),
        (&["--shard", "/a", "--shard", "/a"], "shards"),
        (&["--tls-cert", "c.pem"], "tls_key"),
        (&["--admin-tls-key", "k.pem"], "admin_tls_cert"),
        (&["--listen", "127.0.0.1:9001"], "admin_listen"),
        (&["--console-listen", "127.0.0.1:9000"], "console_listen"),
        (&["--console-admin"], "console_admin"),
        (&["--s3-url", "s3.example"], "s3_url"),
        (&["--s3-url", "https://s3.example/path"], "s3_url"),
        (&["--s3-url", "https://user@s3.example"], "s3_url"),
    ] {
        match resolve(given) {
            Err(BootError::Invalid { setting, .. }) => assert_eq!(setting, expected),
            other => panic!("{given:?}: {other:?}"),
        }
    }
}

#[test]
fn a_flag_that_does_not_parse_is_named() {
    for (given, expected) in [
        (["--listen", "here"], "--listen"),
        (["--redundancy", "raid"], "--redundancy"),
        (["--log-level", "loud"], "--log-level"),
    ] {
        assert!(flags(&given).unwrap_err().to_string().contains(expected));
    }
    assert_eq!(resolve(&["--log-level", "trace"]).unwrap().log_level, LogLevel::Trace);
}

#[test]
fn a_listener_without_an_ip_address_is_told_what_to_write() {
    for flag in ["--listen", "--admin-listen"] {
        for given in [":9007", "localhost:9007"] {
            let said = flags(&[flag, given]).unwrap_err().to_string();
            assert!(said.contains("127.0.0.1:9007 for this machine alone, 0.0.0.0:9007 for every network"), "{said}");
        }
    }
}

#[test]
fn root_credentials_come_in_pairs_and_are_never_shown() {
    let only = |present: &'static str| {
        Secrets::from_env(move |name| (name == present).then(|| "value".to_owned())).unwrap_err().to_string()
    };
    assert!(only("COFRE_ROOT_ACCESS_KEY_ID").starts_with("COFRE_ROOT_ACCESS_KEY_ID: "));
    assert!(only("COFRE_ROOT_SECRET_ACCESS_KEY").starts_with("COFRE_ROOT_SECRET_ACCESS_KEY: "));
    assert_eq!(Secrets::from_env(|_| Some(String::new())).unwrap(), Secrets::default());
    let secrets = Secrets::from_env(|name| (!name.ends_with("_FILE")).then(|| format!("value of {name}"))).unwrap();
    let settings = BootSettings::resolve(BootArgs::default(), secrets).unwrap();
    let shown = format!("{settings:?}");
    assert!(shown.contains("value of COFRE_ROOT_ACCESS_KEY_ID"));
    assert!(!shown.contains("value of COFRE_ROOT_SECRET") && !shown.contains("value of COFRE_MASTER_KEY"), "{shown}");
    assert!(!shown.contains("value of COFRE_VAULT_TOKEN"), "{shown}");
}

#[test]
fn root_credentials_come_from_files_too() {
    let folder = tempfile::tempdir().unwrap();
    let (id, secret) = (folder.path().join("id"), folder.path().join("secret"));
    std::fs::write(&id, "AKIAFROMFILE\n").unwrap();
    std::fs::write(&secret, "a secret from a file\r\n").unwrap();
    let with = |pairs: &[(&str, &Path)]| {
        Secrets::from_env(|name| {
            let (_, path) = pairs.iter().find(|(known, _)| *known == name)?;
            Some(path.to_str().unwrap().to_owned())
        })
    };
    const ID: &str = "COFRE_ROOT_ACCESS_KEY_ID_FILE";
    const SECRET: &str = "COFRE_ROOT_SECRET_ACCESS_KEY_FILE";
    let root = with(&[(ID, &id), (SECRET, &secret)]).unwrap().root_credentials.unwrap();
    assert_eq!((&*root.access_key_id, &*root.secret_access_key), ("AKIAFROMFILE", "a secret from a file"));
    let twice = with(&[(ID, &id), (SECRET, &secret), ("COFRE_ROOT_ACCESS_KEY_ID", Path::new("AKIA"))]);
    assert!(twice.unwrap_err().to_string().contains("both set"));
    assert!(with(&[(ID, &id)]).unwrap_err().to_string().contains("or neither"));
    let gone = with(&[(ID, &id), (SECRET, &folder.path().join("gone"))]).unwrap_err().to_string();
    assert!(gone.contains("gone") && gone.contains(SECRET), "{gone}");
    std::fs::write(&secret, "\n").unwrap();
    assert!(with(&[(ID, &id), (SECRET, &secret)]).unwrap_err().to_string().contains("empty"));
}

#[test]
fn variables_that_nothing_reads_are_told_with_the_name_that_was_meant() {
    let unknown = |names: &[&str]| {
        let unknown = unknown_variables(names.iter().map(|name| (*name).to_owned()));
        unknown.into_iter().map(|unknown| (unknown.name, unknown.nearest.unwrap_or_default())).collect::<Vec<_>>()
    };
    for (slip, meant) in [
        ("COFRE_SHARD", "COFRE_SHARDS"),
        ("COFRE_DOMAIN", "COFRE_DOMAINS"),
        ("COFRE_LISTEN_ADDR", "COFRE_LISTEN"),
        ("COFRE_ROOT_SECRET_KEY", "COFRE_MASTER_KEY"),
        ("COFRE_WEBSITE_DOMAIN", "COFRE_WEBSITE_DOMAINS"),
        ("COFRE_RREGION", "COFRE_REGION"),
        ("COFRE_SOMETHING_ELSE_ALTOGETHER", ""),
    ] {
        let found = unknown(&[slip]);
        assert_eq!(found.len(), 1, "{slip}");
        if slip != "COFRE_ROOT_SECRET_KEY" {
            assert_eq!(found, [(slip.to_owned(), meant.to_owned())]);
        }
    }
    // What something reads, what is not ours, and what Kubernetes tells of a service that is called cofre.
    assert_eq!(
        unknown(&[
            "COFRE_DATA",
            "COFRE_SHARDS",
            "COFRE_MASTER_KEY",
            "COFRE_ADMIN_TOKEN",
            "COFRE_ROOT_ACCESS_KEY_ID_FILE",
            "HOME",
            "MYCOFRE_SHARD",
            "COFRE_SERVICE_HOST",
            "COFRE_SERVICE_PORT",
            "COFRE_SERVICE_PORT_S3",
            "COFRE_PORT",
            "COFRE_PORT_9000_TCP_ADDR",
        ]),
        []
    );
    let long = format!("COFRE_{}", "X".repeat(100_000));
    assert_eq!(unknown(&[&long]), [(long, String::new())]);
}

#[test]
fn vault_needs_a_token_from_one_place() {
    let secrets = |token: Option<&str>| Secrets { vault_token: token.map(str::to_owned), ..Secrets::default() };
    let with = |given: &[&str], token| BootSettings::resolve(flags(given).unwrap(), secrets(token));
    assert_eq!(with(&[], None).unwrap().vault, None);
    let address = ["--vault-address", "https://vault:8200"];
    let vault = with(&address, Some("token")).unwrap().vault.unwrap();
    assert_eq!((vault.mount.as_str(), vault.default_key.as_str()), ("transit", "cofre-default"));
    assert!(with(&address, None).is_err());
    let with_file = [&address[..], &["--vault-token-file", "/run/token"]].concat();
    assert_eq!(with(&with_file, None).unwrap().vault.unwrap().token_file.as_deref(), Some(Path::new("/run/token")));
    assert!(with(&with_file, Some("token")).is_err());
}

#[test]
fn keys_over_plain_http_are_refused_unless_allowed() {
    assert!(!resolve(&[]).unwrap().allow_insecure_sse_c);
    assert!(resolve(&["--allow-insecure-sse-c"]).unwrap().allow_insecure_sse_c);
    assert!(!resolve(&["--allow-insecure-sse-c", "false"]).unwrap().allow_insecure_sse_c);
}

#[test]
fn several_regions_may_be_given() {
    let settings = resolve(&["--region", "eu-central-1", "--region", "us-east-1,garage"]).unwrap();
    assert_eq!(settings.region, "eu-central-1");
    assert_eq!(settings.other_regions, ["us-east-1", "garage"]);
    for (file, regions) in [("region = \"one\"", vec!["one"]), ("region = [\"one\", \"two\"]", vec!["one", "two"])] {
        let args: BootArgs = toml::from_str(file).unwrap();
        assert_eq!(args.regions, regions);
    }
}

#[test]
fn signature_version_2_is_taken_unless_turned_off() {
    assert!(resolve(&[]).unwrap().signature_version_2);
    assert!(!resolve(&["--signature-version-2", "false"]).unwrap().signature_version_2);
}

#[test]
fn trusted_proxies_are_addresses_and_ranges() {
    let settings = resolve(&["--trusted-proxy", "10.0.0.0/8", "--trusted-proxy", "::1,192.0.2.7"]).unwrap();
    let told: Vec<_> = settings.trusted_proxies.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["10.0.0.0/8", "::1/128", "192.0.2.7/32"]);
    assert!(resolve(&[]).unwrap().trusted_proxies.is_empty());
    for wrong in ["proxy.example", "10.0.0.0/33", ""] {
        let error = resolve(&["--trusted-proxy", wrong]).unwrap_err().to_string();
        assert!(error.starts_with("trusted_proxies: "), "{error}");
    }
}

#[test]
fn acme_wants_what_its_challenge_does() {
    use cofre_settings::AcmeChallenge::{Dns01, Http01, TlsAlpn01};
    let name = ["--acme-domain", "S3.example.com"];
    for (more, challenge) in [
        (&[][..], TlsAlpn01),
        (&["--acme-challenge", "http-01"], Http01),
        (&["--acme-http-listen", "0.0.0.0:80"], Http01),
        (&["--acme-dns-hook", "/hook", "--acme-domain", "*.s3.example.com"], Dns01),
    ] {
        let acme = resolve(&[&name[..], more].concat()).unwrap().acme.unwrap();
        assert_eq!((acme.challenge, acme.domains[0].as_str()), (challenge, "s3.example.com"));
        assert!(acme.directory.starts_with("https://"));
    }
    assert_eq!(resolve(&[]).unwrap().acme, None);
    for (wrong, setting) in [
        (&["--acme-contact", "ops@example.com"][..], "acme_contact"),
        (&["--acme-domain", "*.example.com"], "acme_domains"),
        (&["--acme-domain", "nas"], "acme_domains"),
        (&["--acme-domain", "a.example,a.example"], "acme_domains"),
        (&["--acme-domain", "a_b.example"], "acme_domains"),
        (&["--acme-domain", "a.example", "--acme-challenge", "dns-01"], "acme_dns_hook"),
        (&["--acme-domain", "a.example", "--acme-challenge", "http-01", "--acme-dns-hook", "/hook"], "acme_dns_hook"),
        (
            &["--acme-domain", "a.example", "--acme-dns-hook", "/hook", "--acme-http-listen", "0.0.0.0:80"],
            "acme_http_listen",
        ),
        (&["--acme-domain", "a.example", "--acme-http-listen", "127.0.0.1:9000"], "acme_http_listen"),
        (&["--acme-domain", "a.example", "--acme-directory", "http://ca.example"], "acme_directory"),
        (&["--acme-domain", "a.example", "--acme-contact", "nobody"], "acme_contact"),
        (&["--acme-domain", "a.example", "--tls-cert", "/c", "--tls-key", "/k"], "acme_domains"),
    ] {
        let error = resolve(wrong).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{setting}: ")), "{wrong:?}: {error}");
    }
}

#[test]
fn what_a_service_manager_hands_over_comes_before_the_defaults() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["tls-cert", "tls-key", "master-key", "root-access-key-id", "root-secret-access-key"] {
        std::fs::write(folder.path().join(name), format!("{name}\n")).unwrap();
    }
    let directory = folder.path().display().to_string();
    let load = |given: &[&str], also: Option<(&'static str, &'static str)>| {
        BootSettings::load(flags(given).unwrap(), |name| match (name, also) {
            ("CREDENTIALS_DIRECTORY", _) => Some(directory.clone()),
            (name, Some((also, value))) if name == also => Some(value.to_owned()),
            _ => None,
        })
    };
    let settings = load(&[], None).unwrap();
    assert_eq!(settings.tls.unwrap().key, folder.path().join("tls-key"));
    assert_eq!(settings.admin_tls, None);
    assert_eq!(settings.master_key_file, folder.path().join("master-key"));
    assert_eq!(settings.secrets.root_credentials.unwrap().secret_access_key, "root-secret-access-key");
    let settings = load(&["--tls-cert", "/c", "--tls-key", "/k", "--master-key-file", "/m"], None).unwrap();
    assert_eq!(
        (settings.tls.unwrap().key.as_path(), settings.master_key_file.as_path()),
        (Path::new("/k"), Path::new("/m"))
    );
    let given = Some(("COFRE_ROOT_ACCESS_KEY_ID", "GIVEN"));
    assert_eq!(load(&[], given).unwrap().secrets.root_credentials.unwrap().access_key_id, "GIVEN");
}

#[test]
fn the_console_may_have_an_address_of_its_own() {
    let settings = resolve(&["--console-listen", "127.0.0.1:9002", "--s3-url", "https://s3.example:8443/"]).unwrap();
    assert_eq!(settings.console_listen.unwrap().to_string(), "127.0.0.1:9002");
    assert_eq!((settings.console_admin, settings.s3_url.as_deref()), (false, Some("https://s3.example:8443")));
    assert_eq!(resolve(&[]).unwrap().console_listen, None);
    assert!(resolve(&["--console-listen", "127.0.0.1:9002", "--console-admin"]).unwrap().console_admin);
}
