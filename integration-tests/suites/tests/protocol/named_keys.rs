//! Named encryption keys: who may use them is the operator's word, which outlives the process.

use anyhow::Result;
use cofre_harness::{Cofre, Options, Request, Tool};
use cofre_suites::{refused, succeeded};

#[test]
fn a_key_is_for_whom_the_operator_says() -> Result<()> {
    let mut cofre = Cofre::start(Options::new())?;
    let data = cofre.data().display().to_string();
    for key in ["orders", "photos"] {
        Tool::from_path(&Cofre::binary()).args(&["encryption-keys", "create", key, "--data", &data]).run()?;
    }
    let [ana, bea] = ["ana", "bea"].map(|name| cofre.create_account(name, &format!("{name}@example.com")));
    let (ana, bea) = (ana?.signer, bea?.signer);
    succeeded(cofre.send_as(&ana, Request::new("PUT", "/ana"))?)?;
    let put = |key: &str| {
        Request::new("PUT", &format!("/ana/{key}"))
            .header("x-amz-server-side-encryption", "aws:kms")
            .header("x-amz-server-side-encryption-aws-kms-key-id", key)
            .body("content")
    };
    let get = |key: &str| Request::new("GET", &format!("/ana/{key}"));
    succeeded(cofre.send_as(&ana, put("orders"))?)?;

    cofre.admin_command(&["encryption-key", "set-policy", "orders", "--only", "bea"])?;
    for _ in 0..2 {
        for request in [put("orders"), get("orders")] {
            let answer = cofre.send_as(&ana, request)?;
            refused(&answer, 403, "AccessDenied")?;
            assert!(answer.text().contains("cofre admin encryption-key set-policy"), "{}", answer.text());
        }
        succeeded(cofre.send_as(&ana, put("photos"))?)?;
        refused(&cofre.send_as(&bea, get("orders"))?, 403, "AccessDenied")?;
        cofre.stop()?;
        cofre.start_again()?;
    }
    let listed = cofre.admin_command(&["encryption-key", "policies"])?;
    assert_eq!(listed[0]["key"], "orders", "{listed}");
    // Both may: the bucket's owner puts, and the other one keeps its right.
    cofre.admin_command(&["encryption-key", "set-policy", "orders", "--only", "bea", "--only", "ana"])?;
    assert_eq!(succeeded(cofre.send_as(&ana, get("orders"))?)?.text(), "content");

    // From under one key to under another: the same bytes, whichever key is taken away.
    let update = Request::new("PUT", "/ana/orders?encryption").body(
        "<ObjectEncryption><SSE-KMS><KMSKeyArn>arn:aws:kms:::key/photos</KMSKeyArn></SSE-KMS></ObjectEncryption>",
    );
    let before = succeeded(cofre.send_as(&ana, get("orders"))?)?;
    succeeded(cofre.send_as(&ana, update)?)?;
    cofre.admin_command(&["encryption-key", "set-policy", "orders", "--only", "bea"])?;
    let after = succeeded(cofre.send_as(&ana, get("orders"))?)?;
    assert_eq!((after.text(), after.header("etag")), (before.text(), before.header("etag")));
    assert_eq!(after.header("x-amz-server-side-encryption-aws-kms-key-id"), Some("photos"));
    cofre.admin_lines(&["encryption-key", "delete-policy", "orders"])?;
    succeeded(cofre.send_as(&ana, put("orders"))?)?;
    Ok(())
}
