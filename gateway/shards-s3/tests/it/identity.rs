use crate::endpoint::Endpoint;
use crate::proxy::{Fault, Proxy};
use crate::samples::*;
use cofre_runtime::{Clock, ManualClock, Random};
use cofre_shards::{Backend, BackendError, ShardIdentity};
use cofre_shards_s3::{S3Backend, S3Error};
use hyper::Method;
use std::fs;
use std::time::Duration;

const FOREIGN: ShardIdentity = ShardIdentity { shard: [1; 16], cluster: [9; 16] };
const OTHER: ShardIdentity = ShardIdentity { shard: [8; 16], cluster: [2; 16] };

async fn create(endpoint: &Endpoint, identity: ShardIdentity) -> Result<[u8; 16], S3Error> {
    S3Backend::create(&options(endpoint.address), identity, Random::system()).await
}

async fn open(endpoint: &Endpoint, identity: ShardIdentity) -> Result<S3Backend, S3Error> {
    S3Backend::open(&options(endpoint.address), identity, Clock::system(), Random::system()).await
}

#[tokio::test]
async fn a_shard_is_made_once_and_only_where_nothing_is() {
    let endpoint = Endpoint::start().await;
    assert!(matches!(open(&endpoint, IDENTITY).await, Err(S3Error::NoIdentity)));
    assert_eq!(create(&endpoint, IDENTITY).await.unwrap(), IDENTITY.shard);
    assert_eq!(create(&endpoint, OTHER).await.unwrap(), IDENTITY.shard, "what was made before keeps its own");
    assert!(matches!(create(&endpoint, FOREIGN).await, Err(S3Error::ForeignCluster)));
    assert!(matches!(open(&endpoint, FOREIGN).await, Err(S3Error::ForeignCluster)));
    assert!(matches!(open(&endpoint, OTHER).await, Err(S3Error::OtherShard)));
    open(&endpoint, IDENTITY).await.unwrap();

    let file = endpoint.shard().join("cofre-shard");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("01", "02")).unwrap();
    assert!(matches!(open(&endpoint, IDENTITY).await, Err(S3Error::Identity(_))));
    fs::write(&file, "").unwrap();
    assert!(matches!(open(&endpoint, IDENTITY).await, Err(S3Error::Identity(_))));
    fs::remove_file(&file).unwrap();
    fs::write(endpoint.shard().join("letter"), "somebody's").unwrap();
    assert!(matches!(create(&endpoint, IDENTITY).await, Err(S3Error::NotEmpty)));
    assert!(!file.exists());
}

#[tokio::test]
async fn an_endpoint_that_does_not_know_the_condition_gets_a_shard_as_well() {
    let endpoint = Endpoint::start().await;
    let proxy = Proxy::before(&endpoint).await;
    proxy.spoil(Method::PUT, "cofre-shard", Fault::Answer(501, "<Error><Code>NotImplemented</Code></Error>"), 1);
    let made = S3Backend::create(&options(proxy.address), IDENTITY, Random::system()).await.unwrap();
    assert_eq!(made, IDENTITY.shard);
    assert_eq!(proxy.seen(&Method::PUT, "cofre-shard"), 2);
}

#[tokio::test]
async fn a_shard_whose_identity_is_gone_is_written_no_more() {
    let endpoint = Endpoint::start().await;
    create(&endpoint, IDENTITY).await.unwrap();
    let clock = ManualClock::at(1_800_000_000_000_000_000);
    let shard = S3Backend::open(&options(endpoint.address), IDENTITY, clock.clock(), Random::system()).await.unwrap();
    let stored = put(&shard, 1, &content(10)).await.unwrap();
    for identity in [None, Some(FOREIGN), Some(OTHER)] {
        let file = endpoint.shard().join("cofre-shard");
        match identity {
            None => fs::remove_file(file).unwrap(),
            Some(identity) => fs::write(file, identity.encode()).unwrap(),
        }
        clock.advance(Duration::from_secs(31));
        let refused = put(&shard, 2, &content(10)).await;
        assert!(matches!(refused, Err(BackendError::Unreachable(_))), "{refused:?}");
        assert!(matches!(shard.probe().await, Err(BackendError::Unreachable(_))));
        assert_eq!(endpoint.blobs().len(), 1, "nothing was written");
    }
    // What is missing under another's identity is no proof.
    fs::remove_file(endpoint.blobs().remove(0)).unwrap();
    let gone = get(&shard, 1, &stored.locator, 0, 10).await;
    assert!(matches!(gone, Err(BackendError::Unreachable(_))), "{gone:?}");
    fs::write(endpoint.shard().join("cofre-shard"), IDENTITY.encode()).unwrap();
    let gone = get(&shard, 1, &stored.locator, 0, 10).await;
    assert!(matches!(gone, Err(BackendError::Missing)), "{gone:?}");
    put(&shard, 2, &content(10)).await.unwrap();
}
