//! Clients that have much refused.

use crate::bed::Bed;
use crate::sign::Draft;
use cofre_iam::{Origin, RequestLimits};
use cofre_s3::S3Options;
use http::Method;

/// A bed where one refusal a second goes without a wait, and two at once after a rest.
async fn strict() -> Bed {
    let limits = RequestLimits { refused_per_second: Some(1), ..RequestLimits::default() };
    let bed = Bed::within(S3Options::default(), &limits).await;
    bed.send(Draft::new(Method::PUT, "/bucket")).await.is(200);
    bed.put("/bucket/key", "hello").await.is(200);
    bed
}

#[tokio::test]
async fn refusals_wait_and_good_requests_do_not() {
    let bed = strict().await;
    let refused = || bed.by_anyone(Draft::new(Method::GET, "/bucket/key"));
    for _ in 0..2 {
        refused().await.is_error(403, "AccessDenied");
    }
    let mut third = std::pin::pin!(refused());
    tokio::select! {
        biased;
        answer = &mut third => panic!("it waits: {answer:?}"),
        answer = bed.get("/bucket/key") => { answer.is(200); }
    }
    tokio::select! {
        biased;
        answer = &mut third => panic!("it waits: {answer:?}"),
        answer = bed.get("/bucket/none") => { answer.is_error(404, "NoSuchKey"); }
    }
    third.await.is_error(403, "AccessDenied");
}

#[tokio::test]
async fn keys_that_are_not_deleted_count() {
    let bed = strict().await;
    // Without it such a list would be refused as a whole.
    let policy = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:DeleteObject","Resource":"arn:aws:s3:::bucket/x/*"}}"#;
    bed.put("/bucket?policy", policy).await.is(204);
    for _ in 0..2 {
        bed.by_anyone(Draft::new(Method::GET, "/bucket/key")).await.is_error(403, "AccessDenied");
    }
    let mut third = std::pin::pin!(bed.by_anyone(Draft::new(Method::GET, "/bucket/key")));
    let list = |keys: usize| {
        let keys: String = (0..keys).map(|key| format!("<Object><Key>{key}</Key></Object>")).collect();
        let body = format!("<Delete>{keys}</Delete>");
        let digest =
            crate::bed::base64(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body.as_bytes()).as_ref());
        Draft::new(Method::POST, "/bucket?delete").header("x-amz-checksum-sha256", &digest).body(body)
    };
    // The third stands for a second more than there was; what comes behind it waits for longer.
    tokio::select! {
        biased;
        answer = &mut third => panic!("it waits: {answer:?}"),
        answer = bed.send(list(1)) => { answer.is(200); }
    }
    let mut deletion = std::pin::pin!(bed.by_anyone(list(1_000)));
    tokio::select! {
        biased;
        answer = &mut deletion => panic!("it waits for longer: {answer:?}"),
        answer = &mut third => { answer.is_error(403, "AccessDenied"); }
    }
    assert_eq!(deletion.await.is(200).elements("Code").len(), 1_000);
}

#[tokio::test]
async fn who_does_not_wait_is_refused_before_anything_is_done() {
    let bed = std::sync::Arc::new(strict().await);
    let origin = Origin { ip: Some([127, 0, 0, 1].into()), secure: false, tls: None };
    let connection = bed.door.connection(origin);
    let good = || Draft::new(Method::GET, "/bucket/key").signed(&bed.alice);
    assert_eq!(connection.answer(good()).await.status(), 200);
    // Nobody waits for the answers to these.
    let begin = |_| {
        let bed = bed.clone();
        cofre_runtime::spawn(async move { bed.by_anyone(Draft::new(Method::GET, "/bucket/key")).await.status })
    };
    let asked: Vec<_> = (0..12).map(begin).collect();
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    asked.iter().for_each(|asked| asked.abort());
    let refused = bed.by_anyone(Draft::new(Method::GET, "/bucket/key")).await;
    let message = refused.is_error(503, "SlowDown").element("Message").unwrap();
    assert!(message.ends_with("Too many of your requests were refused."), "{message}");
    assert_eq!(connection.answer(good()).await.status(), 200, "who has shown a good signature goes on");
}

#[tokio::test]
async fn an_account_owes_for_what_it_signed() {
    let bed = strict().await;
    let refused = || bed.by_bob(Draft::new(Method::PUT, "/bucket/key").body("x"));
    for _ in 0..2 {
        refused().await.is_error(403, "AccessDenied");
    }
    let mut third = std::pin::pin!(refused());
    tokio::select! {
        biased;
        answer = &mut third => panic!("it waits: {answer:?}"),
        // What it may not read it asks for all day.
        answer = bed.by_bob(Draft::new(Method::HEAD, "/bucket/key")) => { answer.is(403); }
    }
    tokio::select! {
        biased;
        answer = &mut third => panic!("it waits: {answer:?}"),
        answer = bed.by_anyone(Draft::new(Method::GET, "/bucket/key")) => { answer.is_error(403, "AccessDenied"); }
    }
    third.await.is_error(403, "AccessDenied");
    // Metrics tell what Cofre took, and reports the wait.
    let seen = bed.seen.0.lock();
    assert!(seen.iter().all(|answered| answered.duration < std::time::Duration::from_millis(900)));
}
