//! A proxy says who its client is. Only one that is listed is believed.

use anyhow::{Context, Result, ensure};
use cofre_harness::{Cofre, Connection, DataDir, Options, Payload, Request, Response, Tool, until};
use cofre_suites::{BUCKET, get, make_bucket, path, put, refused, succeeded, with_bucket};
use socket2::{Domain, Socket, Type};
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// Where the proxy is that is listed, and one that is not.
const LISTED: &str = "127.0.0.2";
const UNLISTED: &str = "127.0.0.3";

/// A client that the policy lets in, and one that it does not.
const FRIEND: &str = "203.0.113.7";
const STRANGER: &str = "198.51.100.7";

/// Longer than what these tests wait for.
const PATIENCE: Duration = Duration::from_secs(12);
/// The longest to the delivery of a log; one is due each second.
const DELIVERY_MAX: Duration = Duration::from_secs(60);

/// Lets friends get `near`, and whoever comes over TLS get `sealed`.
const POLICY: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::suite-bucket/near",
     "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}},
    {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::suite-bucket/sealed",
     "Condition": {"Bool": {"aws:SecureTransport": "true"}}}]}"#;

fn behind_proxy(arguments: &[&str]) -> Result<Cofre> {
    let cofre = with_bucket(Options::new().args(&["--trusted-proxy", LISTED]).args(arguments))?;
    succeeded(cofre.send(put("near", b"near"))?)?;
    succeeded(cofre.send(put("sealed", b"sealed"))?)?;
    succeeded(cofre.send(Request::new("PUT", &format!("/{BUCKET}?policy")).body(POLICY))?)?;
    Ok(cofre)
}

/// A connection that comes from this address.
fn connect(to: SocketAddr, from: &str) -> Result<Connection> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::new(from.parse::<IpAddr>()?, 0).into())?;
    socket.connect(&to.into()).context("connect")?;
    let connection = Connection::over(socket.into())?;
    connection.wait_at_most(PATIENCE)?;
    Ok(connection)
}

fn anonymous(cofre: &Cofre, key: &str) -> Request {
    get(key).header("host", &cofre.s3().to_string())
}

fn version_1(client: &str) -> Vec<u8> {
    format!("PROXY TCP4 {client} 192.0.2.1 4711 443\r\n").into_bytes()
}

/// A header of version 2, with a field that says that the client came over TLS.
fn version_2(client: &str, over_tls: bool) -> Result<Vec<u8>> {
    let client: Ipv4Addr = client.parse()?;
    let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x14".to_vec();
    header.extend_from_slice(&client.octets());
    header.extend_from_slice(&[192, 0, 2, 1, 0x12, 0x67, 1, 187]);
    header.extend_from_slice(&[0x20, 0, 5, u8::from(over_tls), 0, 0, 0, 0]);
    Ok(header)
}

/// Asks behind a header of the PROXY protocol.
fn behind(cofre: &Cofre, from: &str, header: &[u8], request: &Request) -> Result<Response> {
    let mut connection = connect(cofre.s3(), from)?;
    connection.write(header)?;
    connection.exchange(request)
}

#[test]
fn policies_see_the_client_of_a_listed_proxy() -> Result<()> {
    let cofre = behind_proxy(&[])?;
    let (near, sealed) = (anonymous(&cofre, "near"), anonymous(&cofre, "sealed"));
    for (client, status) in [(FRIEND, 200), (STRANGER, 403)] {
        for header in [version_1(client), version_2(client, false)?, version_2(client, true)?] {
            assert_eq!(behind(&cofre, LISTED, &header, &near)?.status, status, "{client} by {header:?}");
        }
        for sent in [client.to_owned(), format!("{FRIEND}, {STRANGER}, {client}:4711"), format!("junk, {client}")] {
            let request = near.clone().header("x-forwarded-for", &sent);
            assert_eq!(connect(cofre.s3(), LISTED)?.exchange(&request)?.status, status, "{sent}");
        }
    }
    for (over_tls, status) in [(true, 200), (false, 403)] {
        assert_eq!(behind(&cofre, LISTED, &version_2(STRANGER, over_tls)?, &sealed)?.status, status);
        let proto = if over_tls { "https" } else { "http" };
        let request = sealed.clone().header("x-forwarded-for", STRANGER).header("x-forwarded-proto", proto);
        assert_eq!(connect(cofre.s3(), LISTED)?.exchange(&request)?.status, status, "{proto}");
    }
    assert_eq!(behind(&cofre, LISTED, &version_1(STRANGER), &sealed)?.status, 403);
    // What a client behind the PROXY protocol says of itself is its own word.
    let lying = near.clone().header("x-forwarded-for", FRIEND).header("x-forwarded-proto", "https");
    assert_eq!(behind(&cofre, LISTED, &version_1(STRANGER), &lying)?.status, 403);
    Ok(())
}

#[test]
fn each_request_of_a_proxys_connection_has_its_own_client() -> Result<()> {
    let cofre = behind_proxy(&[])?;
    let mut connection = connect(cofre.s3(), LISTED)?;
    for (client, status) in [(FRIEND, 200), (STRANGER, 403), (FRIEND, 200), ("junk", 403), ("", 403), (FRIEND, 200)] {
        let request = anonymous(&cofre, "near").header("x-forwarded-for", client);
        assert_eq!(connection.exchange(&request)?.status, status, "{client}");
    }
    Ok(())
}

#[test]
fn the_word_of_an_unlisted_address_changes_nothing() -> Result<()> {
    let mut cofre = behind_proxy(&[])?;
    let near = anonymous(&cofre, "near");
    for header in [version_1(FRIEND), version_2(FRIEND, true)?] {
        for address in [cofre.s3(), cofre.admin()] {
            let mut connection = connect(address, UNLISTED)?;
            connection.write(&header)?;
            let answer = connection.response(false)?;
            ensure!(answer.status == 400 && answer.text().contains("--trusted-proxy"), "{answer:?}");
            assert!(connection.is_closed());
        }
    }
    for key in ["near", "sealed"] {
        let request = anonymous(&cofre, key).header("x-forwarded-for", FRIEND).header("x-forwarded-proto", "https");
        assert_eq!(connect(cofre.s3(), UNLISTED)?.exchange(&request)?.status, 403, "{key}");
    }
    assert_eq!(connect(cofre.s3(), UNLISTED)?.exchange(&near)?.status, 403);
    let log = cofre.log();
    until("the request is logged", PATIENCE, || {
        Ok(log.text()?.contains(&format!("\"ip\":\"{UNLISTED}\"")).then_some(()))
    })?;
    ensure!(!cofre.log().text()?.contains(&format!("\"ip\":\"{FRIEND}\"")), "a stranger's word is logged");
    Ok(())
}

#[test]
fn limits_count_the_client_of_a_listed_proxy() -> Result<()> {
    let cofre = behind_proxy(&["--anonymous-requests-per-second", "1", "--connections-per-address-max", "8"])?;
    let from = |client: &str| anonymous(&cofre, "sealed").header("x-forwarded-for", client);
    let mut proxy = connect(cofre.s3(), LISTED)?;
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(proxy.exchange(&from(STRANGER))?.status);
    }
    ensure!(statuses[0] == 403 && statuses.contains(&503), "{statuses:?}");
    assert_eq!(proxy.exchange(&from(FRIEND))?.status, 403, "another client is as free as ever");

    // The proxy has the connections of all, and each client its own.
    let more: Vec<_> = (0..12).map(|_| connect(cofre.s3(), LISTED)).collect::<Result<_>>()?;
    let sealed = anonymous(&cofre, "sealed");
    let client = |number: u8| version_1(&format!("192.0.2.{number}"));
    let mut held = Vec::new();
    for _ in 0..8 {
        let mut connection = connect(cofre.s3(), LISTED)?;
        connection.write(&client(9))?;
        ensure!([403, 503].contains(&connection.exchange(&sealed)?.status));
        held.push(connection);
    }
    let ninth = behind(&cofre, LISTED, &client(9), &sealed)?;
    ensure!(ninth.status == 503 && ninth.text().contains("--connections-per-address-max"), "{ninth:?}");
    assert_eq!(behind(&cofre, LISTED, &client(10), &sealed)?.status, 403);
    drop((more, held));
    // Once it has gone, there is room for another.
    until("room for another connection", PATIENCE, || {
        let again = behind(&cofre, LISTED, &client(9), &sealed)?;
        Ok((!again.text().contains("--connections-per-address-max")).then_some(()))
    })
}

#[test]
fn logs_and_reports_name_the_client() -> Result<()> {
    let mut cofre = behind_proxy(&[])?;
    let (logs, policy) = (
        "suite-logs",
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow",
        "Action": "s3:PutObject", "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Resource": "arn:aws:s3:::suite-logs/*"}}"#,
    );
    let target = "<BucketLoggingStatus><LoggingEnabled><TargetBucket>suite-logs</TargetBucket>\
        <TargetPrefix>log/</TargetPrefix></LoggingEnabled></BucketLoggingStatus>";
    make_bucket(&cofre, logs)?;
    succeeded(cofre.send(Request::new("PUT", &format!("/{logs}?policy")).body(policy))?)?;
    succeeded(cofre.send(Request::new("PUT", &format!("/{BUCKET}?logging")).body(target))?)?;
    cofre.admin_command(&["settings", "set", "timers.access_log_delivery_secs=1"])?;

    let request = anonymous(&cofre, "near").header("x-forwarded-for", STRANGER);
    let denied = connect(cofre.s3(), LISTED)?.exchange(&request)?;
    refused(&denied, 403, "AccessDenied")?;
    let id = denied.header("x-amz-request-id").context("an id")?.to_owned();
    let report = cofre.admin_command(&["explain", &id])?;
    ensure!(report.to_string().contains(STRANGER), "{report}");
    let header = version_2(FRIEND, true)?;
    succeeded(behind(&cofre, LISTED, &header, &anonymous(&cofre, "sealed"))?)?;
    let log = cofre.log();
    until("both clients are in the log", PATIENCE, || {
        let text = log.text()?;
        let has = |ip: &str| text.contains(&format!("\"ip\":\"{ip}\""));
        Ok((has(STRANGER) && has(FRIEND)).then_some(()))
    })?;
    until("both clients are in the bucket's log", DELIVERY_MAX, || {
        let listed = succeeded(cofre.send(Request::new("GET", &format!("/{logs}?list-type=2")))?)?;
        let mut lines = String::new();
        for key in listed.text().split("<Key>").skip(1).filter_map(|key| key.split('<').next()) {
            lines.push_str(&succeeded(cofre.send(Request::new("GET", &format!("/{logs}/{key}")))?)?.text());
        }
        Ok([STRANGER, FRIEND].iter().all(|ip| lines.contains(&format!(" {ip} "))).then_some(()))
    })
}

#[test]
fn proxies_look_whether_cofre_lives() -> Result<()> {
    let cofre = behind_proxy(&[])?;
    let own = b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00";
    let answer = behind(&cofre, LISTED, own, &anonymous(&cofre, "near"))?;
    assert_eq!(answer.status, 403, "the proxy is no friend");
    let mut silent = connect(cofre.s3(), LISTED)?;
    silent.write(own)?;
    silent.finish()?;
    assert!(silent.is_closed());
    let live = Request::new("GET", "/health/live").header("host", "localhost");
    let mut admin = connect(cofre.admin(), LISTED)?;
    admin.write(&version_1(FRIEND))?;
    assert_eq!(admin.exchange(&live)?.status, 200);
    Ok(())
}

#[test]
fn headers_that_are_none_or_never_end_are_cut_off() -> Result<()> {
    let cofre = behind_proxy(&["--header-timeout-secs", "1"])?;
    let long = [b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff".to_vec(), vec![0; 64]].concat();
    let twice = [version_1(FRIEND), version_1(FRIEND)].concat();
    for bytes in
        [&b"PROXY TCP4 junk\r\n"[..], b"PROXY TCP9 1 2 3 4\r\n", &[b"PROXY ", &[b'a'; 200][..]].concat(), &long, &twice]
    {
        let mut connection = connect(cofre.s3(), LISTED)?;
        connection.write(bytes)?;
        let answer = connection.response(false)?;
        ensure!(answer.status == 400 && answer.code() == "InvalidRequest", "{bytes:?}: {answer:?}");
        assert!(connection.is_closed());
    }
    for bytes in [&b"PROXY TCP4 203.0"[..], b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00", &version_2(FRIEND, true)?[..30]] {
        let mut connection = connect(cofre.s3(), LISTED)?;
        connection.write(bytes)?;
        assert!(connection.is_closed(), "{bytes:?} holds its connection");
    }
    Ok(())
}

#[test]
fn tls_comes_behind_the_header_of_a_proxy() -> Result<()> {
    let folder = DataDir::new()?;
    let (cert, key) = super::tls::certificate(folder.path(), "passed")?;
    let (cert, key) = (cert.display().to_string(), key.display().to_string());
    let cofre = with_bucket_over_tls(&["--trusted-proxy", "127.0.0.1", "--tls-cert", &cert, "--tls-key", &key], &cert)?;
    let curl = |at: SocketAddr, arguments: &[&str]| {
        let common = ["--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--cacert", &cert];
        Tool::new("curl").args(&[&common, arguments].concat()).arg(format!("https://{at}{}", path("near"))).run()
    };
    let relays = [
        (relay(cofre.s3(), version_1(FRIEND))?, "200"),
        (relay(cofre.s3(), version_2(FRIEND, false)?)?, "200"),
        (relay(cofre.s3(), version_1(STRANGER))?, "403"),
        (relay(cofre.s3(), Vec::new())?, "403"),
    ];
    for version in ["--http1.1", "--http2"] {
        for (at, status) in relays {
            assert_eq!(curl(at, &[version])?, status, "{version}");
        }
        let forwarded = format!("x-forwarded-for: {FRIEND}");
        assert_eq!(curl(cofre.s3(), &[version, "--header", &forwarded])?, "200");
        assert_eq!(curl(relays[2].0, &[version, "--header", &forwarded])?, "403", "a client's own word");
    }
    Ok(())
}

/// A proxy that passes TLS through behind a header. It serves until the process ends.
fn relay(to: SocketAddr, header: Vec<u8>) -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let serve = move |client: TcpStream| -> Result<()> {
        let mut server = TcpStream::connect(to)?;
        server.write_all(&header)?;
        let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
        cofre_runtime::thread("relay", move || {
            // Either side may hang up.
            let _ = std::io::copy(&mut from_client, &mut to_server);
            let _ = to_server.shutdown(Shutdown::Write);
        })?;
        std::io::copy(&mut server, &mut { client })?;
        Ok(())
    };
    cofre_runtime::thread("relays", move || {
        for client in listener.incoming().flatten() {
            // curl shows what did not come.
            let _ = serve(client);
        }
    })?;
    Ok(address)
}

/// A server with the policy whose S3 API speaks TLS; what it needs is put through a proxy's own words.
fn with_bucket_over_tls(arguments: &[&str], cert: &str) -> Result<Cofre> {
    let cofre = Cofre::start(Options::new().args(arguments))?;
    let send = |method: &str, target: &str, body: &str| {
        let request = Request::new(method, target).header("host", &cofre.s3().to_string());
        let target = cofre.signer().presign(request, Duration::from_secs(60)).target;
        Tool::new("curl")
            .args(&["--silent", "--show-error", "--fail", "--cacert", cert, "--request", method, "--data-binary", body])
            .arg(format!("https://{}{target}", cofre.s3()))
            .run()
    };
    send("PUT", &format!("/{BUCKET}"), "")?;
    send("PUT", &path("near"), "near")?;
    let policy = Request::new("PUT", &format!("/{BUCKET}?policy")).header("host", &cofre.s3().to_string());
    let signed = cofre.signer().sign(policy.body(POLICY), Payload::Signed);
    let mut curl = Tool::new("curl");
    curl = curl.args(&[
        "--silent",
        "--show-error",
        "--fail",
        "--cacert",
        cert,
        "--request",
        "PUT",
        "--data-binary",
        POLICY,
    ]);
    for (name, value) in &signed.headers {
        curl = curl.arg("--header").arg(format!("{name}: {value}"));
    }
    curl.arg(format!("https://{}/{BUCKET}?policy", cofre.s3())).run()?;
    Ok(cofre)
}
