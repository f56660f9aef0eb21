use anyhow::Result;
use cofre_harness::{Connection, Fill, Options, Payload, Request};
use cofre_suites::{contents, get, path, put, refused, succeeded, with_bucket};
use std::time::Duration;

#[test]
fn a_body_that_ends_early_is_no_object() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    succeeded(cofre.send(put("object", b"before"))?)?;
    // Small ones and large ones go different ways.
    for length in [1_000, 16 << 20] {
        let request = Request::new("PUT", &path("object"))
            .header("host", &cofre.s3().to_string())
            .header("content-length", &length.to_string());
        let signed = cofre.signer().sign(request, Payload::Unsigned);
        let mut connection = Connection::open(cofre.s3())?;
        connection.write(signed.head().as_bytes())?;
        connection.write(&Fill(1).bytes(length / 2))?;
        connection.finish()?;
        // The answer is an error, if it still comes through.
        if let Ok(response) = connection.response(false) {
            assert!(response.status >= 400, "{response:?}");
        }
        assert_eq!(contents(&cofre, "object")?.as_deref(), Some(&b"before"[..]));
    }
    Ok(())
}

#[test]
fn a_body_must_be_what_its_checksums_say() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    // Each is the right one of another body.
    let wrong = [
        ("content-md5", "XUFAKrxLKna5cZ2REBfFkg==", "BadDigest"),
        ("x-amz-checksum-crc32", "AAAAAA==", "BadDigest"),
        ("x-amz-checksum-crc32c", "AAAAAA==", "BadDigest"),
        ("x-amz-checksum-crc64nvme", "AAAAAAAAAAA=", "BadDigest"),
        ("x-amz-checksum-sha1", "2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "BadDigest"),
        ("x-amz-checksum-sha256", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "BadDigest"),
        ("content-md5", "no digest", "InvalidDigest"),
        ("x-amz-checksum-crc32", "no checksum", "InvalidRequest"),
    ];
    for (header, value, code) in wrong {
        refused(&cofre.send(put("object", b"other").header(header, value))?, 400, code)?;
    }
    assert_eq!(contents(&cofre, "object")?, None);

    let right = [
        ("content-md5", "XUFAKrxLKna5cZ2REBfFkg=="),
        ("x-amz-checksum-crc32", "NhCmhg=="),
        ("x-amz-checksum-crc32c", "mnG7TA=="),
        ("x-amz-checksum-crc64nvme", "M3eFcAZSQlc="),
        ("x-amz-checksum-sha1", "qvTGHdzF6KLavt4PO0gs2a6pQ00="),
        ("x-amz-checksum-sha256", "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="),
    ];
    for (header, value) in right {
        let response = succeeded(cofre.send(put("object", b"hello").header(header, value))?)?;
        if header != "content-md5" {
            assert_eq!(response.header(header), Some(value));
            let read = succeeded(cofre.send(get("object").header("x-amz-checksum-mode", "ENABLED"))?)?;
            assert_eq!(read.header(header), Some(value));
        }
    }
    Ok(())
}

fn trailing(cofre: &cofre_harness::Cofre, key: &str, body: &str) -> Result<cofre_harness::Response> {
    let request = Request::new("PUT", &path(key))
        .header("host", &cofre.s3().to_string())
        .header("content-encoding", "aws-chunked")
        .header("x-amz-decoded-content-length", "5")
        .header("x-amz-trailer", "x-amz-checksum-crc32")
        .body(body);
    cofre.send_raw(&cofre.signer().sign(request, Payload::Named("STREAMING-UNSIGNED-PAYLOAD-TRAILER")))
}

#[test]
fn a_trailer_that_was_announced_must_come_and_be_right() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    for body in [
        "5\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n",
        "5\r\nhello\r\n0\r\nx-amz-checksum-sha1:qvTGHdzF6KLavt4PO0gs2a6pQ00=\r\n\r\n",
        "4\r\nhell\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n",
        "6\r\nhello!\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n",
        "5\r\nhello",
        "zz\r\nhello\r\n0\r\n\r\n",
        "ffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    ] {
        let response = trailing(&cofre, "object", body)?;
        assert!((400..500).contains(&response.status), "{body:?}: {} {}", response.status, response.text());
    }
    assert_eq!(contents(&cofre, "object")?, None);
    Ok(())
}

#[test]
fn the_framing_of_a_stream_is_no_encoding_of_the_object() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    succeeded(trailing(&cofre, "object", "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n")?)?;
    let response = succeeded(cofre.send(get("object"))?)?;
    assert_eq!((response.header("content-encoding"), &response.body[..]), (None, &b"hello"[..]));

    let request = Request::new("PUT", &path("object"))
        .header("host", &cofre.s3().to_string())
        .header("content-encoding", "aws-chunked,gzip")
        .header("x-amz-decoded-content-length", "5")
        .header("x-amz-trailer", "x-amz-checksum-crc32")
        .body("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n");
    let signed = cofre.signer().sign(request, Payload::Named("STREAMING-UNSIGNED-PAYLOAD-TRAILER"));
    succeeded(cofre.send_raw(&signed)?)?;
    assert_eq!(succeeded(cofre.send(get("object"))?)?.header("content-encoding"), Some("gzip"));
    Ok(())
}

#[test]
fn a_range_that_makes_no_sense_is_no_range() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    succeeded(cofre.send(put("object", b"0123456789"))?)?;
    let ranged = |range: &str| cofre.send(get("object").header("range", range));
    for range in ["bytes=5-2", "bytes=a-b", "lines=1-2", "bytes=0-1,4-5", "bytes=", "0-1"] {
        let response = ranged(range)?;
        assert_eq!((response.status, &response.body[..]), (200, &b"0123456789"[..]), "{range}");
    }
    for (range, body) in [("bytes=2-3", "23"), ("bytes=8-", "89"), ("bytes=-2", "89"), ("bytes=8-99", "89")] {
        let response = ranged(range)?;
        assert_eq!((response.status, response.text()), (206, body.to_owned()), "{range}");
        assert_eq!(response.header("content-length"), Some("2"));
    }
    refused(&ranged("bytes=10-")?, 416, "InvalidRange")?;
    refused(&ranged("bytes=-0")?, 416, "InvalidRange")
}

#[test]
fn a_body_is_asked_for_before_it_is_sent() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    let request = Request::new("PUT", &path("object"))
        .header("host", &cofre.s3().to_string())
        .header("content-length", "5")
        .header("expect", "100-continue");
    let signed = cofre.signer().sign(request, Payload::Unsigned);
    let mut connection = Connection::open(cofre.s3())?;
    connection.wait_at_most(Duration::from_secs(10))?;
    connection.write(signed.head().as_bytes())?;
    assert_eq!(connection.interim()?, 100);
    connection.write(b"hello")?;
    succeeded(connection.response(false)?)?;

    // Who may not put is told so before sending anything.
    let stranger = Request::new("PUT", &path("object"))
        .header("host", &cofre.s3().to_string())
        .header("content-length", "1000000000")
        .header("expect", "100-continue");
    let mut connection = Connection::open(cofre.s3())?;
    connection.wait_at_most(Duration::from_secs(10))?;
    connection.write(stranger.head().as_bytes())?;
    assert_eq!(connection.interim()?, 403);
    assert_eq!(contents(&cofre, "object")?.as_deref(), Some(&b"hello"[..]));
    Ok(())
}
