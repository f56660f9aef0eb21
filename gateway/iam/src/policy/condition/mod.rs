//! Conditions (IAM User Guide, "IAM JSON policy elements: Condition operators" and "Set operators for
//! multi-valued context keys").

mod address;
mod expected;
mod key;

pub use key::{ConditionKey, NAMED_KEY};

use super::json::Json;
use super::parse::Keys;
use super::pattern::Case;
use super::scope::{KeyIndex, Scope};
use super::steps::Overrun;
use expected::{Order, Shape};
use std::borrow::Cow;

pub(super) use expected::Expected;

/// One key, held against values by one operator.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Condition {
    pub key: KeyIndex,
    /// As the policy names it.
    pub operator: Box<str>,
    pub quantifier: Quantifier,
    /// `...IfExists`: holds where the request has no such key.
    pub if_exists: bool,
    /// `...Not...`: holds where no value fits.
    pub negated: bool,
    pub expected: Expected,
}

/// How the values of a key count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantifier {
    /// The key has one value.
    One,
    /// `ForAllValues`: each must hold; none is enough.
    All,
    /// `ForAnyValue`: one must hold.
    Any,
}

impl Condition {
    pub(super) fn holds(&self, scope: &Scope<'_>) -> Result<bool, Overrun> {
        scope.take(1)?;
        let values = scope.values(self.key)?;
        if let Expected::Null(absent) = &self.expected {
            scope.take(absent.len())?;
            return Ok(absent.contains(&values.is_none_or(<[_]>::is_empty)));
        }
        let values = values.unwrap_or_default();
        if values.is_empty() {
            return Ok(match self.quantifier {
                Quantifier::All => true,
                Quantifier::Any => self.if_exists,
                Quantifier::One => self.if_exists || self.negated,
            });
        }
        // A key with several values wants a set operator; without one no value may escape a negation.
        let each = match self.quantifier {
            Quantifier::All => true,
            Quantifier::Any => false,
            Quantifier::One => self.negated,
        };
        for value in values {
            if (self.expected.fits(value, scope)? != self.negated) != each {
                return Ok(!each);
            }
        }
        Ok(each)
    }

    /// The keys that it looks at.
    pub(super) fn keys(&self) -> impl Iterator<Item = KeyIndex> {
        self.expected.variables().chain([self.key])
    }
}

/// What an operator's name says.
struct Operator {
    quantifier: Quantifier,
    if_exists: bool,
    negated: bool,
    shape: Shape,
}

/// Reads the member of one operator: its keys and their values.
pub(super) fn parse(
    operator: &str,
    keys: &Json,
    variables: bool,
    known: &mut Keys,
) -> Result<Vec<Condition>, Cow<'static, str>> {
    let Operator { quantifier, if_exists, negated, shape } =
        named(operator).ok_or_else(|| format!("there is no condition operator {operator}"))?;
    let Json::Object(keys) = keys else { return Err("must be an object of condition keys".into()) };
    if keys.is_empty() {
        return Err("names no condition key".into());
    }
    let mut conditions = Vec::with_capacity(keys.len());
    for (name, values) in keys {
        let key = ConditionKey::parse(name).ok_or_else(|| format!("{name} is no condition key"))?;
        let values = texts(values).ok_or_else(|| format!("{name} has a value that is no text, number or boolean"))?;
        let about = |reason| format!("{name}: {reason}");
        let named: Vec<_> = values.iter().map(|value| key.canonical(value, shape)).collect();
        let values: Vec<_> = named.iter().map(AsRef::as_ref).collect();
        let expected = Expected::parse(shape, &values, variables, known).map_err(about)?;
        let key = known.index(key).map_err(about)?;
        conditions.push(Condition { key, operator: operator.into(), quantifier, if_exists, negated, expected });
    }
    Ok(conditions)
}

fn named(name: &str) -> Option<Operator> {
    let (quantifier, name) = match name.split_once(':') {
        Some(("ForAllValues", name)) => (Quantifier::All, name),
        Some(("ForAnyValue", name)) => (Quantifier::Any, name),
        Some(_) => return None,
        None => (Quantifier::One, name),
    };
    let (name, if_exists) = name.strip_suffix("IfExists").map_or((name, false), |name| (name, true));
    let (shape, negated) = match name {
        "StringEquals" => (Shape::Text(Case::Kept), false),
        "StringNotEquals" => (Shape::Text(Case::Kept), true),
        "StringEqualsIgnoreCase" => (Shape::Text(Case::Folded), false),
        "StringNotEqualsIgnoreCase" => (Shape::Text(Case::Folded), true),
        "StringLike" => (Shape::Like, false),
        "StringNotLike" => (Shape::Like, true),
        "NumericEquals" => (Shape::Number(Order::Equal), false),
        "NumericNotEquals" => (Shape::Number(Order::Equal), true),
        "NumericLessThan" => (Shape::Number(Order::Less), false),
        "NumericLessThanEquals" => (Shape::Number(Order::LessOrEqual), false),
        "NumericGreaterThan" => (Shape::Number(Order::Greater), false),
        "NumericGreaterThanEquals" => (Shape::Number(Order::GreaterOrEqual), false),
        "DateEquals" => (Shape::Date(Order::Equal), false),
        "DateNotEquals" => (Shape::Date(Order::Equal), true),
        "DateLessThan" => (Shape::Date(Order::Less), false),
        "DateLessThanEquals" => (Shape::Date(Order::LessOrEqual), false),
        "DateGreaterThan" => (Shape::Date(Order::Greater), false),
        "DateGreaterThanEquals" => (Shape::Date(Order::GreaterOrEqual), false),
        "Bool" => (Shape::Bool, false),
        "BinaryEquals" => (Shape::Binary, false),
        "IpAddress" => (Shape::Address, false),
        "NotIpAddress" => (Shape::Address, true),
        "ArnEquals" | "ArnLike" => (Shape::Arn, false),
        "ArnNotEquals" | "ArnNotLike" => (Shape::Arn, true),
        // Whether a key is there is its whole question.
        "Null" if !if_exists && quantifier == Quantifier::One => (Shape::Null, false),
        _ => return None,
    };
    Some(Operator { quantifier, if_exists, negated, shape })
}

/// All values that an operator's member holds keys against.
pub(super) fn texts_of(keys: &Json) -> impl Iterator<Item = &str> {
    let keys = match keys {
        Json::Object(keys) => keys.as_slice(),
        _ => &[],
    };
    keys.iter().filter_map(|(_, values)| texts(values)).flatten()
}

fn texts(values: &Json) -> Option<Vec<&str>> {
    match values {
        Json::List(values) => values.iter().map(text).collect(),
        value => Some(vec![text(value)?]),
    }
}

fn text(value: &Json) -> Option<&str> {
    match value {
        Json::Text(text) | Json::Bare(text) => Some(text),
        _ => None,
    }
}
