//! A bucket that is logged.

use cofre_catalog::records::{BucketConfig, BucketRecord};
use cofre_types::{AccountId, BucketId, BucketName};
use std::sync::Arc;

/// A bucket whose requests are logged, as it was when one of them came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedBucket {
    /// Its name.
    pub name: BucketName,
    /// Who owns it.
    pub owner: AccountId,
    /// Its identity.
    pub id: BucketId,
    /// Its region.
    pub region: String,
    /// Its configuration, as it is kept.
    pub destination: String,
}

impl LoggedBucket {
    /// What a record says; none if it is not logged.
    pub fn of(name: &BucketName, record: &BucketRecord) -> Option<Arc<Self>> {
        let destination = record.config.iter().find_map(|config| match config {
            BucketConfig::Logging(document) => Some(document.clone()),
            _ => None,
        })?;
        let (name, region) = (name.clone(), record.region.clone());
        Some(Arc::new(Self { name, owner: record.owner, id: record.id, region, destination }))
    }
}
