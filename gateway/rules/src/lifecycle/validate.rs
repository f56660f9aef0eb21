//! What rules must be like (AWS, "PutBucketLifecycleConfiguration"). Errors name the field.

use super::rules::{Criteria, Expiration, Lifecycle, Rule, Scope, Transition, When};
use crate::error::RulesError;
use cofre_types::Timestamp;
use std::collections::HashSet;

/// Most rules of a bucket.
pub const RULES_MAX: usize = 1_000;

/// Longest id of a rule, in characters.
pub const RULE_ID_CHARS_MAX: usize = 255;

/// Most newer versions that a rule may keep.
const KEEP_MAX: u32 = 100;

/// Largest object: 5 TiB.
const OBJECT_BYTES_MAX: u64 = 5 << 40;

/// Longest prefix: that of a key, in bytes.
const PREFIX_BYTES_MAX: usize = 1_024;

const DAY_NANOS: u64 = 86_400 * 1_000_000_000;

type Checked = Result<(), RulesError>;

fn malformed<T>(why: impl Into<String>) -> Result<T, RulesError> {
    Err(RulesError::Malformed(why.into()))
}

fn argument<T>(why: impl Into<String>) -> Result<T, RulesError> {
    Err(RulesError::Argument(why.into()))
}

fn request<T>(why: impl Into<String>) -> Result<T, RulesError> {
    Err(RulesError::Request(why.into()))
}

impl Lifecycle {
    /// Checks the rules. `is_class` says whether there is a storage class of a name.
    ///
    /// # Errors
    /// [`RulesError`] for the first rule that is broken.
    pub fn validate(&self, is_class: impl Fn(&str) -> bool) -> Checked {
        if self.rules.is_empty() {
            return malformed("A LifecycleConfiguration has at least one Rule");
        }
        if self.rules.len() > RULES_MAX {
            return request(format!("A LifecycleConfiguration has at most {RULES_MAX} Rules"));
        }
        let mut ids = HashSet::new();
        for rule in &self.rules {
            if rule.id.chars().count() > RULE_ID_CHARS_MAX {
                return argument("ID length should not exceed allowed limit of 255");
            }
            if !rule.id.is_empty() && !ids.insert(rule.id.as_str()) {
                return argument("Rule ID must be unique. Found same ID for one or more rules");
            }
            rule.validate(&is_class)?;
        }
        Ok(())
    }
}

impl Rule {
    fn validate(&self, is_class: &impl Fn(&str) -> bool) -> Checked {
        self.scope.validate()?;
        let acts = self.expiration.is_some()
            || self.noncurrent_expiration.is_some()
            || !self.transitions.is_empty()
            || !self.noncurrent_transitions.is_empty()
            || self.abort_upload_days.is_some();
        if !acts {
            return request("At least one action needs to be specified in a rule");
        }
        if let Some(expiration) = self.expiration {
            validate_expiration(expiration, &self.scope)?;
        }
        self.validate_abort()?;
        self.validate_noncurrent(is_class)?;
        self.validate_transitions(is_class)
    }

    fn validate_abort(&self) -> Checked {
        let Some(days) = self.abort_upload_days else { return Ok(()) };
        if days == 0 {
            return argument(
                "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer",
            );
        }
        // An upload has no tags and no size yet.
        let Some(criteria) = self.scope.criteria() else { return Ok(()) };
        if !criteria.tags.is_empty() {
            return request("AbortIncompleteMultipartUpload cannot be specified with Tags");
        }
        if criteria.larger_than.is_some() || criteria.smaller_than.is_some() {
            return request(
                "AbortIncompleteMultipartUpload cannot be specified with ObjectSizeGreaterThan or ObjectSizeLessThan",
            );
        }
        Ok(())
    }

    fn validate_noncurrent(&self, is_class: &impl Fn(&str) -> bool) -> Checked {
        let expiration_days = self.noncurrent_expiration.map(|expiration| expiration.days);
        if let Some(expiration) = self.noncurrent_expiration {
            if expiration.days == 0 {
                return argument("'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer");
            }
            validate_keep(expiration.keep, "NoncurrentVersionExpiration")?;
        }
        let mut classes = HashSet::new();
        for transition in &self.noncurrent_transitions {
            validate_keep(transition.keep, "NoncurrentVersionTransition")?;
            validate_class(&transition.storage_class, is_class, &mut classes, "NoncurrentVersionTransition")?;
            if expiration_days.is_some_and(|days| days <= transition.days) {
                return argument(
                    "'NoncurrentDays' in the NoncurrentVersionExpiration action must be greater than \
                     'NoncurrentDays' in the NoncurrentVersionTransition action",
                );
            }
        }
        Ok(())
    }

    fn validate_transitions(&self, is_class: &impl Fn(&str) -> bool) -> Checked {
        let mut classes = HashSet::new();
        let expiration = self.expiration.and_then(|expiration| expiration.when);
        for Transition { when, storage_class } in &self.transitions {
            validate_class(storage_class, is_class, &mut classes, "Transition")?;
            if let When::Date(date) = when {
                validate_midnight(*date)?;
            }
            let too_late = match (expiration, when) {
                (Some(When::Days(end)), When::Days(days)) => end <= *days,
                (Some(When::Date(end)), When::Date(date)) => end <= *date,
                (None, _) => false,
                (Some(_), _) => {
                    return request(
                        "Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule",
                    );
                }
            };
            if too_late {
                return argument(
                    "'Days' or 'Date' in the Expiration action must be greater than that in the Transition action",
                );
            }
        }
        let by_days = self.transitions.iter().filter(|transition| matches!(transition.when, When::Days(_))).count();
        if by_days != 0 && by_days != self.transitions.len() {
            return request("Found mixed 'Date' and 'Days' based Transition actions in lifecycle rule");
        }
        Ok(())
    }
}

impl Scope {
    fn validate(&self) -> Checked {
        if self.prefix().len() > PREFIX_BYTES_MAX {
            return request(format!("The maximum size of a prefix is {PREFIX_BYTES_MAX}"));
        }
        match self {
            Self::Prefix(_) => Ok(()),
            // An empty prefix says nothing, so it does not count as a criterion.
            Self::Filter(criteria) if criteria.count() > 1 => {
                malformed("A Filter has exactly one of Prefix, Tag, ObjectSizeGreaterThan, ObjectSizeLessThan and And")
            }
            Self::And(criteria) if criteria.count() + usize::from(criteria.prefix.as_deref() == Some("")) < 2 => {
                malformed("An And has at least two of Prefix, Tag, ObjectSizeGreaterThan and ObjectSizeLessThan")
            }
            Self::Filter(criteria) | Self::And(criteria) => criteria.validate(),
        }
    }
}

impl Criteria {
    fn count(&self) -> usize {
        usize::from(self.prefix.as_ref().is_some_and(|prefix| !prefix.is_empty()))
            + self.tags.len()
            + usize::from(self.larger_than.is_some())
            + usize::from(self.smaller_than.is_some())
    }

    fn validate(&self) -> Checked {
        let mut names = HashSet::new();
        for (key, value) in &self.tags {
            if key.is_empty() || key.chars().count() > 128 {
                return argument("The Key of a Tag has 1 to 128 characters");
            }
            if value.chars().count() > 256 {
                return argument("The Value of a Tag has at most 256 characters");
            }
            if !names.insert(key) {
                return request("Duplicate Tag Keys are not allowed");
            }
        }
        if self.larger_than.is_some_and(|bytes| bytes >= OBJECT_BYTES_MAX) {
            return argument("'ObjectSizeGreaterThan' must be less than 5 TiB");
        }
        if self.smaller_than.is_some_and(|bytes| bytes == 0 || bytes > OBJECT_BYTES_MAX) {
            return argument("'ObjectSizeLessThan' must be 1 byte to 5 TiB");
        }
        match (self.larger_than, self.smaller_than) {
            (Some(larger), Some(smaller)) if larger >= smaller => {
                request("'ObjectSizeGreaterThan' must be less than 'ObjectSizeLessThan'")
            }
            _ => Ok(()),
        }
    }
}

fn validate_expiration(expiration: Expiration, scope: &Scope) -> Checked {
    match (expiration.when, expiration.lone_markers) {
        (None, None) => return malformed("An Expiration has one of Days, Date and ExpiredObjectDeleteMarker"),
        (Some(_), Some(true)) => {
            return malformed("ExpiredObjectDeleteMarker does not go with Days or Date in one Expiration");
        }
        (Some(When::Days(0)), _) => {
            return argument("'Days' for Expiration action must be a positive integer");
        }
        (Some(When::Date(date)), _) => validate_midnight(date)?,
        (Some(When::Days(_)), _) | (None, Some(_)) => {}
    }
    // A delete marker has no tags and no size.
    let beside_prefix = |criteria: &Criteria| {
        !criteria.tags.is_empty() || criteria.larger_than.is_some() || criteria.smaller_than.is_some()
    };
    if expiration.lone_markers == Some(true) && scope.criteria().is_some_and(beside_prefix) {
        return request("ExpiredObjectDeleteMarker cannot be specified with Tags or object sizes");
    }
    Ok(())
}

fn validate_midnight(date: Timestamp) -> Checked {
    if date.0.is_multiple_of(DAY_NANOS) { Ok(()) } else { argument("'Date' must be at midnight GMT") }
}

fn validate_keep(keep: Option<u32>, action: &str) -> Checked {
    match keep {
        Some(0) => argument(format!("'NewerNoncurrentVersions' for {action} action must be a positive integer")),
        Some(count) if count > KEEP_MAX => {
            argument(format!("'NewerNoncurrentVersions' for {action} action must be at most {KEEP_MAX}"))
        }
        _ => Ok(()),
    }
}

fn validate_class<'a>(
    class: &'a str,
    is_class: &impl Fn(&str) -> bool,
    seen: &mut HashSet<&'a str>,
    action: &str,
) -> Checked {
    // What begins elsewhere has no way back to the default class.
    if class == "STANDARD" || !is_class(class) {
        return malformed(format!("'StorageClass' of {action} is not a storage class to move to"));
    }
    if !seen.insert(class) {
        return request(format!("'StorageClass' must be different for '{action}' actions in same 'Rule'"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
