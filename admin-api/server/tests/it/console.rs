use crate::bed::Bed;
use axum::http::{Method, StatusCode};
use cofre_iam::{Bootstrap, IssuedSession, NewSession, Scope, Secret, SessionLength};

async fn begin(bed: &Bed, key: &str, secret: &Secret) -> String {
    let new = NewSession { key, secret, length: SessionLength::Day, address: None, agent: "test" };
    let IssuedSession { text, .. } = bed.iam.sign_in(new).await.unwrap().unwrap();
    format!("cofre={}", text.expose())
}

/// The cookie of a session of the root account.
async fn root(bed: &Bed) -> String {
    let Bootstrap::First(first) = bed.iam.bootstrap(None).await.unwrap() else { panic!("nobody was here before") };
    first.commit().await.unwrap();
    let key = first.root_key();
    begin(bed, key.id.as_str(), &key.secret).await
}

#[tokio::test]
async fn the_root_accounts_session_looks_and_changes_nothing() {
    let bed = Bed::with_shard().await;
    let cookie = root(&bed).await;
    let host = ("host", "cofre.example:9001");
    let id = cookie.strip_prefix("cofre=").unwrap().split_once('_').unwrap().0;
    let ours = [host, ("cookie", cookie.as_str()), ("sec-fetch-site", "same-origin"), ("x-cofre", id)];
    for path in ["/v1/health", "/v1/shards", "/v1/jobs", "/v1/events"] {
        assert_eq!(bed.send_raw(Method::GET, path, &ours, None).await.status, StatusCode::OK, "{path}");
    }
    let changes = [
        (Method::GET, "/v1/tokens"),
        (Method::POST, "/v1/shards/1/probe"),
        (Method::POST, "/v1/jobs/scrub/pause"),
        (Method::POST, "/v1/accounts"),
        (Method::DELETE, "/v1/shards/1"),
    ];
    for (method, path) in changes {
        let answer = bed.send_raw(method.clone(), path, &ours, Some("{}".to_owned())).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {path}: {}", answer.text);
    }
    // A page on the S3 port of the same host brings the cookie too.
    for strange in [("sec-fetch-site", "same-site"), ("origin", "http://cofre.example:9000")] {
        let answer = bed.send_raw(Method::GET, "/v1/health", &[host, ours[1], strange], None).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{strange:?}");
    }
    // A page that means another session than the one whose cookie came.
    let planted = [host, ours[1], ("x-cofre", "abcdefghijklmnop")];
    let answer = bed.send_raw(Method::GET, "/v1/health", &planted, None).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    // A token counts for itself.
    let bearer = format!("Bearer {}", bed.token(Scope::Admin));
    let both = [&ours[..], &[("authorization", bearer.as_str())]].concat();
    assert_eq!(bed.send_raw(Method::GET, "/v1/tokens", &both, None).await.status, StatusCode::OK);
}

#[tokio::test]
async fn other_accounts_see_nothing_of_operations() {
    let bed = Bed::new().await;
    let new = cofre_iam::NewAccount { name: "alice".to_owned(), ..Default::default() };
    let alice = bed.iam.create_account(new, "test").await.unwrap();
    let cookie = begin(&bed, alice.key.id.as_str(), &alice.key.secret).await;
    for path in ["/v1/health", "/v1/events", "/v1/shards"] {
        let answer = bed.send_raw(Method::GET, path, &[("cookie", &cookie)], None).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
    }
    let session = bed.send_raw(Method::GET, "/console/v1/session", &[("cookie", &cookie)], None).await;
    assert_eq!((&session.json()["account"]["root"], &session.json()["operations"]), (&false.into(), &false.into()));
}

#[tokio::test]
async fn the_console_alone_has_no_admin_api() {
    let bed = Bed::new().await;
    let cookie = root(&bed).await;
    let cookie = [("cookie", cookie.as_str())];
    let session = bed.send_raw(Method::GET, "/console/v1/session", &cookie, None).await;
    assert_eq!(session.json()["operations"], true);
    let bed = bed.console_alone();
    let session = bed.send_raw(Method::GET, "/console/v1/session", &cookie, None).await;
    assert_eq!((&session.json()["account"]["root"], &session.json()["operations"]), (&true.into(), &false.into()));
    assert_eq!(bed.send_raw(Method::GET, "/files", &[], None).await.status, StatusCode::OK);
    let bearer = format!("Bearer {}", bed.token(Scope::Admin));
    for path in ["/v1/health", "/v1/shards", "/metrics", "/health", "/health/ready", "/docs/", "/openapi.json"] {
        let answer = bed.send_raw(Method::GET, path, &[("authorization", &bearer)], None).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn pages_and_door_stand_beside_the_api() {
    let bed = Bed::new().await;
    let page = bed.send_raw(Method::GET, "/", &[], None).await;
    assert_eq!(
        (page.status, page.headers["content-type"].to_str().unwrap()),
        (StatusCode::OK, "text/html; charset=utf-8")
    );
    assert!(page.headers["content-security-policy"].to_str().unwrap().contains("require-trusted-types-for 'script'"));
    let refused = bed.send_raw(Method::GET, "/console/v1/buckets", &[], None).await;
    assert_eq!((refused.status, refused.problem().code.as_deref()), (StatusCode::UNAUTHORIZED, Some("SignedOut")));
    let none = bed.send_raw(Method::GET, "/console/v1/none", &[], None).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
    none.problem();
}

#[tokio::test]
async fn a_stream_ends_with_its_session() {
    let bed = Bed::new().await;
    let cookie = root(&bed).await;
    let text = cookie.strip_prefix("cofre=").unwrap();
    let request = axum::http::Request::get("/v1/events/stream?kind=none.").header("cookie", &cookie);
    let request = request.body(axum::body::Body::empty()).unwrap();
    let mut stream = tower::ServiceExt::oneshot(bed.router.clone(), request).await.unwrap().into_body();
    let session = bed.iam.verify_session(text).await.unwrap().unwrap().session;
    bed.iam.end_session(session.account, &session.id, "test").await.unwrap();
    let ended = http_body_util::BodyExt::frame(&mut stream);
    let ended = tokio::time::timeout(std::time::Duration::from_secs(10), ended).await;
    assert!(ended.expect("the stream ends").is_none());
}
