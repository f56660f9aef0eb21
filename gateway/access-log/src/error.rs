use cofre_catalog::StoreError;
use cofre_catalog::records::RecordError;

/// Why the catalog did not do what an access log needs.
#[derive(Debug, thiserror::Error)]
pub enum AccessLogError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A record cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
}
