use async_trait::async_trait;
use cofre_catalog::conformance::{self, Handles, NewsFault};
use cofre_catalog::{Memory, MemoryStream, Store};
use cofre_runtime::ManualClock;
use std::sync::Arc;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn conformance() {
    conformance::run_all(|_| async { Arc::new(Memory::new()) as Arc<dyn Store> }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_twin_does_what_every_store_does() {
    conformance::run_all(|_| async { Arc::new(Memory::new().twin(ManualClock::at(1).clock()).0) as Arc<dyn Store> })
        .await;
}

struct Fault {
    stream: MemoryStream,
    clock: ManualClock,
}

#[async_trait]
impl NewsFault for Fault {
    async fn cut(&self) {
        self.stream.cut();
    }

    async fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    async fn mend(&self) {
        self.stream.mend();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_handles() {
    conformance::run_all_handles(|_| async {
        let (first, clock) = (Memory::new(), ManualClock::at(1));
        let (second, stream) = first.twin(clock.clock());
        Handles { first: Arc::new(first), second: Arc::new(second), news: Arc::new(Fault { stream, clock }) }
    })
    .await;
}
