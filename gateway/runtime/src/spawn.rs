use std::future::Future;
use std::io;

/// A task that was spawned. Dropping it lets the task run on.
pub type Task<T> = tokio::task::JoinHandle<T>;

/// Runs `future` as a task of the async runtime.
pub fn spawn<F>(future: F) -> Task<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(future)
}

/// Runs `work`, which may block on files, on the pool of blocking threads. A panic in it resumes here.
pub async fn blocking<T, F>(work: F) -> T
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The pool refuses work only while the process ends.
            Err(_) => std::future::pending().await,
        },
    }
}

/// Starts a named thread of its own, for a writer that blocks for as long as the process lives.
///
/// # Errors
/// If the operating system has no thread to give.
pub fn thread<F>(name: &str, work: F) -> io::Result<std::thread::JoinHandle<()>>
where
    F: FnOnce() + Send + 'static,
{
    std::thread::Builder::new().name(name.to_owned()).spawn(work)
}
