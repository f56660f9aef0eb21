//! Server access logs: their configuration, and the lines of requests that were answered, refused and denied.

use crate::bed::{Bed, base64};
use crate::sign::{Draft, Key};
use cofre_catalog::records::{AccessLogRecord, Record};
use cofre_catalog::{ReadExt, Scan, keys};
use http::Method;

fn logging(inner: &str) -> String {
    format!("<BucketLoggingStatus><LoggingEnabled>{inner}</LoggingEnabled></BucketLoggingStatus>")
}

const TO_LOGS: &str = "<TargetBucket>logs</TargetBucket><TargetPrefix>p/</TargetPrefix>";

/// A policy of `logs` by which someone may put objects of a prefix.
fn policy(principal: &str, action: &str, prefix: &str, condition: &str) -> String {
    format!(
        r#"{{"Statement": {{"Effect": "Allow", "Principal": {principal}, "Action": "{action}",
            "Resource": "arn:aws:s3:::logs/{prefix}", "Condition": {condition}}}}}"#
    )
}

const DELIVERY: &str = r#"{"Service": "logging.s3.amazonaws.com"}"#;

/// A bed whose bucket `bucket` is logged to `logs`; `plain` is not logged.
async fn logged() -> Bed {
    let bed = Bed::with_bucket().await;
    for name in ["/logs", "/plain"] {
        bed.put(name, "").await.is(200);
    }
    bed.put("/logs?policy", policy(DELIVERY, "s3:PutObject", "*", "{}")).await.is(204);
    bed.put("/bucket?logging", logging(TO_LOGS)).await.is(200);
    bed
}

/// Lines that are durable, as their fields.
async fn lines(bed: &Bed) -> Vec<Vec<String>> {
    let scan = Scan::prefix(&[keys::family::ACCESS_LOG]);
    let page = bed.store.page(scan, 1000).await.unwrap();
    let records = page.iter().map(|(_, entry)| AccessLogRecord::decode(&entry.value).unwrap());
    records.flat_map(|record| record.text.lines().map(fields).collect::<Vec<_>>()).collect()
}

/// Splits a line at its spaces, but for those in quotes and brackets.
fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut inside) = (vec![String::new()], false);
    for c in line.chars() {
        match c {
            '"' | '[' | ']' => inside = !inside,
            ' ' if !inside => fields.push(String::new()),
            c => fields.last_mut().unwrap().push(c),
        }
    }
    assert_eq!(fields.len(), 26, "{line}");
    fields
}

/// Operation, key, status and error code.
fn gist(fields: &[String]) -> [&str; 4] {
    [6, 7, 9, 10].map(|index| fields[index].as_str())
}

#[tokio::test]
async fn a_configuration_is_told_as_it_was_set_and_ends() {
    let bed = logged().await;
    let shown = bed.get("/bucket?logging").await;
    assert_eq!(shown.is(200).element("TargetBucket").as_deref(), Some("logs"));
    assert_eq!(shown.element("TargetPrefix").as_deref(), Some("p/"));
    assert!(shown.text().contains("<SimplePrefix"), "{}", shown.text());
    let grantee = |id: &str| {
        format!(
            "<Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\">\
             <ID>{id}</ID></Grantee><Permission>READ</Permission></Grant>"
        )
    };
    let partitioned = format!(
        "<TargetBucket>logs</TargetBucket><TargetGrants>{}{}</TargetGrants><TargetObjectKeyFormat><PartitionedPrefix>\
         <PartitionDateSource>EventTime</PartitionDateSource></PartitionedPrefix></TargetObjectKeyFormat>\
         <TargetPrefix></TargetPrefix>",
        grantee(&bed.alice_id),
        grantee(&bed.bob_id)
    );
    bed.put("/bucket?logging", logging(&partitioned)).await.is(200);
    let shown = bed.get("/bucket?logging").await;
    assert_eq!(shown.element("PartitionDateSource").as_deref(), Some("EventTime"), "{}", shown.text());
    assert_eq!(shown.elements("ID"), std::slice::from_ref(&bed.bob_id), "a grant to the owner says nothing");
    assert_eq!(shown.elements("Permission"), ["READ"]);
    bed.put("/bucket?logging", "<BucketLoggingStatus/>").await.is(200);
    assert!(!bed.get("/bucket?logging").await.is(200).text().contains("LoggingEnabled"));
}

#[tokio::test]
async fn a_target_must_be_there_and_the_owners() {
    let bed = logged().await;
    bed.by_bob(Draft::new(Method::PUT, "/bobs")).await.is(200);
    for target in ["none", "bobs"] {
        let body = logging(&format!("<TargetBucket>{target}</TargetBucket><TargetPrefix/>"));
        bed.put("/bucket?logging", body).await.is_error(400, "InvalidTargetBucketForLogging");
    }
    let enforced =
        "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>";
    bed.put("/logs?ownershipControls", enforced).await.is(200);
    let granted = format!(
        "<TargetBucket>logs</TargetBucket><TargetGrants><Grant><Grantee \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\"><ID>{}</ID></Grantee>\
         <Permission>READ</Permission></Grant></TargetGrants><TargetPrefix/>",
        bed.bob_id
    );
    bed.put("/bucket?logging", logging(&granted)).await.is_error(400, "AccessControlListNotSupported");
    let unknown = granted.replace("READ", "READ_ACP");
    bed.put("/bucket?logging", logging(&unknown)).await.is_error(400, "MalformedXML");
    bed.by_bob(Draft::new(Method::PUT, "/bucket?logging").body(logging(TO_LOGS))).await.is_error(403, "AccessDenied");
    assert!(bed.get("/bucket?logging").await.text().contains("<TargetBucket>logs<"), "it stays as it was");
}

#[tokio::test]
async fn a_target_must_let_logs_in() {
    let bed = logged().await;
    let set = async || bed.put("/bucket?logging", logging(TO_LOGS)).await;
    let source = r#"{"ArnLike": {"aws:SourceArn": "arn:aws:s3:::bucket"}}"#;
    for (policy, good) in [
        (policy(DELIVERY, "s3:PutObject", "p/*", "{}"), true),
        (policy(DELIVERY, "s3:*", "p/2*", source), true),
        (policy(DELIVERY, "s3:PutObject", "other/*", "{}"), false),
        (policy(DELIVERY, "s3:GetObject", "p/*", "{}"), false),
        (policy(r#"{"Service": "logging.s3.example.com"}"#, "s3:PutObject", "p/*", "{}"), false),
    ] {
        bed.put("/logs?policy", policy.clone()).await.is(204);
        let answer = set().await;
        match good {
            true => answer.is(200),
            false => answer.is_error(400, "InvalidTargetBucketForLogging"),
        };
    }
    bed.delete("/logs?policy").await.is(204);
    let message = set().await.is_error(400, "InvalidTargetBucketForLogging").element("Message").unwrap();
    assert!(message.contains("logging.s3.amazonaws.com"), "{message}");
    bed.send(Draft::new(Method::PUT, "/logs?acl").header("x-amz-acl", "log-delivery-write")).await.is(200);
    set().await.is(200);
    let pays = "<RequestPaymentConfiguration><Payer>Requester</Payer></RequestPaymentConfiguration>";
    bed.put("/logs?requestPayment", pays).await.is(200);
    let message = set().await.is_error(400, "InvalidTargetBucketForLogging").element("Message").unwrap();
    assert!(message.contains("Requester Pays"), "{message}");
}

#[tokio::test]
async fn each_request_has_a_line_whatever_came_of_it() {
    let bed = logged().await;
    let put = Draft::new(Method::PUT, "/bucket/a%20key").header("user-agent", "a \"b\" c").body("content");
    let put = bed.send(put).await;
    put.is(200);
    let durable = lines(&bed).await;
    assert_eq!(durable.len(), 1, "the line of a write is durable before its answer");
    let line = &durable[0];
    let gists = [line[0].as_str(), &line[1], &line[3], &line[4], &line[5]];
    let request_id = put.header("x-amz-request-id").unwrap();
    assert_eq!(gists, [bed.alice_id.as_str(), "bucket", "127.0.0.1", &bed.alice_id, request_id]);
    assert_eq!(gist(line), ["REST.PUT.OBJECT", "a%2520key", "200", "-"]);
    assert_eq!([&line[8], &line[11], &line[12]], ["PUT /bucket/a%20key HTTP/1.1", "-", "7"]);
    assert_eq!([&line[15], &line[16], &line[17]], ["-", "a %22b%22 c", "-"]);
    assert_eq!([&line[18], &line[19], &line[20], &line[21]], ["cofre", "SigV4", "-", "AuthHeader"]);
    assert_eq!([&line[22], &line[23], &line[24], &line[25]], ["localhost:9000", "-", "-", "-"]);

    bed.get("/bucket/a%20key").await.is(200);
    bed.get("/bucket/none").await.is_error(404, "NoSuchKey");
    bed.by_anyone(Draft::new(Method::GET, "/bucket/a%20key")).await.is_error(403, "AccessDenied");
    let wrong = Key { secret: "wrong".to_owned(), ..bed.alice.clone() };
    bed.raw(Draft::new(Method::DELETE, "/%62ucket/a%20key").signed(&wrong)).await.is(403);
    bed.send(Draft::new(Method::HEAD, "/bucket/none")).await.is(404);
    bed.get("/plain").await.is(200);
    bed.get("/none").await.is(404);
    bed.upkeep.access_log().write().await;
    let lines = lines(&bed).await;
    let gists: Vec<_> = lines.iter().skip(1).map(|line| gist(line)).collect();
    // A commit orders the lines that it has; reads are written after the refused DELETE.
    let mut sorted = gists.clone();
    sorted.sort_unstable();
    assert_eq!(
        sorted,
        [
            ["REST.DELETE.OBJECT", "a%2520key", "403", "SignatureDoesNotMatch"],
            ["REST.GET.OBJECT", "a%2520key", "200", "-"],
            ["REST.GET.OBJECT", "a%2520key", "403", "AccessDenied"],
            ["REST.GET.OBJECT", "none", "404", "NoSuchKey"],
            ["REST.HEAD.OBJECT", "none", "404", "NoSuchKey"],
        ]
    );
    let of = |gist_of: [&str; 4]| lines.iter().find(|line| gist(line) == gist_of).unwrap();
    let read = of(["REST.GET.OBJECT", "a%2520key", "200", "-"]);
    assert_eq!([&read[11], &read[12]], ["7", "7"]);
    let anonymous = of(["REST.GET.OBJECT", "a%2520key", "403", "AccessDenied"]);
    assert_eq!([&anonymous[4], &anonymous[19], &anonymous[21]], ["-", "-", "-"]);
    let forged = of(["REST.DELETE.OBJECT", "a%2520key", "403", "SignatureDoesNotMatch"]);
    assert_eq!([&forged[4], &forged[21]], ["-", "AuthHeader"], "nobody is named by a signature that is wrong");
}

#[tokio::test]
async fn deletions_of_many_and_sources_of_copies_have_lines_of_their_own() {
    use s3s::crypto::Checksum;
    let bed = logged().await;
    bed.put("/bucket/one", "1").await.is(200);
    bed.send(Draft::new(Method::PUT, "/plain/copy").header("x-amz-copy-source", "/bucket/one")).await.is(200);
    let list = "<Delete><Object><Key>one</Key></Object><Object><Key>two</Key></Object></Delete>";
    let digest = base64(s3s::crypto::Md5::checksum(list.as_bytes()).as_ref());
    bed.send(Draft::new(Method::POST, "/bucket?delete").header("content-md5", &digest).body(list)).await.is(200);
    let lines = lines(&bed).await;
    let gists: Vec<_> = lines.iter().map(|line| gist(line)).collect();
    assert_eq!(
        gists,
        [
            ["REST.PUT.OBJECT", "one", "200", "-"],
            ["REST.COPY.OBJECT_GET", "one", "200", "-"],
            ["REST.POST.MULTI_OBJECT_DELETE", "-", "200", "-"],
            ["BATCH.DELETE.OBJECT", "one", "204", "-"],
            ["BATCH.DELETE.OBJECT", "two", "204", "-"],
        ]
    );
}

#[tokio::test]
async fn a_line_says_that_a_list_was_needed() {
    let bed = logged().await;
    bed.send(Draft::new(Method::PUT, "/bucket/open").header("x-amz-acl", "public-read").body("x")).await.is(200);
    bed.put("/bucket/closed", "x").await.is(200);
    bed.by_anyone(Draft::new(Method::GET, "/bucket/open")).await.is(200);
    bed.get("/bucket/open").await.is(200);
    bed.upkeep.access_log().write().await;
    let lines = lines(&bed).await;
    let needed: Vec<_> = lines.iter().map(|line| (line[6].as_str(), line[4] == "-", line[25].as_str())).collect();
    assert_eq!(
        needed,
        [
            ("REST.PUT.OBJECT", false, "-"),
            ("REST.PUT.OBJECT", false, "-"),
            ("REST.GET.OBJECT", true, "Yes"),
            ("REST.GET.OBJECT", false, "-"),
        ]
    );
}

/// On HTTP/2 the host stands in the address alone (RFC 9113, section 8.3.1).
#[tokio::test]
async fn a_bucket_in_the_host_of_http_2_is_logged_and_has_a_region() {
    let options = cofre_s3::S3Options { domains: vec!["s3.local".to_owned()], ..cofre_s3::S3Options::default() };
    let bed = Bed::with(options).await;
    for name in ["/bucket", "/logs"] {
        bed.put(name, "").await.is(200);
    }
    bed.put("/logs?policy", policy(DELIVERY, "s3:PutObject", "*", "{}")).await.is(204);
    bed.put("/bucket?logging", logging(TO_LOGS)).await.is(200);
    let mut request = Draft::new(Method::GET, "/key").anonymous();
    *request.uri_mut() = "http://bucket.s3.local/key".parse().unwrap();
    *request.version_mut() = http::Version::HTTP_2;
    request.headers_mut().remove("host");
    let denied = bed.raw(request).await;
    denied.is_error(403, "AccessDenied");
    assert_eq!(denied.header("x-amz-bucket-region"), Some("us-east-1"));
    bed.upkeep.access_log().write().await;
    let lines = lines(&bed).await;
    let logged = lines.iter().find(|line| gist(line)[3] == "AccessDenied").expect("the request is logged");
    assert_eq!((gist(logged)[0], gist(logged)[1]), ("REST.GET.OBJECT", "key"));
    assert_eq!(logged[1], "bucket");
}
