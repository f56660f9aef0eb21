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

/// Why pairs are no tag set, in AWS's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TagsError {
    /// There are more than the limit allows.
    #[error("{}", match .0 {
        TagsLimit::Object => "Object tags cannot be greater than 10",
        TagsLimit::Bucket => "Bucket tag count cannot be greater than 50",
    })]
    TooMany(TagsLimit),
    /// A key has no character, more than 128, or one that tags do not have.
    #[error("The TagKey you have provided is invalid")]
    Key(String),
    /// The value of this key has more than 256 characters, or one that tags do not have.
    #[error("The TagValue you have provided is invalid")]
    Value(String, String),
    /// A key begins with `aws:`.
    #[error("System tags cannot be added/updated by requester")]
    Reserved(String),
    /// A key stands more than once.
    #[error("Cannot provide multiple Tags with the same key")]
    Twice(String),
}

/// A tag set: keys are unique, and in byte order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tags(Vec<(String, String)>);

impl Tags {
    /// Checks pairs: keys unique, of 1 to 128 characters, values of at most 256. The characters are letters, digits,
    /// spaces and `+ - = . _ : / @` (AWS, "Categorizing your storage using tags").
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn new(mut pairs: Vec<(String, String)>, limit: TagsLimit) -> Result<Self, TagsError> {
        if pairs.len() > limit.count_max() {
            return Err(TagsError::TooMany(limit));
        }
        for (key, value) in &pairs {
            if key.is_empty() || !is_text(key, 128) {
                return Err(TagsError::Key(key.clone()));
            }
            if !is_text(value, 256) {
                return Err(TagsError::Value(key.clone(), value.clone()));
            }
            if key.starts_with("aws:") {
                return Err(TagsError::Reserved(key.clone()));
            }
        }
        pairs.sort_unstable();
        match pairs.windows(2).find(|two| two[0].0 == two[1].0) {
            Some(two) => Err(TagsError::Twice(two[0].0.clone())),
            None => Ok(Self(pairs)),
        }
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

/// Whether a text has characters that tags have, and at most so many.
fn is_text(text: &str, chars_max: usize) -> bool {
    let has = |c: char| c.is_alphanumeric() || c.is_whitespace() && !c.is_control() || "+-=._:/@".contains(c);
    text.chars().all(has) && text.chars().count() <= chars_max
}
