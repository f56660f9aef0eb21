use super::*;
use crate::NoncurrentExpiration;

fn rule() -> Rule {
    Rule {
        id: "one".to_owned(),
        enabled: true,
        scope: Scope::Prefix("logs/".to_owned()),
        expiration: Some(Expiration { when: Some(When::Days(1)), lone_markers: None }),
        noncurrent_expiration: None,
        transitions: Vec::new(),
        noncurrent_transitions: Vec::new(),
        abort_upload_days: None,
    }
}

fn check(rules: Vec<Rule>) -> &'static str {
    match Lifecycle::of(rules).validate(|class| class == "COLD" || class == "ICE") {
        Ok(()) => "fine",
        Err(RulesError::Malformed(_)) => "malformed",
        Err(RulesError::Argument(_)) => "argument",
        Err(RulesError::Request(_)) => "request",
    }
}

fn with(change: impl FnOnce(&mut Rule)) -> &'static str {
    let mut changed = rule();
    change(&mut changed);
    check(vec![changed])
}

fn expiring(when: Option<When>, lone_markers: Option<bool>) -> &'static str {
    with(|rule| rule.expiration = Some(Expiration { when, lone_markers }))
}

fn scoped(scope: Scope) -> &'static str {
    with(|rule| rule.scope = scope)
}

fn tag(key: &str) -> (String, String) {
    (key.to_owned(), "v".to_owned())
}

#[test]
fn rules_are_counted_and_named() {
    assert_eq!(check(vec![rule()]), "fine");
    assert_eq!(check(Vec::new()), "malformed");
    assert_eq!(check(vec![rule(), rule()]), "argument");
    assert_eq!(check(vec![Rule { id: String::new(), ..rule() }, Rule { id: String::new(), ..rule() }]), "fine");
    assert_eq!(with(|rule| rule.id = "é".repeat(255)), "fine");
    assert_eq!(with(|rule| rule.id = "a".repeat(256)), "argument");
    assert_eq!(check(vec![Rule { id: String::new(), ..rule() }; RULES_MAX + 1]), "request");
    assert_eq!(with(|rule| rule.expiration = None), "request");
}

#[test]
fn expiration_is_one_thing() {
    let midnight = When::Date(Timestamp::from_secs(1_735_689_600));
    assert_eq!(expiring(Some(When::Days(0)), None), "argument");
    assert_eq!(expiring(Some(midnight), None), "fine");
    assert_eq!(expiring(Some(When::Date(Timestamp::from_secs(1_735_689_601))), None), "argument");
    assert_eq!(expiring(None, Some(true)), "fine");
    assert_eq!(expiring(None, None), "malformed");
    assert_eq!(expiring(Some(When::Days(1)), Some(true)), "malformed");
    assert_eq!(expiring(Some(When::Days(1)), Some(false)), "fine");
    let tagged = with(|rule| {
        rule.scope = Scope::Filter(Criteria { tags: vec![tag("a")], ..Criteria::default() });
        rule.expiration = Some(Expiration { when: None, lone_markers: Some(true) });
    });
    assert_eq!(tagged, "request");
}

#[test]
fn a_filter_has_one_criterion_and_an_and_has_several() {
    let both = Criteria { prefix: Some("p".to_owned()), tags: vec![tag("a")], ..Criteria::default() };
    let empty_prefix = Criteria { prefix: Some(String::new()), larger_than: Some(1), ..Criteria::default() };
    assert_eq!(scoped(Scope::Filter(Criteria::default())), "fine");
    assert_eq!(scoped(Scope::Filter(both.clone())), "malformed");
    assert_eq!(scoped(Scope::Filter(empty_prefix)), "fine");
    assert_eq!(scoped(Scope::And(both)), "fine");
    assert_eq!(scoped(Scope::And(Criteria { tags: vec![tag("a")], ..Criteria::default() })), "malformed");
    assert_eq!(scoped(Scope::And(Criteria { tags: vec![tag("a"), tag("a")], ..Criteria::default() })), "request");
    let sizes = |larger, smaller| {
        scoped(Scope::And(Criteria { larger_than: Some(larger), smaller_than: Some(smaller), ..Criteria::default() }))
    };
    assert_eq!(sizes(1, 2), "fine");
    assert_eq!(sizes(2, 2), "request");
    assert_eq!(sizes(0, 0), "argument");
    assert_eq!(sizes(OBJECT_BYTES_MAX, OBJECT_BYTES_MAX), "argument");
}

#[test]
fn what_is_not_current_has_its_own_bounds() {
    let noncurrent = |days, keep| with(|rule| rule.noncurrent_expiration = Some(NoncurrentExpiration { days, keep }));
    assert_eq!(noncurrent(1, None), "fine");
    assert_eq!(noncurrent(0, None), "argument");
    assert_eq!(noncurrent(1, Some(100)), "fine");
    assert_eq!(noncurrent(1, Some(0)), "argument");
    assert_eq!(noncurrent(1, Some(101)), "argument");
    assert_eq!(with(|rule| rule.abort_upload_days = Some(0)), "argument");
    let tagged = with(|rule| {
        rule.scope = Scope::Filter(Criteria { tags: vec![tag("a")], ..Criteria::default() });
        rule.abort_upload_days = Some(1);
    });
    assert_eq!(tagged, "request");
}

#[test]
fn transitions_lead_to_classes_before_the_end() {
    let to = |days, class: &str| Transition { when: When::Days(days), storage_class: class.to_owned() };
    let moved = |transitions: Vec<Transition>, end: Option<u32>| {
        with(|rule| {
            rule.transitions = transitions;
            rule.expiration = end.map(|days| Expiration { when: Some(When::Days(days)), lone_markers: None });
        })
    };
    assert_eq!(moved(vec![to(0, "COLD"), to(7, "ICE")], Some(8)), "fine");
    assert_eq!(moved(vec![to(0, "COLD"), to(7, "ICE")], None), "fine");
    assert_eq!(moved(vec![to(8, "COLD")], Some(8)), "argument");
    assert_eq!(moved(vec![to(1, "COLD"), to(2, "COLD")], None), "request");
    assert_eq!(moved(vec![to(1, "STANDARD")], None), "malformed");
    assert_eq!(moved(vec![to(1, "NONE")], None), "malformed");
    let date = Transition { when: When::Date(Timestamp::from_secs(86_400)), storage_class: "ICE".to_owned() };
    assert_eq!(moved(vec![to(1, "COLD"), date.clone()], None), "request");
    assert_eq!(moved(vec![date], Some(3)), "request");
}
