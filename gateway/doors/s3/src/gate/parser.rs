//! Where documents are read whole.
//!
//! # Limits
//! s3s parses a document in one go. A large one is parsed beside the async threads, [`AT_ONCE_MAX`] of all at a time and
//! one of each holder, so that it holds up no other request, and who sends many no other sender.

use super::budget::Holder;
use cofre_runtime::blocking;
use futures_util::FutureExt;
use parking_lot::Mutex;
use s3s::service::S3Service;
use s3s::{HttpError, HttpRequest, HttpResponse};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes of a document from which on it is large: to parse it takes longer than to hand it to another thread.
const LARGE_BYTES: usize = 64 * 1024;

/// Large documents that are parsed at a time.
const AT_ONCE_MAX: usize = 2;

/// Parses requests and calls operations; checks no signatures.
pub(crate) struct Parser {
    service: S3Service,
    turns: Turns,
}

/// Turns at reading a large document. Cloning costs reference counts.
#[derive(Clone)]
struct Turns {
    all: Arc<Semaphore>,
    /// The one of each holder that waits for one or has it.
    own: Arc<Mutex<HashMap<Holder, Arc<Semaphore>>>>,
}

/// A turn, until it is dropped.
struct Turn {
    turns: Turns,
    holder: Holder,
    own: Option<OwnedSemaphorePermit>,
    _all: Option<OwnedSemaphorePermit>,
}

impl Turns {
    fn new() -> Self {
        Self { all: Arc::new(Semaphore::new(AT_ONCE_MAX)), own: Arc::default() }
    }

    /// Waits for the turn of a holder.
    async fn take(&self, holder: Holder) -> Turn {
        let own = Arc::clone(self.own.lock().entry(holder).or_insert_with(|| Arc::new(Semaphore::new(1))));
        // What was made of it so far goes when the client does.
        let mut turn = Turn { turns: self.clone(), holder, own: None, _all: None };
        // Nobody closes them.
        turn.own = own.acquire_owned().await.ok();
        turn._all = Arc::clone(&self.all).acquire_owned().await.ok();
        turn
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.own = None;
        let mut own = self.turns.own.lock();
        // Those that wait hold it too.
        if own.get(&self.holder).is_some_and(|semaphore| Arc::strong_count(semaphore) == 1) {
            own.remove(&self.holder);
        }
    }
}

impl Parser {
    pub(crate) fn new(service: S3Service) -> Self {
        Self { service, turns: Turns::new() }
    }

    /// Parses a request with a document of so many bytes of a holder, and calls its operation.
    pub(super) async fn call(
        &self,
        request: HttpRequest,
        document_bytes: usize,
        holder: Holder,
    ) -> Result<HttpResponse, HttpError> {
        if document_bytes < LARGE_BYTES {
            return self.service.call(request).await;
        }
        let service = self.service.clone();
        let mut call = Box::pin(async move { service.call(request).await });
        // s3s waits for nothing before it has parsed; where the operation waits first, it goes on here.
        let begin = move || {
            let first = call.as_mut().now_or_never();
            (call, first)
        };
        let (call, first) = self.beside(document_bytes, holder, begin).await;
        match first {
            Some(answer) => answer,
            None => call.await,
        }
    }

    /// Does what takes long for a document of so many bytes of a holder.
    pub(super) async fn beside<T: Send + 'static>(
        &self,
        document_bytes: usize,
        holder: Holder,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        if document_bytes < LARGE_BYTES {
            return work();
        }
        // It is held by the work, which goes on when its client has gone.
        let turn = self.turns.take(holder).await;
        blocking(move || {
            let done = work();
            drop(turn);
            done
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Method;
    use s3s::dto::{DeleteObjectsInput, DeleteObjectsOutput};
    use s3s::service::S3ServiceBuilder;
    use s3s::{Body, S3, S3Request, S3Response, S3Result, s3_error};
    use std::thread::{ThreadId, current};

    /// Notes the threads on which an operation begins and goes on.
    #[derive(Clone, Default)]
    struct Threads(Arc<Mutex<Vec<ThreadId>>>);

    #[async_trait::async_trait]
    impl S3 for Threads {
        async fn delete_objects(&self, _: S3Request<DeleteObjectsInput>) -> S3Result<S3Response<DeleteObjectsOutput>> {
            self.0.lock().push(current().id());
            tokio::task::yield_now().await;
            self.0.lock().push(current().id());
            Err(s3_error!(AccessDenied))
        }
    }

    #[tokio::test]
    async fn a_large_document_is_parsed_on_another_thread_and_its_operation_goes_on_here() {
        let threads = Threads::default();
        let parser = Parser::new(S3ServiceBuilder::new(threads.clone()).build());
        for keys in [1, 4_000] {
            let keys: String = (0..keys).map(|key| format!("<Object><Key>{key}</Key></Object>")).collect();
            let document = format!("<Delete>{keys}</Delete>");
            let length = document.len();
            let mut request = HttpRequest::new(Body::from(document));
            *request.method_mut() = Method::POST;
            *request.uri_mut() = "http://localhost/bucket?delete".parse().unwrap();
            request.headers_mut().insert("content-length", length.into());
            let answer = parser.call(request, length, Holder::Inside).await.unwrap();
            assert_eq!(answer.status(), 403);
            let seen = std::mem::take(&mut *threads.0.lock());
            let here: Vec<_> = seen.into_iter().map(|thread| thread == current().id()).collect();
            assert_eq!(here, [length < LARGE_BYTES, true]);
        }
    }

    fn account(number: u8) -> Holder {
        Holder::Account(cofre_types::AccountId::from_bytes([number; 32]))
    }

    #[tokio::test]
    async fn a_holder_has_one_turn_and_all_have_as_many_as_may() {
        let parser = Arc::new(Parser::new(S3ServiceBuilder::new(Threads::default()).build()));
        let (begun, mut seen) = tokio::sync::mpsc::unbounded_channel();
        let begin = |number: u8| {
            let (go, gone) = std::sync::mpsc::channel::<()>();
            let (parser, begun) = (Arc::clone(&parser), begun.clone());
            let work = move || {
                begun.send(number).unwrap();
                gone.recv().is_ok()
            };
            (go, cofre_runtime::spawn(async move { parser.beside(LARGE_BYTES, account(number), work).await }))
        };
        let (first, second, other, third) = (begin(1), begin(1), begin(2), begin(3));
        let mut began = [seen.recv().await.unwrap(), seen.recv().await.unwrap()];
        began.sort_unstable();
        assert_eq!(began, [1, 2], "the second of one holder lets another's go first");
        assert!(parser.beside(LARGE_BYTES - 1, account(1), || true).await, "what is small does not wait");
        // A client that goes away gives its turn to nobody.
        first.1.abort();
        tokio::task::yield_now().await;
        assert!(seen.try_recv().is_err());
        other.0.send(()).unwrap();
        assert!(other.1.await.unwrap());
        assert_eq!(seen.recv().await, Some(3), "that of the first holder is still at work");
        first.0.send(()).unwrap();
        assert_eq!(seen.recv().await, Some(1));
        for (go, begun) in [second, third] {
            go.send(()).unwrap();
            assert!(begun.await.unwrap());
        }
        let _all = parser.turns.all.acquire_many(AT_ONCE_MAX as u32).await.unwrap();
        assert!(parser.turns.own.lock().is_empty());
    }
}
