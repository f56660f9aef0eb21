use crate::Invalid;
use serde::{Deserialize, Serialize};

/// Which limits a tag set is held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagsLimit {
    /// At most 10 tags (AWS, "Object tagging").
    Object,
    /// At most 50 tags (AWS, "Using cost allocation S3 bucket tags").
    Bucket,
}

impl TagsLimit {
    const fn count_max(self) -> usize {
        match self {
            Self::Object => 10,
            Self::Bucket => 50,
        }
    }
}

/// A tag set: keys are unique, and in byte order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tags(Vec<(String, String)>);

impl Tags {
    /// Checks pairs: keys unique, of 1 to 128 characters, values of at most 256.
    ///
    /// # Errors
    /// `tag`, with the rule that is broken. S3 answers `InvalidTag`, and `BadRequest` for too many.
    pub fn new(mut pairs: Vec<(String, String)>, limit: TagsLimit) -> Result<Self, Invalid> {
        if pairs.len() > limit.count_max() {
            return Err(Invalid::new("tag count", "an object has at most 10 tags, a bucket at most 50"));
        }
        for (key, value) in &pairs {
            if key.is_empty() || key.chars().count() > 128 {
                return Err(Invalid::new("tag key", "a tag key has 1 to 128 characters"));
            }
            if value.chars().count() > 256 {
                return Err(Invalid::new("tag value", "a tag value has at most 256 characters"));
            }
            if key.starts_with("aws:") {
                return Err(Invalid::new("tag key", "the prefix 'aws:' is reserved"));
            }
        }
        pairs.sort_unstable();
        if pairs.windows(2).any(|two| two[0].0 == two[1].0) {
            return Err(Invalid::new("tag key", "a tag key stands once in a set"));
        }
        Ok(Self(pairs))
    }

    /// The pairs, in byte order of the key.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
