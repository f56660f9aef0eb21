//! The documents that requests bring as their bodies: how large each may be, and how they are gathered.
//!
//! # Limits
//! A document is bounded by what its operation can need. All that are held at a time share a budget of bytes, and what
//! parsing makes of them is charged to it too; those of clients that have shown no good signature have a smaller one of
//! their own. No account, and no address without one, has more of a budget than it leaves. Only the first
//! [`FIRST_BYTES`] of a document are gathered for a caller that nothing may let. One with more elements than its operation
//! knows is refused at the first of them.

use super::budget::{Budget, Holder, Share};
use super::elements::{Count, Counter};
use super::target::{Content, Target};
use crate::errors;
use bytes::Bytes;
use cofre_iam::Action;
use cofre_runtime::Clock;
use futures_util::StreamExt;
use futures_util::future::{Either, select};
use http::Method;
use http_body::Body as _;
use s3s::{Body, S3Error, S3ErrorCode, S3Result};
use std::pin::pin;
use std::time::Duration;

/// What is gathered of a document before the rights of its sender are looked at, in bytes.
const FIRST_BYTES: usize = 16 * 1024;

/// Most bytes of a document that has no bound of its own.
const OTHER_BYTES_MAX: usize = 64 * 1024;

/// What the parser makes of an item of a list, and of another element, in bytes beside its text.
const ITEM_BYTES: usize = 640;
const ELEMENT_BYTES: usize = 64;

/// The part of the budget that clients have who have shown no good signature: one in so many.
const UNPROVEN_SHARE: usize = 4;

/// How long a document may take to come whole.
const PROVEN_TIME_MAX: Duration = Duration::from_secs(120);

/// How long anything may take to come whole whose sender is not known yet.
pub(crate) const UNPROVEN_TIME_MAX: Duration = Duration::from_secs(15);

/// A kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Document {
    pub(crate) bytes_max: usize,
    /// Name of the elements of which the operation makes a list; any may be one where there is none.
    pub(super) item: Option<&'static str>,
    /// Most of those, and most elements in all, where the operation bounds them.
    pub(super) items_max: usize,
    pub(super) elements_max: usize,
    /// What sending it asks for, one or the other, of the bucket or of objects in it; empty where nothing is sent.
    pub(super) actions: &'static [Action],
}

/// Documents about a bucket, by the parameter that names them.
const OF_BUCKETS: [(&str, Document); 16] = [
    ("abac", small(&[Action::PutBucketAbac])),
    ("accelerate", small(&[Action::PutAccelerateConfiguration])),
    // A hundred grants.
    ("acl", Document { bytes_max: 128 << 10, ..small(&[Action::PutBucketAcl]) }),
    // A hundred rules.
    ("cors", Document { bytes_max: 256 << 10, ..small(&[Action::PutBucketCors]) }),
    ("encryption", small(&[Action::PutEncryptionConfiguration])),
    // A thousand rules of some twenty elements.
    (
        "lifecycle",
        Document { bytes_max: 1 << 20, elements_max: 24 << 10, ..small(&[Action::PutLifecycleConfiguration]) },
    ),
    ("logging", small(&[Action::PutBucketLogging])),
    ("notification", Document { bytes_max: 256 << 10, ..small(&[Action::PutBucketNotification]) }),
    ("object-lock", small(&[Action::PutBucketObjectLockConfiguration])),
    ("ownershipControls", small(&[Action::PutBucketOwnershipControls])),
    ("policy", small(&[Action::PutBucketPolicy])),
    ("publicAccessBlock", small(&[Action::PutBucketPublicAccessBlock])),
    ("requestPayment", small(&[Action::PutBucketRequestPayment])),
    ("tagging", small(&[Action::PutBucketTagging])),
    ("versioning", small(&[Action::PutBucketVersioning])),
    ("website", Document { bytes_max: 256 << 10, ..small(&[Action::PutBucketWebsite]) }),
];

/// Documents about an object, by the parameter that names them.
const OF_OBJECTS: [(&str, Document); 5] = [
    // A hundred grants.
    ("acl", Document { bytes_max: 128 << 10, ..small(&[Action::PutObjectAcl, Action::PutObjectVersionAcl]) }),
    ("encryption", small(&[Action::UpdateObjectEncryption])),
    ("legal-hold", small(&[Action::PutObjectLegalHold])),
    ("retention", small(&[Action::PutObjectRetention])),
    ("tagging", small(&[Action::PutObjectTagging, Action::PutObjectVersionTagging])),
];

/// A thousand keys of 1,024 bytes, every one of them escaped, with versions and conditions, and whether to be quiet. A key
/// has five elements, and may have a few `<` of its own in a section.
const DELETE: Document = Document {
    bytes_max: 13 << 19,
    item: Some("Object"),
    items_max: 1_000,
    elements_max: 32 << 10,
    actions: &[Action::DeleteObject, Action::DeleteObjectVersion],
};

/// Ten thousand parts with their checksums, of which there are ten.
const COMPLETE: Document = Document {
    bytes_max: 4 << 20,
    item: Some("Part"),
    items_max: 10_000,
    elements_max: 1 + 10_000 * 13,
    actions: &[Action::PutObject],
};

/// Content of an object or a part that comes in chunks without its length: it is held until that is known.
const UNDECLARED: Document = Document { bytes_max: 1 << 20, ..small(&[Action::PutObject]) };

/// What has no bound but its bytes.
pub(super) const UNBOUNDED: Document = small(&[]);

const fn small(actions: &'static [Action]) -> Document {
    Document { bytes_max: OTHER_BYTES_MAX, item: None, items_max: usize::MAX, elements_max: 16 << 10, actions }
}

/// What a request brings.
pub(super) fn of(method: &Method, target: &Target<'_>, sub_resource: Option<&str>) -> Document {
    if target.content(method, sub_resource) == Content::Object {
        return UNDECLARED;
    }
    let named: &[(&str, Document)] = match (method, target.is_of_object()) {
        (&Method::POST, false) => &[("delete", DELETE)],
        (&Method::POST, true) => &[("uploadId", COMPLETE)],
        (&Method::PUT, false) => &OF_BUCKETS,
        (&Method::PUT, true) => &OF_OBJECTS,
        _ => &[],
    };
    let found = named.iter().find(|(name, _)| sub_resource == Some(name));
    found.map_or(UNBOUNDED, |(_, document)| *document)
}

/// Gathers documents.
#[derive(Debug, Clone)]
pub(crate) struct Documents {
    proven: Budget,
    unproven: Budget,
    clock: Clock,
}

impl Documents {
    /// A budget for all, in bytes.
    pub(crate) fn new(bytes_max: usize, clock: Clock) -> Self {
        let unproven = bytes_max / UNPROVEN_SHARE;
        Self { proven: Budget::new(bytes_max - unproven), unproven: Budget::new(unproven), clock }
    }

    /// Gathers a body of at most `bytes_max`, and the sender's rights after the first of it; none if it has more.
    pub(crate) async fn whole(
        &self,
        body: &mut Body,
        bytes_max: usize,
        sender: Sender<impl Future<Output = S3Result<()>>>,
    ) -> S3Result<Option<(Bytes, Share)>> {
        let gathered = self.gather(body, bytes_max, None, sender).await?;
        Ok(gathered.map(|gathered| (gathered.held.into(), gathered.share)))
    }

    async fn gather<'a>(
        &self,
        body: &'a mut Body,
        bytes_max: usize,
        counter: Option<Counter>,
        sender: Sender<impl Future<Output = S3Result<()>>>,
    ) -> S3Result<Option<Gathering<'a>>> {
        let Sender { holder, may } = sender;
        let (budget, time) = match holder {
            Holder::Account(_) => (&self.proven, PROVEN_TIME_MAX),
            Holder::Site(_) | Holder::Inside => (&self.unproven, UNPROVEN_TIME_MAX),
        };
        let mut gathering = Gathering { body, held: Vec::new(), share: budget.share(holder), counter };
        if !within(&self.clock, time, gathering.up_to(FIRST_BYTES.min(bytes_max))).await? {
            may.await?;
            if !within(&self.clock, time, gathering.up_to(bytes_max)).await? {
                return Ok(None);
            }
        }
        Ok(Some(gathering))
    }

    /// Gathers the document of a request, if it brings one.
    pub(super) async fn document(
        &self,
        mut body: Body,
        document: Document,
        sender: Sender<impl Future<Output = S3Result<()>>>,
    ) -> S3Result<(Bytes, Option<Share>)> {
        if body.is_end_stream() {
            return Ok((Bytes::new(), None));
        }
        let too_long = || S3Error::new(S3ErrorCode::MaxMessageLengthExceeded);
        if body.size_hint().lower() > document.bytes_max as u64 {
            return Err(too_long());
        }
        let counter = Some(Counter::of(&document));
        let gathered = self.gather(&mut body, document.bytes_max, counter, sender).await?.ok_or_else(too_long)?;
        let Gathering { held, mut share, counter, .. } = gathered;
        let Count { elements, items } = counter.map_or(Ok(Count::default()), |counter| counter.end_of(&held))?;
        // The parser copies the text out.
        share.grow(held.len() + items * ITEM_BYTES + elements * ELEMENT_BYTES)?;
        Ok((held.into(), Some(share)))
    }
}

/// Who sends what is gathered, and the question whether anything may let it, asked before much is.
pub(crate) struct Sender<F> {
    pub(crate) holder: Holder,
    pub(crate) may: F,
}

/// Gives up what a client does not finish in time.
pub(crate) async fn within<T>(clock: &Clock, time: Duration, step: impl Future<Output = S3Result<T>>) -> S3Result<T> {
    match select(pin!(step), pin!(clock.sleep(time))).await {
        Either::Left((done, _)) => done,
        Either::Right(_) => Err(errors::request_timeout()),
    }
}

/// A body that is being gathered.
struct Gathering<'a> {
    body: &'a mut Body,
    held: Vec<u8>,
    share: Share,
    /// Counts the elements of a document.
    counter: Option<Counter>,
}

impl Gathering<'_> {
    /// Reads on; whether the body ended within so many bytes.
    async fn up_to(&mut self, bytes_max: usize) -> S3Result<bool> {
        while self.held.len() <= bytes_max {
            let Some(piece) = self.body.next().await else { return Ok(true) };
            let piece = piece.map_err(errors::body)?;
            self.make_room(piece.len())?;
            self.held.extend_from_slice(&piece);
            if let Some(counter) = &mut self.counter {
                counter.came(&self.held)?;
            }
            if self.held.len() > FIRST_BYTES {
                // The rest may have come already: others get their turn between its pieces.
                tokio::task::yield_now().await;
            }
        }
        Ok(false)
    }

    /// Makes room for more, and charges it before: a copy of what is held stands beside it meanwhile.
    fn make_room(&mut self, bytes: usize) -> S3Result<()> {
        let (had, needed) = (self.held.capacity(), self.held.len() + bytes);
        if needed > had {
            // Twice as much each time, and no more than is declared to come.
            let declared = self.body.size_hint().exact().and_then(|left| usize::try_from(left).ok());
            let room = needed.max(declared.map_or(2 * had, |left| (2 * had).min(needed + left)));
            self.share.grow(room - had)?;
            self.held.reserve_exact(room - self.held.len());
        }
        Ok(())
    }
}
