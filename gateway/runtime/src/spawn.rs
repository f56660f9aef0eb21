use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

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

/// Runs `future` to its end even if nobody waits for it any more.
///
/// It runs in the task that waits, so it costs no hop to another; what is left of it when that task
/// goes away becomes a task of its own. If the process ends first, it ends with it.
pub fn uncancelled<F>(future: F) -> Uncancelled<F>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    Uncancelled(Some(Box::pin(future)))
}

/// What [`uncancelled`] makes.
#[must_use = "it begins when it is waited for"]
pub struct Uncancelled<F: Future + Send + 'static>(Option<Pin<Box<F>>>)
where
    F::Output: Send;

impl<F: Future + Send + 'static> Future for Uncancelled<F>
where
    F::Output: Send,
{
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // It stands outside while it runs: if it panics, nothing is left to go on with.
        let Some(mut future) = self.0.take() else { return Poll::Pending };
        let polled = future.as_mut().poll(context);
        if polled.is_pending() {
            self.0 = Some(future);
        }
        polled
    }
}

impl<F: Future + Send + 'static> Drop for Uncancelled<F>
where
    F::Output: Send,
{
    fn drop(&mut self) {
        if let Some(rest) = self.0.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move { drop(rest.await) });
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn what_nobody_waits_for_any_more_goes_on_to_its_end() {
        for polls in [0, 1] {
            let (go, gone) = oneshot::channel::<()>();
            let (done, is_done) = oneshot::channel();
            let mut work = uncancelled(async move {
                gone.await.expect("it is told to go");
                done.send(()).expect("the test listens");
            });
            for _ in 0..polls {
                tokio::select! { biased; () = &mut work => panic!("it ended early"), () = async {} => {} }
            }
            drop(work);
            go.send(()).expect("it waits");
            is_done.await.expect("it ends");
        }
    }

    #[tokio::test]
    async fn a_panic_reaches_who_waits_and_runs_nothing_anew() {
        let work = uncancelled(async { panic!("broken") });
        let waited = spawn(work);
        assert!(waited.await.expect_err("it panics").is_panic());
    }

    #[test]
    fn dropped_outside_a_runtime_it_ends() {
        drop(uncancelled(pending::<()>()));
    }
}
