//! Conditional requests, as RFC 9110 section 13 and AWS's "Conditional requests" have them.

use crate::{DeleteConditions, Error, RangeOf, ReadConditions, TagMatch, WriteConditions};
use cofre_catalog::records::{VersionKind, VersionRecord};
use cofre_types::ETag;

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
    /// Holds the conditions against an object, in the order of RFC 9110 section 13.2.2. Times are
    /// compared by the second, as HTTP dates have no more.
    pub(crate) fn check(&self, record: &VersionRecord) -> Result<(), Error> {
        let failed = |condition| Err(Error::PreconditionFailed { condition });
        let not_modified = || Err(Error::NotModified { etag: record.etag, modified: record.modified });
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
    pub(crate) fn check_source(&self, record: &VersionRecord) -> Result<(), Error> {
        self.check(record).map_err(|error| match error {
            Error::NotModified { .. } => Error::PreconditionFailed { condition: IF_NONE_MATCH },
            other => other,
        })
    }
}

impl RangeOf {
    /// Whether it is the object that the range is of.
    pub(crate) fn holds(self, record: &VersionRecord) -> bool {
        match self {
            Self::Any => true,
            Self::Tagged(tag) => tag == Some(record.etag),
            Self::ModifiedAt(at) => record.modified.secs() == at.secs(),
        }
    }
}

impl WriteConditions {
    /// Whether there is no condition.
    pub(crate) const fn is_empty(&self) -> bool {
        self.if_match.is_none() && self.if_none_match.is_none()
    }

    /// Holds the conditions against what a write would replace. `If-Match` where no object is
    /// answers 404, as AWS does.
    pub(crate) fn check(&self, object: Option<&VersionRecord>) -> Result<(), Error> {
        if let Some(tags) = &self.if_match {
            let Some(record) = object else { return Err(Error::NoSuchKey { delete_marker: None }) };
            if !tags.matches(record.etag) {
                return Err(Error::PreconditionFailed { condition: IF_MATCH });
            }
        }
        match (&self.if_none_match, object) {
            (Some(tags), Some(record)) if tags.matches(record.etag) => {
                Err(Error::PreconditionFailed { condition: IF_NONE_MATCH })
            }
            _ => Ok(()),
        }
    }
}

impl DeleteConditions {
    /// Whether an entity tag is named: who names one learns whether it is the object's.
    pub(crate) const fn names_tag(&self) -> bool {
        matches!(self.if_match, Some(TagMatch::OneOf(_)))
    }

    /// Holds the conditions against nothing. `If-Match` asks for an object (AWS, "How to perform conditional deletes");
    /// what is gone has the size and the time that were wanted of it (AWS, "DeleteObject").
    pub(crate) const fn check_missing(&self) -> Result<(), Error> {
        if self.if_match.is_some() { Err(Error::NoSuchKey { delete_marker: None }) } else { Ok(()) }
    }

    /// Holds the conditions against the version that would be deleted, or hidden by a delete marker. A delete marker has
    /// a time and no bytes, and no entity tag, so `If-Match` fails on it.
    pub(crate) fn check(&self, record: &VersionRecord) -> Result<(), Error> {
        let failed = |condition| Err(Error::PreconditionFailed { condition });
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
