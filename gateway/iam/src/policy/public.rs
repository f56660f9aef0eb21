//! Whether a statement lets the public in (AWS, "Blocking public access to your Amazon S3 storage",
//! "The meaning of public"): it allows something to everyone, and no condition holds it to fixed values
//! of a key that says who or from where.

use super::condition::{Condition, Expected, Quantifier};
use super::pattern::{ArnPattern, Pattern};
use super::principal::Who;
use super::{ConditionKey, Effect, Statement};

/// Keys whose fixed values make a set of requesters that is known.
const LIMITING: [&str; 16] = [
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceip",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:userid",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
];

pub(super) fn is_public(statement: &Statement, keys: &[ConditionKey]) -> bool {
    let for_everyone = statement
        .principals
        .as_ref()
        .is_some_and(|principals| principals.negated || principals.who.contains(&Who::Everyone));
    statement.effect == Effect::Allow
        && for_everyone
        && !statement.of_request.iter().chain(&statement.of_objects).any(|condition| limits(condition, keys))
}

/// Whether a condition can hold only for requesters that it names.
fn limits(condition: &Condition, keys: &[ConditionKey]) -> bool {
    // These also hold where the key is absent, so they keep nobody out.
    let vacuous = condition.if_exists || condition.negated || condition.quantifier == Quantifier::All;
    let name = keys.get(usize::from(condition.key)).map(ConditionKey::name);
    if vacuous || !name.is_some_and(|name| LIMITING.contains(&name)) {
        return false;
    }
    match &condition.expected {
        Expected::Text(_, own) => own.iter().all(Pattern::is_fixed),
        Expected::Arn(own) => own.iter().flat_map(ArnPattern::patterns).all(Pattern::is_fixed),
        Expected::Address(own) => !own.iter().any(|own| own.is_broad()),
        _ => false,
    }
}
