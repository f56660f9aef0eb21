//! A person with the id of a refused request, and an operator who is asked about it.

use anyhow::{Context, Result};
use cofre_harness::{Cofre, Options, Request, Response, Signer};
use cofre_suites::{BUCKET, get, succeeded, with_bucket};
use serde_json::Value;
use std::process::Command;

fn id(response: &Response) -> Result<String> {
    Ok(response.header("x-amz-request-id").context("an id")?.to_owned())
}

#[test]
fn an_operator_asks_why_a_request_was_refused() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    let bob = cofre.create_account("bob", "bob@example.com")?;
    let denied = cofre.send_as(&bob.signer, get("object"))?;
    assert_eq!((denied.status, denied.code().as_str()), (403, "AccessDenied"));
    let report = cofre.admin_command(&["explain", &id(&denied)?])?;
    assert_eq!(report["account"], bob.id.as_str());
    assert_eq!(report["operation"], "GetObject");
    assert!(report["parts"].as_array().is_some_and(|parts| !parts.is_empty()), "{report}");

    let stranger = Signer::new(&bob.signer.access_key, "another-secret-key-than-bobs");
    let refused = cofre.send_as(&stranger, get("object"))?;
    assert_eq!(refused.code(), "SignatureDoesNotMatch");
    let report = cofre.admin_command(&["explain", &id(&refused)?])?;
    assert!(report["hints"].as_array().is_some_and(|hints| !hints.is_empty()), "{report}");
    assert!(!report.to_string().contains("another-secret"), "{report}");

    // For people, and for those who mistype.
    let explain = |id: &str| {
        Command::new(Cofre::binary())
            .args(["admin", "explain", id])
            .env("COFRE_ADMIN_URL", format!("http://{}", cofre.admin()))
            .env("COFRE_ADMIN_TOKEN_FILE", cofre.data().join("admin-token"))
            .output()
    };
    let shown = String::from_utf8(explain(&id(&denied)?)?.stdout)?;
    let rule = "refused    s3:GetObject of arn:aws:s3:::suite-bucket/object: nothing allows it";
    for told in ["403 AccessDenied", "GET /suite-bucket/object", "took  ", rule] {
        assert!(shown.contains(told), "{told}: {shown}");
    }
    let policy = format!(
        r#"{{"Statement": {{"Sid": "nobody", "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::{BUCKET}/*", "Condition": {{"IpAddress": {{"aws:SourceIp": "127.0.0.0/8"}}}}}}}}"#
    );
    succeeded(cofre.send(Request::new("PUT", &format!("/{BUCKET}?policy")).body(policy))?)?;
    let denied = cofre.send_as(&bob.signer, get("object"))?;
    let shown = String::from_utf8(explain(&id(&denied)?)?.stdout)?;
    for told in ["statement 0 \"nobody\" (Deny): applies", "IpAddress aws:sourceip saw 127.0.0.1: holds"] {
        assert!(shown.contains(told), "{told}: {shown}");
    }
    // The account asks for itself, and is told of another's policy only that it decided.
    let own = cofre.send_as(&bob.signer, Request::new("GET", &format!("/.cofre/requests/{}", id(&denied)?)))?;
    let own: Value = serde_json::from_slice(&succeeded(own)?.body)?;
    assert_eq!(own["decisions"][0]["rule"], "what belongs to another account does not allow it", "{own}");
    assert!(!own.to_string().contains("nobody"), "{own}");
    let unknown = String::from_utf8(explain("0000000000000000")?.stderr)?;
    assert!(unknown.contains("there is no request of that id that is kept"), "{unknown}");
    Ok(())
}
