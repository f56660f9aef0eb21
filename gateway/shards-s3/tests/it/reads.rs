//! Reads from an endpoint that lies, breaks off or says little.

use crate::endpoint::Endpoint;
use crate::proxy::{Fault, Proxy};
use crate::samples::*;
use cofre_shards::{Backend, BackendError};
use hyper::Method;
use std::fs;

#[tokio::test(flavor = "multi_thread")]
async fn flipped_bytes_are_never_given() {
    let endpoint = Endpoint::start().await;
    let proxy = Proxy::before(&endpoint).await;
    let shard = shard(proxy.address).await;
    let content = content(400_000);
    let stored = put(&shard, 1, &content).await.unwrap();
    let object_bytes = fs::metadata(&endpoint.blobs()[0]).unwrap().len() as usize;
    // In the head, in the first block, in its checksum, in a later block, in the last checksum.
    for at in [5, 40, 200, 131_100, 131_200, 300_000, object_bytes - 1] {
        proxy.spoil(Method::GET, "blobs/", Fault::Flip(at), 1);
        let read = get(&shard, 1, &stored.locator, 0, content.len()).await;
        assert!(matches!(read, Err(BackendError::Corrupt(_))), "{at}: {read:?}");
    }
    proxy.spoil(Method::GET, "blobs/", Fault::Flip(50), 1);
    let header = shard.header(blob(1), &stored.locator).await;
    assert!(matches!(header, Err(BackendError::Corrupt(_))), "{header:?}");
    assert_eq!(get(&shard, 1, &stored.locator, 0, content.len()).await.unwrap(), content);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_breaks_off_proves_nothing() {
    let endpoint = Endpoint::start().await;
    let proxy = Proxy::before(&endpoint).await;
    let shard = shard(proxy.address).await;
    let content = content(400_000);
    let stored = put(&shard, 1, &content).await.unwrap();
    for after in [0, 10, 140_000, 399_000] {
        proxy.spoil(Method::GET, "blobs/", Fault::Cut(after), 1);
        let read = get(&shard, 1, &stored.locator, 0, content.len()).await;
        assert!(matches!(read, Err(BackendError::Unreachable(_))), "{after}: {read:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_of_another_length_is_corrupt() {
    let endpoint = Endpoint::start().await;
    let shard = shard(endpoint.address).await;
    let stored = put(&shard, 1, &content(400_000)).await.unwrap();
    let object = endpoint.blobs().remove(0);
    let bytes = fs::read(&object).unwrap();
    for length in [0, 1, 200, 131_200, bytes.len() - 1] {
        fs::write(&object, &bytes[..length]).unwrap();
        for start in [0, 300_000] {
            let read = get(&shard, 1, &stored.locator, start, start + 10).await;
            assert!(matches!(read, Err(BackendError::Corrupt(_))), "{length}, {start}: {read:?}");
        }
    }
    fs::write(&object, [&bytes[..], b"more"].concat()).unwrap();
    assert!(matches!(get(&shard, 1, &stored.locator, 0, 10).await, Err(BackendError::Corrupt(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_reachable_shard_proves_that_a_blob_is_missing() {
    let endpoint = Endpoint::start().await;
    let proxy = Proxy::before(&endpoint).await;
    let shard = shard(proxy.address).await;
    let stored = put(&shard, 1, &content(10)).await.unwrap();
    for (status, body) in [
        (404, "<Error><Code>NoSuchBucket</Code></Error>"),
        (404, ""),
        (404, "<html>nginx</html>"),
        (403, "<Error><Code>AccessDenied</Code></Error>"),
        (500, "<Error><Code>InternalError</Code></Error>"),
        (503, "<Error><Code>SlowDown</Code></Error>"),
        (301, "<Error><Code>PermanentRedirect</Code></Error>"),
    ] {
        proxy.spoil(Method::GET, "blobs/", Fault::Answer(status, body), 1);
        let read = get(&shard, 1, &stored.locator, 0, 10).await;
        assert!(matches!(read, Err(BackendError::Unreachable(_))), "{status} {body}: {read:?}");
    }
    // s3s-fs says NoSuchKey even where the whole bucket is gone.
    let aside = endpoint.bucket().with_file_name("aside");
    fs::rename(endpoint.bucket(), &aside).unwrap();
    let read = get(&shard, 1, &stored.locator, 0, 10).await;
    assert!(matches!(read, Err(BackendError::Unreachable(_))), "{read:?}");
    assert!(matches!(list(&shard).await, Err(BackendError::Unreachable(_))));
    fs::rename(&aside, endpoint.bucket()).unwrap();
    assert_eq!(get(&shard, 1, &stored.locator, 0, 10).await.unwrap(), content(10));
    fs::remove_file(&endpoint.blobs()[0]).unwrap();
    let read = get(&shard, 1, &stored.locator, 0, 10).await;
    assert!(matches!(read, Err(BackendError::Missing)), "{read:?}");

    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let nowhere = cofre_shards_s3::S3Backend::create(&options(nobody), IDENTITY, cofre_runtime::Random::system()).await;
    assert!(matches!(nowhere, Err(cofre_shards_s3::S3Error::Endpoint(BackendError::Unreachable(_)))), "{nowhere:?}");
}
