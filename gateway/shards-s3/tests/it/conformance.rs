use crate::endpoint::Endpoint;
use crate::samples::*;
use cofre_shards::conformance;

#[tokio::test(flavor = "multi_thread")]
async fn s3s_fs() {
    let endpoint = Endpoint::start().await;
    conformance::run(&shard(endpoint.address).await).await;
    assert_eq!(endpoint.uploads(), 0, "uploads that failed were aborted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_of_many_pages_lists_each_blob_once() {
    let endpoint = Endpoint::start().await;
    let shard = shard(endpoint.address).await;
    let stored = put(&shard, 1, &content(10)).await.unwrap();
    let object = endpoint.blobs().remove(0);
    let name = object.file_name().unwrap().to_str().unwrap().to_owned();
    for n in 0..2500_u32 {
        let other = name.replace(&"01".repeat(16), &format!("{n:032x}"));
        std::fs::copy(&object, object.with_file_name(other)).unwrap();
    }
    std::fs::write(object.with_file_name("foreign"), "what is this").unwrap();
    let listed = list(&shard).await.unwrap();
    let blobs: std::collections::BTreeSet<_> = listed.iter().map(|listed| listed.blob).collect();
    assert_eq!((listed.len(), blobs.len()), (2501, 2501), "what is foreign is not listed");
    assert!(listed.iter().any(|listed| listed.locator == stored.locator));
}
