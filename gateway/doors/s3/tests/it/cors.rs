//! Browsers' cross-origin requests.

use crate::bed::Bed;
use crate::sign::Draft;
use cofre_s3::{S3Options, Traffic};
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
    bed.raw(preflight("https://a.example", "GET").anonymous()).await.is_error(403, "AccessForbidden");
    bed.raw(Draft::new(Method::OPTIONS, "/bucket/key").anonymous()).await.is_error(400, "BadRequest");
    let got = bed.send(Draft::new(Method::GET, "/bucket").header("origin", "https://a.example")).await;
    assert_eq!(got.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn the_default_of_the_settings_answers() {
    let bed = Bed::with_bucket().await;
    let origins = vec!["https://a.example".to_owned()];
    bed.door.set_traffic(Traffic { cors_origins: origins, cors_max_age_secs: 600 });
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
    for method in ["BREW", "get", "PATCH", "OPTIONS"] {
        let refused = bed.raw(preflight("https://a.example", method).anonymous()).await;
        let message = refused.is_error(400, "BadRequest").element("Message").unwrap();
        assert_eq!(message, format!("Invalid Access-Control-Request-Method: {method}"));
    }
    for (headers, bad) in [("x-amz-date,a b", "a b"), ("a:b", "a:b"), ("x, y(z)", " y(z)"), ("caf\u{e9}", "caf\u{e9}")]
    {
        let mut draft = preflight("https://a.example", "PUT");
        draft.headers.retain(|(name, _)| name != "access-control-request-headers");
        let refused = bed.raw(draft.header("access-control-request-headers", headers).anonymous()).await;
        let message = refused.is_error(400, "BadRequest").element("Message").unwrap();
        assert_eq!(message, format!("Access-Control-Request-Headers &quot;{bad}&quot; contains invalid character."));
    }
    // Errors too must be readable to the script.
    let got = bed.send(Draft::new(Method::GET, "/bucket/none").header("origin", "https://a.example")).await;
    got.is_error(404, "NoSuchKey");
    assert_eq!(got.header("access-control-allow-origin"), Some("https://a.example"));
    assert!(got.header("access-control-expose-headers").is_some_and(|names| names.contains("ETag")));
}

fn document(rules: &str) -> String {
    format!("<CORSConfiguration>{rules}</CORSConfiguration>")
}

const RULES: &str = "<CORSRule><AllowedHeader>x-amz-*</AllowedHeader><AllowedMethod>PUT</AllowedMethod>\
     <AllowedMethod>DELETE</AllowedMethod><AllowedOrigin>https://*.example.com</AllowedOrigin>\
     <ExposeHeader>ETag</ExposeHeader><ExposeHeader>x-amz-meta-a</ExposeHeader><ID>one</ID>\
     <MaxAgeSeconds>3000</MaxAgeSeconds></CORSRule>\
     <CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule>";

#[tokio::test]
async fn rules_are_told_as_they_were_set() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket?cors", document(RULES)).await.is(200);
    let told = bed.get("/bucket?cors").await;
    assert!(told.is(200).text().contains(RULES), "{}", told.text());
    bed.delete("/bucket?cors").await.is(204);
    bed.get("/bucket?cors").await.is_error(404, "NoSuchCORSConfiguration");
}

#[tokio::test]
async fn broken_rules_are_refused_by_the_field() {
    let bed = Bed::with_bucket().await;
    let rule = |inner: &str| format!("<CORSRule>{inner}</CORSRule>");
    for (rules, code, field) in [
        (
            rule(
                "<AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin><AllowedHeader>a b</AllowedHeader>",
            ),
            "InvalidRequest",
            "AllowedHeader",
        ),
        (String::new(), "MalformedXML", ""),
        (rule("<AllowedMethod>GET</AllowedMethod>"), "MalformedXML", ""),
        (rule("<AllowedMethod>PATCH</AllowedMethod><AllowedOrigin>*</AllowedOrigin>"), "InvalidRequest", "PATCH"),
        (rule("<AllowedMethod>GET</AllowedMethod><AllowedOrigin>*.*</AllowedOrigin>"), "InvalidRequest", "Origin"),
        (
            rule("<AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin><ExposeHeader>*</ExposeHeader>"),
            "InvalidRequest",
            "ExposeHeader",
        ),
    ] {
        let refused = bed.put("/bucket?cors", document(&rules)).await;
        refused.is_error(400, code);
        assert!(refused.element("Message").unwrap().contains(field), "{}", refused.text());
    }
    bed.get("/bucket?cors").await.is_error(404, "NoSuchCORSConfiguration");
}

#[tokio::test]
async fn a_preflight_is_answered_by_the_first_rule_that_matches() {
    let options = S3Options { domains: vec!["s3.local".to_owned()], ..S3Options::default() };
    let bed = Bed::with(options).await;
    bed.put("/bucket", "").await.is(200);
    bed.put("/bucket?cors", document(RULES)).await.is(200);
    let ask = |origin: &str, method: &str, headers: &str| {
        let draft = Draft::new(Method::OPTIONS, "/bucket/key").header("origin", origin);
        let draft = draft.header("access-control-request-method", method);
        if headers.is_empty() { draft } else { draft.header("access-control-request-headers", headers) }
    };
    let headers = [
        "access-control-allow-origin",
        "access-control-allow-credentials",
        "access-control-allow-methods",
        "access-control-allow-headers",
        "access-control-expose-headers",
        "access-control-max-age",
    ];
    let origin = "https://www.example.com";
    let one = [Some(origin), Some("true"), Some("PUT, DELETE"), None, Some("ETag, x-amz-meta-a"), Some("3000")];
    let asked = [one[0], one[1], one[2], Some("x-amz-date, x-amz-acl"), one[4], one[5]];
    let two = [Some("*"), None, Some("GET"), None, None, None];
    for (draft, expected) in [
        (ask(origin, "PUT", ""), one),
        (ask(origin, "DELETE", "X-Amz-Date,x-amz-acl"), asked),
        (ask(origin, "GET", ""), two),
        (ask("null", "GET", ""), two),
    ] {
        let answer = bed.by_anyone(draft).await;
        answer.is(200);
        assert_eq!(headers.map(|name| answer.header(name)), expected);
        assert!(answer.header("vary").unwrap().contains("Origin"));
    }
    for draft in [
        ask(origin, "PUT", "authorization"),
        ask(origin, "GET", "x-amz-date"),
        ask(origin, "POST", ""),
        ask("https://example.com", "PUT", ""),
    ] {
        let refused = bed.by_anyone(draft).await;
        refused.is_error(403, "AccessForbidden");
        assert_eq!(headers.map(|name| refused.header(name)), [None; 6]);
        assert_eq!(refused.element("ResourceType").as_deref(), Some("OBJECT"));
    }
    // The bucket may stand in the host.
    let mut draft = ask(origin, "PUT", "").header("host", "bucket.s3.local");
    draft.address = "/key".to_owned();
    assert_eq!(bed.by_anyone(draft).await.is(200).header("access-control-allow-origin"), Some(origin));
}

#[tokio::test]
async fn answers_are_for_pages_that_a_rule_allows() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket?cors", document(RULES)).await.is(200);
    let origin = "https://www.example.com";
    let from = |method: Method, address: &str, origin: &str| Draft::new(method, address).header("origin", origin);
    let put = bed.send(from(Method::PUT, "/bucket/k", origin).body("hello")).await;
    assert_eq!(put.is(200).header("access-control-allow-origin"), Some(origin));
    assert_eq!(put.header("access-control-expose-headers"), Some("ETag, x-amz-meta-a"));
    // Errors too, of the signature among them.
    let missing = bed.send(from(Method::GET, "/bucket/none", origin)).await;
    assert_eq!(missing.is_error(404, "NoSuchKey").header("access-control-allow-origin"), Some("*"));
    let denied = bed.by_anyone(from(Method::DELETE, "/bucket/k", origin)).await;
    assert_eq!(denied.is_error(403, "AccessDenied").header("access-control-allow-origin"), Some(origin));
    let other = bed.send(from(Method::PUT, "/bucket/k", "https://evil.example").body("hello")).await;
    assert_eq!(other.is(200).header("access-control-allow-origin"), None);
    assert!(other.header("vary").is_some(), "for another origin the answer is another one");
    let plain = bed.get("/bucket/k").await;
    assert_eq!((plain.header("access-control-allow-origin"), plain.header("vary")), (None, None));
}

#[tokio::test]
async fn rules_of_a_bucket_take_the_place_of_the_default() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket?cors", document(RULES)).await.is(200);
    bed.put("/without", "").await.is(200);
    let at = |address: &str, method: &str| {
        let draft = Draft::new(Method::OPTIONS, address).header("origin", "https://a.example");
        draft.header("access-control-request-method", method)
    };
    // A bucket that is not there is told from none without rules by nothing.
    for (address, kind) in [("/without/k", "OBJECT"), ("/nowhere/k", "OBJECT"), ("/nowhere", "BUCKET"), ("/", "BUCKET")]
    {
        let refused = bed.by_anyone(at(address, "PUT")).await;
        refused.is_error(403, "AccessForbidden");
        assert_eq!(refused.element("Message").as_deref(), Some("CORSResponse: CORS is not enabled for this bucket."));
        assert_eq!(refused.element("ResourceType").as_deref(), Some(kind));
        assert_eq!(refused.element("BucketName"), None);
    }
    let origins = vec!["https://a.example".to_owned()];
    bed.door.set_traffic(Traffic { cors_origins: origins, cors_max_age_secs: 600 });
    for address in ["/without/k", "/nowhere/k", "/"] {
        bed.by_anyone(at(address, "PUT")).await.is(200);
    }
    bed.by_anyone(at("/bucket/k", "PUT")).await.is_error(403, "AccessForbidden");
    bed.by_anyone(at("/bucket/k", "GET")).await.is(200);
    bed.delete("/bucket?cors").await.is(204);
    bed.by_anyone(at("/bucket/k", "PUT")).await.is(200);
}
