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
