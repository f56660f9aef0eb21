use crate::bed::{Bed, OURS};
use axum::http::Method;
use cofre_browse::Limits;
use cofre_iam::Origin;
use serde_json::json;
use std::net::IpAddr;
use std::time::Duration;

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn signing_in_makes_a_cookie_that_scripts_cannot_read() {
    let bed = Bed::new().await;
    let answer = bed.sign_in(bed.alice.key.id.as_str(), bed.alice.key.secret.expose()).await;
    let cookie = answer.is(201).header("set-cookie").to_owned();
    assert!(cookie.starts_with("cofre="), "{cookie}");
    for attribute in ["; Path=/", "; HttpOnly", "; SameSite=Strict"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Secure") && !cookie.contains("Max-Age"), "{cookie}");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(!answer.text().contains(bed.alice.key.secret.expose()));
    assert_eq!(answer.json()["account"]["name"], "alice");

    let browser = bed.browser(&bed.alice).await;
    let known = browser.get("/session").await;
    assert_eq!(known.is(200).json()["access_key_id"], bed.alice.key.id.as_str());
    assert!(!known.text().contains(browser.cookie.split_once('_').unwrap().1));
}

#[tokio::test]
async fn over_tls_the_cookie_is_for_this_host_alone() {
    let bed = Bed::new().await;
    let from = Origin { secure: true, ..Origin::default() };
    let headers = [("host", "cofre.example"), ("origin", "https://cofre.example"), ("x-cofre", "1"), JSON];
    let (id, secret) = (bed.alice.key.id.as_str(), bed.alice.key.secret.expose());
    let body = json!({"access_key_id": id, "secret_access_key": secret, "keep": true}).to_string();
    let answer = bed.send_from(from, Method::POST, "/session", &headers, body).await;
    let cookie = answer.is(201).header("set-cookie");
    assert!(cookie.starts_with("__Host-cofre=") && cookie.contains("; Secure") && cookie.contains("; Max-Age=2592000"));
    // It is none over plain HTTP, where anyone on the way could have set it.
    let cookie = answer.cookie();
    let plain = bed.send(Method::GET, "/session", &[("host", "x"), ("cookie", &cookie)], "").await;
    plain.is(204);
}

#[tokio::test]
async fn a_wrong_secret_and_an_unknown_key_look_alike_and_have_a_rate() {
    let bed = Bed::new().await;
    let wrong = bed.sign_in(bed.alice.key.id.as_str(), bed.bob.key.secret.expose()).await;
    let unknown = bed.sign_in("COFREUNKNOWN", bed.bob.key.secret.expose()).await;
    let odd = bed.sign_in("no key at all\u{0}", "").await;
    for answer in [&wrong, &unknown, &odd] {
        answer.is_problem(401, "SignInFailed");
        assert!(answer.header("set-cookie").is_empty());
        assert_eq!(answer.json()["args"], json!({"left": "4"}));
        assert_eq!(answer.json()["detail"], wrong.json()["detail"]);
    }
    for _ in 0..4 {
        bed.sign_in(bed.alice.key.id.as_str(), "wrong").await.is_problem(401, "SignInFailed");
    }
    let throttled = bed.sign_in(bed.alice.key.id.as_str(), bed.alice.key.secret.expose()).await;
    throttled.is_problem(429, "TooManyTries");
    assert_eq!((throttled.header("retry-after"), &throttled.json()["args"]), ("12", &json!({"seconds": "12"})));
    bed.browser(&bed.bob).await;
    // Another address is not held up.
    let from = Origin { ip: Some(IpAddr::from([192, 0, 2, 2])), ..Origin::default() };
    let (id, secret) = (bed.alice.key.id.as_str(), bed.alice.key.secret.expose());
    let body = json!({"access_key_id": id, "secret_access_key": secret}).to_string();
    bed.send_from(from, Method::POST, "/session", &[&OURS[..], &[JSON]].concat(), body.clone()).await.is(201);
    bed.clock.advance(Duration::from_secs(12));
    bed.sign_in(id, secret).await.is(201);
}

#[tokio::test]
async fn a_session_is_useless_after_sign_out_and_when_it_is_ended() {
    let bed = Bed::new().await;
    let (one, two) = (bed.browser(&bed.alice).await, bed.browser(&bed.alice).await);
    let bob = bed.browser(&bed.bob).await;
    let listed = one.get("/sessions").await.json();
    let items = listed["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    assert_eq!(items.iter().filter(|item| item["this"] == true).count(), 1);
    assert_eq!(items[0]["address"], "192.0.2.1");
    let other = items.iter().find(|item| item["this"] == false).unwrap()["id"].as_str().unwrap().to_owned();
    bob.delete(&format!("/sessions/{other}")).await.is_problem(404, "NotFound");
    two.get("/session").await.is(200);
    one.delete(&format!("/sessions/{other}")).await.is(204);
    two.get("/session").await.is(204);

    let out = one.delete("/session").await;
    assert!(out.is(204).header("set-cookie").contains("cofre=; ") && out.header("set-cookie").contains("Max-Age=0"));
    one.get("/session").await.is(204);
    for path in ["/sessions", "/buckets", "/buckets/bucket/entries", "/buckets/bucket/object?key=a"] {
        one.get(path).await.is_problem(401, "SignedOut");
    }
    one.delete("/session").await.is(204);
}

#[tokio::test]
async fn signing_in_ends_what_the_browser_had_and_two_cookies_are_none() {
    let bed = Bed::new().await;
    let browser = bed.browser(&bed.alice).await;
    let (id, secret) = (bed.bob.key.id.as_str(), bed.bob.key.secret.expose());
    let again = browser.post("/session", json!({"access_key_id": id, "secret_access_key": secret})).await;
    assert_ne!(again.is(201).cookie(), browser.cookie);
    browser.get("/session").await.is(204);
    // A page on another port cannot slip a session of its own in.
    let (alice, bob) = (bed.browser(&bed.alice).await.cookie, bed.browser(&bed.bob).await.cookie);
    for cookie in [format!("{bob}; {alice}"), format!("{alice}; x=y; {bob}"), format!("{alice}; cofre=")] {
        let answer = bed.send(Method::GET, "/buckets", &[OURS[0], ("cookie", &cookie)], "").await;
        answer.is_problem(401, "SignedOut");
    }
}

#[tokio::test]
async fn a_session_that_another_page_planted_is_none_of_ours() {
    let bed = Bed::new().await;
    let (alice, bob) = (bed.with_bucket().await, bed.browser(&bed.bob).await);
    // A page on another port of the host can set the cookie, but it cannot name the session in our page's stead.
    let planted = crate::bed::Browser { bed: &bed, cookie: bob.cookie.clone(), session: alice.session.clone() };
    planted.get("/session").await.is(204);
    planted.get("/buckets").await.is_problem(401, "SignedOut");
    planted.post("/buckets", json!({"name": "theirs"})).await.is_problem(401, "SignedOut");
    let path = "/buckets/bucket/object?key=a";
    planted.send(Method::PUT, path, &[], "secret").await.is_problem(401, "SignedOut");
    // Who signs in there ends the planted session.
    let (id, secret) = (bed.alice.key.id.as_str(), bed.alice.key.secret.expose());
    planted.post("/session", json!({"access_key_id": id, "secret_access_key": secret})).await.is(201);
    bob.get("/session").await.is(204);
}

#[tokio::test]
async fn a_key_that_is_disabled_ends_its_sessions_at_once() {
    let bed = Bed::new().await;
    let browser = bed.with_bucket().await;
    bed.iam.set_key_disabled(&bed.alice.key.id, true, "test").await.unwrap();
    browser.get("/buckets").await.is_problem(401, "SignedOut");
    let bob = bed.browser(&bed.bob).await;
    bed.iam.delete_key(&bed.bob.key.id, "test").await.unwrap();
    bob.get("/buckets").await.is_problem(401, "SignedOut");
    bob.send(Method::PUT, "/buckets/bucket/object?key=a", &[], "x").await.is_problem(401, "SignedOut");
}

#[tokio::test]
async fn pages_of_other_origins_are_refused_though_they_bring_the_cookie() {
    let bed = Bed::new().await;
    let browser = bed.with_bucket().await;
    browser.put("kept", b"kept").await.is(201);
    let cookie = ("cookie", browser.cookie.as_str());
    let host = OURS[0];
    let own = ("x-cofre", "1");
    let (id, secret) = (bed.alice.key.id.as_str(), bed.alice.key.secret.expose());
    let sign_in = json!({"access_key_id": id, "secret_access_key": secret}).to_string();
    let calls = [
        (Method::POST, "/session", sign_in.as_str()),
        (Method::DELETE, "/session", ""),
        (Method::DELETE, "/sessions/x", ""),
        (Method::POST, "/buckets", "{\"name\":\"theirs\"}"),
        (Method::POST, "/buckets/bucket/folders", "{\"prefix\":\"a/\"}"),
        (Method::PUT, "/buckets/bucket/object?key=theirs", "x"),
        (Method::DELETE, "/buckets/bucket/object?key=kept", ""),
        (Method::POST, "/buckets/bucket/restore", "{\"key\":\"kept\",\"version\":\"null\"}"),
        (Method::POST, "/buckets/bucket/uploads", "{\"key\":\"a\",\"bytes\":1}"),
        (Method::PUT, "/buckets/bucket/uploads/00/parts/1?key=a", "x"),
        (Method::POST, "/buckets/bucket/uploads/00/finish?key=a", "{\"bytes\":0,\"parts\":[]}"),
        (Method::DELETE, "/buckets/bucket/uploads/00?key=a", ""),
    ];
    let strangers: [&[(&str, &str)]; 7] = [
        // A page that stands as an object on the S3 port of the same host: the same site, and the strict cookie comes.
        &[("origin", "http://cofre.example:9000"), ("sec-fetch-site", "same-site"), own],
        &[("origin", "http://cofre.example:9000"), own],
        &[("sec-fetch-site", "same-site"), own],
        &[("origin", "https://evil.example"), ("sec-fetch-site", "cross-site"), own],
        &[("origin", "null"), ("sec-fetch-site", "cross-site"), own],
        // A form cannot send a header of ours.
        &[("origin", "http://cofre.example:9001"), ("sec-fetch-site", "same-origin")],
        &[],
    ];
    for (method, path, body) in &calls {
        for stranger in strangers {
            let headers = [stranger, &[host, cookie, JSON]].concat();
            let answer = bed.send(method.clone(), path, &headers, (*body).to_owned()).await;
            answer.is_problem(403, "StrangeOrigin");
            assert!(answer.header("set-cookie").is_empty(), "{method} {path} {stranger:?}");
            assert!(!answer.headers.contains_key("access-control-allow-origin"));
        }
    }
    for path in ["/session", "/buckets", "/buckets/bucket/entries", "/buckets/bucket/object?key=kept"] {
        for site in ["same-site", "cross-site"] {
            let answer = bed.send(Method::GET, path, &[host, cookie, ("sec-fetch-site", site)], "").await;
            answer.is_problem(403, "StrangeOrigin");
        }
    }
    let names = browser.get("/buckets/bucket/entries").await.json();
    assert_eq!(names["items"].as_array().unwrap().len(), 1);
    assert_eq!(names["items"][0]["key"], "kept");
}

#[tokio::test]
async fn a_form_is_no_json() {
    let bed = Bed::new().await;
    let browser = bed.browser(&bed.alice).await;
    for media_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""] {
        let headers = [("content-type", media_type)];
        let answer = browser.send(Method::POST, "/buckets", &headers, "{\"name\":\"theirs\"}").await;
        answer.is_problem(415, "UnsupportedMediaType");
    }
    for body in ["", "[\"theirs\"]", "{\"name\":\"theirs\",\"owner\":\"bob\"}", "{\"name\":1}"] {
        browser.send(Method::POST, "/buckets", &[JSON], body).await.is_problem(400, "InvalidArgument");
    }
    let long = format!("{{\"name\":\"{}\"}}", "x".repeat(cofre_browse::JSON_BYTES_MAX));
    browser.send(Method::POST, "/buckets", &[JSON], long).await.is_problem(400, "InvalidArgument");
}

#[tokio::test]
async fn requests_in_flight_are_bounded_until_their_answers_went() {
    let limits = Limits { requests_max: 16, requests_per_address_max: 16, requests_per_account_max: 1 };
    let bed = Bed::with(limits).await;
    let browser = bed.with_bucket().await;
    browser.put("a", b"content").await.is(201);
    let request = axum::http::Request::builder()
        .uri("/console/v1/buckets/bucket/object?key=a")
        .header("cookie", &browser.cookie)
        .body(axum::body::Body::empty())
        .unwrap();
    let unread = tower::ServiceExt::oneshot(bed.router.clone(), request).await.unwrap();
    assert_eq!(unread.status(), 200);
    let busy = browser.get("/buckets").await;
    assert_eq!(busy.is_problem(503, "SlowDown").header("retry-after"), "1");
    bed.browser(&bed.bob).await.get("/buckets").await.is(200);
    drop(unread);
    browser.get("/buckets").await.is(200);
}
