use anyhow::Result;
use cofre_harness::{Options, Payload, Request, Signer};
use cofre_suites::{BUCKET, contents, path, put, refused, succeeded, with_bucket};
use std::time::Duration;

const UNSIGNED_TRAILER: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
/// `hello` in one chunk, with its CRC32 behind it.
const TRAILED: &str = "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n";

/// A document that deletes `object`, and its digest.
const DELETE: &str = "<Delete><Object><Key>object</Key></Object></Delete>";
const DELETE_MD5: &str = "oCgHlpyAMk6nbRtw6t4M6A==";

fn trailed(key: &str) -> Request {
    Request::new("PUT", &path(key))
        .header("x-amz-trailer", "x-amz-checksum-crc32")
        .header("x-amz-decoded-content-length", "5")
        .header("content-encoding", "aws-chunked")
        .body(TRAILED)
}

#[test]
fn a_stream_with_an_unsigned_trailer_needs_a_signature() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    let host = cofre.s3().to_string();

    // MinIO and SeaweedFS took these without looking at who sent them.
    let bare = trailed("bare").header("host", &host).header("x-amz-content-sha256", UNSIGNED_TRAILER);
    refused(&cofre.send_raw(&bare)?, 403, "AccessDenied")?;
    let unknown = Signer::new("AKIAUNKNOWNUNKNOWN00", "secret");
    let forged = unknown.sign(trailed("bare").header("host", &host), Payload::Named(UNSIGNED_TRAILER));
    refused(&cofre.send_raw(&forged)?, 403, "InvalidAccessKeyId")?;
    let wrong = Signer::new(&cofre.signer().access_key, "wrong");
    let forged = wrong.sign(trailed("bare").header("host", &host), Payload::Named(UNSIGNED_TRAILER));
    refused(&cofre.send_raw(&forged)?, 403, "SignatureDoesNotMatch")?;
    assert_eq!(contents(&cofre, "bare")?, None);

    let signed = cofre.signer().sign(trailed("signed").header("host", &host), Payload::Named(UNSIGNED_TRAILER));
    succeeded(cofre.send_raw(&signed)?)?;
    assert_eq!(contents(&cofre, "signed")?.as_deref(), Some(&b"hello"[..]));
    Ok(())
}

#[test]
fn a_presigned_put_does_not_become_a_copy() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    succeeded(cofre.send(put("secret", b"secret"))?)?;
    let presign = |key: &str| {
        let request = Request::new("PUT", &path(key)).header("host", &cofre.s3().to_string());
        cofre.signer().presign(request, Duration::from_secs(60))
    };

    let source = format!("/{BUCKET}/secret");
    let response = cofre.send_raw(&presign("copied").header("x-amz-copy-source", &source))?;
    refused(&response, 403, "AccessDenied")?;
    assert_eq!(contents(&cofre, "copied")?, None);

    succeeded(cofre.send_raw(&presign("put").body(b"put"))?)?;
    assert_eq!(contents(&cofre, "put")?.as_deref(), Some(&b"put"[..]));
    Ok(())
}

#[test]
fn a_header_that_was_added_to_a_signed_request_is_refused() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    succeeded(cofre.send(put("secret", b"secret"))?)?;
    let request = Request::new("PUT", &path("copied")).header("host", &cofre.s3().to_string());
    let signed = cofre.signer().sign(request, Payload::Signed);
    let response = cofre.send_raw(&signed.header("x-amz-copy-source", &format!("/{BUCKET}/secret")))?;
    assert_eq!(response.status, 403, "{}", response.text());
    assert_eq!(contents(&cofre, "copied")?, None);
    Ok(())
}

#[test]
fn a_body_other_than_the_signed_one_is_refused() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    let request = put("object", b"signed").header("host", &cofre.s3().to_string());
    let signed = cofre.signer().sign(request, Payload::Signed);
    refused(&cofre.send_raw(&signed.body(b"others"))?, 400, "XAmzContentSHA256Mismatch")?;
    assert_eq!(contents(&cofre, "object")?, None);
    Ok(())
}

#[test]
fn a_presigned_request_ends_with_its_time() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    succeeded(cofre.send(put("object", b"object"))?)?;
    let get = || Request::new("GET", &path("object")).header("host", &cofre.s3().to_string());
    assert_eq!(succeeded(cofre.send_raw(&cofre.signer().presign(get(), Duration::from_secs(60)))?)?.body, b"object");
    let week_and_more = Duration::from_secs(8 * 86_400);
    assert_eq!(cofre.send_raw(&cofre.signer().presign(get(), week_and_more))?.status, 400);
    let short = cofre.signer().presign(get(), Duration::from_secs(1));
    let response = cofre_harness::until("the request expires", Duration::from_secs(10), || {
        Ok(Some(cofre.send_raw(&short)?).filter(|response| response.status != 200))
    })?;
    refused(&response, 403, "AccessDenied")
}

#[test]
fn nothing_is_public() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    succeeded(cofre.send(put("object", b"object"))?)?;
    let host = cofre.s3().to_string();
    for request in [
        Request::new("GET", "/"),
        Request::new("GET", &format!("/{BUCKET}")),
        Request::new("GET", &path("object")),
        Request::new("HEAD", &path("object")),
        Request::new("PUT", &path("other")).body(b"other"),
        Request::new("DELETE", &path("object")),
        Request::new("PUT", "/another-bucket"),
    ] {
        let response = cofre.send_raw(&request.clone().header("host", &host))?;
        assert_eq!(response.status, 403, "{} {}: {}", request.method, request.target, response.text());
    }
    // Many at once are refused one by one.
    let many = Request::new("POST", &format!("/{BUCKET}?delete")).header("host", &host);
    let response = succeeded(cofre.send_raw(&many.header("content-md5", DELETE_MD5).body(DELETE))?)?;
    assert!(response.code() == "AccessDenied" && !response.text().contains("<Deleted>"), "{}", response.text());
    assert_eq!(contents(&cofre, "object")?.as_deref(), Some(&b"object"[..]));
    Ok(())
}

#[test]
fn accounts_do_not_see_each_other() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    succeeded(cofre.send(put("secret", b"secret"))?)?;
    let other = cofre.create_account("other", "other@example.com")?.signer;
    succeeded(cofre.send_as(&other, Request::new("PUT", "/other-bucket"))?)?;
    let source = format!("/{BUCKET}/secret");

    let forbidden = [
        Request::new("GET", &path("secret")),
        Request::new("PUT", &path("secret")).body(b"theirs"),
        Request::new("DELETE", &path("secret")),
        Request::new("GET", &format!("/{BUCKET}?list-type=2")),
        Request::new("DELETE", &format!("/{BUCKET}")),
        // RustFS and SeaweedFS did not ask for the right to read a source.
        Request::new("PUT", "/other-bucket/copy").header("x-amz-copy-source", &source),
    ];
    for request in forbidden {
        refused(&cofre.send_as(&other, request)?, 403, "AccessDenied")?;
    }

    let upload = succeeded(cofre.send_as(&other, Request::new("POST", "/other-bucket/parts?uploads"))?)?;
    let id = upload.element("UploadId").unwrap_or_default();
    let part = Request::new("PUT", &format!("/other-bucket/parts?partNumber=1&uploadId={id}"));
    refused(&cofre.send_as(&other, part.header("x-amz-copy-source", &source))?, 403, "AccessDenied")?;

    let listed = succeeded(cofre.send_as(&other, Request::new("GET", "/"))?)?.text();
    assert!(listed.contains("other-bucket") && !listed.contains(BUCKET), "{listed}");
    assert_eq!(contents(&cofre, "secret")?.as_deref(), Some(&b"secret"[..]));
    Ok(())
}
