//! Requester Pays, as clients see it.

use crate::bed::{Answer, Bed};
use crate::sign::Draft;
use http::Method;

fn document(payer: &str) -> String {
    format!("<RequestPaymentConfiguration><Payer>{payer}</Payer></RequestPaymentConfiguration>")
}

/// The bucket `bucket`, open to everyone at their own cost, with the object `k`.
async fn requester_pays() -> Bed {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket/k", "hello").await.is(200);
    let policy = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:*",
        "Resource": ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"]}}"#;
    bed.put("/bucket?policy", policy).await.is(204);
    bed.put("/bucket?requestPayment", document("Requester")).await.is(200);
    bed
}

fn charged(answer: &Answer) -> Option<&str> {
    answer.header("x-amz-request-charged")
}

#[tokio::test]
async fn who_pays_is_kept_and_told() {
    let bed = Bed::with_bucket().await;
    for payer in ["Requester", "BucketOwner"] {
        bed.put("/bucket?requestPayment", document(payer)).await.is(200);
        assert_eq!(bed.get("/bucket?requestPayment").await.is(200).element("Payer").as_deref(), Some(payer));
    }
    bed.put("/bucket?requestPayment", document("Nobody")).await.is_error(400, "MalformedXML");
    let bobs = Draft::new(Method::PUT, "/bucket?requestPayment").body(document("BucketOwner"));
    bed.by_bob(bobs).await.is_error(403, "AccessDenied");
}

#[tokio::test]
async fn a_requester_who_pays_is_told_so() {
    let bed = requester_pays().await;
    let drafts = || {
        let lists = "<Delete><Object><Key>k2</Key></Object></Delete>";
        [
            Draft::new(Method::GET, "/bucket/k"),
            Draft::new(Method::HEAD, "/bucket/k"),
            Draft::new(Method::GET, "/bucket/k?tagging"),
            Draft::new(Method::GET, "/bucket?list-type=2"),
            Draft::new(Method::GET, "/bucket?versions"),
            Draft::new(Method::GET, "/bucket?uploads"),
            Draft::new(Method::PUT, "/bucket/k2").body("there"),
            Draft::new(Method::POST, "/bucket?delete").header("content-md5", "wURGrryh1SVByaSRH2JRjg==").body(lists),
            Draft::new(Method::DELETE, "/bucket/k2"),
        ]
    };
    for draft in drafts() {
        let what = format!("{} {}", draft.method, draft.address);
        let refused = bed.by_bob(draft).await;
        assert_eq!((refused.status.as_u16(), charged(&refused)), (403, None), "{what}");
    }
    for draft in drafts() {
        let what = format!("{} {}", draft.method, draft.address);
        let done = bed.by_bob(draft.header("x-amz-request-payer", "requester")).await;
        assert!(done.status.is_success(), "{what}: {done:?}");
        assert_eq!(charged(&done), Some("requester"), "{what}");
    }
}

#[tokio::test]
async fn an_address_can_say_who_pays() {
    let bed = requester_pays().await;
    let large = vec![b'x'; 9 << 20];
    let put = Draft::new(Method::PUT, "/bucket/large?x-amz-request-payer=requester").body(large);
    let done = bed.raw(put.presigned(&bed.bob, 60, &[])).await;
    assert_eq!(charged(done.is(200)), Some("requester"));
    let get = |query: &str| Draft::new(Method::GET, &format!("/bucket/k{query}")).presigned(&bed.bob, 60, &[]);
    assert_eq!(charged(bed.raw(get("?x-amz-request-payer=requester")).await.is(200)), Some("requester"));
    bed.raw(get("?x-amz-request-payer=owner")).await.is_error(403, "AccessDenied");
    bed.raw(get("")).await.is_error(403, "AccessDenied");
}

#[tokio::test]
async fn only_who_is_charged_is_told() {
    let bed = requester_pays().await;
    let paying = |address: &str| Draft::new(Method::GET, address).header("x-amz-request-payer", "requester");
    assert_eq!(charged(bed.send(paying("/bucket/k")).await.is(200)), None, "the owner pays anyway");
    bed.by_anyone(paying("/bucket/k")).await.is_error(403, "AccessDenied");
    assert_eq!(charged(bed.by_bob(paying("/bucket/none")).await.is_error(404, "NoSuchKey")), None);

    bed.by_bob(Draft::new(Method::PUT, "/bobs")).await.is(200);
    let copy = || Draft::new(Method::PUT, "/bobs/k").header("x-amz-copy-source", "/bucket/k");
    bed.by_bob(copy()).await.is_error(403, "AccessDenied");
    let copied = bed.by_bob(copy().header("x-amz-request-payer", "requester")).await;
    assert_eq!(charged(copied.is(200)), Some("requester"), "the source's bucket charges");
    assert_eq!(charged(bed.by_bob(paying("/bobs/k")).await.is(200)), None);
}
