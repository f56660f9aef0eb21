//! Encryption at rest as clients see it: headers in, headers out, and AWS's refusals.

use crate::bed::{Answer, Bed, base64};
use crate::sign::{Draft, chunks_with_trailer};
use cofre_s3::S3Options;
use http::Method;
use s3s::crypto::{Checksum, Crc32};

pub const METHOD: &str = "x-amz-server-side-encryption";
pub const KMS_KEY: &str = "x-amz-server-side-encryption-aws-kms-key-id";
const CUSTOMER_MD5: &str = "x-amz-server-side-encryption-customer-key-md5";

/// Keys and their MD5, as ceph/s3-tests has them.
pub const ONE: (&str, &str) = ("pO3upElrwuEXSoFwCfnZPdSsmt/xWeFa0N9KgDijwVs=", "DWygnHRtgiJ77HCm+1rvHw==");
const TWO: (&str, &str) = ("6b+WOZ1T3cqZMxgThRcXAQBrS5mXKdDUphvpxptl9/4=", "arxBvwY2V4SiOne6yppVPQ==");

pub async fn bed_with_bucket() -> Bed {
    let bed = Bed::with(S3Options { allow_insecure_sse_c: true, ..S3Options::default() }).await;
    bed.send(Draft::new(Method::PUT, "/bucket")).await.is(200);
    bed
}

/// With a customer's key: of the object, or of the source of a copy.
pub fn with_key(draft: Draft, prefix: &str, (key, md5): (&str, &str)) -> Draft {
    let name = |rest: &str| format!("x-amz-{prefix}server-side-encryption-customer-{rest}");
    draft.header(&name("algorithm"), "AES256").header(&name("key"), key).header(&name("key-md5"), md5)
}

pub fn put(key: &str) -> Draft {
    Draft::new(Method::PUT, &format!("/bucket/{key}")).body("hello")
}

pub fn get(key: &str) -> Draft {
    Draft::new(Method::GET, &format!("/bucket/{key}"))
}

#[tokio::test]
async fn answers_tell_how_an_object_is_encrypted() {
    let bed = bed_with_bucket().await;
    bed.send(put("s3").header(METHOD, "AES256")).await.is(200);
    let told = bed.send(get("s3")).await;
    assert_eq!((told.is(200).header(METHOD), told.text().as_str()), (Some("AES256"), "hello"));
    assert_eq!(told.header("etag"), Some("\"5d41402abc4b2a76b9719d911017c592\""));

    let dual = put("kms").header(METHOD, "aws:kms:dsse").header(KMS_KEY, "named");
    let made = bed.send(dual.header("x-amz-server-side-encryption-context", "eyJhIjoiYiJ9")).await;
    let told = bed.send(Draft::new(Method::HEAD, "/bucket/kms")).await;
    for answer in [&made, &told] {
        assert_eq!((answer.is(200).header(METHOD), answer.header(KMS_KEY)), (Some("aws:kms:dsse"), Some("named")));
        assert_ne!(answer.header("etag"), Some("\"5d41402abc4b2a76b9719d911017c592\""));
    }
    assert_eq!(made.header("x-amz-server-side-encryption-context"), Some("eyJhIjoiYiJ9"));
    let unknown = put("none").header(METHOD, "aws:kms").header(KMS_KEY, "unknown");
    bed.send(unknown).await.is_error(400, "KMS.NotFoundException");

    bed.send(put("clear")).await.is(200);
    assert_eq!(bed.send(get("clear")).await.header(METHOD), None);
    bed.send(get("s3").header(METHOD, "AES256")).await.is_error(400, "InvalidArgument");
}

#[tokio::test]
async fn a_customers_key_comes_with_every_request() {
    let bed = bed_with_bucket().await;
    let made = bed.send(with_key(put("k"), "", ONE)).await;
    assert_eq!(made.is(200).header(CUSTOMER_MD5), Some(ONE.1));
    let told = bed.send(with_key(get("k"), "", ONE)).await;
    assert_eq!((told.is(200).text().as_str(), told.header(CUSTOMER_MD5)), ("hello", Some(ONE.1)));
    for address in ["/bucket/k", "/bucket/k?attributes"] {
        let get = || Draft::new(Method::GET, address).header("x-amz-object-attributes", "ETag");
        bed.send(get()).await.is_error(400, "InvalidRequest");
        bed.send(with_key(get(), "", TWO)).await.is_error(400, "InvalidRequest");
    }
    let copy = || Draft::new(Method::PUT, "/bucket/copy").header("x-amz-copy-source", "/bucket/k");
    bed.send(copy()).await.is_error(400, "InvalidRequest");
    let made = bed.send(with_key(with_key(copy(), "copy-source-", ONE), "", TWO)).await;
    assert_eq!(made.is(200).header(CUSTOMER_MD5), Some(TWO.1));
    assert_eq!(bed.send(with_key(get("copy"), "", TWO)).await.is(200).text(), "hello");
}

#[tokio::test]
async fn a_customers_key_is_refused_where_others_may_read_it() {
    let bed = Bed::with_bucket().await;
    bed.send(with_key(put("k"), "", ONE)).await.is_error(400, "InvalidRequest");
    bed.send(with_key(get("k"), "", ONE)).await.is_error(400, "InvalidRequest");
    let copy = put("copy").header("x-amz-copy-source", "/bucket/k");
    bed.send(with_key(copy, "copy-source-", ONE)).await.is_error(400, "InvalidRequest");
    let begin = || Draft::new(Method::POST, "/bucket/k?uploads");
    bed.send(with_key(begin(), "", ONE)).await.is_error(400, "InvalidRequest");
    let part = || Draft::new(Method::PUT, "/bucket/k?partNumber=1&uploadId=00000000000000000000000000000000").body("x");
    bed.send(with_key(part(), "", ONE)).await.is_error(400, "InvalidRequest");
    // Rights are asked first, as of every encryption header.
    for draft in [put("k"), get("k"), begin(), part()] {
        let what = format!("{} {}", draft.method, draft.address);
        let refused = bed.by_anyone(with_key(draft, "", ONE)).await;
        assert_eq!(
            (refused.status.as_u16(), refused.element("Code").as_deref()),
            (403, Some("AccessDenied")),
            "{what}"
        );
    }
}

async fn default_encryption(bed: &Bed, default: &str, rest: &str) -> Answer {
    let rule = format!("<ApplyServerSideEncryptionByDefault>{default}</ApplyServerSideEncryptionByDefault>{rest}");
    let document =
        format!("<ServerSideEncryptionConfiguration><Rule>{rule}</Rule></ServerSideEncryptionConfiguration>");
    bed.put("/bucket?encryption", document).await
}

#[tokio::test]
async fn a_bucket_has_a_default_once_it_is_set() {
    let bed = bed_with_bucket().await;
    bed.get("/bucket?encryption").await.is_error(404, "ServerSideEncryptionConfigurationNotFoundError");
    let named = "<SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>named</KMSMasterKeyID>";
    default_encryption(&bed, named, "<BucketKeyEnabled>true</BucketKeyEnabled>").await.is(200);
    let told = bed.get("/bucket?encryption").await;
    assert_eq!(told.is(200).element("KMSMasterKeyID").as_deref(), Some("named"));
    assert_eq!(told.element("BucketKeyEnabled").as_deref(), Some("true"));
    let made = bed.send(put("k")).await;
    assert_eq!((made.is(200).header(METHOD), made.header(KMS_KEY)), (Some("aws:kms"), Some("named")));
    assert_eq!(made.header("x-amz-server-side-encryption-bucket-key-enabled"), Some("true"));

    default_encryption(&bed, "<SSEAlgorithm>AES128</SSEAlgorithm>", "").await.is_error(400, "MalformedXML");
    let both = "<SSEAlgorithm>AES256</SSEAlgorithm><KMSMasterKeyID>named</KMSMasterKeyID>";
    default_encryption(&bed, both, "").await.is_error(400, "InvalidArgument");

    bed.delete("/bucket?encryption").await.is(204);
    bed.get("/bucket?encryption").await.is_error(404, "ServerSideEncryptionConfigurationNotFoundError");
    assert_eq!(bed.send(put("k")).await.header(METHOD), None);
}

#[tokio::test]
async fn an_upload_tells_its_encryption_at_every_step() {
    let bed = bed_with_bucket().await;
    let begun = bed.send(with_key(Draft::new(Method::POST, "/bucket/k?uploads"), "", ONE)).await;
    let upload = begun.is(200).element("UploadId").unwrap();
    let part = || Draft::new(Method::PUT, &format!("/bucket/k?partNumber=1&uploadId={upload}")).body("hello");
    bed.send(part()).await.is_error(400, "InvalidRequest");
    bed.send(with_key(part(), "", TWO)).await.is_error(400, "InvalidRequest");
    let made = bed.send(with_key(part(), "", ONE)).await;
    let etag = made.is(200).header("etag").unwrap();
    let list = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    );
    let complete = || Draft::new(Method::POST, &format!("/bucket/k?uploadId={upload}")).body(list.clone());
    bed.send(with_key(complete(), "", TWO)).await.is_error(400, "InvalidRequest");
    bed.send(complete()).await.is(200);
    let done = bed.send(with_key(complete(), "", ONE)).await;
    for answer in [&begun, &made, &done] {
        assert_eq!(answer.is(200).header(CUSTOMER_MD5), Some(ONE.1));
    }
    assert_eq!(bed.send(with_key(get("k"), "", ONE)).await.is(200).text(), "hello");
    // The checksum that an upload asks for is of what only its key opens.
    let sums = Draft::new(Method::POST, "/bucket/sum?uploads").header("x-amz-checksum-algorithm", "CRC64NVME");
    let upload = bed.send(with_key(sums, "", ONE)).await.is(200).element("UploadId").unwrap();
    let part = Draft::new(Method::PUT, &format!("/bucket/sum?partNumber=1&uploadId={upload}")).body("hello");
    bed.send(with_key(part, "", ONE)).await.is(200);
    let complete = || Draft::new(Method::POST, &format!("/bucket/sum?uploadId={upload}")).body(list.clone());
    bed.send(complete()).await.is_error(400, "InvalidRequest");
}

#[tokio::test]
async fn a_part_that_came_with_a_checksum_is_completed_with_the_key() {
    let bed = bed_with_bucket().await;
    let sum = base64(&Crc32::checksum(b"hello"));
    let behind = chunks_with_trailer(&[b"hello"], &format!("x-amz-checksum-crc32:{sum}\r\n"));
    for (is_behind, number) in [(false, 1), (true, 1), (false, 2)] {
        let begun = bed.send(with_key(Draft::new(Method::POST, "/bucket/k?uploads"), "", ONE)).await;
        let upload = begun.is(200).element("UploadId").unwrap();
        let part = |number| Draft::new(Method::PUT, &format!("/bucket/k?partNumber={number}&uploadId={upload}"));
        let made = bed.send(with_key(part(1).body("hello"), "", ONE)).await;
        let etag = made.is(200).header("etag").unwrap();
        // As boto3 puts parts over HTTP and over TLS. It need not be a part that is named in the end.
        let summed = match is_behind {
            false => part(number).header("x-amz-checksum-crc32", &sum).body("hello"),
            true => part(number)
                .header("content-encoding", "aws-chunked")
                .header("x-amz-decoded-content-length", "5")
                .header("x-amz-trailer", "x-amz-checksum-crc32")
                .payload("STREAMING-UNSIGNED-PAYLOAD-TRAILER")
                .body(behind.clone()),
        };
        bed.send(with_key(summed, "", ONE)).await.is(200);
        let list = format!("<Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>");
        let list = format!("<CompleteMultipartUpload>{list}</CompleteMultipartUpload>");
        let complete = || Draft::new(Method::POST, &format!("/bucket/k?uploadId={upload}")).body(list.clone());
        bed.send(complete()).await.is_error(400, "InvalidRequest");
        bed.send(with_key(complete(), "", TWO)).await.is_error(400, "InvalidRequest");
        let done = match number {
            1 => bed.send(with_key(complete(), "", ONE)).await,
            // One that was put again without a checksum has none.
            _ => {
                bed.send(with_key(part(number).body("hello"), "", ONE)).await.is(200);
                bed.send(complete()).await
            }
        };
        done.is(200);
    }
}

#[tokio::test]
async fn rights_are_decided_before_headers_are_read() {
    let bed = bed_with_bucket().await;
    bed.send(put("k")).await.is(200);
    let begun = bed.send(Draft::new(Method::POST, "/bucket/k?uploads")).await;
    let upload = begun.is(200).element("UploadId").unwrap();
    let part = format!("/bucket/k?partNumber=1&uploadId={upload}");
    let list =
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>";
    let copy = |address: &str| Draft::new(Method::PUT, address).header("x-amz-copy-source", "/bucket/k");
    let writes = || {
        [
            put("k"),
            copy("/bucket/copy"),
            Draft::new(Method::POST, "/bucket/k?uploads"),
            Draft::new(Method::PUT, &part).body("x"),
            copy(&part),
            Draft::new(Method::POST, &format!("/bucket/k?uploadId={upload}")).body(list),
        ]
    };
    let reads = || [get("k"), get("k?attributes").header("x-amz-object-attributes", "ETag")];
    const ALGORITHM: &str = "x-amz-server-side-encryption-customer-algorithm";
    for (name, value, code) in
        [(METHOD, "AES192", "InvalidArgument"), (ALGORITHM, "AES192", "InvalidEncryptionAlgorithmError")]
    {
        for draft in writes() {
            bed.send(draft.header(name, value)).await.is_error(400, code);
        }
    }
    for draft in reads() {
        bed.send(draft.header(ALGORITHM, "AES192")).await.is_error(400, "InvalidEncryptionAlgorithmError");
    }
    let deny = |name: &str, action: &str| {
        format!(
            r#"{{"Statement": {{"Effect": "Deny", "Principal": "*", "Action": "{action}", "Resource": "arn:aws:s3:::bucket/*",
                "Condition": {{"StringEquals": {{"s3:{name}": "AES192"}}}}}}}}"#
        )
    };
    for name in [METHOD, ALGORITHM] {
        bed.put("/bucket?policy", deny(name, "s3:PutObject")).await.is(204);
        // Conditions see parts and a completion as what their upload is to be, whatever their headers say.
        let makes = |index: usize| index < 3;
        for (index, draft) in writes().into_iter().enumerate() {
            let refused = bed.send(draft.header(name, "AES192")).await;
            match (makes(index), name) {
                (false, METHOD) => refused.is_error(400, "InvalidArgument"),
                _ => refused.is_error(403, "AccessDenied"),
            };
        }
    }
    bed.put("/bucket?policy", deny(ALGORITHM, "s3:GetObject")).await.is(204);
    for draft in reads() {
        bed.send(draft.header(ALGORITHM, "AES192")).await.is_error(403, "AccessDenied");
    }
    let source = "x-amz-copy-source-server-side-encryption-customer-algorithm";
    bed.put("/bucket?policy", deny(source, "s3:GetObject")).await.is(204);
    for draft in [copy("/bucket/copy"), copy(&part)] {
        bed.send(draft.header(source, "AES192")).await.is_error(403, "AccessDenied");
    }
}
