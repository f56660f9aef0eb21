use anyhow::Result;
use cofre_harness::{Cofre, Connection, Options, Payload, Request, Response, Tool};
use cofre_suites::{BUCKET, contents, path, put, refused, succeeded, with_bucket};
use serde_json::Value;
use std::time::Duration;

/// Longer than any time-out that these tests set, and shorter than any that they do not.
const PATIENCE: Duration = Duration::from_secs(12);

/// An id of an upload that is not there.
const UPLOAD: &str = "00000000000000000000000000000000";

#[test]
fn heads_and_bodies_that_stand_still_are_cut_off() -> Result<()> {
    let options = Options::new().args(&["--header-timeout-secs", "1", "--body-timeout-secs", "1"]);
    let cofre = with_bucket(options)?;

    let mut slow_head = Connection::open(cofre.s3())?;
    slow_head.wait_at_most(PATIENCE)?;
    slow_head.write(b"GET / HTTP/1.1\r\nhost: a\r\nx-slow: ")?;
    assert!(slow_head.is_closed(), "a head that never ends holds its connection");

    let mut slow_body = Connection::open(cofre.s3())?;
    slow_body.wait_at_most(PATIENCE)?;
    let request = put("slow", b"").header("host", &cofre.s3().to_string()).header("content-length", "100");
    let signed = cofre.signer().sign(request, Payload::Unsigned);
    slow_body.write(signed.head().as_bytes())?;
    slow_body.write(b"begun")?;
    let response = slow_body.response(false)?;
    refused(&response, 400, "RequestTimeout")?;
    assert_eq!(contents(&cofre, "slow")?, None);
    Ok(())
}

#[test]
fn a_connection_that_idles_is_closed() -> Result<()> {
    let cofre = with_bucket(Options::new().args(&["--idle-timeout-secs", "1", "--header-timeout-secs", "30"]))?;
    let mut idle = Connection::open(cofre.s3())?;
    idle.wait_at_most(PATIENCE)?;
    let request = Request::new("GET", "/").header("host", &cofre.s3().to_string());
    succeeded(idle.exchange(&cofre.signer().sign(request, Payload::Signed))?)?;
    assert!(idle.is_closed(), "a connection that idles stays open");
    Ok(())
}

#[test]
fn a_flood_of_headers_is_refused() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    let many: String = (0..5_000).map(|number| format!("x-header-{number}: value\r\n")).collect();
    let long = format!("x-long: {}\r\n", "a".repeat(4 << 20));
    let target = format!("/{}", "a".repeat(1 << 20));
    for head in
        [format!("GET / HTTP/1.1\r\n{many}"), format!("GET / HTTP/1.1\r\n{long}"), format!("GET {target} HTTP/1.1\r\n")]
    {
        let mut connection = Connection::open(cofre.s3())?;
        connection.wait_at_most(PATIENCE)?;
        // The server may close while we still send.
        let sent = connection.write(format!("{head}host: a\r\n\r\n").as_bytes());
        match connection.response(false) {
            Ok(response) => assert!((400..500).contains(&response.status), "{response:?}"),
            Err(error) => assert!(
                sent.is_err() || error.to_string().contains("ended") || error.to_string().contains("read"),
                "{error:#}"
            ),
        }
    }
    succeeded(cofre.send(Request::new("GET", "/"))?).map(drop)
}

#[test]
fn a_head_has_16_kib_at_most() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    for address in [cofre.s3(), cofre.admin()] {
        for (bytes, refused) in [(14 << 10, false), (16 << 10, true), (40 << 10, true), (200 << 10, true)] {
            let head = format!("GET / HTTP/1.1\r\nhost: a\r\nuser-agent: {}\r\n\r\n", "a".repeat(bytes));
            let mut connection = Connection::open(address)?;
            connection.wait_at_most(PATIENCE)?;
            connection.write(head.as_bytes())?;
            let response = connection.response(false)?;
            assert_eq!(response.status == 431, refused, "{bytes}: {response:?}");
            if refused {
                let id = match address == cofre.s3() {
                    true => response.element("RequestId").filter(|_| response.code() == "RequestHeaderSectionTooLarge"),
                    false => serde_json::from_slice::<Value>(&response.body)?["request_id"].as_str().map(str::to_owned),
                };
                let header = if address == cofre.s3() { "x-amz-request-id" } else { "x-request-id" };
                assert_eq!(id.as_deref(), response.header(header), "{response:?}");
                assert!(id.is_some_and(|id| id.len() == 16), "{response:?}");
                assert_eq!(response.header("connection"), Some("close"));
                assert!(connection.is_closed());
            }
            let said = Tool::new("curl")
                .args(&["--silent", "--http2-prior-knowledge", "--output", "/dev/null", "--write-out", "%{http_code}"])
                .args(&["--user-agent", &"a".repeat(bytes)])
                .arg(format!("http://{address}/"))
                .run();
            // Beyond what an encoder may send at all the connection ends.
            let taken = said.as_ref().is_ok_and(|said| said != "431" && said != "000");
            assert_eq!(taken, !refused, "{bytes} over HTTP/2: {said:?}");
        }
    }
    Ok(())
}

#[test]
fn bytes_that_are_no_http_are_refused() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"GET\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n",
        b"PUT /b/k HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\nhello",
        b"GET / HTTP/1.1\r\nhost: a\r\nx: \xff\xfe\r\n\r\n",
        b"GET /%zz?%zz=%zz HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
    ] {
        let mut connection = Connection::open(cofre.s3())?;
        connection.wait_at_most(PATIENCE)?;
        connection.write(bytes)?;
        connection.finish()?;
        if let Ok(response) = connection.response(false) {
            assert!((400..500).contains(&response.status), "{bytes:?}: {response:?}");
            assert!(response.header("x-amz-request-id").is_some() && !response.code().is_empty(), "{response:?}");
        }
    }
    // What cannot be read may come behind what can.
    let mut connection = Connection::open(cofre.s3())?;
    connection.wait_at_most(PATIENCE)?;
    connection.write(b"GET /suite-bucket HTTP/1.1\r\nhost: a\r\n\r\nGET\r\n\r\n")?;
    refused(&connection.response(false)?, 403, "AccessDenied")?;
    refused(&connection.response(false)?, 400, "BadRequest")?;
    succeeded(cofre.send(Request::new("GET", "/"))?).map(drop)
}

/// What the end of an object is like says nothing of what it is.
#[test]
fn content_that_looks_like_a_refusal_is_content() -> Result<()> {
    const LAST: &[u8] = b"HTTP/1.1 400\r\n\r\n";
    let cofre = with_bucket(Options::new())?;
    let begun = succeeded(cofre.send(Request::new("POST", &format!("{}?uploads", path("odd"))))?)?;
    let upload = begun.element("UploadId").unwrap_or_default();
    let first = vec![7; 5 << 20];
    let mut parts = String::new();
    for (number, body) in [(1, &first[..]), (2, LAST)] {
        let target = format!("{}?partNumber={number}&uploadId={upload}", path("odd"));
        let put = succeeded(cofre.send(Request::new("PUT", &target).body(body))?)?;
        let etag = put.header("etag").unwrap_or_default();
        parts.push_str(&format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"));
    }
    let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
    succeeded(cofre.send(Request::new("POST", &format!("{}?uploadId={upload}", path("odd"))).body(body))?)?;
    let whole = [&first[..], LAST].concat();
    for _ in 0..10 {
        assert!(contents(&cofre, "odd")?.is_some_and(|found| found == whole));
    }
    Ok(())
}

#[test]
fn documents_have_a_bound_and_a_form() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    let delete = format!("/{BUCKET}?delete");
    let post = |body: String| cofre.send(with_md5(Request::new("POST", &delete), body));

    refused(&post(String::new())?, 400, "MissingRequestBodyError")?;
    for body in ["<", "<Delete>", "<Delete></Delet>", "<Delete><Object><Key>a</Object></Delete>", "no xml at all"] {
        refused(&post(body.to_owned())?, 400, "MalformedXML")?;
    }
    // An entity that expands to a thousand others must not.
    let bomb = "<!DOCTYPE d [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">]><Delete><Object><Key>&b;</Key></Object></Delete>";
    refused(&post(bomb.to_owned())?, 400, "MalformedXML")?;

    let keys = |count: usize| -> String { (0..count).map(|n| format!("<Object><Key>k{n}</Key></Object>")).collect() };
    refused(&post(format!("<Delete>{}</Delete>", keys(1_001)))?, 400, "MalformedXML")?;
    let deleted = succeeded(post(format!("<Delete>{}</Delete>", keys(1_000)))?)?;
    assert_eq!(deleted.text().matches("<Deleted>").count(), 1_000);

    let huge = format!("<Delete>{}</Delete>", " ".repeat(64 << 20));
    let answer = post(huge);
    if let Ok(response) = answer {
        assert!((400..500).contains(&response.status), "{}", response.text());
    }
    // A document that came through as another deletes nothing.
    succeeded(cofre.send(put("k0", b"kept"))?)?;
    for (header, wrong) in [("content-md5", "XUFAKrxLKna5cZ2REBfFkg=="), ("x-amz-checksum-crc32", "AAAAAA==")] {
        let request = Request::new("POST", &delete).header(header, wrong).body(format!("<Delete>{}</Delete>", keys(1)));
        refused(&cofre.send(request)?, 400, "BadDigest")?;
    }
    assert_eq!(contents(&cofre, "k0")?.as_deref(), Some(&b"kept"[..]));
    Ok(())
}

/// SHA-256 stands in for the MD5: clients may send either.
fn with_md5(request: Request, body: String) -> Request {
    let digest = cofre_harness::sha256_base64(body.as_bytes());
    request.header("x-amz-checksum-algorithm", "SHA256").header("x-amz-checksum-sha256", &digest).body(body)
}

#[test]
fn bad_arguments_are_named() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    succeeded(cofre.send(put("object", b"x"))?)?;
    let cases = [
        (Request::new("GET", &format!("/{BUCKET}?max-keys=minus")), "InvalidArgument", "max-keys"),
        (Request::new("GET", &format!("/{BUCKET}?max-keys=-1")), "InvalidArgument", "max-keys"),
        (
            Request::new("GET", &format!("/{BUCKET}?list-type=2&continuation-token=%21")),
            "InvalidArgument",
            "continuation",
        ),
        (Request::new("GET", &format!("/{BUCKET}?encoding-type=base64")), "InvalidArgument", "ncoding"),
        (Request::new("PUT", "/Capital-Bucket"), "InvalidBucketName", "bucket"),
        (Request::new("PUT", "/ab"), "InvalidBucketName", "bucket"),
        (Request::new("PUT", "/127.0.0.1"), "InvalidBucketName", "bucket"),
        (Request::new("PUT", &format!("{}?partNumber=0&uploadId={UPLOAD}", path("object"))), "InvalidArgument", "art"),
        (
            Request::new("PUT", &format!("{}?partNumber=10001&uploadId={UPLOAD}", path("object"))),
            "InvalidArgument",
            "art",
        ),
        (Request::new("PUT", &path("object")).header("x-amz-copy-source", "nothing"), "InvalidArgument", "opy"),
        (Request::new("PUT", &path("object")).header("x-amz-tagging", "a=1&a=2"), "InvalidArgument", "ag"),
        (Request::new("PUT", &path("object")).header("x-amz-storage-class", "NONE"), "InvalidStorageClass", "torage"),
    ];
    for (request, code, field) in cases {
        let target = request.target.clone();
        let response = cofre.send(request)?;
        assert_eq!((response.status, response.code()), (400, code.to_owned()), "{target}: {}", response.text());
        assert!(response.text().to_lowercase().contains(&field.to_lowercase()), "{target}: {}", response.text());
    }
    Ok(())
}

#[test]
fn an_object_that_is_too_large_is_refused_before_it_is_sent() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    let request = put("huge", b"")
        .header("host", &cofre.s3().to_string())
        .header("content-length", &((5_u64 << 30) + 1).to_string());
    let mut connection = Connection::open(cofre.s3())?;
    connection.wait_at_most(PATIENCE)?;
    connection.write(cofre.signer().sign(request, Payload::Unsigned).head().as_bytes())?;
    refused(&connection.response(false)?, 400, "EntityTooLarge")
}

#[test]
fn user_metadata_has_a_bound() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    let fits = "a".repeat(2_000);
    succeeded(cofre.send(put("object", b"x").header("x-amz-meta-text", &fits))?)?;
    let large = "a".repeat(2_100);
    refused(&cofre.send(put("object", b"x").header("x-amz-meta-text", &large))?, 400, "MetadataTooLarge")
}

/// The interim answer, or the error, to a head whose body waits for it.
fn answered(cofre: &Cofre, request: Request, payload: Payload<'_>) -> Result<Response> {
    let request = request.header("host", &cofre.s3().to_string()).header("expect", "100-continue");
    let mut connection = Connection::open(cofre.s3())?;
    connection.wait_at_most(PATIENCE)?;
    connection.write(cofre.signer().sign(request, payload).head().as_bytes())?;
    connection.response(false)
}

#[test]
fn what_a_quota_has_no_room_for_is_refused_before_it_is_sent() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    let begun = succeeded(cofre.send(Request::new("POST", &format!("{}?uploads", path("parts"))))?)?.text();
    let upload =
        begun.split("<UploadId>").nth(1).and_then(|rest| rest.split('<').next()).unwrap_or_default().to_owned();
    cofre.admin_command(&["bucket", "quota", BUCKET, "--bytes", "1000"])?;
    let part = format!("{}?partNumber=1&uploadId={upload}", path("parts"));
    for target in [path("object"), part] {
        for length in [1_001_u64, 1 << 30] {
            let plain = Request::new("PUT", &target).header("content-length", &length.to_string());
            let refusal = answered(&cofre, plain, Payload::Unsigned)?;
            refused(&refusal, 403, "QuotaExceeded")?;
            let text = refusal.text();
            let told = [
                format!("the quota of the bucket {BUCKET} on bytes is 1000").replacen("the", "The", 1),
                "<QuotaOf>Bucket</QuotaOf>".to_owned(),
                "<Limit>1000</Limit>".to_owned(),
                "<Used>0</Used>".to_owned(),
                format!("<Proposed>{length}</Proposed>"),
            ];
            for told in told {
                assert!(text.contains(&told), "{told}: {text}");
            }
            let framed = Request::new("PUT", &target)
                .header("content-encoding", "aws-chunked")
                .header("content-length", "900")
                .header("x-amz-decoded-content-length", &length.to_string())
                .header("x-amz-trailer", "x-amz-checksum-crc32");
            let refusal = answered(&cofre, framed, Payload::Named("STREAMING-UNSIGNED-PAYLOAD-TRAILER"))?;
            refused(&refusal, 403, "QuotaExceeded")?;
        }
    }
    succeeded(cofre.send(put("object", &[0; 1_000]))?)?;
    Ok(())
}

#[test]
fn overwriting_does_not_fill_the_disk() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    cofre.admin_command(&["bucket", "quota", BUCKET, "--bytes", "2MiB"])?;
    let body = vec![7; 1 << 20];
    let mut slowed = 0;
    for _ in 0..40 {
        let answer = cofre.send(put("object", &body))?;
        if answer.status == 503 {
            refused(&answer, 503, "SlowDown")?;
            slowed += 1;
        } else {
            succeeded(answer)?;
        }
    }
    // One stands, and three times the quota may wait for the end of its grace.
    assert_eq!(slowed, 40 - 1 - 6);
    assert_eq!(contents(&cofre, "object")?.as_deref(), Some(&body[..]));
    succeeded(cofre.send(Request::new("DELETE", &path("object")))?)?;
    Ok(())
}

#[test]
fn all_headers_of_an_object_have_a_bound() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    let header = |bytes: usize| put("object", b"x").header("cache-control", &"a".repeat(bytes));
    succeeded(cofre.send(header(8_000))?)?;
    refused(&cofre.send(header(8_200))?, 400, "MetadataTooLarge")
}

#[test]
fn the_name_of_a_bucket_is_refused_by_its_rule() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    for (name, rule) in
        [("ab", "3 to 63 characters"), ("Capital-Bucket", "lower-case letters"), ("sthree-a", "reserved")]
    {
        let answer = cofre.send(Request::new("PUT", &format!("/{name}")))?;
        refused(&answer, 400, "InvalidBucketName")?;
        assert!(answer.text().contains(rule), "{}", answer.text());
    }
    Ok(())
}
