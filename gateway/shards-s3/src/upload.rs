//! Multipart uploads: each is a task of its own, which ends by completing or by aborting, whatever becomes of the put.

use crate::calls::{ANSWER_MAX, Bucket, COMPLETE_MAX, WRITE_MAX, bounded};
use crate::failure::Failure;
use crate::unclaimed::Unclaimed;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::create_multipart_upload::CreateMultipartUploadError;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use cofre_runtime::{Task, spawn};
use cofre_shards::BackendError;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::collections::BTreeMap;
use tokio::sync::mpsc;

/// Parts that are written while the next one fills.
const PARTS_IN_FLIGHT_MAX: usize = 2;

enum Step {
    Part(i32, Bytes),
    Finish,
}

/// An upload under way. Dropping it before the end aborts it.
pub(crate) struct Upload {
    steps: mpsc::Sender<Step>,
    task: Task<Result<Unclaimed, Failure>>,
}

impl Upload {
    pub(crate) fn begin(bucket: Bucket, name: String) -> Self {
        let (steps, queue) = mpsc::channel(1);
        Self { steps, task: spawn(run(bucket, name, queue)) }
    }

    /// Hands a part on, once few enough others are under way. Parts come in any order.
    pub(crate) async fn part(&mut self, number: i32, bytes: Bytes) -> Result<(), BackendError> {
        match self.steps.send(Step::Part(number, bytes)).await {
            Ok(()) => Ok(()),
            Err(_) => Err(match (&mut self.task).await {
                Ok(Err(failure)) => failure.unreachable(),
                Ok(Ok(_)) => BackendError::Unreachable("the upload ended too early".into()),
                Err(error) => BackendError::Unreachable(error.to_string()),
            }),
        }
    }

    /// Puts the parts together.
    pub(crate) async fn finish(self) -> Result<Unclaimed, BackendError> {
        // If the task has ended already, it says why.
        let _ = self.steps.send(Step::Finish).await;
        match self.task.await {
            Ok(outcome) => outcome.map_err(Failure::unreachable),
            Err(error) => Err(BackendError::Unreachable(error.to_string())),
        }
    }
}

async fn run(bucket: Bucket, name: String, mut steps: mpsc::Receiver<Step>) -> Result<Unclaimed, Failure> {
    let id = bucket.create_upload(&name).await?;
    let uploaded = match parts(&bucket, &name, &id, &mut steps).await {
        Ok(parts) => complete(&bucket, &name, &id, parts).await,
        Err(failure) => Err(failure),
    };
    if uploaded.is_err()
        && let Err(failure) = bucket.abort_upload(&name, &id).await
    {
        tracing::debug!(name, ?failure, "an upload was not aborted; it is once it is a day old");
    }
    uploaded
}

/// Writes the parts as they come, and gives their tags. Nothing is under way any more when this returns.
async fn parts(
    bucket: &Bucket,
    name: &str,
    id: &str,
    steps: &mut mpsc::Receiver<Step>,
) -> Result<BTreeMap<i32, String>, Failure> {
    let mut under_way = FuturesUnordered::new();
    let mut tags = BTreeMap::new();
    let (mut open, mut finished, mut failed) = (true, false, None);
    loop {
        tokio::select! {
            step = steps.recv(), if open && under_way.len() < PARTS_IN_FLIGHT_MAX => match step {
                Some(Step::Part(number, bytes)) => under_way.push(bucket.upload_part(name, id, number, bytes)),
                Some(Step::Finish) => (open, finished) = (false, true),
                None => open = false,
            },
            Some(part) = under_way.next(), if !under_way.is_empty() => match part {
                Ok((number, tag)) => _ = tags.insert(number, tag),
                Err(failure) => {
                    open = false;
                    steps.close();
                    failed.get_or_insert(failure);
                }
            },
            else => break,
        }
    }
    match failed {
        Some(failure) => Err(failure),
        None if finished => Ok(tags),
        None => Err(Failure::Refused("the put was given up".into())),
    }
}

async fn complete(bucket: &Bucket, name: &str, id: &str, parts: BTreeMap<i32, String>) -> Result<Unclaimed, Failure> {
    // From here on the object may be there, whatever the answer is.
    let unclaimed = Unclaimed::new(bucket.clone(), name.to_owned());
    let parts = parts.into_iter().map(|(number, tag)| CompletedPart::builder().part_number(number).e_tag(tag).build());
    let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.collect())).build();
    let answer = bucket.again(|| {
        let call = bucket.client.complete_multipart_upload().bucket(&bucket.name).key(bucket.key(name)).upload_id(id);
        let call = call.multipart_upload(parts.clone());
        async { bounded("completing an upload", COMPLETE_MAX, call.send()).await }
    });
    // S3 may answer 200 and put an error into the body, which has no tag then (CompleteMultipartUpload).
    match answer.await?.e_tag() {
        Some(_) => Ok(unclaimed),
        None => Err(Failure::Refused("completing an upload: the answer has no entity tag".into())),
    }
}

/// The id of an upload that was begun, in an answer that the SDK does not take: rclone's has another root element.
fn id_in_error(error: &SdkError<CreateMultipartUploadError, HttpResponse>) -> Option<String> {
    let answer = error.raw_response().filter(|answer| answer.status().is_success())?;
    let text = std::str::from_utf8(answer.body().bytes()?).ok()?;
    let (_, rest) = text.split_once("<UploadId>")?;
    let (id, _) = rest.split_once("</UploadId>")?;
    let plain = id.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'&'));
    (plain && !id.is_empty()).then(|| id.to_owned())
}

impl Bucket {
    async fn create_upload(&self, name: &str) -> Result<String, Failure> {
        let id = self.again(|| {
            let call = self.client.create_multipart_upload().bucket(&self.name).key(self.key(name));
            let call = async {
                match call.send().await {
                    Ok(answer) => Ok(answer.upload_id().map(str::to_owned)),
                    Err(error) => match id_in_error(&error) {
                        Some(id) => Ok(Some(id)),
                        None => Err(error),
                    },
                }
            };
            async { bounded("beginning an upload", ANSWER_MAX, call).await }
        });
        id.await?.ok_or_else(|| Failure::Refused("beginning an upload: the answer has no id".into()))
    }

    async fn upload_part(&self, name: &str, id: &str, number: i32, bytes: Bytes) -> Result<(i32, String), Failure> {
        let answer = self.again(|| {
            let call = self.client.upload_part().bucket(&self.name).key(self.key(name)).upload_id(id);
            let call = call.part_number(number).body(bytes.clone().into());
            async { bounded("writing a part", WRITE_MAX, call.send()).await }
        });
        let tag = answer.await?.e_tag().map(str::to_owned);
        Ok((number, tag.ok_or_else(|| Failure::Refused("writing a part: the answer has no entity tag".into()))?))
    }

    /// Aborts an upload; one that is not there is fine.
    pub(crate) async fn abort_upload(&self, name: &str, id: &str) -> Result<(), Failure> {
        let abort = || self.client.abort_multipart_upload().bucket(&self.name).key(self.key(name)).upload_id(id);
        self.again(|| async { bounded("aborting an upload", ANSWER_MAX, abort().send()).await }).await.map(drop)
    }
}
