//! Who may do what: every operation of the table, by everyone who may ask. A row of `rights::operations`
//! says it with a mark for each of:
//!
//! | | |
//! |---|---|
//! | owner | the bucket's owner |
//! | other | another account, which nothing grants anything |
//! | policy | another account, which the bucket's policy grants everything |
//! | list | another account, which the lists of bucket and object give full control |
//! | denied | the owner, whom the bucket's policy denies everything |
//! | public | nobody: no credentials, and no grant |
//! | forged | the owner's key with a signature that is wrong |
//! | session | the owner with a session token |
//!
//! `+` is an answer that is not about rights, whatever it says; `-` is a refusal.

use crate::bed::{Answer, Bed, base64};
use crate::forms::form;
use crate::rights::{By, operations, policy, send, statement};
use crate::sign::Draft;
use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const TABLE: &str = include_str!("../../src/ops/table.rs");

const CASES: [(By, Given); 8] = [
    (By::Alice, Given::Nothing),
    (By::Bob, Given::Nothing),
    (By::Bob, Given::Allow),
    (By::Bob, Given::Lists),
    (By::Alice, Given::Deny),
    (By::Anyone, Given::Nothing),
    (By::Forger, Given::Nothing),
    (By::Session, Given::Nothing),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Given {
    Nothing,
    Allow,
    Deny,
    Lists,
}

impl Given {
    fn policy(self) -> Option<Value> {
        let everything = |effect| policy(json!([statement(effect, &json!("*"), &json!("s3:*"))]));
        match self {
            Self::Nothing | Self::Lists => None,
            Self::Allow => everything("Allow"),
            Self::Deny => everything("Deny"),
        }
    }
}

fn mark(answer: &Answer) -> &'static str {
    const REFUSALS: [&str; 4] = ["AccessDenied", "SignatureDoesNotMatch", "InvalidToken", "MethodNotAllowed"];
    let code = String::from_utf8_lossy(&answer.body).into_owned();
    let refused = REFUSALS.iter().any(|refusal| code.contains(&format!("<Code>{refusal}</Code>")));
    // A HEAD has no body; what is wrong with a token is a 400.
    let silent = answer.body.is_empty() && matches!(answer.status.as_u16(), 400 | 403);
    if refused || silent { "-" } else { "+" }
}

/// The name of a method of s3s' trait as S3 has it, without regard to case: `getbucketcors`.
fn folded(name: &str) -> String {
    name.replace('_', "").to_lowercase()
}

fn last_operation(bed: &Bed) -> String {
    folded(bed.seen.0.lock().last().unwrap().operation)
}

#[tokio::test]
async fn every_operation_is_asked_by_everyone() {
    let (mut seen, mut wrong) = (BTreeSet::new(), Vec::new());
    for operation in operations() {
        let mut marks = Vec::new();
        for (by, given) in CASES {
            let bed = Bed::with_bucket().await;
            let answer = operation.answer_in(&bed, by, given.policy(), given == Given::Lists).await;
            marks.push(mark(&answer));
            if matches!((by, given), (By::Alice, Given::Nothing)) {
                seen.insert(last_operation(&bed));
            }
        }
        let marks = marks.join(" ");
        if marks != operation.marks {
            wrong.push(format!("{} is {marks:?}, not {:?}", operation.name(), operation.marks));
        }
    }
    for (name, expected, draft) in beyond() {
        let mut marks = Vec::new();
        for (by, given) in CASES {
            let bed = Bed::with_bucket().await;
            bed.put("/bucket/key", "x").await.is(200);
            if given == Given::Lists {
                let to_bob = format!("id={}", bed.bob_id);
                let put = Draft::new(Method::PUT, "/bucket?acl").header("x-amz-grant-full-control", &to_bob);
                bed.send(put).await.is(200);
            }
            if let Some(policy) = given.policy() {
                bed.put("/bucket?policy", policy.to_string()).await.is(204);
            }
            marks.push(mark(&send(&bed, draft(), by).await));
            if matches!((by, given), (By::Alice, Given::Nothing)) {
                seen.insert(last_operation(&bed));
            }
        }
        let marks = marks.join(" ");
        if marks != expected {
            wrong.push(format!("{name} is {marks:?}, not {expected:?}"));
        }
    }
    seen.insert(posts_a_form().await);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    let rows = TABLE.lines().filter(|line| line.starts_with("    ") && line.contains("Input => "));
    let table: BTreeSet<_> = rows.map(|row| folded(row.trim().split_once(':').unwrap().0)).collect();
    let missing: Vec<_> = table.difference(&seen).collect();
    assert!(table.len() > 80 && missing.is_empty(), "nobody asks for {missing:?}: add them to `rights::operations`");
}

type Row = (&'static str, &'static str, fn() -> Draft);

/// Operations that are about no bucket, or whose answer is of many keys.
fn beyond() -> Vec<Row> {
    vec![
        ("ListBuckets", "+ + + + + - - -", || Draft::new(Method::GET, "/")),
        ("CreateBucket", "+ + + + + - - -", || Draft::new(Method::PUT, "/another")),
        ("DeleteObjects", "+ - + - - - - -", || {
            use s3s::crypto::Checksum;
            let list = "<Delete><Object><Key>key</Key></Object></Delete>";
            let digest = base64(s3s::crypto::Md5::checksum(list.as_bytes()).as_ref());
            Draft::new(Method::POST, "/bucket?delete").header("content-md5", &digest).body(list)
        }),
    ]
}

/// A form is signed by its fields (see `forms`); without them it is anonymous.
async fn posts_a_form() -> String {
    let bed = Bed::with_bucket().await;
    let post = || form(&[("key", "posted")], "f.txt", "content").anonymous();
    bed.raw(post()).await.is_error(403, "AccessDenied");
    bed.put("/bucket?policy", Given::Allow.policy().unwrap().to_string()).await.is(204);
    bed.raw(post()).await.is(204);
    last_operation(&bed)
}

/// What lock bypass asks for beside the operation itself, and that a list of a thousand asks for each.
#[tokio::test]
async fn a_bypass_of_a_lock_has_its_own_right() {
    let locked = || Draft::new(Method::PUT, "/locked").header("x-amz-bucket-object-lock-enabled", "true");
    let delete = |version: &str| {
        let address = format!("/locked/key?versionId={version}");
        Draft::new(Method::DELETE, &address).header("x-amz-bypass-governance-retention", "true")
    };
    for (actions, status) in [
        (json!(["s3:DeleteObjectVersion"]), 403),
        (json!(["s3:BypassGovernanceRetention"]), 403),
        (json!(["s3:DeleteObjectVersion", "s3:BypassGovernanceRetention"]), 204),
    ] {
        let bed = Bed::new().await;
        bed.send(locked()).await.is(200);
        let put = Draft::new(Method::PUT, "/locked/key")
            .header("x-amz-object-lock-mode", "GOVERNANCE")
            .header("x-amz-object-lock-retain-until-date", "2100-01-01T00:00:00Z")
            .header("content-md5", "ndTkYSaMgDT1yFZOFVxnpg==")
            .body("x");
        let put = bed.send(put).await;
        let version = put.is(200).header("x-amz-version-id").unwrap().to_owned();
        let granted = json!({"Statement": {"Effect": "Allow", "Principal": "*", "Action": actions,
            "Resource": "arn:aws:s3:::locked/*"}});
        bed.put("/locked?policy", granted.to_string()).await.is(204);
        bed.by_bob(delete(&version)).await.is(status);
    }
}
