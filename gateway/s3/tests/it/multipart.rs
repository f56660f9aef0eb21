//! Multipart uploads.

use crate::bed::Bed;
use crate::sign::Draft;
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
    let etag = copy("bytes=2-5").await.is(200).element("ETag").unwrap();
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
