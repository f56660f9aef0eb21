//! Where documents are read whole.
//!
//! # Limits
//! s3s parses a document in one go. A large one is parsed beside the async threads, [`AT_ONCE_MAX`] of all at a time, so
//! that it holds up no other request.

use cofre_runtime::blocking;
use futures_util::FutureExt;
use s3s::service::S3Service;
use s3s::{HttpError, HttpRequest, HttpResponse};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Bytes of a document from which on it is large: to parse it takes longer than to hand it to another thread.
const LARGE_BYTES: usize = 64 * 1024;

/// Large documents that are parsed at a time.
const AT_ONCE_MAX: usize = 2;

/// Parses requests and calls operations; checks no signatures.
pub(crate) struct Parser {
    service: S3Service,
    turns: Arc<Semaphore>,
}

impl Parser {
    pub(crate) fn new(service: S3Service) -> Self {
        Self { service, turns: Arc::new(Semaphore::new(AT_ONCE_MAX)) }
    }

    /// Parses a request with a document of so many bytes, and calls its operation.
    pub(super) async fn call(&self, request: HttpRequest, document_bytes: usize) -> Result<HttpResponse, HttpError> {
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
        let (call, first) = self.beside(document_bytes, begin).await;
        match first {
            Some(answer) => answer,
            None => call.await,
        }
    }

    /// Does what takes long for a document of so many bytes.
    pub(super) async fn beside<T: Send + 'static>(
        &self,
        document_bytes: usize,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        if document_bytes < LARGE_BYTES {
            return work();
        }
        // Nobody closes it. It is held by the work, which goes on when its client has gone.
        let turn = Arc::clone(&self.turns).acquire_owned().await.ok();
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
    use parking_lot::Mutex;
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
            let answer = parser.call(request, length).await.unwrap();
            assert_eq!(answer.status(), 403);
            let seen = std::mem::take(&mut *threads.0.lock());
            let here: Vec<_> = seen.into_iter().map(|thread| thread == current().id()).collect();
            assert_eq!(here, [length < LARGE_BYTES, true]);
        }
    }

    #[tokio::test]
    async fn as_many_are_large_at_a_time_as_may() {
        let parser = Parser::new(S3ServiceBuilder::new(Threads::default()).build());
        let (go, gone) = std::sync::mpsc::channel::<()>();
        let gone = Arc::new(Mutex::new(gone));
        let begin = |parser: &Parser| {
            let gone = Arc::clone(&gone);
            let (turns, work) = (parser.turns.clone(), move || gone.lock().recv().is_ok());
            let parser = Parser { service: parser.service.clone(), turns };
            cofre_runtime::spawn(async move { parser.beside(LARGE_BYTES, work).await })
        };
        let all: Vec<_> = (0..3).map(|_| begin(&parser)).collect();
        while parser.turns.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(parser.beside(LARGE_BYTES - 1, || true).await, "what is small does not wait");
        // A client that goes away gives no turn to another.
        all[0].abort();
        tokio::task::yield_now().await;
        assert_eq!(parser.turns.available_permits(), 0);
        for _ in 0..3 {
            go.send(()).unwrap();
        }
        for begun in all.into_iter().skip(1) {
            assert!(begun.await.unwrap());
        }
        let _all = parser.turns.acquire_many(AT_ONCE_MAX as u32).await.unwrap();
    }
}
