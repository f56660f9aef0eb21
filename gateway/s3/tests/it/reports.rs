//! What is kept of requests that people ask about.

use crate::bed::{Answer, Bed};
use crate::sign::{Draft, Key};
use cofre_iam::{RequestId, RequestReport};
use http::Method;

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
