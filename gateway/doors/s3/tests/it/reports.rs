//! What is kept of requests that people ask about.

use crate::bed::{Answer, Bed};
use crate::sign::{Draft, Key};
use cofre_iam::{Action, REPORT_DECISIONS_MAX, RequestId, RequestReport, Rule};
use cofre_s3::S3Options;
use http::Method;
use serde_json::{Value, json};

fn report(bed: &Bed, answer: &Answer) -> Option<RequestReport> {
    bed.reports.find(RequestId::parse(answer.header("x-amz-request-id").unwrap()).unwrap())
}

#[tokio::test]
async fn refusals_are_kept_under_the_id_that_the_answer_tells() {
    let bed = Bed::with_bucket().await;
    let denied = bed.by_bob(Draft::new(Method::GET, "/bucket/key")).await;
    denied.is_error(403, "AccessDenied");
    let kept = report(&bed, &denied).expect("a refusal is kept");
    assert_eq!((kept.status, kept.code.as_deref(), kept.operation), (403, Some("AccessDenied"), "GetObject"));
    assert_eq!((kept.method.as_str(), kept.path.as_str()), ("GET", "/bucket/key"));
    assert_eq!(kept.access_key.as_deref(), Some(bed.bob.id.as_str()));
    assert_eq!(kept.account.map(|account| account.to_string()), Some(bed.bob_id.clone()));
    let parts: Vec<_> = kept.parts.iter().map(|(name, _)| *name).collect();
    assert_eq!(parts, ["head and signature", "body held for the operation", "operation"]);

    let invalid = bed.get("/bucket?max-keys=-1").await;
    invalid.is_error(400, "InvalidArgument");
    assert!(report(&bed, &invalid).is_some_and(|kept| kept.message.is_some()));
    let missing = bed.get("/bucket/nothing").await;
    missing.is_error(404, "NoSuchKey");
    assert!(report(&bed, &missing).is_none(), "what explains itself is not kept");
}

const OFFICE: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Sid": "readers", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*"},
    {"Sid": "office", "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*",
     "Condition": {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}]}"#;

/// What an account is told of a request of its own.
async fn told(bed: &Bed, key: &Key, answer: &Answer) -> Answer {
    let id = answer.header("x-amz-request-id").unwrap();
    bed.raw(Draft::new(Method::GET, &format!("/.cofre/requests/{id}")).signed(key)).await
}

#[tokio::test]
async fn a_denial_tells_the_statement_and_what_its_conditions_saw() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket?policy", OFFICE).await.is(204);
    let denied = bed.get("/bucket/key").await;
    denied.is_error(403, "AccessDenied");
    let kept = report(&bed, &denied).expect("a refusal is kept");
    let [decision] = kept.decisions.as_slice() else { panic!("{:?}", kept.decisions) };
    assert_eq!(decision.rule, Rule::PolicyDenies { statement: Some(1) });
    let office = &decision.statements[1];
    assert_eq!((office.id.as_deref(), office.applies), (Some("office"), true));
    assert_eq!(office.conditions[0].saw.as_deref(), Some(&["127.0.0.1".to_owned()][..]));

    // What is not there is told only to who may list: two rights are asked.
    bed.delete("/bucket?policy").await.is(204);
    let missing = bed.by_bob(Draft::new(Method::GET, "/bucket/key")).await;
    let asked: Vec<_> = report(&bed, &missing).unwrap().decisions.iter().map(|decision| decision.action).collect();
    assert_eq!(asked, [Action::GetObject, Action::ListBucket]);
    // Of many keys only the first are explained.
    let many: String = (0..50).map(|key| format!("<Object><Key>{key}</Key></Object>")).collect();
    let refused = bed.by_bob(Draft::new(Method::POST, "/bucket?delete").body(format!("<Delete>{many}</Delete>"))).await;
    assert!(report(&bed, &refused).is_none_or(|kept| kept.decisions.len() <= REPORT_DECISIONS_MAX));
}

#[tokio::test]
async fn an_account_asks_why_its_own_requests_were_refused() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket?policy", OFFICE).await.is(204);
    // The owner of the policy is told all of it.
    let own = bed.get("/bucket/key").await;
    let answer = told(&bed, &bed.alice, &own).await;
    answer.is(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let answer: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!((&answer["status"], &answer["code"]), (&json!(403), &json!("AccessDenied")));
    assert_eq!(answer["decisions"][0]["statements"][1]["sid"], "office");
    assert_eq!(answer["decisions"][0]["statements"][1]["conditions"][0]["saw"], json!(["127.0.0.1"]));
    assert!(answer.get("cause").is_none());

    // Another account is told the rule, and nothing that the policy says.
    let others = bed.by_bob(Draft::new(Method::GET, "/bucket/key")).await;
    let answer = told(&bed, &bed.bob, &others).await;
    let answer: Value = serde_json::from_slice(&answer.is(200).body).unwrap();
    assert_eq!(answer["decisions"][0]["rule"], "what belongs to another account does not allow it");
    assert_eq!(answer["decisions"][0]["statements"], json!([]));
    assert!(!answer.to_string().contains("office") && !answer.to_string().contains("127.0.0.1"), "{answer}");

    // Nor whether an object is there.
    bed.delete("/bucket?policy").await.is(204);
    bed.put("/bucket/there", "x").await.is(200);
    let mut decisions = Vec::new();
    for key in ["there", "none"] {
        let refused = bed.by_bob(Draft::new(Method::GET, &format!("/bucket/{key}"))).await;
        refused.is_error(403, "AccessDenied");
        let answer: Value = serde_json::from_slice(&told(&bed, &bed.bob, &refused).await.is(200).body).unwrap();
        decisions.push(answer["decisions"].to_string().replace(key, ""));
    }
    assert_eq!(decisions[0], decisions[1]);

    // Nobody is told of another's request.
    told(&bed, &bed.alice, &others).await.is_error(404, "NoSuchRequest");
    told(&bed, &bed.bob, &own).await.is_error(404, "NoSuchRequest");
    let anonymous = bed.by_anyone(Draft::new(Method::GET, "/bucket/key")).await;
    told(&bed, &bed.alice, &anonymous).await.is_error(404, "NoSuchRequest");
    bed.by_anyone(Draft::new(Method::GET, "/.cofre/requests/0123456789ABCDEF")).await.is_error(403, "AccessDenied");
    bed.get("/.cofre/requests/zzz").await.is_error(404, "NoSuchRequest");
    bed.get("/.cofre/other").await.is_error(400, "InvalidBucketName");
    bed.put("/.cofre/requests/0123456789ABCDEF", "x").await.is_error(400, "InvalidBucketName");
}

#[tokio::test]
async fn a_public_access_block_is_told_where_it_refuses() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket/key", "x").await.is(200);
    let begin = Draft::new(Method::POST, "/bucket/upload?uploads").header("x-amz-acl", "public-read");
    let upload = bed.send(begin).await.is(200).element("UploadId").unwrap();
    let part = bed.put(&format!("/bucket/upload?partNumber=1&uploadId={upload}"), "x").await;
    let etag = part.is(200).header("etag").unwrap();
    let block = "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls>\
                 <BlockPublicPolicy>true</BlockPublicPolicy></PublicAccessBlockConfiguration>";
    bed.put("/bucket?publicAccessBlock", block).await.is(200);
    let owner = format!("<Owner><ID>{}</ID></Owner>", bed.alice_id);
    let all = "<Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"Group\">\
               <URI>http://acs.amazonaws.com/groups/global/AllUsers</URI></Grantee><Permission>READ</Permission>";
    let list = format!(
        "<AccessControlPolicy>{owner}<AccessControlList><Grant>{all}</Grant></AccessControlList></AccessControlPolicy>"
    );
    let parts = format!("<Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>");
    let parts = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
    let policy = r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*"}}"#;
    let public = |address: &str| Draft::new(Method::PUT, address).header("x-amz-acl", "public-read");
    let completion = Draft::new(Method::POST, &format!("/bucket/upload?uploadId={upload}")).body(parts);
    for (draft, action, rule) in [
        (Draft::new(Method::PUT, "/bucket?acl").body(list.clone()), Action::PutBucketAcl, Rule::PublicList),
        (Draft::new(Method::PUT, "/bucket/key?acl").body(list), Action::PutObjectAcl, Rule::PublicList),
        (public("/bucket/new").body("x"), Action::PutObjectAcl, Rule::PublicList),
        (completion, Action::PutObject, Rule::PublicList),
        (Draft::new(Method::PUT, "/bucket?policy").body(policy), Action::PutBucketPolicy, Rule::PublicPolicy),
    ] {
        let refused = bed.send(draft).await;
        refused.is_error(403, "AccessDenied");
        let kept = report(&bed, &refused).expect("a refusal is kept");
        let [decision] = kept.decisions.as_slice() else { panic!("{action}: {:?}", kept.decisions) };
        assert_eq!((decision.action, decision.rule), (action, rule));
    }
}

#[tokio::test]
async fn a_page_that_is_refused_says_why() {
    let options = S3Options { website_domains: vec!["web.local".to_owned()], ..S3Options::default() };
    let bed = Bed::with(options).await;
    bed.put("/bucket", "").await.is(200);
    let index = "<IndexDocument><Suffix>index.html</Suffix></IndexDocument>";
    let error = "<ErrorDocument><Key>error.html</Key></ErrorDocument>";
    bed.put("/bucket?policy", OFFICE.replace("192.0.2.0/24", "192.0.2.1/32")).await.is(204);
    for (document, method) in [(index, Method::GET), (index, Method::HEAD), (&format!("{error}{index}"), Method::GET)] {
        let body = format!("<WebsiteConfiguration>{document}</WebsiteConfiguration>");
        bed.put("/bucket?website", body).await.is(200);
        let refused = bed.by_anyone(Draft::new(method, "/page").header("host", "bucket.web.local:8080")).await;
        let kept = report(&bed, refused.is(403)).expect("a refusal is kept");
        assert_eq!(kept.code.as_deref(), Some("AccessDenied"));
        assert_eq!(kept.decisions[0].rule, Rule::PolicyDenies { statement: Some(1) });
    }
}

#[tokio::test]
async fn who_does_not_pay_is_told() {
    let bed = Bed::with_bucket().await;
    let pays = "<RequestPaymentConfiguration><Payer>Requester</Payer></RequestPaymentConfiguration>";
    bed.put("/bucket?requestPayment", pays).await.is(200);
    let refused = bed.by_bob(Draft::new(Method::GET, "/bucket/key")).await;
    refused.is_error(403, "AccessDenied");
    assert_eq!(report(&bed, &refused).unwrap().decisions[0].rule, Rule::Unpaid);
}

#[tokio::test]
async fn a_signature_that_does_not_match_is_kept_without_it() {
    let bed = Bed::new().await;
    let wrong = Key { id: bed.alice.id.clone(), secret: "another-secret-key".to_owned() };
    let draft = Draft::new(Method::PUT, "/bucket/key").body("content").header("accept-encoding", "gzip");
    let refused = bed.raw(draft.signed(&wrong)).await;
    refused.is_error(403, "SignatureDoesNotMatch");
    let kept = report(&bed, &refused).expect("it is kept");
    let shown = format!("{kept:?}");
    assert_eq!((kept.status, kept.account), (403, None));
    assert!(!kept.hints.is_empty(), "{shown}");
    assert!(!shown.contains("SignatureProvided") && !shown.contains("another-secret-key"), "{shown}");
}
