//! Texts with wildcards and variables.

use super::{ConditionKey, Context};
use std::borrow::Cow;

/// A text that others are held against.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pattern(Vec<Token>);

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Char(char),
    /// `?`: any one character.
    One,
    /// `*`: any characters, or none.
    Many,
    /// `${key}` or `${key, 'default'}`.
    Variable(ConditionKey, Option<String>),
}

/// What of a text is more than itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Syntax {
    /// Whether `*` and `?` are wildcards.
    pub wildcards: bool,
    /// Whether `${...}` is a variable, as from policy version 2012-10-17 on.
    pub variables: bool,
}

/// Whether letters count with their case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Kept,
    Folded,
}

impl Pattern {
    pub(super) fn parse(text: &str, syntax: Syntax) -> Result<Self, &'static str> {
        let mut tokens = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if syntax.variables && rest.starts_with("${") {
                let end = end_of_variable(rest).ok_or("a policy variable has no end")?;
                tokens.push(variable(&rest[2..end])?);
                rest = &rest[end + 1..];
                continue;
            }
            tokens.push(match c {
                '*' if syntax.wildcards => Token::Many,
                '?' if syntax.wildcards => Token::One,
                c => Token::Char(c),
            });
            rest = &rest[c.len_utf8()..];
        }
        Ok(Self(tokens))
    }

    /// Whether it stands for one text only, whatever the request.
    pub(super) fn is_fixed(&self) -> bool {
        self.0.iter().all(|token| matches!(token, Token::Char(_)))
    }

    pub(super) fn matches(&self, text: &str, context: &dyn Context) -> bool {
        self.matches_in(text, context, Case::Kept)
    }

    pub(super) fn matches_in(&self, text: &str, context: &dyn Context, case: Case) -> bool {
        self.resolve(context).is_some_and(|tokens| fits(&tokens, text, case))
    }

    /// Matches each of the parts between colons with its own part of an ARN, so that no wildcard
    /// reaches past a colon but in the last one (AWS, "Amazon Resource Name (ARN) condition operators").
    pub(super) fn matches_arn(&self, arn: &str, context: &dyn Context) -> bool {
        let mut parts = self.0.splitn(ARN_PARTS, |token| *token == Token::Char(':')).map(<[_]>::to_vec);
        let parts: Vec<_> = parts.by_ref().map(Self).collect();
        if parts.len() < ARN_PARTS {
            return self.matches(arn, context);
        }
        let given: Vec<&str> = arn.splitn(ARN_PARTS, ':').collect();
        given.len() == ARN_PARTS && parts.iter().zip(given).all(|(part, given)| part.matches(given, context))
    }

    /// The tokens with the values of variables; none if a variable has no value.
    fn resolve(&self, context: &dyn Context) -> Option<Cow<'_, [Token]>> {
        if !self.0.iter().any(|token| matches!(token, Token::Variable(..))) {
            return Some(Cow::Borrowed(&self.0));
        }
        let mut resolved = Vec::with_capacity(self.0.len());
        for token in &self.0 {
            match token {
                Token::Variable(key, default) => {
                    let value = context.variable(key).or(default.as_deref().map(Cow::Borrowed))?;
                    resolved.extend(value.chars().map(Token::Char));
                }
                token => resolved.push(token.clone()),
            }
        }
        Some(Cow::Owned(resolved))
    }
}

/// Parts of an ARN: `arn:partition:service:region:account:resource`.
const ARN_PARTS: usize = 6;

/// Where the brace that ends a variable stands. One in a quoted default does not end it.
fn end_of_variable(text: &str) -> Option<usize> {
    let mut quoted = false;
    text.char_indices().find_map(|(at, c)| {
        quoted ^= c == '\'';
        (c == '}' && !quoted).then_some(at)
    })
}

/// What stands between the braces (AWS, "IAM policy elements: Variables and tags").
fn variable(inside: &str) -> Result<Token, &'static str> {
    // Characters that would mean something else.
    if let "*" | "?" | "$" = inside {
        return Ok(Token::Char(inside.chars().next().unwrap_or('$')));
    }
    let (name, default) = match inside.split_once(',') {
        None => (inside, None),
        Some((name, default)) => {
            let default = default.trim().strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
            (name, Some(default.ok_or("the default of a policy variable stands in single quotes")?.to_owned()))
        }
    };
    let key = ConditionKey::parse(name.trim()).ok_or("a policy variable names a condition key, as ${aws:username}")?;
    Ok(Token::Variable(key, default))
}

/// Whether a text fits tokens without variables. A star that was passed is returned to at the most once
/// for each character, so the time is at most the product of the lengths.
fn fits(tokens: &[Token], text: &str, case: Case) -> bool {
    let mut at = 0;
    let mut rest = text.chars();
    let mut star = None;
    loop {
        match tokens.get(at) {
            Some(Token::Many) => {
                at += 1;
                star = Some((at, rest.clone()));
                continue;
            }
            Some(token) => {
                let mut ahead = rest.clone();
                if ahead.next().is_some_and(|c| accepts(token, c, case)) {
                    at += 1;
                    rest = ahead;
                    continue;
                }
            }
            None if rest.as_str().is_empty() => return true,
            None => {}
        }
        let Some((after, from)) = &mut star else { return false };
        if from.next().is_none() {
            return false;
        }
        at = *after;
        rest = from.clone();
    }
}

fn accepts(token: &Token, c: char, case: Case) -> bool {
    match token {
        Token::Char(own) => *own == c || (case == Case::Folded && own.to_lowercase().eq(c.to_lowercase())),
        Token::One => true,
        Token::Many | Token::Variable(..) => false,
    }
}
