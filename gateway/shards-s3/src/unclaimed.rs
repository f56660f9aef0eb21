use crate::calls::Bucket;
use cofre_runtime::uncancelled;

/// An object that was written and that nobody has taken over: it is deleted when this is dropped.
pub(crate) struct Unclaimed {
    object: Option<(Bucket, String)>,
}

impl Unclaimed {
    pub(crate) const fn new(bucket: Bucket, name: String) -> Self {
        Self { object: Some((bucket, name)) }
    }

    pub(crate) fn claim(mut self) {
        self.object = None;
    }
}

impl Drop for Unclaimed {
    fn drop(&mut self) {
        let Some((bucket, name)) = self.object.take() else { return };
        // It becomes a task of its own.
        drop(uncancelled(async move {
            if let Err(failure) = bucket.delete(&name).await {
                tracing::debug!(name, ?failure, "an object that nobody wants may stay as an orphan");
            }
        }));
    }
}
