//! Writes, deletions and listings while the endpoint fails.

use crate::endpoint::Endpoint;
use crate::proxy::{Fault, Proxy};
use crate::samples::*;
use cofre_runtime::{Clock, Random};
use cofre_shards::{Backend, BackendError, BlobHeader, Liveness, Locator, Moved, Relocate};
use cofre_shards_s3::{S3Backend, S3Error};
use cofre_types::BlobId;
use hyper::Method;

const BUSY: Fault = Fault::Answer(503, "<Error><Code>SlowDown</Code></Error>");

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_for_now_is_tried_again_where_that_is_safe() {
    let endpoint = Endpoint::start().await;
    let proxy = Proxy::before(&endpoint).await;
    let shard = shard(proxy.address).await;
    proxy.spoil(Method::PUT, "blobs/", BUSY, 2);
    let small = put(&shard, 1, &content(10)).await.unwrap();
    proxy.spoil(Method::POST, "uploads", BUSY, 2);
    proxy.spoil(Method::PUT, "partNumber=2", BUSY, 2);
    proxy.spoil(Method::POST, "uploadId", BUSY, 2);
    let large = content(12 * MIB);
    let stored = shard.put(blob(2), &header(), pieces(&large)).await.unwrap();
    assert_eq!(get(&shard, 2, &stored.locator, 0, large.len()).await.unwrap(), large);
    assert_eq!(get(&shard, 2, &stored.locator, 6 * MIB, 6 * MIB + 9).await.unwrap(), large[6 * MIB..6 * MIB + 9]);
    proxy.spoil(Method::GET, "list-type", BUSY, 2);
    assert_eq!(list(&shard).await.unwrap().len(), 2);
    proxy.spoil(Method::POST, "delete", BUSY, 2);
    shard.delete(vec![(blob(1), small.locator), (blob(2), stored.locator)]).await.unwrap();
    assert!(endpoint.blobs().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_fails_is_aborted_and_leaves_nothing() {
    let endpoint = Endpoint::start().await;
    let proxy = Proxy::before(&endpoint).await;
    let shard = shard(proxy.address).await;
    let large = content(12 * MIB);
    let refused = Fault::Answer(403, "<Error><Code>AccessDenied</Code></Error>");
    // What S3 does when it finds out late: 200, and an error in the body.
    let late = Fault::Answer(200, "<Error><Code>InternalError</Code><Message>late</Message></Error>");
    for (method, target, fault) in [
        (Method::POST, "uploads", refused.clone()),
        (Method::PUT, "partNumber=1", refused.clone()),
        (Method::PUT, "partNumber=2", refused.clone()),
        (Method::PUT, "partNumber=3", BUSY),
        (Method::POST, "uploadId", refused),
        (Method::POST, "uploadId", late),
    ] {
        proxy.spoil(method.clone(), target, fault.clone(), 3);
        let put = shard.put(blob(1), &header(), pieces(&large)).await;
        assert!(matches!(put, Err(BackendError::Unreachable(_))), "{method} {target} {fault:?}: {put:?}");
        proxy.heal();
        settles("parts and objects are gone", || endpoint.uploads() == 0 && endpoint.blobs().is_empty()).await;
    }
    shard.put(blob(1), &header(), pieces(&large)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_with_the_root_element_of_rclone_begins_an_upload() {
    let endpoint = Endpoint::start().await;
    let proxy = Proxy::before(&endpoint).await;
    let shard = shard(proxy.address).await;
    let answer = "<InitiateMultipartUpload><Bucket>b</Bucket><UploadId>its-id</UploadId></InitiateMultipartUpload>";
    proxy.spoil(Method::POST, "uploads", Fault::Answer(200, answer), 1);
    // s3s-fs knows no such upload; that it is asked for one shows that the id was read.
    let put = shard.put(blob(1), &header(), pieces(&content(12 * MIB))).await;
    assert!(matches!(put, Err(BackendError::Unreachable(_))), "{put:?}");
    assert!(proxy.seen(&Method::PUT, "uploadId=its-id") > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_full_says_so() {
    let endpoint = Endpoint::start().await;
    let proxy = Proxy::before(&endpoint).await;
    let shard = shard(proxy.address).await;
    proxy.spoil(Method::PUT, "blobs/", Fault::Answer(507, "<Error><Code>InsufficientStorage</Code></Error>"), 1);
    assert!(matches!(put(&shard, 1, &content(10)).await, Err(BackendError::Full)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_without_bulk_deletion_deletes_one_by_one() {
    let endpoint = Endpoint::start().await;
    let proxy = Proxy::before(&endpoint).await;
    let shard = shard(proxy.address).await;
    proxy.spoil(Method::POST, "delete", Fault::Answer(501, "<Error><Code>NotImplemented</Code></Error>"), 9);
    for _ in 0..2 {
        let mut doomed = Vec::new();
        for n in 0..20 {
            doomed.push((blob(n), put(&shard, n, &content(10)).await.unwrap().locator));
        }
        assert!(shard.delete(doomed).await.unwrap().is_empty());
        assert!(endpoint.blobs().is_empty());
    }
    assert_eq!(proxy.seen(&Method::POST, "delete"), 1, "it is asked once");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_hangs_is_unreachable_in_time() {
    let endpoint = Endpoint::start().await;
    let proxy = Proxy::before(&endpoint).await;
    let shard = shard(proxy.address).await;
    let stored = put(&shard, 1, &content(10)).await.unwrap();
    proxy.spoil(Method::GET, "", Fault::Hang, 9);
    let clock = Clock::system();
    let (read, listed) = tokio::join!(get(&shard, 1, &stored.locator, 0, 10), list(&shard));
    assert!(matches!(read, Err(BackendError::Unreachable(_))), "{read:?}");
    assert!(matches!(listed, Err(BackendError::Unreachable(_))), "{listed:?}");
    assert!(clock.elapsed().as_secs() < 20, "it is not tried again: {:?}", clock.elapsed());
    assert_eq!(proxy.seen(&Method::GET, "list-type"), 2, "one when it was made, one now");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_lists_the_same_page_for_ever_is_found_out() {
    let endpoint = Endpoint::start().await;
    let proxy = Proxy::before(&endpoint).await;
    let shard = shard(proxy.address).await;
    let page = "<ListBucketResult><IsTruncated>true</IsTruncated><Contents><Key>node-1/blobs/x</Key><Size>1</Size>\
                </Contents></ListBucketResult>";
    proxy.spoil(Method::GET, "list-type", Fault::Answer(200, page), 99);
    assert!(matches!(list(&shard).await, Err(BackendError::Unreachable(_))));
}

#[tokio::test]
async fn a_wrong_key_is_unreachable() {
    let endpoint = Endpoint::start().await;
    let wrong =
        cofre_shards_s3::S3Options { secret_access_key: "wrong".to_owned().into(), ..options(endpoint.address) };
    let opened = S3Backend::open(&wrong, IDENTITY, Clock::system(), Random::system()).await;
    match opened {
        Err(S3Error::Endpoint(BackendError::Unreachable(why))) => assert!(why.contains("403"), "{why}"),
        other => panic!("{other:?}"),
    }
}

/// Nothing is ever asked of it.
struct Nobody;

#[async_trait::async_trait]
impl Relocate for Nobody {
    async fn live(&self, _: &[(BlobId, Locator)]) -> Result<Vec<Liveness>, BackendError> {
        panic!("nothing moves");
    }
    async fn moved(&self, _: &[Moved]) -> Result<(), BackendError> {
        panic!("nothing moves");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_that_a_crash_left_are_aborted_once_they_are_old() {
    let endpoint = Endpoint::start().await;
    let proxy = Proxy::before(&endpoint).await;
    let shard = shard(proxy.address).await;
    assert_eq!(shard.compact(&Nobody).await.unwrap(), None, "s3s-fs lists no uploads, which is fine");

    let shard = S3Backend::open(&options(proxy.address), IDENTITY, Clock::system(), Random::system()).await.unwrap();
    let uploads = "<ListMultipartUploadsResult>\
        <Upload><Key>node-1/blobs/old</Key><UploadId>old-id</UploadId><Initiated>2020-01-01T00:00:00.000Z</Initiated></Upload>\
        <Upload><Key>node-1/blobs/new</Key><UploadId>new-id</UploadId><Initiated>2999-01-01T00:00:00.000Z</Initiated></Upload>\
        <Upload><Key>other/old</Key><UploadId>foreign-id</UploadId><Initiated>2020-01-01T00:00:00.000Z</Initiated></Upload>\
        </ListMultipartUploadsResult>";
    proxy.spoil(Method::GET, "uploads", Fault::Answer(200, uploads), 1);
    proxy.spoil(Method::DELETE, "uploadId", Fault::Answer(204, ""), 9);
    assert_eq!(shard.compact(&Nobody).await.unwrap(), None);
    assert_eq!(proxy.seen(&Method::DELETE, "uploadId=old-id"), 1);
    assert_eq!(proxy.seen(&Method::DELETE, "uploadId"), 1, "neither what is new nor what is another's");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_too_long_for_a_head_is_the_bodys_error() {
    let endpoint = Endpoint::start().await;
    let shard = shard(endpoint.address).await;
    let long = BlobHeader { key: "k".repeat(70_000), ..header() };
    let put = shard.put(blob(1), &long, pieces(&content(10))).await;
    assert!(matches!(put, Err(BackendError::Body(_))), "{put:?}");
}
