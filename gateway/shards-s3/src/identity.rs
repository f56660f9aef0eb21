use crate::calls::{Bucket, STALL_MAX};
use crate::error::S3Error;
use crate::failure::Failure;
use crate::names::IDENTITY;
use crate::options::S3Options;
use bytes::Bytes;
use cofre_runtime::Random;
use cofre_shards::{IdentityError, ShardIdentity};
use tokio::time::timeout;

/// Longest identity object.
const IDENTITY_BYTES_MAX: usize = 4096;

/// Makes a shard of an empty prefix, and answers with the identity that stands there: a shard of this Cofre that was
/// made before keeps its own.
pub(crate) async fn create(options: &S3Options, wanted: ShardIdentity, random: Random) -> Result<[u8; 16], S3Error> {
    let bucket = open_bucket(options, random)?;
    match read(&bucket).await {
        Ok(found) => return ours(found, &wanted),
        Err(S3Error::NoIdentity) => {}
        Err(error) => return Err(error),
    }
    if !is_empty(&bucket).await? {
        return Err(S3Error::NotEmpty);
    }
    let text = Bytes::from(wanted.encode());
    match bucket.put_new(IDENTITY, text.clone()).await {
        // Who was first is told by reading.
        Ok(()) | Err(Failure::Exists) => {}
        // An endpoint that does not know the condition may refuse it; the last writer wins there.
        Err(Failure::NotKnown(_)) => bucket.put(IDENTITY, text).await.map_err(S3Error::endpoint)?,
        Err(failure) => return Err(S3Error::endpoint(failure)),
    }
    ours(read(&bucket).await?, &wanted)
}

pub(crate) fn open_bucket(options: &S3Options, random: Random) -> Result<Bucket, S3Error> {
    let client = options.client()?;
    Ok(Bucket { client, name: options.bucket.clone(), prefix: options.prefix.clone(), random })
}

fn ours(found: ShardIdentity, wanted: &ShardIdentity) -> Result<[u8; 16], S3Error> {
    if found.cluster == wanted.cluster { Ok(found.shard) } else { Err(S3Error::ForeignCluster) }
}

/// Fails unless the identity that was expected stands under the prefix.
pub(crate) async fn verify(bucket: &Bucket, expected: &ShardIdentity) -> Result<(), S3Error> {
    let found = read(bucket).await?;
    if found.cluster != expected.cluster {
        return Err(S3Error::ForeignCluster);
    }
    if found.shard != expected.shard {
        return Err(S3Error::OtherShard);
    }
    Ok(())
}

async fn read(bucket: &Bucket) -> Result<ShardIdentity, S3Error> {
    let answer = bucket.again(|| bucket.get(IDENTITY, 0, IDENTITY_BYTES_MAX as u64)).await;
    let mut body = match answer {
        Ok(answer) => answer.body,
        Err(Failure::NoSuchKey) => return Err(S3Error::NoIdentity),
        // A range that nothing is in: the object is empty.
        Err(Failure::BeyondEnd) => return Err(IdentityError::Damaged.into()),
        Err(failure) => return Err(S3Error::endpoint(failure)),
    };
    let cut = |why: String| S3Error::endpoint(Failure::Passing(format!("reading the identity: {why}")));
    let mut bytes = Vec::new();
    loop {
        match timeout(STALL_MAX, body.next()).await {
            Ok(Some(Ok(piece))) => bytes.extend_from_slice(&piece),
            Ok(Some(Err(error))) => return Err(cut(error.to_string())),
            Ok(None) => break,
            Err(_) => return Err(cut("it brings nothing".into())),
        }
        if bytes.len() > IDENTITY_BYTES_MAX {
            return Err(IdentityError::Damaged.into());
        }
    }
    let text = String::from_utf8(bytes).map_err(|_| IdentityError::Damaged)?;
    Ok(ShardIdentity::parse(&text)?)
}

async fn is_empty(bucket: &Bucket) -> Result<bool, S3Error> {
    let page = bucket.again(|| bucket.page("", None, 1)).await.map_err(S3Error::endpoint)?;
    Ok(page.contents().is_empty())
}
