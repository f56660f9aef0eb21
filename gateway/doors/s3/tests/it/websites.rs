//! The website endpoint, as browsers see it.

use crate::bed::{Answer, Bed};
use crate::sign::Draft;
use cofre_s3::S3Options;
use http::Method;

const HOST: &str = "bucket.web.local:8080";

/// The website of `bucket`, whose objects everyone may read, with some pages.
async fn website(document: &str) -> Bed {
    let options = S3Options { website_domains: vec!["web.local".to_owned()], ..S3Options::default() };
    let bed = Bed::with(options).await;
    bed.put("/bucket", "").await.is(200);
    bed.put("/bucket?policy", policy("s3:GetObject", "/*")).await.is(204);
    bed.put("/bucket?website", format!("<WebsiteConfiguration>{document}</WebsiteConfiguration>")).await.is(200);
    for (key, body) in [("index.html", "the root"), ("docs/index.html", "the docs"), ("a%20page.html", "a page")] {
        let page = Draft::new(Method::PUT, &format!("/bucket/{key}")).header("content-type", "text/html").body(body);
        bed.send(page).await.is(200);
    }
    bed
}

fn policy(action: &str, below: &str) -> String {
    format!(
        r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Principal": "*", "Action": "{action}",
        "Resource": "arn:aws:s3:::bucket{below}"}}}}"#
    )
}

fn visit(method: Method, address: &str) -> Draft {
    Draft::new(method, address).header("host", HOST)
}

async fn get(bed: &Bed, address: &str) -> Answer {
    bed.by_anyone(visit(Method::GET, address)).await
}

const INDEX: &str = "<IndexDocument><Suffix>index.html</Suffix></IndexDocument>";

#[tokio::test]
async fn configurations_are_told_as_they_were_set() {
    let bed = Bed::with_bucket().await;
    for document in [
        "<IndexDocument><Suffix>i.html</Suffix></IndexDocument>",
        "<RedirectAllRequestsTo><HostName>example.com</HostName><Protocol>https</Protocol></RedirectAllRequestsTo>",
        "<ErrorDocument><Key>e.html</Key></ErrorDocument><IndexDocument><Suffix>i</Suffix></IndexDocument>\
         <RoutingRules><RoutingRule><Condition><HttpErrorCodeReturnedEquals>404</HttpErrorCodeReturnedEquals>\
         <KeyPrefixEquals>docs/</KeyPrefixEquals></Condition><Redirect><HostName>h</HostName>\
         <HttpRedirectCode>302</HttpRedirectCode><Protocol>http</Protocol><ReplaceKeyPrefixWith></ReplaceKeyPrefixWith>\
         </Redirect></RoutingRule><RoutingRule><Redirect><ReplaceKeyWith>k</ReplaceKeyWith></Redirect></RoutingRule>\
         </RoutingRules>",
    ] {
        bed.put("/bucket?website", format!("<WebsiteConfiguration>{document}</WebsiteConfiguration>")).await.is(200);
        let told = bed.get("/bucket?website").await;
        let text =
            told.is(200).text().replace("<ReplaceKeyPrefixWith/>", "<ReplaceKeyPrefixWith></ReplaceKeyPrefixWith>");
        assert!(text.contains(document), "{text}");
    }
    bed.delete("/bucket?website").await.is(204);
    bed.get("/bucket?website").await.is_error(404, "NoSuchWebsiteConfiguration");
}

#[tokio::test]
async fn broken_configurations_are_refused() {
    let bed = Bed::with_bucket().await;
    let rule = |rule: &str| format!("{INDEX}<RoutingRules><RoutingRule>{rule}</RoutingRule></RoutingRules>");
    let to = "<Redirect><HostName>h</HostName></Redirect>";
    for (document, code) in [
        (String::new(), "InvalidArgument"),
        ("<IndexDocument><Suffix>a/b</Suffix></IndexDocument>".to_owned(), "InvalidArgument"),
        (format!("{INDEX}<RedirectAllRequestsTo><HostName>h</HostName></RedirectAllRequestsTo>"), "InvalidArgument"),
        (
            "<RedirectAllRequestsTo><HostName>h</HostName><Protocol>ftp</Protocol></RedirectAllRequestsTo>".to_owned(),
            "InvalidRequest",
        ),
        (rule("<Redirect></Redirect>"), "MalformedXML"),
        (rule(&format!("<Condition></Condition>{to}")), "InvalidRequest"),
        (
            rule(&format!("<Condition><HttpErrorCodeReturnedEquals>abc</HttpErrorCodeReturnedEquals></Condition>{to}")),
            "InvalidRequest",
        ),
        (
            rule(
                "<Redirect><ReplaceKeyWith>a</ReplaceKeyWith><ReplaceKeyPrefixWith>b</ReplaceKeyPrefixWith></Redirect>",
            ),
            "InvalidRequest",
        ),
        (rule("<Redirect><HttpRedirectCode>300</HttpRedirectCode></Redirect>"), "InvalidRequest"),
    ] {
        let whole = format!("<WebsiteConfiguration>{document}</WebsiteConfiguration>");
        let refused = bed.put("/bucket?website", whole).await;
        refused.is_error(400, code);
    }
}

#[tokio::test]
async fn pages_are_shown_with_the_headers_of_their_objects() {
    let bed = website(INDEX).await;
    for (address, body) in [
        ("/", "the root"),
        ("/docs/", "the docs"),
        ("/a%20page.html?utm=1", "a page"),
        ("/docs/index.html", "the docs"),
    ] {
        let page = get(&bed, address).await;
        assert_eq!(page.is(200).text(), body);
        assert_eq!(page.header("content-type"), Some("text/html"));
    }
    let rich = Draft::new(Method::PUT, "/bucket/rich.css")
        .header("content-type", "text/css")
        .header("cache-control", "max-age=60")
        .header("content-language", "pt")
        .header("x-amz-meta-color", "=?UTF-8?B?w6k=?=")
        .body("0123456789");
    bed.send(rich).await.is(200);
    let rest = bed.get("/bucket/rich.css").await;
    let page = get(&bed, "/rich.css").await;
    for name in [
        "content-type",
        "cache-control",
        "content-language",
        "content-length",
        "etag",
        "last-modified",
        "accept-ranges",
        "x-amz-meta-color",
    ] {
        assert!(page.header(name).is_some(), "{name}");
        assert_eq!(page.header(name), rest.header(name), "{name}");
    }
    let head = bed.by_anyone(visit(Method::HEAD, "/rich.css")).await;
    assert_eq!((head.is(200).header("content-length"), head.body.len()), (Some("10"), 0));
    assert_eq!(head.header("etag"), page.header("etag"));
    let part = bed.by_anyone(visit(Method::GET, "/rich.css").header("range", "bytes=2-4")).await;
    assert_eq!(part.is(206).text(), "234");
    assert_eq!(part.header("content-range"), Some("bytes 2-4/10"));
    let etag = page.header("etag").unwrap();
    let same = bed.by_anyone(visit(Method::GET, "/rich.css").header("if-none-match", etag)).await;
    assert_eq!((same.is(304).header("etag"), same.body.len()), (Some(etag), 0));
}

#[tokio::test]
async fn a_folder_without_its_slash_is_found() {
    let bed = website(INDEX).await;
    let found = get(&bed, "/docs").await;
    assert_eq!(found.is(302).header("location"), Some("/docs/"));
    // Also where who lists the bucket is told what is not there.
    bed.put("/bucket?policy", policy("s3:*", "*")).await.is(204);
    assert_eq!(get(&bed, "/docs").await.is(302).header("location"), Some("/docs/"));
    get(&bed, "/index.html/").await.is(404);
}

#[tokio::test]
async fn errors_are_pages_that_escape_what_they_tell() {
    let bed = website(INDEX).await;
    let denied = get(&bed, "/none").await;
    assert_eq!(denied.is(403).header("content-type"), Some("text/html; charset=utf-8"));
    assert!(denied.text().contains("<h1>403 Forbidden</h1>") && denied.text().contains("<li>Code: AccessDenied</li>"));
    bed.put("/bucket?policy", policy("s3:*", "*")).await.is(204);
    let missing = get(&bed, "/%3Cscript%3Ealert(1)%3C/script%3E").await;
    let text = missing.is(404).text();
    assert!(text.contains("<li>Key: &lt;script&gt;alert(1)&lt;/script&gt;</li>"), "{text}");
    assert!(!text.contains("<script"), "{text}");
    assert_eq!(missing.header("x-amz-error-code"), Some("NoSuchKey"));
    assert!(text.contains(missing.header("x-amz-request-id").unwrap()));
    let head = bed.by_anyone(visit(Method::HEAD, "/none")).await;
    assert_eq!((head.is(404).header("x-amz-error-code"), head.body.len()), (Some("NoSuchKey"), 0));
    assert!(get(&bed, "/%ff").await.is(400).text().contains("InvalidURI"));
    for (host, code) in [("nowhere.web.local", "NoSuchBucket"), ("other.web.local", "NoSuchWebsiteConfiguration")] {
        bed.put("/other", "").await;
        let page = bed.by_anyone(Draft::new(Method::GET, "/").header("host", host)).await;
        assert!(page.is(404).text().contains(&format!("<li>Code: {code}</li>")), "{}", page.text());
    }
}

#[tokio::test]
async fn a_website_is_only_for_reading_and_for_anyone() {
    let bed = website(INDEX).await;
    for method in [Method::PUT, Method::POST, Method::DELETE, Method::PATCH] {
        let refused = bed.send(visit(method.clone(), "/index.html").body("")).await;
        assert_eq!(refused.is(405).header("allow"), Some("GET, HEAD"), "{method}");
        assert!(refused.text().contains("<li>Code: MethodNotAllowed</li>"));
    }
    assert_eq!(get(&bed, "/").await.is(200).text(), "the root", "nothing was written or deleted");
    // The owner's own signature opens nothing here, and parameters of S3 mean nothing.
    bed.delete("/bucket?policy").await.is(204);
    bed.send(visit(Method::GET, "/index.html")).await.is(403);
    bed.send(visit(Method::GET, "/?policy")).await.is(403);
    // A list of the object opens it as a policy does; on the REST endpoint it is read all the same.
    bed.send(Draft::new(Method::PUT, "/bucket/index.html?acl").header("x-amz-acl", "public-read")).await.is(200);
    assert_eq!(get(&bed, "/").await.is(200).text(), "the root");
    assert_eq!(bed.get("/bucket/index.html").await.is(200).text(), "the root");
}

#[tokio::test]
async fn conditions_of_a_policy_see_the_visit() {
    let bed = website(INDEX).await;
    let referer = policy("s3:GetObject", "/*");
    let only = r#""Condition": {"StringLike": {"aws:Referer": "http://a.example/*"}}, "Effect""#;
    bed.put("/bucket?policy", referer.replace("\"Effect\"", only)).await.is(204);
    get(&bed, "/").await.is(403);
    bed.by_anyone(visit(Method::GET, "/").header("referer", "http://a.example/page")).await.is(200);
}

#[tokio::test]
async fn an_error_document_has_the_status_of_its_error() {
    let bed = website(&format!("<ErrorDocument><Key>oops.html</Key></ErrorDocument>{INDEX}")).await;
    let nested = get(&bed, "/none").await.is(403).text();
    assert!(nested.contains("An Error Occurred While Attempting to Retrieve a Custom Error Document"), "{nested}");
    assert!(nested.contains("<li>Key: oops.html</li>"), "{nested}");
    let page = Draft::new(Method::PUT, "/bucket/oops.html").header("content-type", "text/x-oops").body("oops");
    bed.send(page).await.is(200);
    let etag = bed.get("/bucket/oops.html").await.header("etag").unwrap().to_owned();
    for (policy, status) in [(policy("s3:GetObject", "/*"), 403), (policy("s3:*", "*"), 404)] {
        bed.put("/bucket?policy", policy).await.is(204);
        // What the browser has of another page is not asked of this one.
        let shown = visit(Method::GET, "/none").header("range", "bytes=1-1").header("if-none-match", &etag);
        let shown = bed.by_anyone(shown).await;
        assert_eq!(shown.is(status).text(), "oops");
        assert_eq!(shown.header("content-type"), Some("text/x-oops"));
    }
    let head = bed.by_anyone(visit(Method::HEAD, "/none")).await;
    assert_eq!((head.is(404).header("content-length"), head.body.len()), (Some("4"), 0));
}

#[tokio::test]
async fn an_object_can_send_its_visitors_on() {
    let bed = website(INDEX).await;
    let to =
        |location: &str| Draft::new(Method::PUT, "/bucket/moved").header("x-amz-website-redirect-location", location);
    for location in ["/docs/", "https://example.com/a?b=c"] {
        bed.send(to(location)).await.is(200);
        for method in [Method::GET, Method::HEAD] {
            let moved = bed.by_anyone(visit(method, "/moved")).await;
            assert_eq!(moved.is(301).header("location"), Some(location));
        }
        // On the REST endpoint it is a header like any other.
        assert_eq!(bed.get("/bucket/moved").await.is(200).header("x-amz-website-redirect-location"), Some(location));
    }
    bed.send(to("javascript:alert(1)")).await.is_error(400, "InvalidRedirectLocation");
    let copy = |location: Option<&str>| {
        let draft = Draft::new(Method::PUT, "/bucket/copy").header("x-amz-copy-source", "/bucket/moved");
        match location {
            Some(location) => draft.header("x-amz-website-redirect-location", location),
            None => draft,
        }
    };
    bed.send(copy(None)).await.is(200);
    get(&bed, "/copy").await.is(200);
    bed.send(copy(Some("/own"))).await.is(200);
    assert_eq!(get(&bed, "/copy").await.is(301).header("location"), Some("/own"));
}

#[tokio::test]
async fn rules_send_visitors_on() {
    let rule = |condition: &str, redirect: &str| {
        format!("<RoutingRule><Condition>{condition}</Condition><Redirect>{redirect}</Redirect></RoutingRule>")
    };
    let prefix = |prefix: &str| format!("<KeyPrefixEquals>{prefix}</KeyPrefixEquals>");
    let failed = "<HttpErrorCodeReturnedEquals>403</HttpErrorCodeReturnedEquals>";
    let rules = [
        rule(&prefix("old/"), "<ReplaceKeyPrefixWith>new/</ReplaceKeyPrefixWith>"),
        rule(
            &prefix("out/"),
            "<HostName>h.example</HostName><Protocol>https</Protocol><HttpRedirectCode>307</HttpRedirectCode>",
        ),
        rule(&format!("{failed}{}", prefix("img/")), "<ReplaceKeyPrefixWith>resize?key=</ReplaceKeyPrefixWith>"),
        rule(failed, "<ReplaceKeyWith>index.html</ReplaceKeyWith><HttpRedirectCode>302</HttpRedirectCode>"),
    ];
    let document = format!("{INDEX}<RoutingRules>{}</RoutingRules>", rules.concat());
    let bed = website(&document).await;
    for (address, status, location) in [
        ("/old/a%20b?q=1", 301, "http://bucket.web.local:8080/new/a%20b?q=1"),
        ("/out/a", 307, "https://h.example/out/a"),
        ("/img/a.png", 301, "http://bucket.web.local:8080/resize?key=a.png"),
        ("/none", 302, "http://bucket.web.local:8080/index.html"),
        ("/docs", 302, "/docs/"),
    ] {
        assert_eq!(get(&bed, address).await.is(status).header("location"), Some(location), "{address}");
    }
    get(&bed, "/docs/").await.is(200);
}

#[tokio::test]
async fn a_whole_website_can_be_elsewhere() {
    let to = "<RedirectAllRequestsTo><HostName>example.com</HostName></RedirectAllRequestsTo>";
    let bed = website(to).await;
    assert_eq!(get(&bed, "/a/b?c=d").await.is(301).header("location"), Some("http://example.com/a/b?c=d"));
    assert_eq!(get(&bed, "/").await.is(301).header("location"), Some("http://example.com/"));
}

#[tokio::test]
async fn pages_of_other_origins_may_be_let_in() {
    let bed = website(INDEX).await;
    let cors = "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>https://a.example\
                </AllowedOrigin></CORSRule></CORSConfiguration>";
    bed.put("/bucket?cors", cors).await.is(200);
    let from = |method: Method, address: &str| visit(method, address).header("origin", "https://a.example");
    for (draft, status) in [
        (from(Method::GET, "/"), 200),
        (from(Method::GET, "/none"), 403),
        (from(Method::OPTIONS, "/").header("access-control-request-method", "GET"), 200),
    ] {
        let answer = bed.by_anyone(draft).await;
        assert_eq!(answer.is(status).header("access-control-allow-origin"), Some("https://a.example"));
    }
}

#[tokio::test]
async fn a_bucket_whose_requesters_pay_is_no_website() {
    let bed = website(INDEX).await;
    let payer = "<RequestPaymentConfiguration><Payer>Requester</Payer></RequestPaymentConfiguration>";
    bed.put("/bucket?requestPayment", payer).await.is(200);
    get(&bed, "/").await.is(403);
    bed.by_anyone(visit(Method::GET, "/").header("x-amz-request-payer", "requester")).await.is(403);
}
