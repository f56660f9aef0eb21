//! Forms of signatures that are not taken, and what their errors tell.

use crate::bed::{Answer, Bed, base64};
use crate::sign::{Draft, EMPTY_SHA256, Key, amz_date, chunks_with_trailer, sha256};
use bytes::Bytes;
use http::{HeaderValue, Method, Request};
use http_body_util::Full;
use s3s::crypto::Checksum;
use serde_json::json;

fn get() -> Draft {
    Draft::new(Method::GET, "/bucket/key")
}

/// A request that alice signs, with its `Authorization` changed.
fn changed(bed: &Bed, change: impl FnOnce(&str) -> String) -> Request<Full<Bytes>> {
    let mut request = get().signed(&bed.alice);
    let header = request.headers()["authorization"].to_str().unwrap().to_owned();
    request.headers_mut().insert("authorization", HeaderValue::try_from(change(&header)).unwrap());
    request
}

/// A presigned address of alice, changed.
fn presigned(bed: &Bed, change: impl FnOnce(&str) -> String) -> Request<Full<Bytes>> {
    let (mut parts, body) = get().presigned(&bed.alice, 60, &[]).into_parts();
    parts.uri = change(&parts.uri.to_string()).parse().unwrap();
    Request::from_parts(parts, body)
}

fn message(answer: &Answer) -> String {
    answer
        .element("Message")
        .unwrap()
        .replace("&quot;", "\"")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&apos;", "'")
}

/// The part of a text from `from` to before `to`, or to its end.
fn part<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let rest = &text[text.find(from).unwrap()..];
    &rest[..rest.find(to).unwrap_or(rest.len())]
}

#[tokio::test]
async fn a_request_is_signed_in_one_way() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket/key", "x").await.is(200);
    let told = "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string \
                parameter or the Authorization header should be specified";
    for authorization in ["Bearer abc", "Basic YTpi", "Token abc", "AWS a:b", "", "AWS4-HMAC-SHA256 x"] {
        for address in [presigned(&bed, str::to_owned), get().presigned_v2(&bed.alice, 1 << 40, "/bucket/key")] {
            let mut request = address;
            request.headers_mut().insert("authorization", HeaderValue::try_from(authorization).unwrap());
            let refused = bed.raw(request).await;
            assert_eq!(message(refused.is_error(400, "InvalidArgument")), told, "{authorization}");
            assert_eq!(refused.element("ArgumentName").as_deref(), Some("Authorization"));
            assert_eq!(refused.element("ArgumentValue").as_deref(), Some(authorization));
        }
    }
    let both = presigned(&bed, |uri| format!("{uri}&AWSAccessKeyId={}&Signature=x&Expires=1", bed.alice.id));
    assert_eq!(message(bed.raw(both).await.is_error(400, "InvalidArgument")), told);
    for second in ["Bearer abc", "AWS4-HMAC-SHA256 x"] {
        let mut request = get().signed(&bed.alice);
        request.headers_mut().append("authorization", HeaderValue::from_static(second));
        bed.raw(request).await.is_error(400, "InvalidArgument");
    }
}

#[tokio::test]
async fn half_a_signature_is_not_anonymous() {
    let bed = Bed::with_bucket().await;
    bed.send(Draft::new(Method::PUT, "/bucket/key").header("x-amz-acl", "public-read").body("x")).await.is(200);
    let at = |query: &str| Draft::new(Method::GET, &format!("/bucket/key?{query}")).anonymous();
    bed.raw(get().anonymous()).await.is(200);
    let told = "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, \
                X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.";
    for name in [
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Date",
        "X-Amz-Expires",
        "X-Amz-SignedHeaders",
        "X%2DAmz-Signature",
        "x-amz-signature",
    ] {
        let refused = bed.raw(at(&format!("{name}=1"))).await;
        assert_eq!(message(refused.is_error(400, "AuthorizationQueryParametersError")), told, "{name}");
        if name.starts_with("X-Amz-") {
            let without = presigned(&bed, |uri| uri.replace(&format!("{}&", part(uri, name, "&")), ""));
            let refused = bed.raw(without).await;
            assert_eq!(message(refused.is_error(400, "AuthorizationQueryParametersError")), told, "{name}");
        }
    }
    for query in ["AWSAccessKeyId=a", "Signature=a", "AWSAccessKeyId=a&Expires=1", "Signature=a&Expires=1"] {
        let refused = bed.raw(at(query)).await;
        let told = "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters";
        assert_eq!(message(refused.is_error(403, "AccessDenied")), told, "{query}");
    }
    bed.raw(at("Expires=1")).await.is(200);
    bed.raw(at("X-Amz-Security-Token=x")).await.is_error(400, "InvalidToken");
    bed.raw(at("X%2DAmz-Security-Token=x")).await.is_error(400, "InvalidToken");
}

#[tokio::test]
async fn a_malformed_authorization_header_is_told_by_what_is_wrong() {
    let bed = Bed::with_bucket().await;
    let today = amz_date(0)[..8].to_owned();
    let replace = |from: &str, to: &str| {
        let (from, to) = (from.to_owned(), to.to_owned());
        move |header: &str| header.replace(&from, &to)
    };
    let credential = "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".";
    type Change = Box<dyn FnOnce(&str) -> String>;
    let cases: Vec<(Change, String)> = vec![
        (
            Box::new(|header: &str| header.replace(&format!("{}, ", part(header, "SignedHeaders=", ",")), "")),
            "the authorization header requires three components: Credential, SignedHeaders, and Signature.".into(),
        ),
        (
            Box::new(replace("SignedHeaders=", "SignedHeaders-")),
            "the authorization component \"SignedHeaders-host;x-amz-content-sha256;x-amz-date\" is malformed.".into(),
        ),
        (
            Box::new(replace("SignedHeaders=host;", "SignedHeaders=host;Host;")),
            "SignedHeaders names a header more than once.".into(),
        ),
        (Box::new(replace("Credential=", "missing=")), "missing Credential.".into()),
        (Box::new(replace("SignedHeaders=", "missing=")), "missing SignedHeaders.".into()),
        (Box::new(replace("Signature=", "missing=")), "missing Signature.".into()),
        (Box::new(replace("/aws4_request", "/extra/aws4_request")), credential.into()),
        (Box::new(replace(&bed.alice.id, "")), credential.into()),
        (Box::new(replace("/s3/", "/ec2/")), "incorrect service \"ec2\". This endpoint belongs to \"s3\".".into()),
        (
            Box::new(replace("aws4_request", "aws_request")),
            "incorrect terminal \"aws_request\". This endpoint uses \"aws4_request\".".into(),
        ),
        (
            Box::new(replace(&today, "3223423234")),
            "incorrect date format \"3223423234\". This date in the credential must be in the format \"yyyyMMdd\"."
                .into(),
        ),
        (Box::new(replace("us-east-1", "eu-west-1")), "the region 'eu-west-1' is wrong; expecting 'us-east-1'".into()),
        (
            Box::new(replace(&today, "20150101")),
            format!("Invalid credential date \"20150101\". This date is not the same as X-Amz-Date: \"{today}\"."),
        ),
    ];
    for (change, told) in cases {
        let refused = bed.raw(changed(&bed, change)).await;
        let told = format!("The authorization header is malformed; {told}");
        assert_eq!(message(refused.is_error(400, "AuthorizationHeaderMalformed")), told);
        if told.contains("region") {
            assert_eq!(refused.element("Region").as_deref(), Some("us-east-1"));
        }
    }
    for header in ["invalid_header", "AWS4-HMAC-SHA256", "AWS2-HMAC-SHA1 Credential=x", "Bearer x"] {
        let refused = bed.raw(changed(&bed, |_| header.to_owned())).await;
        refused.is_error(400, "InvalidArgument");
        assert_eq!(refused.element("ArgumentName").as_deref(), Some("Authorization"));
        assert_eq!(refused.element("ArgumentValue").as_deref(), Some(header));
    }
    for header in ["AWS KEY:signature", "AWS4-ECDSA-P256-SHA256 Credential=x"] {
        let refused = bed.raw(changed(&bed, |_| header.to_owned())).await;
        assert!(message(refused.is_error(400, "InvalidRequest")).contains("Please use AWS4-HMAC-SHA256"), "{header}");
    }
    // Components in another order, and spaces as clients put them.
    let other = |header: &str| {
        let scope = part(header, "Credential=", ",").to_owned();
        let rest = part(header, "SignedHeaders=", "~").to_owned();
        format!("AWS4-HMAC-SHA256   {},{scope}", rest.replace(", ", "  ,"))
    };
    bed.put("/bucket/key", "x").await.is(200);
    bed.raw(changed(&bed, other)).await.is(200);
}

#[tokio::test]
async fn malformed_parameters_are_told_by_what_is_wrong() {
    let bed = Bed::with_bucket().await;
    let today = amz_date(0)[..8].to_owned();
    let (scope_date, date) = (format!("%2F{today}"), format!("Date={today}"));
    for (from, to, told) in [
        ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512", "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\""),
        (
            "%2Faws4_request",
            "",
            "Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting",
        ),
        ("%2Fs3%2F", "%2Fec2%2F", "Error parsing the X-Amz-Credential parameter; incorrect service \"ec2\"."),
        ("aws4_request", "x", "Error parsing the X-Amz-Credential parameter; incorrect terminal \"x\"."),
        (
            "us-east-1",
            "x",
            "Error parsing the X-Amz-Credential parameter; the region 'x' is wrong; expecting 'us-east-1'",
        ),
        (scope_date.as_str(), "%2Ftoday", "Error parsing the X-Amz-Credential parameter; incorrect date format"),
        (scope_date.as_str(), "%2F20150101", "Invalid credential date \"20150101\". This date is not the same as"),
        (date.as_str(), "Date=x", "X-Amz-Date must be in the ISO8601 Long Format"),
        ("Expires=60", "Expires=x", "X-Amz-Expires should be a number"),
        ("Expires=60", "Expires=-1", "X-Amz-Expires must be non-negative"),
        ("Expires=60", "Expires=604801", "X-Amz-Expires must be less than a week (in seconds)"),
        ("Expires=60", "Expires=60&X-Amz-Expires=70", "Query-string authentication version 4 requires"),
        ("SignedHeaders=host", "SignedHeaders=", "Query-string authentication version 4 requires"),
    ] {
        let refused = bed.raw(presigned(&bed, |uri| uri.replace(from, to))).await;
        refused.is_error(400, "AuthorizationQueryParametersError");
        assert!(message(&refused).starts_with(told), "{to}: {}", message(&refused));
    }
    bed.raw(presigned(&bed, |uri| uri.replace("HMAC", "ECDSA-P256"))).await.is_error(400, "InvalidRequest");
    bed.raw(presigned(&bed, |uri| uri.replace("Expires=60", "Expires=61")))
        .await
        .is_error(403, "SignatureDoesNotMatch");
    let mut early = get();
    early.date = amz_date(1000);
    let early = bed.raw(early.presigned(&bed.alice, 60, &[])).await;
    assert_eq!(message(early.is_error(403, "AccessDenied")), "Request is not valid yet");
    let mut late = get();
    late.date = amz_date(-100);
    let late = bed.raw(late.presigned(&bed.alice, 60, &[])).await;
    assert_eq!(message(late.is_error(403, "AccessDenied")), "Request has expired");
    assert_eq!(late.element("X-Amz-Expires").as_deref(), Some("60"));
    assert!(late.element("Expires").unwrap() < late.element("ServerTime").unwrap());
}

#[tokio::test]
async fn a_signed_request_has_a_date_and_says_what_its_body_is() {
    let bed = Bed::with_bucket().await;
    for date in [None, Some(""), Some("yesterday"), Some("20150101"), Some("Wed, 21 Oct 2015 07:28:00 +0200")] {
        let mut request = get().signed(&bed.alice);
        request.headers_mut().remove("x-amz-date");
        if let Some(date) = date {
            request.headers_mut().insert("x-amz-date", HeaderValue::from_static(date));
        }
        let refused = bed.raw(request).await;
        let told = "AWS authentication requires a valid Date or x-amz-date header";
        assert_eq!(message(refused.is_error(403, "AccessDenied")), told, "{date:?}");
    }
    for offset in [-1000, 1000] {
        let mut skewed = get();
        skewed.date = amz_date(offset);
        let date = skewed.date.clone();
        let refused = bed.send(skewed).await;
        refused.is_error(403, "RequestTimeTooSkewed");
        assert_eq!(refused.element("RequestTime"), Some(date));
        assert_eq!(refused.element("MaxAllowedSkewMilliseconds").as_deref(), Some("900000"));
        assert!(refused.element("ServerTime").unwrap().starts_with("20"));
    }
    let mut request = get().signed(&bed.alice);
    request.headers_mut().remove("x-amz-content-sha256");
    let refused = bed.raw(request).await;
    let told = "Missing required header for this request: x-amz-content-sha256";
    assert_eq!(message(refused.is_error(400, "InvalidRequest")), told);
    for hash in ["GIBBERISH", "", "unsigned-payload", &EMPTY_SHA256[1..], &base64(&[0; 32])] {
        for request in [get().payload(hash).signed(&bed.alice), get().header("x-amz-content-sha256", hash).anonymous()]
        {
            let refused = bed.raw(request).await;
            refused.is_error(400, "InvalidArgument");
            assert!(message(&refused).starts_with("x-amz-content-sha256 must be UNSIGNED-PAYLOAD,"), "{hash}");
            assert_eq!(refused.element("ArgumentName").as_deref(), Some("x-amz-content-sha256"));
            assert_eq!(refused.element("ArgumentValue").as_deref(), Some(hash));
        }
    }
}

#[tokio::test]
async fn a_body_of_another_digest_is_told_both_digests() {
    let bed = Bed::with_bucket().await;
    bed.send(Draft::new(Method::PUT, "/bucket?acl").header("x-amz-acl", "public-read-write")).await.is(200);
    let (hello, other) = (sha256(b"hello"), sha256(b"other"));
    let put = || Draft::new(Method::PUT, "/bucket/key").body("hello");
    let anonymous = put().header("x-amz-content-sha256", &other).anonymous();
    let address = put().presigned(&bed.alice, 60, &[("x-amz-content-sha256", &other)]);
    for request in [put().payload(&other).signed(&bed.alice), anonymous, address] {
        let refused = bed.raw(request).await;
        refused.is_error(400, "XAmzContentSHA256Mismatch");
        assert_eq!(refused.element("ClientComputedContentSHA256"), Some(other.clone()));
        assert_eq!(refused.element("S3ComputedContentSHA256"), Some(hello.clone()));
        bed.get("/bucket/key").await.is_error(404, "NoSuchKey");
    }
    let large = Draft::new(Method::PUT, "/bucket/key").body(vec![7; 300_000]).payload(&other);
    bed.send(large).await.is_error(400, "XAmzContentSHA256Mismatch");
    bed.send(get().payload(&other)).await.is_error(400, "XAmzContentSHA256Mismatch");
    bed.get("/bucket/key").await.is_error(404, "NoSuchKey");
    bed.raw(put().header("x-amz-content-sha256", &hello).anonymous()).await.is(200);
}

#[tokio::test]
async fn the_host_and_every_amz_header_are_signed() {
    let bed = Bed::with_bucket().await;
    let mut request = get().signed(&bed.alice);
    request.headers_mut().insert("x-amz-meta-b", HeaderValue::from_static("1"));
    request.headers_mut().insert("x-amz-acl", HeaderValue::from_static("private"));
    let refused = bed.raw(request).await;
    let told = "There were headers present in the request which were not signed";
    assert_eq!(message(refused.is_error(403, "AccessDenied")), told);
    assert_eq!(refused.element("HeadersNotSigned").as_deref(), Some("x-amz-acl, x-amz-meta-b"));
    let refused = bed.raw(changed(&bed, |header| header.replace("SignedHeaders=host;", "SignedHeaders="))).await;
    assert_eq!(refused.is_error(403, "AccessDenied").element("HeadersNotSigned").as_deref(), Some("host"));
    let refused = bed.raw(presigned(&bed, |uri| uri.replace("SignedHeaders=host", "SignedHeaders=range"))).await;
    assert_eq!(refused.is_error(403, "AccessDenied").element("HeadersNotSigned").as_deref(), Some("host"));
    let mut request = get().signed(&bed.alice);
    request.headers_mut().append("host", HeaderValue::from_static("localhost:9000"));
    bed.raw(request).await.is_error(400, "InvalidRequest");
}

#[tokio::test]
async fn a_wrong_signature_is_told_what_it_should_have_been_over() {
    let bed = Bed::with_bucket().await;
    let unknown = Key { id: "NOBODY".to_owned(), secret: "secret".to_owned() };
    let refused = bed.raw(get().signed(&unknown)).await;
    assert_eq!(refused.is_error(403, "InvalidAccessKeyId").element("AWSAccessKeyId").as_deref(), Some("NOBODY"));
    let wrong = Key { id: bed.alice.id.clone(), secret: "wrong".to_owned() };
    let draft = get();
    let date = draft.date.clone();
    let (request, signature) = draft.signed_seed(&wrong);
    let refused = bed.raw(request).await;
    let told = |name: &str| refused.element(name).unwrap();
    refused.is_error(403, "SignatureDoesNotMatch");
    assert_eq!(told("AWSAccessKeyId"), bed.alice.id);
    assert_eq!(told("SignatureProvided"), signature);
    let canonical = format!(
        "GET\n/bucket/key\n\nhost:localhost:9000\nx-amz-content-sha256:{EMPTY_SHA256}\nx-amz-date:{date}\n\n\
         host;x-amz-content-sha256;x-amz-date\n{EMPTY_SHA256}"
    );
    assert_eq!(told("CanonicalRequest"), canonical);
    let day = &date[..8];
    let hash = sha256(canonical.as_bytes());
    assert_eq!(told("StringToSign"), format!("AWS4-HMAC-SHA256\n{date}\n{day}/us-east-1/s3/aws4_request\n{hash}"));
    assert!(told("StringToSignBytes").starts_with("41 57 53 34 2d "));
    assert!(told("CanonicalRequestBytes").starts_with("47 45 54 0a "));
    let refused = bed.raw(get().presigned(&wrong, 60, &[])).await;
    let canonical = refused.is_error(403, "SignatureDoesNotMatch").element("CanonicalRequest").unwrap();
    assert!(canonical.ends_with("\nUNSIGNED-PAYLOAD") && canonical.contains("X-Amz-Expires=60"), "{canonical}");
    for signature in ["", "abc", "no hexadecimal"] {
        let change = |header: &str| header.replace(part(header, "Signature=", "~"), &format!("Signature={signature}"));
        bed.raw(changed(&bed, change)).await.is_error(403, "SignatureDoesNotMatch");
    }
}

#[tokio::test]
async fn frames_of_an_anonymous_body_are_taken_off() {
    let bed = Bed::with_bucket().await;
    bed.send(Draft::new(Method::PUT, "/bucket?acl").header("x-amz-acl", "public-read-write")).await.is(200);
    let crc = base64(&s3s::crypto::Crc32::checksum(b"hello"));
    let put = |trailer: &str| {
        Draft::new(Method::PUT, "/bucket/key")
            .header("content-encoding", "aws-chunked")
            .header("x-amz-decoded-content-length", "5")
            .header("x-amz-trailer", "x-amz-checksum-crc32")
            .body(chunks_with_trailer(&[b"hel", b"lo"], &format!("x-amz-checksum-crc32:{trailer}\r\n")))
    };
    let words = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
    for (said, trailer, status) in
        [(Some(words), crc.as_str(), 200), (None, crc.as_str(), 200), (Some(words), "AAAAAA==", 400)]
    {
        let mut draft = put(trailer);
        if let Some(said) = said {
            draft = draft.header("x-amz-content-sha256", said);
        }
        bed.raw(draft.anonymous()).await.is(status);
        if status == 200 {
            let owned = bed.get("/bucket/key").await;
            let got = bed.raw(get().anonymous()).await;
            assert!(got.status == 200 && got.text() == "hello" || owned.text() == "hello", "{}", got.text());
        }
    }
    // What says nothing of its frames, or lies of them, is not stored with them.
    for said in ["UNSIGNED-PAYLOAD", &sha256(&put(&crc).body)] {
        let refused = bed.raw(put(&crc).header("x-amz-content-sha256", said).anonymous()).await;
        refused.is_error(400, "InvalidRequest");
    }
    for said in ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"] {
        for request in [
            put(&crc).header("x-amz-content-sha256", said).anonymous(),
            put(&crc).presigned(&bed.alice, 60, &[("x-amz-content-sha256", said)]),
        ] {
            bed.raw(request).await.is_error(400, "InvalidRequest");
        }
    }
    let mut framed = put(&crc).presigned(&bed.alice, 60, &[("x-amz-content-sha256", words)]);
    framed.headers_mut().remove("x-amz-content-sha256");
    bed.raw(framed).await.is(200);
    assert_eq!(bed.get("/bucket/key").await.text(), "hello");
    let lengthless = Draft::new(Method::PUT, "/bucket/key").payload(words).body("0\r\n\r\n");
    bed.send(lengthless).await.is_error(411, "MissingContentLength");
}

#[tokio::test]
async fn a_form_is_signed_by_its_fields_alone() {
    let bed = Bed::with_bucket().await;
    let everyone = json!({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::bucket/*"}});
    bed.put("/bucket?policy", everyone.to_string()).await.is(204);
    let form = || crate::forms::form(&[("key", "posted")], "f", "content");
    bed.raw(form().header("authorization", "Bearer x").anonymous()).await.is_error(400, "InvalidArgument");
    bed.raw(form().presigned(&bed.alice, 60, &[])).await.is_error(400, "InvalidArgument");
    bed.raw(form().anonymous()).await.is(204);
}
