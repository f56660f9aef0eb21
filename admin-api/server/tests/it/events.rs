use crate::bed::{Bed, until};
use axum::body::Body;
use http_body_util::BodyExt;
use serde_json::{Value, json};

async fn make_token(bed: &Bed, note: &str) {
    bed.post("/v1/tokens", json!({"scope": "read", "note": note})).await;
}

/// The next event of a stream.
async fn next(body: &mut Body, buffered: &mut String) -> Option<(String, Value)> {
    loop {
        if let Some((event, rest)) = buffered.split_once("\n\n") {
            let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
            let found = field("id: ").zip(field("data: "));
            *buffered = rest.to_owned();
            if let Some((id, data)) = found {
                return Some((id, serde_json::from_str(&data).unwrap()));
            }
            continue;
        }
        let frame = tokio::time::timeout(std::time::Duration::from_secs(10), body.frame()).await;
        let data = frame.expect("an event comes in time")?.unwrap().into_data().unwrap();
        buffered.push_str(std::str::from_utf8(&data).unwrap());
    }
}

fn note(event: &Value) -> &str {
    event["details"]["note"].as_str().unwrap()
}

#[tokio::test]
async fn pages_go_on_where_they_ended_and_filter() {
    let bed = Bed::new().await;
    for number in 0..5 {
        make_token(&bed, &format!("n{number}")).await;
    }
    bed.post("/v1/accounts", json!({"display_name": "ana", "email": "a@b.c"})).await;
    let mut notes = Vec::new();
    let mut after = String::new();
    loop {
        let page = bed.get(&format!("/v1/events?kind=token.&limit=3{after}")).await.json();
        let items = page["items"].as_array().unwrap().clone();
        if items.is_empty() {
            break;
        }
        notes.extend(items.iter().map(|event| note(event).to_owned()));
        after = format!("&after={}", page["next"].as_str().unwrap());
    }
    assert_eq!(notes[notes.len() - 5..], ["n0", "n1", "n2", "n3", "n4"]);
    let one = bed.get("/v1/events?subject=ana").await.json();
    assert_eq!(one["items"].as_array().unwrap().len(), 1, "{one}");
}

#[tokio::test]
async fn the_latest_events_come_in_the_order_of_time_and_can_be_gone_on_from() {
    let bed = Bed::new().await;
    for number in 0..5 {
        make_token(&bed, &format!("n{number}")).await;
    }
    let notes = |page: &Value| -> Vec<String> {
        page["items"].as_array().unwrap().iter().map(|event| note(event).to_owned()).collect()
    };
    let page = bed.get("/v1/events?kind=token.&latest=true&limit=2").await.json();
    assert_eq!(notes(&page), ["n3", "n4"]);
    make_token(&bed, "n5").await;
    let next = page["next"].as_str().unwrap();
    let page = bed.get(&format!("/v1/events?kind=token.&after={next}")).await.json();
    assert_eq!(notes(&page), ["n5"]);
    let refused = bed.get(&format!("/v1/events?latest=true&after={next}")).await.problem();
    assert_eq!((refused.status, refused.field.as_deref()), (400, Some("latest")));
}

#[tokio::test]
async fn a_stream_resumes_after_the_last_event_that_came() {
    let bed = Bed::new().await;
    let mut buffered = String::new();
    let mut body = bed.open("/v1/events/stream?kind=token.", &[]).await;
    make_token(&bed, "one").await;
    let (id, event) = next(&mut body, &mut buffered).await.unwrap();
    assert_eq!((note(&event), event["cursor"].as_str()), ("one", Some(id.as_str())));
    drop(body);

    make_token(&bed, "two").await;
    make_token(&bed, "three").await;
    let mut buffered = String::new();
    let mut body = bed.open("/v1/events/stream?kind=token.", &[("last-event-id", &id)]).await;
    for expected in ["two", "three"] {
        assert_eq!(note(&next(&mut body, &mut buffered).await.unwrap().1), expected);
    }
    make_token(&bed, "four").await;
    assert_eq!(note(&next(&mut body, &mut buffered).await.unwrap().1), "four");
}

#[tokio::test]
async fn streams_end_when_the_process_does() {
    let bed = Bed::new().await;
    let mut body = bed.open("/v1/events/stream", &[]).await;
    bed.draining.begin();
    let ended = tokio::time::timeout(std::time::Duration::from_secs(10), body.frame()).await;
    assert!(ended.expect("the stream ends").is_none());
}

#[tokio::test]
async fn a_stream_ends_with_its_token() {
    let bed = Bed::new().await;
    let mut body = bed.open("/v1/events/stream?kind=none.", &[]).await;
    let id = bed.iam.verify_token(bed.token(cofre_iam::Scope::Read)).await.unwrap().unwrap().id.clone();
    bed.iam.revoke_token(&id, false, "test").await.unwrap();
    let ended = tokio::time::timeout(std::time::Duration::from_secs(10), body.frame()).await;
    assert!(ended.expect("the stream ends").is_none());
}

#[tokio::test]
async fn actions_of_operators_are_events() {
    let bed = Bed::new().await;
    bed.post("/v1/jobs/heal/wake", json!({})).await;
    bed.post("/v1/backups", json!({"directory": "/backup"})).await;
    until("the backup is noted", async || {
        let kinds = bed.get("/v1/events").await.text;
        (kinds.contains("job.woken") && kinds.contains("backup.started") && kinds.contains("backup.finished"))
            .then_some(())
    })
    .await;
}
