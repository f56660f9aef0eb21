//! Which redundancies new blobs get, and for what.

use crate::error::Error;
use crate::upkeep::Upkeep;
use cofre_catalog::records::{BucketRecord, Record, Usage};
use cofre_catalog::{ReadExt, Revision, Scan, Visit, VisitStep, keys};
use cofre_types::{BucketId, Scheme};

/// Most buckets that are looked through for a redundancy of their own.
const BUCKETS_MAX: usize = 10_000;

/// Who gets a redundancy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedundancyOf {
    /// Everything that says no other.
    Default,
    /// Objects of a storage class, if there are any.
    Class(String),
    /// A bucket that has one of its own.
    Bucket {
        /// Its name.
        name: String,
        /// Whether it holds anything.
        holds: bool,
    },
}

/// A redundancy, and who gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InUse {
    /// The redundancy.
    pub scheme: Scheme,
    /// Who gets it.
    pub of: RedundancyOf,
}

impl Upkeep {
    /// The default redundancy, and every other that a storage class or one of the first ten thousand
    /// buckets says.
    ///
    /// # Errors
    /// [`Error`] if the catalog cannot be read.
    pub async fn redundancies_in_use(&self) -> Result<Vec<InUse>, Error> {
        let settings = self.objects.0.parts.settings.current();
        let default = settings.redundancy.unwrap_or(self.objects.0.parts.scheme);
        let mut all = vec![InUse { scheme: default, of: RedundancyOf::Default }];
        let classes = settings.storage_classes.iter().filter_map(|(name, class)| Some((name, class.scheme()?)));
        all.extend(classes.map(|(name, scheme)| InUse { scheme, of: RedundancyOf::Class(name.clone()) }));
        let snapshot = self.objects.store().snapshot().await?;
        let own = snapshot.scan(Scan::prefix(&[keys::family::BUCKET]), Own::default()).await?.buckets;
        let rows = snapshot.get_many(own.iter().map(|(id, ..)| keys::usage(*id)).collect()).await?;
        all.extend(own.into_iter().zip(rows).map(|((_, name, scheme), row)| {
            let usage = row.map_or_else(Usage::default, |entry| Usage::from_value(&entry.value));
            InUse { scheme, of: RedundancyOf::Bucket { name, holds: usage.total_bytes > 0 } }
        }));
        Ok(all)
    }
}

/// Buckets with a redundancy of their own.
#[derive(Default)]
struct Own {
    looked_at: usize,
    buckets: Vec<(BucketId, String, Scheme)>,
}

impl Visit for Own {
    fn visit(&mut self, key: &[u8], _: Revision, value: &[u8]) -> VisitStep {
        if self.looked_at == BUCKETS_MAX {
            return VisitStep::Stop;
        }
        self.looked_at += 1;
        // A record that cannot be read is told of by whoever needs it.
        if let Ok(record) = BucketRecord::decode(value)
            && let Some(scheme) = record.scheme
        {
            let name = String::from_utf8_lossy(key.get(1..).unwrap_or_default()).into_owned();
            self.buckets.push((record.id, name, scheme));
        }
        VisitStep::Continue
    }
}
