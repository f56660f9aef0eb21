use crate::bed::Bed;
use axum::http::{Method, StatusCode};
use std::path::Path;

/// The document that is committed must be that of the code. `COFRE_OPENAPI_WRITE=1 cargo test
/// --ignore-rust-version -p cofre-admin-server --test it document` writes it anew.
#[tokio::test]
async fn the_committed_document_is_that_of_the_code() {
    let bed = Bed::new().await;
    let today = cofre_admin_server::document(bed.admin.clone()).to_pretty_json().unwrap() + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi/openapi.json");
    if std::env::var_os("COFRE_OPENAPI_WRITE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &today).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        today == committed,
        "admin-api/openapi/openapi.json is not that of the code; the test says how to write it"
    );
}

#[tokio::test]
async fn everything_in_the_document_is_described() {
    let bed = Bed::new().await;
    let document = serde_json::to_value(cofre_admin_server::document(bed.admin.clone())).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let says = |value: &serde_json::Value| value["description"].as_str().is_some_and(|text| !text.is_empty());
    // What may be absent is one of its type and nothing: the type is described.
    let described = |value: &serde_json::Value| {
        says(value) || value["oneOf"].as_array().is_some_and(|parts| parts.iter().any(says))
    };
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            assert!(operation["summary"].is_string() && operation["operationId"].is_string(), "{method} {path}");
            for (status, response) in operation["responses"].as_object().unwrap() {
                assert!(described(response), "{method} {path} {status}");
            }
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                assert!(described(parameter), "{method} {path}: {}", parameter["name"]);
            }
        }
    }
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        for (field, schema) in schema["properties"].as_object().into_iter().flatten() {
            assert!(described(schema), "{name}.{field}");
        }
    }
}

#[tokio::test]
async fn the_page_needs_nothing_from_outside() {
    let bed = Bed::new().await;
    let served = bed.send_raw(Method::GET, "/openapi.json", &[], None).await;
    assert_eq!(served.status, StatusCode::OK);
    assert_eq!(served.json()["info"]["title"], "Cofre admin API");
    for path in ["/docs/", "/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js", "/docs/swagger-initializer.js"] {
        let answer = bed.send_raw(Method::GET, path, &[], None).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("http"), "{policy}");
    }
    let page = bed.send_raw(Method::GET, "/docs/", &[], None).await.text;
    assert!(!page.contains("src=\"http") && !page.contains("href=\"http"), "{page}");
}
