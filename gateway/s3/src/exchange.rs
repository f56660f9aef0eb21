//! One request on its way through the door: what the layers around s3s and the operations behind it
//! tell each other. It travels as an extension of the request, never as a global or a task-local.

use cofre_iam::{Origin, RequestId};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Shared by the layers and the operation of one request. Cloning costs a reference count.
#[derive(Debug, Clone)]
pub(crate) struct Exchange(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    request_id: RequestId,
    origin: Origin,
    received_bytes: AtomicU64,
    noted: Mutex<Noted>,
}

/// What is learnt of a request while it is answered.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    /// The operation, by S3's name; empty until s3s has found it.
    pub(crate) operation: &'static str,
    /// The access key whose signature was good.
    pub(crate) access_key: Option<String>,
    /// Elements beside `Code` and `Message` of an error's XML, by S3's names.
    pub(crate) details: Vec<(&'static str, String)>,
    /// Whether names in the XML answer were escaped (see `translate::text`).
    pub(crate) escaped: bool,
}

impl Exchange {
    pub(crate) fn new(request_id: RequestId, origin: Origin) -> Self {
        Self(Arc::new(Inner { request_id, origin, received_bytes: AtomicU64::new(0), noted: Mutex::default() }))
    }

    pub(crate) fn request_id(&self) -> RequestId {
        self.0.request_id
    }

    pub(crate) fn origin(&self) -> Origin {
        self.0.origin
    }

    /// Counts bytes of the request's body.
    pub(crate) fn received(&self, bytes: u64) {
        self.0.received_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Bytes of the request's body that came.
    pub(crate) fn received_bytes(&self) -> u64 {
        self.0.received_bytes.load(Ordering::Relaxed)
    }

    /// Notes something for the layers outside.
    pub(crate) fn note(&self, change: impl FnOnce(&mut Noted)) {
        change(&mut self.0.noted.lock());
    }

    /// Adds an element to the error's XML.
    pub(crate) fn detail(&self, name: &'static str, value: impl Into<String>) {
        self.note(|noted| noted.details.push((name, value.into())));
    }

    /// Looks at what was noted.
    pub(crate) fn noted<T>(&self, look: impl FnOnce(&Noted) -> T) -> T {
        look(&self.0.noted.lock())
    }
}
