//! What rules ask for, and when: pure.

use super::rules::{Criteria, Lifecycle, Rule, Scope, When};
use cofre_catalog::records::{VersionKind, VersionRecord};
use cofre_types::Timestamp;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);
const DAY_NANOS: u64 = 86_400 * 1_000_000_000;
/// Fewer bytes are small (AWS, "Transitioning objects using Amazon S3 Lifecycle").
const SMALL_BYTES: u64 = 128 << 10;

/// How long a day is.
#[derive(Debug, Clone, Copy)]
pub enum Calendar {
    /// Days as people know them: what is due is due at the next midnight UTC (AWS, "Lifecycle
    /// rules: based on an object's age").
    Days,
    /// Days of another length, to the moment: for tests.
    Shortened(Duration),
}

impl Calendar {
    /// The calendar whose day has so many seconds.
    pub fn with_day(secs: u64) -> Self {
        let day = Duration::from_secs(secs);
        if day == DAY { Self::Days } else { Self::Shortened(day) }
    }

    /// When so many days from `from` are over.
    pub fn after(self, from: Timestamp, days: u32) -> Timestamp {
        match self {
            Self::Days => {
                let due = from.after(DAY.saturating_mul(days));
                Timestamp(due.0.div_ceil(DAY_NANOS).saturating_mul(DAY_NANOS))
            }
            Self::Shortened(day) => from.after(day.saturating_mul(days)),
        }
    }

    fn due(self, when: When, from: Timestamp) -> Timestamp {
        match when {
            When::Days(days) => self.after(from, days),
            When::Date(date) => date,
        }
    }
}

/// What is to be done about a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// End it. `keep` versions of its key that are newer and not current must be there.
    Expire {
        /// How many.
        keep: u32,
    },
    /// Move it to a storage class, under the same condition.
    Transition {
        /// Where to.
        class: String,
        /// How many newer versions must be there.
        keep: u32,
    },
}

impl Lifecycle {
    fn active(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(|rule| rule.enabled)
    }

    fn about<'a>(&'a self, key: &str, record: &VersionRecord) -> impl Iterator<Item = &'a Rule> {
        self.active().filter(move |rule| rule.scope.matches(key, record))
    }

    /// The rules that may move an object.
    fn moving<'a>(&'a self, key: &str, record: &VersionRecord) -> impl Iterator<Item = &'a Rule> {
        let stays = self.small_stay && record.size < SMALL_BYTES;
        self.about(key, record).filter(move |rule| !stays || rule.scope.names_sizes())
    }

    /// What begins every key that a rule that acts is about; `None` if no rule acts.
    pub fn common_prefix(&self) -> Option<&str> {
        let mut prefixes = self.active().map(|rule| rule.scope.prefix());
        let first = prefixes.next()?;
        Some(prefixes.fold(first, |common, prefix| {
            let same = common.char_indices().zip(prefix.chars()).take_while(|((_, a), b)| a == b);
            same.last().map_or("", |((at, c), _)| &common[..at + c.len_utf8()])
        }))
    }

    /// Whether a rule is about current objects.
    pub fn acts_on_current(&self) -> bool {
        let acts = |rule: &Rule| {
            !rule.transitions.is_empty() || rule.expiration.is_some_and(|expiration| expiration.when.is_some())
        };
        self.active().any(acts)
    }

    /// Whether a rule is about versions that are not current, or about delete markers.
    pub fn acts_on_versions(&self) -> bool {
        let acts = |rule: &Rule| {
            rule.expiration.is_some() || rule.noncurrent_expiration.is_some() || !rule.noncurrent_transitions.is_empty()
        };
        self.active().any(acts)
    }

    /// Whether a rule is about uploads under way.
    pub fn acts_on_uploads(&self) -> bool {
        self.active().any(|rule| rule.abort_upload_days.is_some())
    }

    /// When a current object ends, and the rule that says so: the earliest.
    pub fn end_of(&self, key: &str, record: &VersionRecord, calendar: Calendar) -> Option<(Timestamp, &str)> {
        let ends = self.about(key, record).filter_map(|rule| {
            let when = rule.expiration?.when?;
            Some((calendar.due(when, record.modified), rule.id.as_str()))
        });
        ends.min_by_key(|(at, _)| *at)
    }

    /// When an upload that is still under way ends, and the rule that says so: the earliest.
    pub fn end_of_upload(&self, key: &str, begun: Timestamp, calendar: Calendar) -> Option<(Timestamp, &str)> {
        let about = self.active().filter(|rule| key.starts_with(rule.scope.prefix()));
        let ends = about.filter_map(|rule| Some((calendar.after(begun, rule.abort_upload_days?), rule.id.as_str())));
        ends.min_by_key(|(at, _)| *at)
    }

    /// What is due about a current object. Its end comes before a move.
    pub fn due_current(&self, key: &str, record: &VersionRecord, now: Timestamp, cal: Calendar) -> Option<Due> {
        if self.end_of(key, record, cal).is_some_and(|(at, _)| at <= now) {
            return Some(Due::Expire { keep: 0 });
        }
        let moves = self.moving(key, record).flat_map(|rule| &rule.transitions);
        let due = moves.map(|to| (cal.due(to.when, record.modified), to)).filter(|(at, _)| *at <= now);
        let (_, last) = due.max_by_key(|(at, _)| *at)?;
        let moves = last.storage_class != record.storage_class;
        moves.then(|| Due::Transition { class: last.storage_class.clone(), keep: 0 })
    }

    /// What is due about a version that ceased to be current at `since` and has `newer` objects that
    /// are not current before it.
    pub fn due_noncurrent(
        &self,
        key: &str,
        record: &VersionRecord,
        (since, newer): (Timestamp, u32),
        now: Timestamp,
        cal: Calendar,
    ) -> Option<Due> {
        let is_due = |days: u32, keep: u32| cal.after(since, days) <= now && newer >= keep;
        let ends = self.about(key, record).filter_map(|rule| rule.noncurrent_expiration);
        let ends = ends.map(|end| (end.days, end.keep.unwrap_or(0)));
        if let Some((_, keep)) = ends.filter(|(days, keep)| is_due(*days, *keep)).min_by_key(|(_, keep)| *keep) {
            return Some(Due::Expire { keep });
        }
        if record.kind == VersionKind::DeleteMarker {
            return None;
        }
        let moves = self.moving(key, record).flat_map(|rule| &rule.noncurrent_transitions);
        let due = moves.filter(|to| is_due(to.days, to.keep.unwrap_or(0)));
        let last = due.max_by_key(|to| to.days)?;
        let moves = last.storage_class != record.storage_class;
        moves.then(|| Due::Transition { class: last.storage_class.clone(), keep: last.keep.unwrap_or(0) })
    }

    /// Whether a delete marker that is the only version of its key goes. A rule that ends objects by
    /// age ends it too, at that age.
    pub fn ends_marker(&self, key: &str, marker: &VersionRecord, now: Timestamp, cal: Calendar) -> bool {
        self.about(key, marker).filter_map(|rule| rule.expiration).any(|expiration| {
            expiration.lone_markers == Some(true)
                || expiration.when.is_some_and(|when| cal.due(when, marker.modified) <= now)
        })
    }
}

impl Scope {
    fn names_sizes(&self) -> bool {
        self.criteria().is_some_and(|criteria| criteria.larger_than.is_some() || criteria.smaller_than.is_some())
    }

    fn matches(&self, key: &str, record: &VersionRecord) -> bool {
        key.starts_with(self.prefix()) && self.criteria().is_none_or(|criteria| criteria.match_beside_key(record))
    }
}

impl Criteria {
    /// Tags and sizes; a delete marker has neither, so no criterion on them holds for it.
    fn match_beside_key(&self, record: &VersionRecord) -> bool {
        if record.kind == VersionKind::DeleteMarker {
            return self.tags.is_empty() && self.larger_than.is_none() && self.smaller_than.is_none();
        }
        self.tags.iter().all(|tag| record.tags.pairs().contains(tag))
            && self.larger_than.is_none_or(|bytes| record.size > bytes)
            && self.smaller_than.is_none_or(|bytes| record.size < bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::super::rules::{Expiration, NoncurrentExpiration, Transition};
    use super::*;
    use cofre_types::{AccountId, Tags, TagsLimit, VersionId};

    /// 2014-01-15T10:30:00Z, the example of AWS's page.
    const MADE: Timestamp = Timestamp::from_secs(1_389_781_800);
    /// 2014-01-19T00:00:00Z.
    const MIDNIGHT: Timestamp = Timestamp::from_secs(1_390_089_600);

    fn object(size: u64, tags: &[(&str, &str)]) -> VersionRecord {
        let pairs = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        VersionRecord {
            kind: VersionKind::Object,
            size,
            tags: Tags::new(pairs, TagsLimit::Object).unwrap(),
            ..marker()
        }
    }

    fn marker() -> VersionRecord {
        VersionRecord::delete_marker(VersionId::Null, 1, MADE, AccountId::from_bytes([1; 32]))
    }

    fn rule(id: &str, scope: Scope) -> Rule {
        Rule {
            id: id.to_owned(),
            enabled: true,
            scope,
            expiration: None,
            noncurrent_expiration: None,
            transitions: Vec::new(),
            noncurrent_transitions: Vec::new(),
            abort_upload_days: None,
        }
    }

    fn days(days: u32) -> Option<Expiration> {
        Some(Expiration { when: Some(When::Days(days)), lone_markers: None })
    }

    fn all() -> Scope {
        Scope::Filter(Criteria::default())
    }

    #[test]
    fn days_end_at_the_next_midnight() {
        assert_eq!(Calendar::Days.after(MADE, 3), MIDNIGHT);
        assert_eq!(Calendar::Days.after(MIDNIGHT, 0), MIDNIGHT);
        let short = Calendar::with_day(10);
        assert_eq!(short.after(MADE, 3), MADE.after(Duration::from_secs(30)));
        assert!(matches!(Calendar::with_day(86_400), Calendar::Days));
    }

    #[test]
    fn the_earliest_end_counts_and_disabled_rules_do_not() {
        let rules = Lifecycle::of(vec![
            Rule { expiration: days(9), ..rule("late", all()) },
            Rule { expiration: days(3), ..rule("early", Scope::Prefix("a/".to_owned())) },
            Rule { expiration: days(1), enabled: false, ..rule("off", all()) },
        ]);
        let object = object(1, &[]);
        assert_eq!(rules.end_of("a/k", &object, Calendar::Days), Some((MIDNIGHT, "early")));
        assert_eq!(rules.end_of("b/k", &object, Calendar::Days).map(|(_, id)| id), Some("late"));
        let before = Timestamp(MIDNIGHT.0 - 1);
        assert_eq!(rules.due_current("a/k", &object, before, Calendar::Days), None);
        assert_eq!(rules.due_current("a/k", &object, MIDNIGHT, Calendar::Days), Some(Due::Expire { keep: 0 }));
        assert_eq!(rules.common_prefix(), Some(""));
    }

    #[test]
    fn criteria_are_all_held() {
        let criteria = Criteria {
            prefix: Some("a".to_owned()),
            tags: vec![("k".to_owned(), "v".to_owned())],
            larger_than: Some(10),
            smaller_than: Some(20),
        };
        let scope = Scope::And(criteria);
        let tagged = |size| object(size, &[("k", "v"), ("l", "w")]);
        assert!(scope.matches("ab", &tagged(11)) && scope.matches("a", &tagged(19)));
        assert!(!scope.matches("b", &tagged(11)));
        assert!(!scope.matches("a", &tagged(10)) && !scope.matches("a", &tagged(20)));
        assert!(!scope.matches("a", &object(11, &[("k", "w")])));
        assert!(!scope.matches("a", &marker()), "a marker has no tags");
        assert!(all().matches("a", &marker()));
    }

    #[test]
    fn the_newest_that_are_not_current_stay() {
        let end = NoncurrentExpiration { days: 1, keep: Some(2) };
        let rules = Lifecycle::of(vec![Rule { noncurrent_expiration: Some(end), ..rule("r", all()) }]);
        let due = |newer, now| rules.due_noncurrent("k", &object(1, &[]), (MADE, newer), now, Calendar::Days);
        assert_eq!(due(2, MIDNIGHT), Some(Due::Expire { keep: 2 }));
        assert_eq!(due(1, MIDNIGHT), None);
        assert_eq!(due(2, MADE), None);
    }

    #[test]
    fn a_lone_marker_goes_at_once_or_at_its_age() {
        let at_once = Some(Expiration { when: None, lone_markers: Some(true) });
        let ends = |expiration, now| {
            let rules = Lifecycle::of(vec![Rule { expiration, ..rule("r", all()) }]);
            rules.ends_marker("k", &marker(), now, Calendar::Days)
        };
        assert!(ends(at_once, MADE));
        assert!(!ends(days(3), MADE));
        assert!(ends(days(3), MIDNIGHT));
    }

    #[test]
    fn the_last_transition_that_is_due_counts_once() {
        let to = |days, class: &str| Transition { when: When::Days(days), storage_class: class.to_owned() };
        let transitions = vec![to(1, "COLD"), to(3, "ICE")];
        let rules = Lifecycle::of(vec![Rule { transitions, ..rule("r", all()) }]);
        let class_at = |record: &VersionRecord, now| match rules.due_current("k", record, now, Calendar::Days) {
            Some(Due::Transition { class, .. }) => class,
            other => format!("{other:?}"),
        };
        let mut object = object(1, &[]);
        assert_eq!(class_at(&object, MADE), "None");
        assert_eq!(class_at(&object, MIDNIGHT), "ICE");
        assert_eq!(class_at(&object, Timestamp(MIDNIGHT.0 - 1)), "COLD");
        object.storage_class = "ICE".to_owned();
        assert_eq!(class_at(&object, MIDNIGHT), "None");
    }

    #[test]
    fn small_objects_stay_if_that_is_asked_and_no_size_is_named() {
        let moves = |scope, size, small_stay| {
            let to = Transition { when: When::Days(1), storage_class: "COLD".to_owned() };
            let rules = vec![Rule { transitions: vec![to], ..rule("r", scope) }];
            let rules = Lifecycle { small_stay, ..Lifecycle::of(rules) };
            rules.due_current("k", &object(size, &[]), MIDNIGHT, Calendar::Days).is_some()
        };
        let named = || Scope::Filter(Criteria { larger_than: Some(1), ..Criteria::default() });
        assert!(moves(all(), SMALL_BYTES - 1, false));
        assert!(!moves(all(), SMALL_BYTES - 1, true));
        assert!(moves(all(), SMALL_BYTES, true));
        assert!(moves(named(), SMALL_BYTES - 1, true));
    }

    #[test]
    fn what_rules_share_bounds_the_walk() {
        let rules = |prefixes: &[&str]| {
            Lifecycle::of(prefixes.iter().map(|prefix| rule("", Scope::Prefix((*prefix).to_owned()))).collect())
        };
        assert_eq!(rules(&["logs/a", "logs/b"]).common_prefix(), Some("logs/"));
        assert_eq!(rules(&["é1", "é2"]).common_prefix(), Some("é"));
        assert_eq!(rules(&["a", "b"]).common_prefix(), Some(""));
        assert_eq!(rules(&[]).common_prefix(), None);
    }
}
