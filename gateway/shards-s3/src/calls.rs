//! Single calls of the endpoint: each with a time-out, and tried again where that is safe.

use crate::failure::Failure;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use bytes::Bytes;
use cofre_runtime::Random;
use std::time::Duration;
use tokio::time::timeout;

/// How long the endpoint may take to begin an answer to a request that is small.
pub(crate) const ANSWER_MAX: Duration = Duration::from_secs(10);
/// How long a part or a small object may take to be written: 175 KiB/s at the least.
pub(crate) const WRITE_MAX: Duration = Duration::from_secs(30);
/// How long an upload may take to be completed: endpoints put the parts together meanwhile.
pub(crate) const COMPLETE_MAX: Duration = Duration::from_secs(120);
/// How long a body may bring nothing.
pub(crate) const STALL_MAX: Duration = Duration::from_secs(10);
/// How often a call is made that may be made again.
const TRIES_MAX: u32 = 3;
/// The longest rest after the first try; twice as long after each further one. Each is a random part of it.
const FIRST_REST_MAX: Duration = Duration::from_millis(200);

/// A bucket of an endpoint, below a prefix.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    pub(crate) client: Client,
    pub(crate) name: String,
    pub(crate) prefix: String,
    pub(crate) random: Random,
}

/// Waits for an answer, no longer than `max`.
pub(crate) async fn bounded<T, E>(
    doing: &str,
    max: Duration,
    call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
) -> Result<T, Failure>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match timeout(max, call).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(Failure::of(doing, &error)),
        Err(_) => Err(Failure::Refused(format!("{doing}: no answer within {} seconds", max.as_secs()))),
    }
}

impl Bucket {
    /// The whole name of an object.
    pub(crate) fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Makes a call up to three times: one that may be made twice.
    pub(crate) async fn again<T, F>(&self, mut call: impl FnMut() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>> + Send,
    {
        let mut rest = FIRST_REST_MAX;
        for _ in 1..TRIES_MAX {
            match call().await {
                Err(Failure::Passing(_)) => tokio::time::sleep(self.part_of(rest)).await,
                outcome => return outcome,
            }
            rest *= 2;
        }
        call().await
    }

    fn part_of(&self, rest: Duration) -> Duration {
        Duration::from_millis(self.random.below(u64::try_from(rest.as_millis()).unwrap_or(u64::MAX).max(1)))
    }

    /// Writes an object in one request.
    pub(crate) async fn put(&self, name: &str, body: Bytes) -> Result<(), Failure> {
        self.again(|| async {
            let put = self.client.put_object().bucket(&self.name).key(self.key(name)).body(body.clone().into());
            bounded("writing an object", WRITE_MAX, put.send()).await.map(drop)
        })
        .await
    }

    /// Writes an object that is not there yet.
    pub(crate) async fn put_new(&self, name: &str, body: Bytes) -> Result<(), Failure> {
        let put = self.client.put_object().bucket(&self.name).key(self.key(name)).body(body.into());
        bounded("writing an object", WRITE_MAX, put.if_none_match("*").send()).await.map(drop)
    }

    /// Begins to read `length` bytes of an object from `first` on, or what there is of them.
    pub(crate) async fn get(&self, name: &str, first: u64, length: u64) -> Result<GetObjectOutput, Failure> {
        let range = format!("bytes={first}-{}", first.saturating_add(length.max(1)) - 1);
        let get = self.client.get_object().bucket(&self.name).key(self.key(name)).range(range);
        bounded("reading an object", ANSWER_MAX, get.send()).await
    }

    /// Deletes one object; one that is not there is fine.
    pub(crate) async fn delete(&self, name: &str) -> Result<(), Failure> {
        let deleted = self.again(|| async {
            let delete = self.client.delete_object().bucket(&self.name).key(self.key(name));
            bounded("deleting an object", ANSWER_MAX, delete.send()).await.map(drop)
        });
        match deleted.await {
            Ok(()) | Err(Failure::NoSuchKey) => Ok(()),
            Err(failure) => Err(failure),
        }
    }
}
