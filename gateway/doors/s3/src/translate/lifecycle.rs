//! Lifecycle rules between XML and the domain, which checks what they say. Counts below zero become
//! zero: the domain refuses them by the same rule.

use super::lock::malformed;
use super::times;
use cofre_objects::{
    Criteria, Expiration, Lifecycle, NoncurrentExpiration, NoncurrentTransition, Rule, Scope, Transition, When,
};
use s3s::dto::{
    self, BucketLifecycleConfiguration, ExpirationStatus, LifecycleRule, TransitionDefaultMinimumObjectSize,
};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

/// Reads a document.
pub(crate) fn from_dto(
    document: BucketLifecycleConfiguration,
    minimum: Option<TransitionDefaultMinimumObjectSize>,
) -> S3Result<Lifecycle> {
    let rules = document.rules.into_iter().map(rule).collect::<S3Result<_>>()?;
    let small_stay = match minimum.as_ref().map(TransitionDefaultMinimumObjectSize::as_str) {
        None | Some(TransitionDefaultMinimumObjectSize::VARIES_BY_STORAGE_CLASS) => false,
        Some(TransitionDefaultMinimumObjectSize::ALL_STORAGE_CLASSES_128K) => true,
        Some(_) => {
            return Err(s3_error!(
                InvalidArgument,
                "x-amz-transition-default-minimum-object-size is all_storage_classes_128K or varies_by_storage_class"
            ));
        }
    };
    Ok(Lifecycle { rules, small_stay })
}

/// What moves as a rule, by size. AWS's default is 128 KiB; here it is what classes have, which is none.
pub(crate) fn minimum(rules: &Lifecycle) -> TransitionDefaultMinimumObjectSize {
    TransitionDefaultMinimumObjectSize::from_static(if rules.small_stay {
        TransitionDefaultMinimumObjectSize::ALL_STORAGE_CLASSES_128K
    } else {
        TransitionDefaultMinimumObjectSize::VARIES_BY_STORAGE_CLASS
    })
}

fn rule(rule: LifecycleRule) -> S3Result<Rule> {
    let enabled = match rule.status.as_str() {
        ExpirationStatus::ENABLED => true,
        ExpirationStatus::DISABLED => false,
        _ => return Err(explained("'Status' must be Enabled or Disabled")),
    };
    let scope = match (rule.filter, rule.prefix) {
        (Some(filter), None) => filter_from_dto(filter)?,
        (None, Some(prefix)) => Scope::Prefix(prefix),
        (Some(_), Some(_)) => return Err(explained("A Rule has either a Filter or a Prefix")),
        (None, None) => return Err(explained("A Rule has a Filter or a Prefix")),
    };
    Ok(Rule {
        id: rule.id.unwrap_or_default(),
        enabled,
        scope,
        expiration: rule.expiration.map(expiration).transpose()?,
        noncurrent_expiration: rule.noncurrent_version_expiration.map(noncurrent_expiration).transpose()?,
        transitions: rule.transitions.unwrap_or_default().into_iter().map(transition).collect::<S3Result<_>>()?,
        noncurrent_transitions: rule
            .noncurrent_version_transitions
            .unwrap_or_default()
            .into_iter()
            .map(noncurrent_transition)
            .collect::<S3Result<_>>()?,
        abort_upload_days: rule
            .abort_incomplete_multipart_upload
            .map(|abort| abort.days_after_initiation.map(count).ok_or_else(malformed))
            .transpose()?,
    })
}

fn explained(why: &'static str) -> S3Error {
    S3Error::with_message(S3ErrorCode::MalformedXML, why)
}

fn count(count: i32) -> u32 {
    u32::try_from(count).unwrap_or(0)
}

/// A size that a filter names; the schema has no negative ones.
fn size(size: i64) -> S3Result<u64> {
    u64::try_from(size).map_err(|_| s3_error!(InvalidArgument, "Object sizes in a Filter must not be negative"))
}

/// Reads a filter. AWS's schema has one criterion in it, or an `And`; several beside each other mean all of
/// them, as in the `And` that their writer meant.
fn filter_from_dto(filter: dto::LifecycleRuleFilter) -> S3Result<Scope> {
    let criteria = |prefix, tags: Vec<dto::Tag>, larger: Option<i64>, smaller: Option<i64>| -> S3Result<Criteria> {
        let tag = |tag: dto::Tag| Some((tag.key?, tag.value?));
        Ok(Criteria {
            prefix,
            tags: tags.into_iter().map(|given| tag(given).ok_or_else(malformed)).collect::<S3Result<_>>()?,
            larger_than: larger.map(size).transpose()?,
            smaller_than: smaller.map(size).transpose()?,
        })
    };
    let tags = filter.tag.into_iter().collect();
    let one = criteria(filter.prefix, tags, filter.object_size_greater_than, filter.object_size_less_than)?;
    let Some(and) = filter.and else {
        return Ok(if count_of(&one) > 1 { Scope::And(one) } else { Scope::Filter(one) });
    };
    let tags = and.tags.unwrap_or_default();
    let and = criteria(and.prefix, tags, and.object_size_greater_than, and.object_size_less_than)?;
    both(one, and).map(Scope::And)
}

/// How many criteria there are; an empty prefix says nothing.
fn count_of(criteria: &Criteria) -> usize {
    let prefix = criteria.prefix.as_ref().is_some_and(|prefix| !prefix.is_empty());
    [prefix, criteria.larger_than.is_some(), criteria.smaller_than.is_some()]
        .into_iter()
        .map(usize::from)
        .sum::<usize>()
        + criteria.tags.len()
}

/// What holds where two sets of criteria both do.
fn both(one: Criteria, other: Criteria) -> S3Result<Criteria> {
    let prefix = match (one.prefix, other.prefix) {
        (Some(one), Some(other)) if one.starts_with(&other) => Some(one),
        (Some(one), Some(other)) if other.starts_with(&one) => Some(other),
        (Some(_), Some(_)) => return Err(explained("No key begins with both Prefixes of the Filter")),
        (one, other) => one.or(other),
    };
    let mut tags = one.tags;
    tags.extend(other.tags.into_iter().filter(|tag| !tags.contains(tag)).collect::<Vec<_>>());
    Ok(Criteria {
        prefix,
        tags,
        larger_than: one.larger_than.max(other.larger_than),
        smaller_than: one.smaller_than.into_iter().chain(other.smaller_than).min(),
    })
}

fn when(days: Option<i32>, date: Option<&dto::Timestamp>) -> S3Result<Option<When>> {
    match (days, date) {
        (Some(_), Some(_)) => Err(explained("An action has either Days or a Date")),
        (Some(days), None) => Ok(Some(When::Days(count(days)))),
        (None, Some(date)) => Ok(Some(When::Date(times::to_keep("Date", date)?))),
        (None, None) => Ok(None),
    }
}

fn expiration(given: dto::LifecycleExpiration) -> S3Result<Expiration> {
    let when = when(given.days, given.date.as_ref())?;
    Ok(Expiration { when, lone_markers: given.expired_object_delete_marker })
}

fn noncurrent_expiration(given: dto::NoncurrentVersionExpiration) -> S3Result<NoncurrentExpiration> {
    let days = given.noncurrent_days.map(count);
    let days = days.ok_or_else(|| explained("A NoncurrentVersionExpiration has NoncurrentDays"))?;
    Ok(NoncurrentExpiration { days, keep: given.newer_noncurrent_versions.map(count) })
}

fn transition(given: dto::Transition) -> S3Result<Transition> {
    if given.days.is_some_and(|days| days < 0) {
        return Err(s3_error!(InvalidArgument, "'Days' for Transition action must be nonnegative"));
    }
    let when = when(given.days, given.date.as_ref())?;
    let when = when.ok_or_else(|| explained("A Transition has Days or a Date"))?;
    Ok(Transition { when, storage_class: class(given.storage_class)? })
}

fn noncurrent_transition(given: dto::NoncurrentVersionTransition) -> S3Result<NoncurrentTransition> {
    let days = given.noncurrent_days.ok_or_else(|| explained("A NoncurrentVersionTransition has NoncurrentDays"))?;
    if days < 0 {
        return Err(s3_error!(
            InvalidArgument,
            "'NoncurrentDays' for NoncurrentVersionTransition action must be nonnegative"
        ));
    }
    let keep = given.newer_noncurrent_versions.map(count);
    Ok(NoncurrentTransition { days: count(days), keep, storage_class: class(given.storage_class)? })
}

fn class(class: Option<dto::TransitionStorageClass>) -> S3Result<String> {
    class.map(|class| class.as_str().to_owned()).ok_or_else(malformed)
}

/// Writes a rule.
pub(crate) fn rule_to_dto(rule: Rule) -> LifecycleRule {
    let days = |days: u32| Some(i32::try_from(days).unwrap_or(i32::MAX));
    let parts = |when: When| match when {
        When::Days(count) => (days(count), None),
        When::Date(at) => (None, Some(times::to_dto(at))),
    };
    let status = if rule.enabled { ExpirationStatus::ENABLED } else { ExpirationStatus::DISABLED };
    let (filter, prefix) = match rule.scope {
        Scope::Prefix(prefix) => (None, Some(prefix)),
        Scope::Filter(criteria) => (Some(filter_to_dto(criteria)), None),
        Scope::And(criteria) => (Some(and_to_dto(criteria)), None),
    };
    let transition = |to: Transition| {
        let (days, date) = parts(to.when);
        dto::Transition { date, days, storage_class: Some(to.storage_class.into()) }
    };
    let noncurrent = |to: NoncurrentTransition| dto::NoncurrentVersionTransition {
        newer_noncurrent_versions: to.keep.and_then(days),
        noncurrent_days: days(to.days),
        storage_class: Some(to.storage_class.into()),
    };
    LifecycleRule {
        abort_incomplete_multipart_upload: rule
            .abort_upload_days
            .map(|count| dto::AbortIncompleteMultipartUpload { days_after_initiation: days(count) }),
        expiration: rule.expiration.map(|expiration| {
            let (days, date) = expiration.when.map_or((None, None), parts);
            dto::LifecycleExpiration { date, days, expired_object_delete_marker: expiration.lone_markers }
        }),
        filter,
        id: Some(rule.id),
        noncurrent_version_expiration: rule.noncurrent_expiration.map(|end| dto::NoncurrentVersionExpiration {
            newer_noncurrent_versions: end.keep.and_then(days),
            noncurrent_days: days(end.days),
        }),
        noncurrent_version_transitions: some(rule.noncurrent_transitions.into_iter().map(noncurrent).collect()),
        prefix,
        status: ExpirationStatus::from_static(status),
        transitions: some(rule.transitions.into_iter().map(transition).collect()),
    }
}

fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

fn bytes(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

fn tag_to_dto((key, value): (String, String)) -> dto::Tag {
    dto::Tag { key: Some(key), value: Some(value) }
}

fn filter_to_dto(criteria: Criteria) -> dto::LifecycleRuleFilter {
    dto::LifecycleRuleFilter {
        and: None,
        object_size_greater_than: criteria.larger_than.map(bytes),
        object_size_less_than: criteria.smaller_than.map(bytes),
        prefix: criteria.prefix,
        tag: criteria.tags.into_iter().next().map(tag_to_dto),
    }
}

fn and_to_dto(criteria: Criteria) -> dto::LifecycleRuleFilter {
    let and = dto::LifecycleRuleAndOperator {
        object_size_greater_than: criteria.larger_than.map(bytes),
        object_size_less_than: criteria.smaller_than.map(bytes),
        prefix: criteria.prefix,
        tags: some(criteria.tags.into_iter().map(tag_to_dto).collect()),
    };
    dto::LifecycleRuleFilter { and: Some(and), ..dto::LifecycleRuleFilter::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofre_types::Timestamp;

    #[test]
    fn rules_survive() {
        let criteria = Criteria {
            prefix: Some("p/".to_owned()),
            tags: vec![("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())],
            larger_than: Some(1),
            smaller_than: Some(9),
        };
        let plain = Rule {
            id: "one".to_owned(),
            enabled: true,
            scope: Scope::And(criteria),
            expiration: Some(Expiration { when: Some(When::Days(9)), lone_markers: None }),
            noncurrent_expiration: Some(NoncurrentExpiration { days: 8, keep: Some(7) }),
            transitions: vec![Transition { when: When::Days(6), storage_class: "COLD".to_owned() }],
            noncurrent_transitions: vec![NoncurrentTransition {
                days: 5,
                keep: None,
                storage_class: "COLD".to_owned(),
            }],
            abort_upload_days: Some(4),
        };
        let date = Some(When::Date(Timestamp::from_secs(86_400)));
        let old = Rule {
            scope: Scope::Prefix(String::new()),
            enabled: false,
            expiration: Some(Expiration { when: date, lone_markers: None }),
            ..plain.clone()
        };
        let tag = Criteria { tags: vec![("a".to_owned(), "1".to_owned())], ..Criteria::default() };
        let tagged = Rule { scope: Scope::Filter(tag), ..plain.clone() };
        let empty = Rule { scope: Scope::Filter(Criteria::default()), ..plain.clone() };
        for before in [plain, old, tagged, empty] {
            let shown = rule_to_dto(before.clone());
            assert_eq!(rule(shown).unwrap(), before);
        }
    }

    #[test]
    fn what_is_ambiguous_is_malformed() {
        let good = || LifecycleRule {
            expiration: Some(dto::LifecycleExpiration { days: Some(1), ..Default::default() }),
            prefix: Some(String::new()),
            abort_incomplete_multipart_upload: None,
            filter: None,
            id: None,
            noncurrent_version_expiration: None,
            noncurrent_version_transitions: None,
            status: ExpirationStatus::from_static(ExpirationStatus::ENABLED),
            transitions: None,
        };
        assert!(rule(good()).is_ok());
        let code = |given: LifecycleRule| rule(given).unwrap_err().code().as_str().to_owned();
        assert_eq!(code(LifecycleRule { prefix: None, ..good() }), "MalformedXML");
        assert_eq!(code(LifecycleRule { filter: Some(Default::default()), ..good() }), "MalformedXML");
        assert_eq!(code(LifecycleRule { status: "enabled".to_owned().into(), ..good() }), "MalformedXML");
        let contradicts = dto::LifecycleRuleFilter {
            and: Some(dto::LifecycleRuleAndOperator { prefix: Some("q".to_owned()), ..Default::default() }),
            prefix: Some("p".to_owned()),
            ..Default::default()
        };
        assert_eq!(code(LifecycleRule { prefix: None, filter: Some(contradicts), ..good() }), "MalformedXML");
    }

    #[test]
    fn criteria_beside_each_other_must_all_hold() {
        let tag = |name: &str| dto::Tag { key: Some(name.to_owned()), value: Some("1".to_owned()) };
        let own = |name: &str| (name.to_owned(), "1".to_owned());
        let beside = dto::LifecycleRuleFilter {
            prefix: Some("days1/".to_owned()),
            tag: Some(tag("a")),
            object_size_greater_than: Some(5),
            ..Default::default()
        };
        let expected = Criteria {
            prefix: Some("days1/".to_owned()),
            tags: vec![own("a")],
            larger_than: Some(5),
            smaller_than: None,
        };
        assert_eq!(filter_from_dto(beside.clone()).unwrap(), Scope::And(expected.clone()));
        let and = dto::LifecycleRuleAndOperator {
            prefix: Some("days1".to_owned()),
            tags: Some(vec![tag("a"), tag("b")]),
            object_size_greater_than: Some(7),
            object_size_less_than: Some(9),
        };
        let expected =
            Criteria { tags: vec![own("a"), own("b")], larger_than: Some(7), smaller_than: Some(9), ..expected };
        let filter = dto::LifecycleRuleFilter { and: Some(and), ..beside };
        assert_eq!(filter_from_dto(filter).unwrap(), Scope::And(expected));
    }
}
