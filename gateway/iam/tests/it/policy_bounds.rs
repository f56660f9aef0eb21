//! What a decision costs, whatever the policy and the request.

use crate::evaluate::{ANN, caller};
use crate::policy::{Keys, asks, policy};
use cofre_iam::{
    Action, BATCH_STEPS_MAX, BucketAccess, Caller, DECISION_STEPS_MAX, Decision, DecisionMemo, Details, Policy,
    PolicyKind, Principal, Question, RequestFacts, Resource, Rule, SUBJECT_BYTES_MAX, Signature, Verdict, evaluate,
    explain,
};
use cofre_types::{BucketName, ObjectKey, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A request with one header, which counts how often it is asked for it.
#[derive(Debug)]
struct Request {
    user_agent: String,
    asked: AtomicUsize,
}

impl RequestFacts for Request {
    fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        (name == "user-agent").then_some(Cow::Borrowed(self.user_agent.as_str()))
    }

    fn parameter(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }

    fn signature(&self, _: Timestamp) -> Option<Signature> {
        None
    }
}

fn anyone(user_agent: String) -> (Caller, Arc<Request>) {
    let request = Arc::new(Request { user_agent, asked: AtomicUsize::new(0) });
    (Caller { facts: Some(request.clone()), ..caller(Principal::Anonymous) }, request)
}

/// A policy that was set before values were bounded: the worst that can stand in a catalog.
fn stored(statement: &Value) -> BucketAccess {
    let document = json!({"Version": "2012-10-17", "Statement": statement}).to_string();
    let policy = Policy::stored(&document, PolicyKind::Bucket("bucket")).unwrap_or_else(|error| panic!("{error}"));
    BucketAccess { policy: Some(policy), ..BucketAccess::private(ANN) }
}

fn with_question<T>(
    access: &BucketAccess,
    caller: &Caller,
    key: &str,
    details: Details<'_>,
    ask: impl FnOnce(&Question<'_>) -> T,
) -> T {
    let (bucket, key) = (BucketName::parse("bucket").unwrap(), ObjectKey::parse(key).unwrap());
    let resource = Resource::Object { bucket: &bucket, access, key: &key, object: None };
    ask(&Question { caller, action: Action::GetObject, resource, details, now: Timestamp::from_secs(1) })
}

fn decide(access: &BucketAccess, caller: &Caller) -> (Decision, Rule, u64) {
    with_question(access, caller, "k", Details::default(), |question| {
        let explained = explain(question);
        assert_eq!(evaluate(question), explained.decision);
        (explained.decision, explained.rule, explained.steps)
    })
}

fn allow(resource: &str, condition: Value) -> Value {
    json!({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": resource, "Condition": condition})
}

/// A resource that a header of 60 KB was made gigabytes of, and a wildcard that cost the product of two lengths.
#[test]
fn the_inputs_that_ended_the_process_cost_little() {
    let variables = allow(&format!("arn:aws:s3:::bucket/{}", "${aws:UserAgent}".repeat(1190)), json!({}));
    let stars = json!({"StringLike": {"aws:UserAgent": format!("{}b", "*a".repeat(5000))}});
    let stars = allow("arn:aws:s3:::bucket/*", stars);
    for statement in [variables, stars] {
        let access = stored(&statement);
        for (bytes, decision) in [(60_000, Decision::Deny), (10_000, Decision::Deny), (8_000, Decision::Default)] {
            let (caller, request) = anyone("a".repeat(bytes));
            let (decided, _, steps) = decide(&access, &caller);
            assert_eq!(decided, decision, "{bytes} bytes");
            assert!(steps <= 100_000, "{steps} steps for {bytes} bytes");
            assert!(request.asked.load(Ordering::Relaxed) <= 3, "a header is read once a decision");
        }
    }
}

#[test]
fn a_value_that_is_too_long_is_denied_and_never_compared() {
    let access = stored(&allow("arn:aws:s3:::bucket/*", json!({"StringLike": {"aws:UserAgent": "*"}})));
    let of = |bytes| decide(&access, &anyone("a".repeat(bytes)).0);
    assert_eq!(of(SUBJECT_BYTES_MAX).0, Decision::Allow);
    let (decision, rule, _) = of(SUBJECT_BYTES_MAX + 1);
    assert_eq!((decision, rule), (Decision::Deny, Rule::Overrun(cofre_iam::Overrun::Subject)));
    let (owner, _) = anyone(String::new());
    assert_eq!(decide(&access, &owner).0, Decision::Default, "without the header nothing is long");
}

/// Many statements, many values and long ones: what is too much ends in a denial, also for the bucket's owner,
/// who can still replace the policy.
#[test]
fn a_decision_ends_in_a_denial_where_it_costs_too_much() {
    let statement = |i: usize| {
        let condition = json!({"StringLike": {"aws:UserAgent": format!("*{i}?x")}});
        json!({"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::bucket/*",
            "Condition": condition})
    };
    let access = stored(&(0..130).map(statement).collect::<Value>());
    let (caller, _) = anyone("y".repeat(SUBJECT_BYTES_MAX));
    let (decision, rule, steps) = decide(&access, &caller);
    assert_eq!((decision, rule), (Decision::Deny, Rule::Overrun(cofre_iam::Overrun::Steps)));
    assert!(steps <= DECISION_STEPS_MAX, "{steps}");
    let owner = crate::evaluate::account(ANN, false);
    let owner = Caller { facts: caller.facts, ..owner };
    assert_eq!(decide(&access, &owner).0, Decision::Deny);
    let bucket = BucketName::parse("bucket").unwrap();
    let resource = Resource::Bucket { bucket: &bucket, access: &access };
    let put = |action| {
        let (details, now) = (Details::default(), Timestamp::from_secs(1));
        evaluate(&Question { caller: &owner, action, resource, details, now })
    };
    assert_eq!(put(Action::PutBucketPolicy), Decision::Allow);
    assert_eq!(put(Action::DeleteBucketPolicy), Decision::Allow);
}

/// The whole document in one condition, in one list of resources, in one list of principals.
#[test]
fn lists_in_a_policy_are_bounded_by_the_document() {
    let values: Vec<String> = (0..1000).map(|i| format!("*{i}*")).collect();
    let (caller, _) = anyone("agent".to_owned());
    let conditions = allow("arn:aws:s3:::bucket/*", json!({"StringLike": {"aws:UserAgent": values}}));
    let resources: Vec<String> = (0..600).map(|i| format!("arn:aws:s3:::bucket/*{i}")).collect();
    let resources = json!({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": resources});
    let accounts: Vec<String> = (0..1000).map(|i| format!("{i:012}")).collect();
    let principals = json!({"Effect": "Allow", "Principal": {"AWS": accounts}, "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::bucket/*"});
    for statement in [conditions, resources, principals] {
        let (decision, _, steps) = decide(&stored(&statement), &caller);
        assert_eq!(decision, Decision::Default);
        assert!(steps < 200_000, "{steps}");
    }
}

/// A request about many keys: what does not look at the key is found out once, and all keys draw on one
/// budget.
#[test]
fn many_keys_share_what_they_have_in_common() {
    let access = stored(&json!([
        allow("arn:aws:s3:::bucket/a*", json!({"StringLike": {"aws:UserAgent": "agent*"}})),
        {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*",
         "Condition": {"StringEquals": {"s3:VersionId": "null"}}},
    ]));
    let (caller, request) = anyone("agent/1".to_owned());
    let memo = DecisionMemo::new();
    let may = |key: &str, version| {
        let details = Details { memo: Some(&memo), version, ..Details::default() };
        with_question(&access, &caller, key, details, evaluate)
    };
    for i in 0..1000 {
        assert_eq!(may(&format!("a{i}"), None), Decision::Allow);
        assert_eq!(may(&format!("b{i}"), None), Decision::Default);
    }
    assert_eq!(may("a", Some(cofre_types::VersionId::Null)), Decision::Deny, "what looks at the key is asked anew");
    assert_eq!(request.asked.load(Ordering::Relaxed), 1);

    let costly: Vec<String> = (0..600).map(|i| format!("arn:aws:s3:::bucket/*{i}?x*")).collect();
    let costly = stored(&json!({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": costly}));
    let (memo, key) = (DecisionMemo::new(), "y".repeat(1000));
    let denied = (0..1000).position(|_| {
        let details = Details { memo: Some(&memo), ..Details::default() };
        with_question(&costly, &caller, &key, details, evaluate) == Decision::Deny
    });
    let whole = usize::try_from(BATCH_STEPS_MAX / 500_000).unwrap();
    assert!(denied.is_some_and(|at| (1..=whole).contains(&at)), "{denied:?}");
}

/// `*`, `?` and letters by the definition, character by character.
fn reference(pattern: &[char], text: &[char]) -> bool {
    let mut row = vec![false; text.len() + 1];
    row[0] = true;
    for own in pattern {
        let mut next = vec![false; text.len() + 1];
        for at in 0..=text.len() {
            next[at] = match own {
                '*' => row[at] || at > 0 && next[at - 1],
                '?' => at > 0 && row[at - 1],
                own => at > 0 && row[at - 1] && text[at - 1] == *own,
            };
        }
        row = next;
    }
    row[text.len()]
}

fn matches(operator: &str, pattern: &str, text: &str) -> bool {
    let condition = json!({operator: {"aws:key": pattern}});
    let policy = policy(json!({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::bucket/*", "Condition": condition}));
    asks(&policy, None, Action::GetObject, "bucket/k", &Keys::of(&[("aws:key", text)])) == Verdict::Allow
}

/// Patterns of few letters and texts of the same ones, so that they often nearly fit.
fn near() -> impl Strategy<Value = (String, String)> {
    let pattern = prop_oneof![
        3 => proptest::collection::vec(prop_oneof![Just('a'), Just('b'), Just('é'), Just('*'), Just('?')], 0..14),
        1 => proptest::collection::vec(prop_oneof![4 => Just('a'), 4 => Just('?'), 1 => Just('*'), 1 => Just('€')], 60..180),
    ];
    pattern.prop_flat_map(|pattern| {
        let piece = |c: &char| match c {
            '*' => "[abé€]{0,6}".prop_map(String::from).boxed(),
            '?' => "[abé€]".prop_map(String::from).boxed(),
            c => prop_oneof![30 => Just(c.to_string()), 1 => "[abé€]{0,2}".prop_map(String::from)].boxed(),
        };
        let text = pattern.iter().map(piece).collect::<Vec<_>>().prop_map(|pieces| pieces.concat());
        (Just(pattern.into_iter().collect::<String>()), prop_oneof![4 => text, 1 => "[abé€]{0,20}"])
    })
}

proptest! {
    #[test]
    fn matching_is_what_the_definition_says((pattern, text) in near()) {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        let expected = reference(&chars(&pattern), &chars(&text));
        prop_assert_eq!(matches("StringLike", &pattern, &text), expected);
        let (name, own) = (format!("arn:aws:s3:::{text}"), format!("arn:aws:s3:::{pattern}"));
        prop_assert_eq!(matches("ArnLike", &own, &name), expected);
    }

    #[test]
    fn a_variable_in_any_place_is_its_value((pattern, text) in near(), cut in any::<prop::sample::Index>()) {
        // The letters between two wildcards come from a variable.
        let at = pattern.char_indices().map(|(at, _)| at).collect::<Vec<_>>();
        prop_assume!(!at.is_empty());
        let start = at[cut.index(at.len())];
        let value: String = pattern[start..].chars().take_while(|c| !"*?".contains(*c)).collect();
        let with = format!("{}${{aws:value}}{}", &pattern[..start], &pattern[start + value.len()..]);
        let condition = json!({"StringLike": {"aws:key": with}});
        let policy = policy(json!({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::bucket/*", "Condition": condition}));
        let keys = Keys(vec![("aws:key", vec![text.clone()]), ("aws:value", vec![value])]);
        let fits = asks(&policy, None, Action::GetObject, "bucket/k", &keys) == Verdict::Allow;
        prop_assert_eq!(fits, matches("StringLike", &pattern, &text));
    }

    #[test]
    fn letters_without_their_case_are_the_same(text in "[a-zA-ZäÄéÉßſK]{0,12}") {
        prop_assert!(matches("StringEqualsIgnoreCase", &text.to_lowercase(), &text) || text.contains('İ'));
        let longer = format!("{text}a");
        prop_assert!(!matches("StringEqualsIgnoreCase", &longer, &text));
        prop_assert!(!matches("StringEqualsIgnoreCase", &text, &longer));
    }

    /// Each byte of both texts is looked at a few times at the most, and for a `?` once for each 64 bytes.
    #[test]
    fn steps_are_bounded_by_the_lengths(
        unit in "[ab*?]{1,6}", times in 1_usize..800, text in "[ab]{1,3}", copies in 1_usize..2000,
    ) {
        let (pattern, text) = (unit.repeat(times), text.repeat(copies));
        let access = stored(&allow("arn:aws:s3:::bucket/*", json!({"StringLike": {"aws:UserAgent": pattern}})));
        let (decision, _, steps) = decide(&access, &anyone(text.clone()).0);
        prop_assert_ne!(decision, Decision::Deny);
        let both = pattern.len() + text.len();
        let bound = 200 + 8 * both + both * pattern.len() / 32;
        prop_assert!(steps <= bound as u64, "{} steps for {} and {} bytes", steps, pattern.len(), text.len());
    }
}
