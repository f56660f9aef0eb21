//! Multipart uploads.

use crate::bed::Bed;
use crate::sign::Draft;
use cofre_s3::S3Options;
use http::Method;

const PART: usize = 5 << 20;

async fn begin(bed: &Bed, key: &str) -> String {
    bed.post(&format!("/bucket/{key}?uploads"), "").await.is(200).element("UploadId").unwrap()
}

fn completion(parts: &[(u16, &str)]) -> String {
    let parts: String = parts
        .iter()
        .map(|(number, etag)| format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"))
        .collect();
    format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>")
}

#[tokio::test]
async fn parts_become_an_object() {
    let bed = Bed::with_bucket().await;
    let id = begin(&bed, "big").await;
    let mut etags = Vec::new();
    for (number, size) in [(2, 10), (1, PART)] {
        let put = bed.put(&format!("/bucket/big?partNumber={number}&uploadId={id}"), vec![number; size]).await;
        etags.push(put.is(200).header("etag").unwrap().to_owned());
    }
    let listed = bed.get(&format!("/bucket/big?uploadId={id}")).await;
    assert_eq!(listed.is(200).elements("PartNumber"), ["1", "2"]);
    assert_eq!(listed.elements("Size"), [PART.to_string(), "10".to_owned()]);
    let uploads = bed.get("/bucket?uploads").await;
    assert_eq!((uploads.elements("Key"), uploads.elements("UploadId")), (vec!["big".to_owned()], vec![id.clone()]));

    let complete = completion(&[(1, &etags[1]), (2, &etags[0])]);
    let done = bed.post(&format!("/bucket/big?uploadId={id}"), complete.clone()).await;
    assert!(done.is(200).element("ETag").unwrap().ends_with("-2\""), "{}", done.text());
    assert_eq!(done.element("Location").as_deref(), Some("http://localhost:9000/bucket/big"));
    bed.post(&format!("/bucket/big?uploadId={id}"), complete).await.is(200);
    let got = bed.get("/bucket/big").await;
    assert_eq!((got.body.len(), got.body[0], got.body[PART]), (PART + 10, 1, 2));
    let part = bed.get("/bucket/big?partNumber=2").await;
    assert_eq!(part.is(206).header("x-amz-mp-parts-count"), Some("2"));
    assert_eq!((part.body.len(), part.header("content-range")), (10, Some("bytes 5242880-5242889/5242890")));
    bed.get("/bucket/big?partNumber=3").await.is_error(416, "InvalidPartNumber");
}

#[tokio::test]
async fn what_does_not_complete_says_why() {
    let bed = Bed::with_bucket().await;
    let id = begin(&bed, "big").await;
    let address = format!("/bucket/big?uploadId={id}");
    let mut etags = Vec::new();
    for number in [1, 2] {
        let put = bed.put(&format!("{address}&partNumber={number}"), "small").await;
        etags.push(put.header("etag").unwrap().to_owned());
    }
    bed.post(&address, completion(&[])).await.is_error(400, "MalformedXML");
    let no_etag = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>";
    bed.post(&address, no_etag).await.is_error(400, "MalformedXML");
    let zero = bed.post(&address, completion(&[(0, &etags[0])])).await;
    assert_eq!(zero.is_error(400, "InvalidArgument").element("ArgumentName").as_deref(), Some("PartNumber"));
    for size in ["-1", "abc", "12x", ""] {
        let sized = Draft::new(Method::POST, &address).header("x-amz-mp-object-size", size);
        bed.send(sized.body(completion(&[(1, &etags[0])]))).await.is_error(400, "InvalidRequest");
    }
    bed.post(&address, completion(&[(2, &etags[1]), (1, &etags[0])])).await.is_error(400, "InvalidPartOrder");
    bed.post(&address, completion(&[(1, "0123")])).await.is_error(400, "InvalidPart");
    bed.post(&address, completion(&[(9, &etags[0])])).await.is_error(400, "InvalidPart");
    let small = bed.post(&address, completion(&[(1, &etags[0]), (2, &etags[1])])).await;
    small.is_error(400, "EntityTooSmall");
    assert_eq!(small.element("MinSizeAllowed").as_deref(), Some("5242880"));
    bed.put(&format!("{address}&partNumber=10001"), "x").await.is_error(400, "InvalidArgument");
    bed.put(&format!("{address}&partNumber=0"), "x").await.is_error(400, "InvalidArgument");
    bed.delete(&address).await.is(204);
    let gone = bed.get(&address).await;
    gone.is_error(404, "NoSuchUpload");
    bed.put("/bucket/big?uploadId=nonsense&partNumber=1", "x").await.is_error(404, "NoSuchUpload");
    bed.get("/bucket/big").await.is_error(404, "NoSuchKey");
}

#[tokio::test]
async fn uploads_of_a_key_stand_by_the_time_of_their_initiation() {
    let bed = Bed::with_bucket().await;
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(begin(&bed, "key").await);
    }
    assert_eq!(bed.get("/bucket?uploads").await.is(200).elements("UploadId"), ids);
    let page = bed.get(&format!("/bucket?uploads&key-marker=key&upload-id-marker={}", ids[4])).await;
    assert_eq!(page.is(200).elements("UploadId"), ids[5..]);
    let unknown = bed.get("/bucket?uploads&key-marker=key&upload-id-marker=unknown").await;
    assert_eq!(unknown.is_error(400, "InvalidArgument").element("ArgumentValue").as_deref(), Some("unknown"));
    bed.get("/bucket?uploads&upload-id-marker=unknown").await.is(200);
    let abort = |date: &str| {
        let draft = Draft::new(Method::DELETE, &format!("/bucket/key?uploadId={}", ids[0]));
        bed.send(draft.header("x-amz-if-match-initiated-time", date))
    };
    let refused = abort("Wed, 21 Oct 2015 07:28:00 GMT").await;
    assert_eq!(
        refused.is_error(412, "PreconditionFailed").element("Condition").as_deref(),
        Some("x-amz-if-match-initiated-time")
    );
    assert_eq!(bed.get("/bucket?uploads").await.elements("UploadId"), ids, "it is still there");
}

#[tokio::test]
async fn a_location_escapes_what_an_address_cannot_have() {
    let options = S3Options { domains: vec!["s3.local".to_owned()], ..S3Options::default() };
    let bed = Bed::with(options).await;
    bed.put("/bucket", "").await.is(200);
    for (host, key, location) in [
        ("localhost:9000", "/bucket/a-b_c.d~e/f%20g", "http://localhost:9000/bucket/a-b_c.d~e%2Ff%20g"),
        ("bucket.s3.local", "/a-b/c", "http://bucket.s3.local/a-b%2Fc"),
    ] {
        let to = |method, address: String| Draft::new(method, &address).header("host", host);
        let id = bed.send(to(Method::POST, format!("{key}?uploads"))).await.is(200).element("UploadId").unwrap();
        let put = bed.send(to(Method::PUT, format!("{key}?partNumber=1&uploadId={id}")).body("x")).await;
        let complete = completion(&[(1, put.is(200).header("etag").unwrap())]);
        let done = bed.send(to(Method::POST, format!("{key}?uploadId={id}")).body(complete)).await;
        assert_eq!(done.is(200).element("Location").as_deref(), Some(location));
    }
}

#[tokio::test]
async fn a_part_named_twice_counts_as_it_was_named_last() {
    let bed = Bed::with_bucket().await;
    let id = begin(&bed, "big").await;
    let address = format!("/bucket/big?uploadId={id}");
    let mut etags = Vec::new();
    for body in ["first", "again"] {
        let put = bed.put(&format!("{address}&partNumber=1"), body).await;
        etags.push(put.is(200).header("etag").unwrap().to_owned());
    }
    bed.post(&address, completion(&[(1, &etags[1]), (1, &etags[0])])).await.is_error(400, "InvalidPart");
    bed.post(&address, completion(&[(1, &etags[0]), (1, &etags[1])])).await.is(200);
    assert_eq!(bed.get("/bucket/big").await.text(), "again");
}

#[tokio::test]
async fn parts_are_copied_by_range() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket/source", "0123456789").await.is(200);
    let id = begin(&bed, "big").await;
    let copy = |range: &str| {
        let draft = Draft::new(Method::PUT, &format!("/bucket/big?partNumber=1&uploadId={id}"));
        bed.send(draft.header("x-amz-copy-source", "/bucket/source").header("x-amz-copy-source-range", range))
    };
    for bad in ["bytes=2-", "bytes=-3", "2-5", "bytes=5-2"] {
        copy(bad).await.is_error(400, "InvalidArgument");
    }
    let copied = copy("bytes=2-5").await;
    assert!(copied.text().contains("<CopyPartResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"));
    let etag = copied.is(200).element("ETag").unwrap();
    bed.post(&format!("/bucket/big?uploadId={id}"), completion(&[(1, &etag)])).await.is(200);
    assert_eq!(bed.get("/bucket/big").await.text(), "2345");
}

#[tokio::test]
async fn a_checksum_of_the_object_is_not_taken_for_one_of_the_xml() {
    let bed = Bed::with_bucket().await;
    let create = Draft::new(Method::POST, "/bucket/big?uploads")
        .header("x-amz-checksum-algorithm", "CRC32")
        .header("x-amz-checksum-type", "FULL_OBJECT");
    let created = bed.send(create).await;
    assert_eq!(created.is(200).header("x-amz-checksum-type"), Some("FULL_OBJECT"));
    let id = created.element("UploadId").unwrap();
    let crc = "NhCmhg==";
    let put = Draft::new(Method::PUT, &format!("/bucket/big?partNumber=1&uploadId={id}"));
    let put = bed.send(put.header("x-amz-checksum-crc32", crc).body("hello")).await;
    let etag = put.is(200).header("etag").unwrap().to_owned();
    let complete = |crc: &str| {
        let draft = Draft::new(Method::POST, &format!("/bucket/big?uploadId={id}"));
        bed.send(draft.header("x-amz-checksum-crc32", crc).body(completion(&[(1, &etag)])))
    };
    assert!(complete("AAAAAA==").await.status.is_client_error());
    assert_eq!(complete(crc).await.is(200).element("ChecksumCRC32").as_deref(), Some(crc));
}
