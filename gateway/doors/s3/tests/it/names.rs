//! Names, headers and small forms, as AWS reads and writes them.

use crate::bed::Bed;
use crate::sign::Draft;
use cofre_s3::S3Options;
use http::Method;

#[tokio::test]
async fn documents_name_any_character() {
    let bed = Bed::with_bucket().await;
    for (address, written) in [
        ("/bucket/a%26b", "<![CDATA[a&b]]>"),
        ("/bucket/a%3Cb", "a<![CDATA[<]]>b"),
        ("/bucket/x%F0%9F%98%80", "x&#128512;"),
        ("/bucket/x%F0%A0%80%80", "x&#x20000;"),
        ("/bucket/x%F4%8F%BF%BF", "x&#x10FFFF;"),
    ] {
        bed.put(address, "x").await.is(200);
        let body = format!("<Delete><!-- <![CDATA[ --><Object><Key>{written}</Key></Object></Delete>");
        let deleted = bed.post("/bucket?delete", body).await;
        assert_eq!(deleted.is(200).elements("Error"), [""; 0], "{written}");
        bed.get(address).await.is_error(404, "NoSuchKey");
    }
}

#[tokio::test]
async fn a_copy_source_is_encoded_as_forms_are() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket/p%20q", "space").await.is(200);
    bed.put("/bucket/p%2Bq", "plus").await.is(200);
    let copy = |source: &str| bed.send(Draft::new(Method::PUT, "/bucket/to").header("x-amz-copy-source", source));
    for (source, content) in
        [("bucket/p+q", "space"), ("/bucket/p%20q", "space"), ("bucket%2Fp%20q", "space"), ("bucket/p%2Bq", "plus")]
    {
        copy(source).await.is(200);
        assert_eq!(bed.get("/bucket/to").await.text(), content, "{source}");
    }
    for source in ["bucket/p%zz", "bucket/p%", "bucket/%ff"] {
        let refused = copy(source).await;
        let name = refused.is_error(400, "InvalidArgument").element("ArgumentName");
        assert_eq!(
            (name.as_deref(), refused.element("ArgumentValue").as_deref()),
            (Some("x-amz-copy-source"), Some(source))
        );
    }
}

#[tokio::test]
async fn a_range_of_a_replaced_object_is_passed_over() {
    let bed = Bed::with_bucket().await;
    let old = bed.put("/bucket/k", "first version").await.is(200).header("etag").unwrap().to_owned();
    let new = bed.put("/bucket/k", "SECOND VERSION").await.is(200).header("etag").unwrap().to_owned();
    let modified = bed.get("/bucket/k").await.header("last-modified").unwrap().to_owned();
    let ranged = |method: Method, of: &str| {
        bed.send(Draft::new(method, "/bucket/k").header("range", "bytes=6-").header("if-range", of))
    };
    for of in [new.as_str(), modified.as_str()] {
        assert_eq!(ranged(Method::GET, of).await.is(206).text(), " VERSION");
        ranged(Method::HEAD, of).await.is(206);
    }
    for of in [old.as_str(), "\"no-tag\"", &format!("W/{new}"), "Wed, 01 Jan 2020 00:00:00 GMT"] {
        assert_eq!(ranged(Method::GET, of).await.is(200).text(), "SECOND VERSION", "{of}");
        assert_eq!(ranged(Method::HEAD, of).await.is(200).header("content-length"), Some("14"));
    }
}

#[tokio::test]
async fn the_last_bytes_of_an_empty_object_are_none() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket/empty", "").await.is(200);
    let ranged = |range: &str| bed.send(Draft::new(Method::GET, "/bucket/empty").header("range", range));
    let tail = ranged("bytes=-8").await;
    assert_eq!((tail.is(200).header("content-length"), tail.header("content-range")), (Some("0"), None));
    for range in ["bytes=0-", "bytes=0-0", "bytes=-0"] {
        ranged(range).await.is_error(416, "InvalidRange");
    }
    ranged("bytes= -8").await.is(200);
}

#[tokio::test]
async fn response_headers_stand_as_they_are_asked_for() {
    let bed = Bed::with_bucket().await;
    bed.send(Draft::new(Method::PUT, "/bucket/k").header("expires", "whenever").body("x")).await.is(200);
    assert_eq!(bed.get("/bucket/k").await.header("expires"), Some("whenever"));
    for (method, given, told) in [
        (Method::GET, "soon", "soon"),
        (Method::HEAD, "soon%20enough", "soon enough"),
        (Method::GET, "Thu%2C%2001%20Dec%201994%2016%3A00%3A00%20GMT", "Thu, 01 Dec 1994 16:00:00 GMT"),
    ] {
        let address = format!("/bucket/k?response-expires={given}&response-content-type=text%2Fx");
        let got = bed.send(Draft::new(method, &address)).await;
        assert_eq!((got.is(200).header("expires"), got.header("content-type")), (Some(told), Some("text/x")));
    }
    bed.get("/bucket/k?response-expires=a%0Ab").await.is_error(400, "InvalidArgument");
}

#[tokio::test]
async fn metadata_without_a_name_is_counted() {
    let bed = Bed::with_bucket().await;
    let put = Draft::new(Method::PUT, "/bucket/k").header("x-amz-meta-", "lost").header("x-amz-meta-a", "1");
    bed.send(put.body("x")).await.is(200);
    for method in [Method::GET, Method::HEAD] {
        let got = bed.send(Draft::new(method, "/bucket/k")).await;
        let told = ["x-amz-missing-meta", "x-amz-meta-a", "x-amz-meta-"].map(|name| got.header(name));
        assert_eq!(told, [Some("1"), Some("1"), None]);
    }
}

#[tokio::test]
async fn tags_have_their_characters_and_counts() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket/k", "x").await.is(200);
    let document = |tags: &str| format!("<Tagging><TagSet>{tags}</TagSet></Tagging>");
    let tag = |key: &str, value: &str| format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>");
    for address in ["/bucket?tagging", "/bucket/k?tagging"] {
        for value in ["a&amp;b", "a%20b", "&lt;", "!", "\u{1f600}"] {
            let refused = bed.put(address, document(&tag("key", value))).await;
            assert_eq!(refused.is_error(400, "InvalidTag").element("TagKey").as_deref(), Some("key"));
            assert_eq!(refused.element("TagValue").as_deref(), Some(value), "{address}");
        }
        let twice = [tag("a", "1"), tag("a", "2")].concat();
        bed.put(address, document(&twice)).await.is_error(400, "InvalidTag");
        bed.put(address, document(&tag("ok + - = . _ : / @", "\u{e9}"))).await;
    }
    let many = |count: usize| (0..count).map(|i| tag(&format!("k{i}"), "")).collect::<String>();
    // s3-tests' answer for objects, AWS's for buckets.
    bed.put("/bucket/k?tagging", document(&many(11))).await.is_error(400, "InvalidTag");
    bed.put("/bucket?tagging", document(&many(51))).await.is_error(400, "BadRequest");
    bed.put("/bucket?tagging", document(&many(50))).await.is(204);
    bed.put("/bucket/k?tagging", document(&many(10))).await.is(200);
    bed.delete("/bucket/k?tagging").await.is(204);
    bed.delete("/bucket?tagging").await.is(204);
    let put = |tags: &str| bed.send(Draft::new(Method::PUT, "/bucket/t").header("x-amz-tagging", tags).body("x"));
    for malformed in ["=", "a=&a=", "key=value&key=value2", "a=%zz"] {
        put(malformed).await.is_error(400, "InvalidArgument");
    }
    put("key=val(").await.is_error(400, "InvalidTag");
    put(&(0..11).map(|i| format!("k{i}=")).collect::<Vec<_>>().join("&")).await.is_error(400, "BadRequest");
    bed.get("/bucket/t").await.is_error(404, "NoSuchKey");
}

#[tokio::test]
async fn the_region_of_a_bucket_is_told_with_refusals_and_listings() {
    let bed = Bed::with_bucket().await;
    let region = |answer: &crate::bed::Answer| answer.header("x-amz-bucket-region").map(str::to_owned);
    let mut signed_elsewhere = Draft::new(Method::HEAD, "/bucket").signed(&bed.alice);
    let authorization = signed_elsewhere.headers()["authorization"].to_str().unwrap().replace("us-east-1", "eu-west-1");
    signed_elsewhere.headers_mut().insert("authorization", authorization.parse().unwrap());
    let wrong = crate::sign::Key { secret: "wrong".to_owned(), ..bed.alice.clone() };
    for answer in [
        bed.send(Draft::new(Method::HEAD, "/bucket")).await,
        bed.by_anyone(Draft::new(Method::HEAD, "/bucket")).await,
        bed.by_bob(Draft::new(Method::GET, "/bucket/k")).await,
        bed.raw(Draft::new(Method::HEAD, "/bucket").signed(&wrong)).await,
        bed.raw(signed_elsewhere).await,
        bed.get("/bucket").await,
        bed.get("/bucket?list-type=2&prefix=a").await,
        bed.get("/bucket?versions").await,
        bed.get("/bucket/none").await,
    ] {
        assert_eq!(region(&answer).as_deref(), Some("us-east-1"), "{answer:?}");
    }
    bed.put("/bucket/k", "x").await.is(200);
    for address in ["/bucket/k", "/bucket?acl", "/nowhere", "/nowhere/k", "/"] {
        assert_eq!(region(&bed.get(address).await), None, "{address}");
    }
}

#[tokio::test]
async fn a_bucket_is_made_where_requests_can_be_signed_for() {
    let options = S3Options { other_regions: vec!["eu-west-1".to_owned()], ..S3Options::default() };
    let bed = Bed::with(options).await;
    let at = |region: &str| {
        format!(
            "<CreateBucketConfiguration><LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"
        )
    };
    for (name, region, kept) in
        [("one", "us-east-1", "us-east-1"), ("two", "eu-west-1", "eu-west-1"), ("three", "EU", "eu-west-1")]
    {
        bed.put(&format!("/{name}"), at(region)).await.is(200);
        let head = bed.send(Draft::new(Method::HEAD, &format!("/{name}"))).await;
        assert_eq!(head.header("x-amz-bucket-region"), Some(kept));
    }
    let refused = bed.put("/four", at("ap-south-1")).await;
    refused.is_error(400, "InvalidLocationConstraint");
    assert_eq!(refused.element("LocationConstraint").as_deref(), Some("ap-south-1"));
    bed.get("/four").await.is_error(404, "NoSuchBucket");
}

#[tokio::test]
async fn arguments_that_are_none_are_named() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket/k", "x").await.is(200);
    for max in ["0", "-1", "10001"] {
        let refused = bed.get(&format!("/?max-buckets={max}")).await;
        assert_eq!(refused.is_error(400, "InvalidArgument").element("ArgumentValue").as_deref(), Some(max));
    }
    bed.get("/?max-buckets=10000").await.is(200);
    let attributes = |value: Option<&str>| {
        let draft = Draft::new(Method::GET, "/bucket/k?attributes");
        bed.send(match value {
            Some(value) => draft.header("x-amz-object-attributes", value),
            None => draft,
        })
    };
    for none in [None, Some(""), Some(" ")] {
        let refused = attributes(none).await;
        let words = refused.is_error(400, "InvalidRequest").element("Message").unwrap();
        assert!(words.contains("is either missing or empty"), "{words}");
    }
    let refused = attributes(Some("ETag,Nonsense")).await;
    assert_eq!(refused.is_error(400, "InvalidArgument").element("ArgumentValue").as_deref(), Some("Nonsense"));
    attributes(Some("ETag, ObjectSize")).await.is(200);
}

#[tokio::test]
async fn a_grantee_is_of_the_kind_that_it_says() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket/k", "x").await.is(200);
    let xsi = "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"";
    let list = |kind: &str, named: &str| {
        let (id, grant) = (&bed.alice_id, format!("<Grantee {xsi} xsi:type=\"{kind}\">{named}</Grantee>"));
        format!(
            "<AccessControlPolicy><Owner><ID>{id}</ID></Owner><AccessControlList><Grant>{grant}\
             <Permission>READ</Permission></Grant></AccessControlList></AccessControlPolicy>"
        )
    };
    let id = format!("<ID>{}</ID>", bed.bob_id);
    let group = "<URI>http://acs.amazonaws.com/groups/global/AllUsers</URI>";
    bed.put("/bucket/k?acl", list("CanonicalUser", &id)).await.is(200);
    bed.put("/bucket/k?acl", list("Group", group)).await.is(200);
    bed.put("/bucket/k?acl", list("AmazonCustomerByEmail", "<EmailAddress>bob@example.com</EmailAddress>"))
        .await
        .is(200);
    for (kind, named) in [("Bogus", id.as_str()), ("Group", id.as_str()), ("CanonicalUser", group), ("", id.as_str())] {
        bed.put("/bucket/k?acl", list(kind, named)).await.is_error(400, "MalformedACLError");
    }
}
