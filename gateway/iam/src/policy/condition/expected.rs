use super::address::Network;
use crate::policy::date;
use crate::policy::parse::Keys;
use crate::policy::pattern::{ArnPattern, Case, Pattern, Syntax};
use crate::policy::scope::{KeyIndex, Scope};
use crate::policy::steps::Overrun;
use base64::{Engine, prelude::BASE64_STANDARD};
use std::net::IpAddr;

/// What kind of values an operator compares, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::policy) enum Shape {
    Text(Case),
    Like,
    Number(Order),
    Date(Order),
    Bool,
    Binary,
    Address,
    Arn,
    Null,
}

/// How the request's value stands to the policy's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::policy) enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    fn holds<T: PartialOrd>(self, given: &T, own: &T) -> bool {
        match self {
            Self::Equal => given == own,
            Self::Less => given < own,
            Self::LessOrEqual => given <= own,
            Self::Greater => given > own,
            Self::GreaterOrEqual => given >= own,
        }
    }
}

/// The values of a condition, of which one must fit.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::policy) enum Expected {
    /// Texts, whole or with wildcards.
    Text(Case, Vec<Pattern>),
    /// Numbers.
    Number(Order, Vec<f64>),
    /// Nanoseconds since 1970.
    Date(Order, Vec<i128>),
    /// Truth values.
    Bool(Vec<bool>),
    /// Bytes.
    Binary(Vec<Vec<u8>>),
    /// Addresses.
    Address(Vec<Network>),
    /// Amazon resource names.
    Arn(Vec<ArnPattern>),
    /// Whether the key is absent.
    Null(Vec<bool>),
}

impl Expected {
    pub(super) fn parse(shape: Shape, values: &[&str], variables: bool, keys: &mut Keys) -> Result<Self, &'static str> {
        let mut patterns = |wildcards| {
            let syntax = Syntax { wildcards, variables };
            values.iter().map(|text| Pattern::parse(text, syntax, keys)).collect::<Result<Vec<_>, _>>()
        };
        Ok(match shape {
            Shape::Text(case) => Self::Text(case, patterns(false)?),
            Shape::Like => Self::Text(Case::Kept, patterns(true)?),
            Shape::Arn => {
                let syntax = Syntax { wildcards: true, variables };
                let patterns = values.iter().map(|text| ArnPattern::parse(text, syntax, keys));
                Self::Arn(patterns.collect::<Result<_, _>>()?)
            }
            Shape::Number(order) => Self::Number(order, all(values, number, "a value is no number")?),
            Shape::Date(order) => Self::Date(order, all(values, date::parse, "a value is no ISO 8601 date")?),
            Shape::Bool => Self::Bool(all(values, truth, "a value is neither true nor false")?),
            Shape::Binary => Self::Binary(all(values, bytes, "a value is no base64")?),
            Shape::Address => Self::Address(all(values, Network::parse, "a value is no IP address or CIDR range")?),
            Shape::Null => Self::Null(all(values, truth, "a value is neither true nor false")?),
        })
    }

    /// Whether one of the values fits what a request has. What cannot be read as the operator wants fits
    /// none.
    pub(super) fn fits(&self, given: &str, scope: &Scope<'_>) -> Result<bool, Overrun> {
        // What is read is read once, and then held against each value.
        scope.take(given.len() + self.count())?;
        Ok(match self {
            Self::Text(case, own) => return some(own, |own| own.matches_in(given, *case, scope)),
            Self::Arn(own) => return some(own, |own| own.matches(given, scope)),
            Self::Number(order, own) => any(number(given), own, |given, own| order.holds(given, own)),
            Self::Date(order, own) => any(date::parse(given), own, |given, own| order.holds(given, own)),
            Self::Bool(own) => any(truth(given), own, PartialEq::eq),
            Self::Binary(own) => any(bytes(given), own, PartialEq::eq),
            Self::Address(own) => any(given.parse::<IpAddr>().ok(), own, |given, own| own.holds(given.to_canonical())),
            Self::Null(_) => false,
        })
    }

    fn count(&self) -> usize {
        match self {
            Self::Text(_, own) => own.len(),
            Self::Arn(own) => own.len(),
            Self::Number(_, own) => own.len(),
            Self::Date(_, own) => own.len(),
            Self::Bool(own) | Self::Null(own) => own.len(),
            Self::Binary(own) => own.iter().map(Vec::len).sum(),
            Self::Address(own) => own.len(),
        }
    }

    /// The variables in its values.
    pub(in crate::policy) fn variables(&self) -> impl Iterator<Item = KeyIndex> {
        let (texts, names): (&[Pattern], &[ArnPattern]) = match self {
            Self::Text(_, own) => (own, &[]),
            Self::Arn(own) => (&[], own),
            _ => (&[], &[]),
        };
        texts.iter().chain(names.iter().flat_map(ArnPattern::patterns)).flat_map(Pattern::variables)
    }
}

/// Whether one of the values fits.
fn some<T>(own: &[T], mut fits: impl FnMut(&T) -> Result<bool, Overrun>) -> Result<bool, Overrun> {
    for own in own {
        if fits(own)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn all<T>(values: &[&str], parse: impl Fn(&str) -> Option<T>, wrong: &'static str) -> Result<Vec<T>, &'static str> {
    values.iter().map(|text| parse(text).ok_or(wrong)).collect()
}

fn any<T, U>(given: Option<T>, own: &[U], fits: impl Fn(&T, &U) -> bool) -> bool {
    given.is_some_and(|given| own.iter().any(|own| fits(&given, own)))
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

fn truth(text: &str) -> Option<bool> {
    match text {
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(text).ok()
}
