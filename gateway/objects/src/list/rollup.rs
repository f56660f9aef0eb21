//! Prefix, delimiter and marker: which keys a page shows, and which it rolls up.

use cofre_catalog::keys;
use cofre_types::BucketId;

/// What a key is to a page.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Shown as it is.
    Shown,
    /// Part of a common prefix: this many bytes of the key.
    Rolled(usize),
}

/// The filter of a listing.
#[derive(Debug, Clone)]
pub(crate) struct Rollup {
    pub family: u8,
    pub bucket: BucketId,
    pub prefix: String,
    pub delimiter: String,
}

impl Rollup {
    /// What `key`, which begins with the prefix, is to the page.
    pub(crate) fn place(&self, key: &[u8]) -> Place {
        if self.delimiter.is_empty() {
            return Place::Shown;
        }
        let behind = key.get(self.prefix.len()..).unwrap_or_default();
        match find(behind, self.delimiter.as_bytes()) {
            Some(at) => Place::Rolled(self.prefix.len() + at + self.delimiter.len()),
            None => Place::Shown,
        }
    }

    /// What every key of the listing begins with in the catalog.
    pub(crate) fn scan_prefix(&self) -> Vec<u8> {
        keys::in_bucket_prefix(self.family, self.bucket, self.prefix.as_bytes())
    }

    /// The first catalog key behind every key that begins with `common_prefix`.
    pub(crate) fn behind(&self, common_prefix: &[u8]) -> Option<Vec<u8>> {
        keys::prefix_end(&keys::in_bucket_prefix(self.family, self.bucket, common_prefix))
    }

    /// The first catalog key that a page after the marker `after` may show. A marker within a common
    /// prefix has that prefix behind it: it sorts before the marker.
    pub(crate) fn start(&self, after: &str) -> Option<Vec<u8>> {
        if after.starts_with(&self.prefix)
            && let Place::Rolled(length) = self.place(after.as_bytes())
        {
            return self.behind(&after.as_bytes()[..length]);
        }
        // The key of `after` itself and all that follows it there (versions, uploads) end before this.
        keys::prefix_end(&keys::object_text(self.family, self.bucket, after))
    }
}

/// The first place of `needle`, which is not empty, in `hay`.
fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    match needle {
        [byte] => hay.iter().position(|b| b == byte),
        _ => hay.windows(needle.len()).position(|window| window == needle),
    }
}
