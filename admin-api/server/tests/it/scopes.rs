use crate::bed::Bed;
use axum::http::{Method, StatusCode};
use cofre_iam::{NewToken, Scope};
use cofre_types::Timestamp;
use serde_json::Value;

const SCOPES: [(Scope, &str); 3] = [(Scope::Read, "read"), (Scope::Operate, "operate"), (Scope::Admin, "admin")];

/// Every route of the document: method, path with numbers for its variables, and the scope it asks for.
fn routes(document: &Value) -> Vec<(Method, String, Option<Scope>)> {
    let mut routes = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        // The console's door has sessions, and tests of its own.
        if path.starts_with("/console/") {
            continue;
        }
        let path = path.replace("{id}", "1").replace("{name}", "abc").replace("{revision}", "0");
        assert!(!path.contains('{'), "{path} has a variable that this test does not know");
        for (method, operation) in operations.as_object().unwrap() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let security = operation["security"].as_array().unwrap_or_else(|| panic!("{method} {path} has no scope"));
            let scope = security.first().map(|requirement| {
                let name = requirement["bearer"][0].as_str().unwrap();
                SCOPES.iter().find(|(_, text)| *text == name).unwrap().0
            });
            routes.push((method, path.clone(), scope));
        }
    }
    routes
}

#[tokio::test]
async fn every_route_asks_for_the_scope_that_it_documents() {
    let bed = Bed::with_shard().await;
    let document = serde_json::to_value(cofre_admin_server::document(bed.admin.clone())).unwrap();
    let routes = routes(&document);
    assert!(routes.len() > 35, "{} routes", routes.len());
    for (method, path, scope) in routes {
        // A stream has no end to wait for.
        if path.ends_with("/stream") {
            continue;
        }
        let Some(needed) = scope else {
            assert!(path.starts_with("/health/"), "{path} is open");
            continue;
        };
        let send = async |header: Option<String>| {
            let headers: Vec<_> = header.iter().map(|value| ("authorization", value.as_str())).collect();
            bed.send_raw(method.clone(), &path, &headers, None).await
        };
        for bad in [None, Some("Bearer "), Some("Bearer cofre_x_y"), Some("Basic YTpi"), Some("nothing")] {
            let answer = send(bad.map(str::to_owned)).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path} with {bad:?}");
            assert!(answer.headers.contains_key("www-authenticate"));
            answer.problem();
        }
        for (scope, name) in SCOPES {
            // The token that deletes itself would change what comes after.
            let answer = send(Some(format!("Bearer {}", bed.token(scope)))).await;
            let refused = answer.status == StatusCode::FORBIDDEN;
            assert_eq!(refused, scope < needed, "{method} {path} with the scope {name}: {}", answer.text);
            assert_ne!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path} with the scope {name}");
        }
    }
}

#[tokio::test]
async fn a_stream_asks_for_a_token_too() {
    let bed = Bed::new().await;
    let answer = bed.send_raw(Method::GET, "/v1/events/stream", &[], None).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_token_that_is_revoked_or_expired_is_refused_at_once() {
    let bed = Bed::new().await;
    let new = |expires| NewToken { scope: Scope::Read, expires, note: String::new() };
    let soon = Timestamp(bed.clock.now_nanos()).after(std::time::Duration::from_millis(50));
    for (expires, revoke) in [(None, true), (Some(soon), false)] {
        let issued = bed.iam.create_token(new(expires), "test").await.unwrap();
        let bearer = format!("Bearer {}", issued.text.expose());
        let send = async || bed.send_raw(Method::GET, "/v1/jobs", &[("authorization", &bearer)], None).await.status;
        assert_eq!(send().await, StatusCode::OK);
        if revoke {
            bed.iam.revoke_token(&issued.token.id, false, "test").await.unwrap();
        } else {
            tokio::time::sleep(std::time::Duration::from_millis(60)).await;
        }
        assert_eq!(send().await, StatusCode::UNAUTHORIZED);
    }
}
