//! Bodies that must be whole before they are understood: the rights of their senders, their bounds, and the memory of
//! all of them.

use anyhow::{Context, Result, ensure};
use cofre_harness::{Cofre, Connection, Options, Payload, Request, Signer};
use cofre_suites::{BUCKET, path, refused, succeeded, with_bucket};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(12);

/// Sends the head of a request of this length and `sent` bytes of its body, signed if there is someone to.
fn begun(cofre: &Cofre, signer: Option<&Signer>, request: Request, length: usize, sent: usize) -> Result<Connection> {
    let request = request.header("host", &cofre.s3().to_string()).header("content-length", &length.to_string());
    let request = match signer {
        Some(signer) => signer.sign(request, Payload::Unsigned),
        None => request,
    };
    let mut connection = Connection::open(cofre.s3())?;
    connection.wait_at_most(PATIENCE)?;
    connection.write(request.head().as_bytes())?;
    // It may be refused before all of this is through.
    let _ = connection.write(&vec![b' '; sent]);
    Ok(connection)
}

#[test]
fn rights_come_before_bodies() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    let stranger = cofre.create_account("stranger", "stranger@example.test")?;
    let upload = "00000000000000000000000000000000";
    for (method, target, length) in [
        ("POST", format!("/{BUCKET}?delete"), 1 << 20),
        ("POST", format!("{}?uploadId={upload}", path("k")), 1 << 20),
        ("PUT", format!("/{BUCKET}?policy"), 40 << 10),
        ("PUT", format!("/{BUCKET}?lifecycle"), 200 << 10),
        ("PUT", format!("{}?tagging", path("k")), 60 << 10),
        ("PUT", path("k"), 100 << 10),
    ] {
        // Someone with an account may own the object.
        let strangers = if target.ends_with("tagging") { vec![None] } else { vec![None, Some(&stranger.signer)] };
        for signer in strangers {
            let request = Request::new(method, &target);
            let mut connection = begun(&cofre, signer, request, length, 20 << 10)?;
            refused(&connection.response(false)?, 403, "AccessDenied").with_context(|| format!("{method} {target}"))?;
        }
        let request = Request::new(method, &target.replacen(BUCKET, "no-such-bucket", 1));
        let mut connection = begun(&cofre, None, request, length, 20 << 10)?;
        refused(&connection.response(false)?, 404, "NoSuchBucket").with_context(|| format!("{method} {target}"))?;
    }
    Ok(())
}

#[test]
fn documents_have_the_bounds_of_their_operations() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    for (method, target, length) in [
        ("POST", format!("/{BUCKET}?delete"), 8 << 20),
        ("PUT", format!("/{BUCKET}?policy"), 80 << 10),
        ("PUT", format!("/{BUCKET}?versioning"), 80 << 10),
        ("PUT", format!("/{BUCKET}?cors"), 1 << 20),
        ("PUT", format!("{}?tagging", path("k")), 80 << 10),
    ] {
        let request = Request::new(method, &target);
        let mut connection = begun(&cofre, Some(cofre.signer()), request, length, 1_000)?;
        let response = connection.response(false)?;
        refused(&response, 400, "MaxMessageLengthExceeded").with_context(|| format!("{method} {target}"))?;
    }
    // Elements that cost little to send and much to keep.
    let begun = succeeded(cofre.send(Request::new("POST", &format!("{}?uploads", path("k"))))?)?;
    let upload = begun.element("UploadId").context("an upload")?;
    let complete = Request::new("POST", &format!("{}?uploadId={upload}", path("k")));
    for part in ["<Part></Part>", "<Part/>", "<Part a='/>'></Part>"] {
        let body = format!("<CompleteMultipartUpload>{}</CompleteMultipartUpload>", part.repeat(10_001));
        refused(&cofre.send(complete.clone().body(body))?, 400, "MalformedXML")?;
    }
    Ok(())
}

#[test]
fn bodies_without_a_length_are_held_for_who_may_send_them() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    let stranger = cofre.create_account("stranger", "stranger@example.test")?;
    for target in [path("k"), format!("{}?partNumber=1&uploadId={}", path("k"), "0".repeat(32))] {
        for (signer, may) in [(None, false), (Some(&stranger.signer), false), (Some(cofre.signer()), true)] {
            let request = Request::new("PUT", &target)
                .header("host", &cofre.s3().to_string())
                .header("transfer-encoding", "chunked");
            let request = match signer {
                Some(signer) => signer.sign(request, Payload::Unsigned),
                None => request,
            };
            let mut connection = Connection::open(cofre.s3())?;
            connection.wait_at_most(PATIENCE)?;
            connection.write(request.head().as_bytes())?;
            // More is to come, and who may not send it is told before.
            let chunk = format!("5000\r\n{}\r\n", " ".repeat(0x5000));
            connection.write(chunk.as_bytes())?;
            if may {
                ensure!(!connection.has_news(Duration::from_secs(1))?, "{target}");
                connection.write(b"0\r\n\r\n")?;
                ensure!(matches!(connection.response(false)?.status, 200 | 404), "{target}");
            } else {
                refused(&connection.response(false)?, 403, "AccessDenied").with_context(|| target.clone())?;
            }
        }
    }
    Ok(())
}

#[test]
fn one_account_leaves_room_for_the_documents_of_others() -> Result<()> {
    let cofre = with_bucket(Options::new().args(&["--documents-bytes-max", "48MiB"]))?;
    let other = cofre.create_account("other", "other@example.test")?;
    succeeded(cofre.send_as(&other.signer, Request::new("PUT", "/others-bucket"))?)?;
    let delete = Request::new("POST", &format!("/{BUCKET}?delete"));
    // As many of them as one account gets, all unfinished: large ones, and small ones in what these leave.
    let held = [1 << 20, 256 << 10, 64 << 10]
        .into_iter()
        .flat_map(|sent| std::iter::repeat_n(sent, 24))
        .map(|sent| begun(&cofre, Some(cofre.signer()), delete.clone(), 6 << 20, sent))
        .collect::<Result<Vec<_>>>()?;
    let keys: String = (0..1_000).map(|key| format!("<Object><Key>{key:0900}</Key></Object>")).collect();
    let body = format!("<Delete>{keys}</Delete>");
    let digest = cofre_harness::sha256_base64(body.as_bytes());
    let large = |bucket: &str| {
        Request::new("POST", &format!("/{bucket}?delete")).header("x-amz-checksum-sha256", &digest).body(body.clone())
    };
    cofre_harness::until("one account has what it gets", PATIENCE, || {
        let own = cofre.send(large(BUCKET))?;
        Ok((own.status == 503).then_some(()))
    })?;
    succeeded(cofre.send_as(&other.signer, large("others-bucket"))?)?;
    drop(held);
    cofre_harness::until("the budget is free again", PATIENCE, || {
        Ok((cofre.send(large(BUCKET))?.status == 200).then_some(()))
    })
}

#[test]
fn documents_share_a_budget() -> Result<()> {
    let cofre = with_bucket(Options::new().args(&["--documents-bytes-max", "48MiB"]))?;
    let delete = Request::new("POST", &format!("/{BUCKET}?delete"));
    let begin = || begun(&cofre, Some(cofre.signer()), delete.clone(), 6 << 20, 5 << 20);
    let mut held: Vec<_> = (0..8).map(|_| begin()).collect::<Result<_>>()?;
    let mut refusals = 0;
    for connection in &mut held {
        if connection.has_news(Duration::from_secs(1))? {
            refused(&connection.response(false)?, 503, "SlowDown")?;
            refusals += 1;
        }
    }
    ensure!((5..8).contains(&refusals), "{refusals} of 8 that are 40 MiB together");
    drop(held);
    let body = "<Delete><Object><Key>k</Key></Object></Delete>";
    let request = delete
        .header("x-amz-checksum-algorithm", "SHA256")
        .header("x-amz-checksum-sha256", &cofre_harness::sha256_base64(body.as_bytes()))
        .body(body);
    cofre_harness::until("the budget is free again", PATIENCE, || {
        Ok((cofre.send(request.clone())?.status == 200).then_some(()))
    })
}

#[test]
fn a_grantee_longer_than_any_key_of_the_catalog_is_nobody() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    let list = cofre.send(Request::new("GET", &format!("/{BUCKET}?acl")))?.text();
    let owner = list.split("<Owner>").nth(1).and_then(|rest| rest.split("</Owner>").next()).context("an owner")?;
    for length in [1_000, 20_000, 70_000, 100_000] {
        let address = format!("{}@example.test", "a".repeat(length));
        let body = format!(
            "<AccessControlPolicy><Owner>{owner}</Owner><AccessControlList><Grant><Grantee \
             xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"AmazonCustomerByEmail\">\
             <EmailAddress>{address}</EmailAddress></Grantee><Permission>READ</Permission></Grant></AccessControlList>\
             </AccessControlPolicy>"
        );
        let answer = cofre.send(Request::new("PUT", &format!("/{BUCKET}?acl")).body(body))?;
        refused(&answer, 400, "UnresolvableGrantByEmailAddress").with_context(|| length.to_string())?;
    }
    Ok(())
}
