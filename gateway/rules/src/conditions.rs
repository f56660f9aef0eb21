//! Conditional requests, as RFC 9110 section 13 and AWS's "Conditional requests" have them.

use cofre_catalog::records::{VersionKind, VersionRecord};
use cofre_types::{ETag, Timestamp};

/// Conditions on the object that a write or a copy would replace (AWS, "Conditional requests").
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WriteConditions {
    /// `If-Match`: the object is there with this entity tag; `Any` for `*`.
    pub if_match: Option<TagMatch>,
    /// `If-None-Match`: no object is there (`Any`), or it has another entity tag.
    pub if_none_match: Option<TagMatch>,
}

/// What an entity tag header holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagMatch {
    /// `*`: whatever is there.
    Any,
    /// One of these tags. A tag that is not of S3's form is left out: it matches nothing.
    OneOf(Vec<ETag>),
}

/// Conditions on the object that is read or copied from (RFC 9110, section 13).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadConditions {
    /// `If-Match`.
    pub if_match: Option<TagMatch>,
    /// `If-None-Match`.
    pub if_none_match: Option<TagMatch>,
    /// `If-Modified-Since`.
    pub if_modified_since: Option<Timestamp>,
    /// `If-Unmodified-Since`.
    pub if_unmodified_since: Option<Timestamp>,
}

/// Conditions on the object or version that is deleted (AWS, "How to perform conditional deletes"; time and size,
/// which AWS has for directory buckets only, as its "DeleteObject" says).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeleteConditions {
    /// `If-Match`: an object is there, with this entity tag unless it is `Any`. A tag takes the right to read it.
    pub if_match: Option<TagMatch>,
    /// `x-amz-if-match-last-modified-time`, to the second; holds where nothing is.
    pub if_modified_at: Option<Timestamp>,
    /// `x-amz-if-match-size`, in bytes; holds where nothing is.
    pub if_size: Option<u64>,
}

/// What the range of a read is of (RFC 9110, section 13.1.5: `If-Range`). Of another object it is passed over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RangeOf {
    /// Of whatever is there.
    #[default]
    Any,
    /// Of the object with this entity tag; of none if absent.
    Tagged(Option<ETag>),
    /// Of the object that was modified then, to the second.
    ModifiedAt(Timestamp),
}

/// Why conditions do not let a request be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unmet {
    /// One does not hold.
    #[error("the condition {condition} does not hold")]
    Condition {
        /// The header's name.
        condition: &'static str,
    },
    /// A conditional read finds what the caller has already.
    #[error("not modified")]
    NotModified {
        /// The object's entity tag.
        etag: ETag,
        /// When it was modified.
        modified: Timestamp,
    },
    /// There is no object for a condition on one.
    #[error("there is no such object")]
    NoObject,
}

impl TagMatch {
    fn matches(&self, etag: ETag) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(tags) => tags.contains(&etag),
        }
    }
}

const IF_MATCH: &str = "If-Match";
const IF_NONE_MATCH: &str = "If-None-Match";

impl ReadConditions {
    /// Compares the conditions with an object, in the order of RFC 9110 section 13.2.2. Times are
    /// compared by the second, as HTTP dates have no more.
    ///
    /// # Errors
    /// [`Unmet`] for the first that does not hold.
    pub fn check(&self, record: &VersionRecord) -> Result<(), Unmet> {
        let failed = |condition| Err(Unmet::Condition { condition });
        let not_modified = || Err(Unmet::NotModified { etag: record.etag, modified: record.modified });
        match &self.if_match {
            Some(tags) if !tags.matches(record.etag) => return failed(IF_MATCH),
            Some(_) => {}
            None => {
                if self.if_unmodified_since.is_some_and(|since| record.modified.secs() > since.secs()) {
                    return failed("If-Unmodified-Since");
                }
            }
        }
        match &self.if_none_match {
            Some(tags) if tags.matches(record.etag) => return not_modified(),
            Some(_) => {}
            None => {
                if self.if_modified_since.is_some_and(|since| record.modified.secs() <= since.secs()) {
                    return not_modified();
                }
            }
        }
        Ok(())
    }

    /// Like [`ReadConditions::check`] for the source of a copy, where nothing is "not modified".
    ///
    /// # Errors
    /// [`Unmet`] for the first that does not hold.
    pub fn check_source(&self, record: &VersionRecord) -> Result<(), Unmet> {
        self.check(record).map_err(|error| match error {
            Unmet::NotModified { .. } => Unmet::Condition { condition: IF_NONE_MATCH },
            other => other,
        })
    }
}

impl RangeOf {
    /// Whether it is the object that the range is of.
    pub fn holds(self, record: &VersionRecord) -> bool {
        match self {
            Self::Any => true,
            Self::Tagged(tag) => tag == Some(record.etag),
            Self::ModifiedAt(at) => record.modified.secs() == at.secs(),
        }
    }
}

impl WriteConditions {
    /// Whether there is no condition.
    pub const fn is_empty(&self) -> bool {
        self.if_match.is_none() && self.if_none_match.is_none()
    }

    /// Compares the conditions with what a write would replace. `If-Match` where no object is
    /// answers 404, as AWS does.
    ///
    /// # Errors
    /// [`Unmet`] for the first that does not hold.
    pub fn check(&self, object: Option<&VersionRecord>) -> Result<(), Unmet> {
        if let Some(tags) = &self.if_match {
            let Some(record) = object else { return Err(Unmet::NoObject) };
            if !tags.matches(record.etag) {
                return Err(Unmet::Condition { condition: IF_MATCH });
            }
        }
        match (&self.if_none_match, object) {
            (Some(tags), Some(record)) if tags.matches(record.etag) => {
                Err(Unmet::Condition { condition: IF_NONE_MATCH })
            }
            _ => Ok(()),
        }
    }
}

impl DeleteConditions {
    /// Whether an entity tag is named: who names one learns whether it is the object's.
    pub const fn names_tag(&self) -> bool {
        matches!(self.if_match, Some(TagMatch::OneOf(_)))
    }

    /// Compares the conditions with nothing. `If-Match` asks for an object (AWS, "How to perform conditional deletes");
    /// what is gone has the size and the time that were wanted of it (AWS, "DeleteObject").
    ///
    /// # Errors
    /// [`Unmet`] for the first that does not hold.
    pub const fn check_missing(&self) -> Result<(), Unmet> {
        if self.if_match.is_some() { Err(Unmet::NoObject) } else { Ok(()) }
    }

    /// Compares the conditions with the version that would be deleted, or hidden by a delete marker. A delete marker has
    /// a time and no bytes, and no entity tag, so `If-Match` fails on it.
    ///
    /// # Errors
    /// [`Unmet`] for the first that does not hold.
    pub fn check(&self, record: &VersionRecord) -> Result<(), Unmet> {
        let failed = |condition| Err(Unmet::Condition { condition });
        let has = |tags: &TagMatch| record.kind == VersionKind::Object && tags.matches(record.etag);
        if self.if_match.as_ref().is_some_and(|tags| !has(tags)) {
            return failed(IF_MATCH);
        }
        if self.if_modified_at.is_some_and(|at| at.secs() != record.modified.secs()) {
            return failed("x-amz-if-match-last-modified-time");
        }
        if self.if_size.is_some_and(|size| size != record.size) {
            return failed("x-amz-if-match-size");
        }
        Ok(())
    }
}
