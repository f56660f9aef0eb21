//! Browsers' cross-origin requests.

use crate::bed::Bed;
use crate::sign::Draft;
use cofre_s3::Traffic;
use http::Method;

fn preflight(origin: &str, method: &str) -> Draft {
    Draft::new(Method::OPTIONS, "/bucket/key")
        .header("origin", origin)
        .header("access-control-request-method", method)
        .header("access-control-request-headers", "x-amz-date, authorization")
}

#[tokio::test]
async fn without_a_default_there_is_no_cors() {
    let bed = Bed::with_bucket().await;
    bed.raw(preflight("https://a.example", "GET").anonymous()).await.is_error(403, "AccessDenied");
    bed.raw(Draft::new(Method::OPTIONS, "/bucket/key").anonymous()).await.is_error(400, "BadRequest");
    let got = bed.send(Draft::new(Method::GET, "/bucket").header("origin", "https://a.example")).await;
    assert_eq!(got.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn the_default_of_the_settings_answers() {
    let bed = Bed::with_bucket().await;
    let origins = vec!["https://a.example".to_owned()];
    bed.door.set_traffic(Traffic { cors_origins: origins, cors_max_age_secs: 600, ..Traffic::default() });
    let allowed = bed.raw(preflight("https://a.example", "PUT").anonymous()).await;
    allowed.is(200);
    for (name, value) in [
        ("access-control-allow-origin", "https://a.example"),
        ("access-control-allow-headers", "x-amz-date, authorization"),
        ("access-control-max-age", "600"),
    ] {
        assert_eq!(allowed.header(name), Some(value));
    }
    bed.raw(preflight("https://b.example", "PUT").anonymous()).await.is_error(403, "AccessForbidden");
    bed.raw(preflight("https://a.example", "BREW").anonymous()).await.is_error(403, "AccessForbidden");
    // Errors too must be readable to the script.
    let got = bed.send(Draft::new(Method::GET, "/bucket/none").header("origin", "https://a.example")).await;
    got.is_error(404, "NoSuchKey");
    assert_eq!(got.header("access-control-allow-origin"), Some("https://a.example"));
    assert!(got.header("access-control-expose-headers").is_some_and(|names| names.contains("ETag")));
}
