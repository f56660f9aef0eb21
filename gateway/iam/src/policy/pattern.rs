//! Texts with wildcards and variables.
//!
//! # Invariants
//! A match costs at most the lengths of both texts, and for a segment with `?` the length of the text for each 64
//! bytes of the segment. What does not fit into the text is found out before anything is compared, so
//! nothing longer than the text is ever made.

use super::ConditionKey;
use super::arn::ARN_PARTS;
use super::parse::Keys;
use super::scope::{KeyIndex, Scope};
use super::search;
use super::steps::Overrun;
use memchr::memmem;

/// A text that others are held against.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pattern {
    /// All that stands for itself, one after the other.
    text: Box<str>,
    tokens: Box<[Token]>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Token {
    /// What stands for itself.
    Text(Span),
    /// So many `?`: each any one character.
    Ones(u16),
    /// `*`: any characters, or none.
    Many,
    /// `${key}` or `${key, 'default'}`.
    Variable(KeyIndex, Option<Span>),
}

/// A part of the pattern's text.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Span {
    start: u16,
    bytes: u16,
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
    pub(super) fn parse(text: &str, syntax: Syntax, keys: &mut Keys) -> Result<Self, &'static str> {
        let mut made = Builder::default();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if syntax.variables && rest.starts_with("${") {
                let end = end_of_variable(rest).ok_or("a policy variable has no end")?;
                match variable(&rest[2..end])? {
                    Inside::Char(c) => made.char(c)?,
                    Inside::Variable(key, default) => made.variable(keys.index(key)?, default)?,
                }
                rest = &rest[end + 1..];
                continue;
            }
            match c {
                '*' if syntax.wildcards => made.stars = true,
                '?' if syntax.wildcards => made.ones += 1,
                c => made.char(c)?,
            }
            rest = &rest[c.len_utf8()..];
        }
        made.flush();
        Ok(Self { text: made.text.into(), tokens: made.tokens.into() })
    }

    /// Whether it stands for one text only, whatever the request.
    pub(super) fn is_fixed(&self) -> bool {
        self.tokens.iter().all(|token| matches!(token, Token::Text(_)))
    }

    /// The variables in it.
    pub(super) fn variables(&self) -> impl Iterator<Item = KeyIndex> {
        self.tokens.iter().filter_map(|token| match token {
            Token::Variable(key, _) => Some(*key),
            Token::Text(_) | Token::Ones(_) | Token::Many => None,
        })
    }

    /// Whether a text fits. A variable without a value fits nothing.
    pub(super) fn matches(&self, text: &str, scope: &Scope<'_>) -> Result<bool, Overrun> {
        if !self.has_room(text.len(), scope)? {
            return Ok(false);
        }
        let mut segments = self.tokens.split(|token| *token == Token::Many);
        let first = segments.next().unwrap_or_default();
        let Some(mut rest) = self.after(first, text, scope)? else { return Ok(false) };
        let Some(last) = segments.next_back() else { return Ok(rest.is_empty()) };
        match self.before(last, rest, scope)? {
            Some(middle) => rest = middle,
            None => return Ok(false),
        }
        for segment in segments {
            match self.behind(segment, rest, scope)? {
                Some(behind) => rest = behind,
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Whether a text fits one without wildcards, by `case`.
    pub(super) fn matches_in(&self, text: &str, case: Case, scope: &Scope<'_>) -> Result<bool, Overrun> {
        if case == Case::Kept {
            return self.matches(text, scope);
        }
        let mut rest = text.chars();
        for token in &self.tokens {
            let Some(piece) = self.piece(*token, scope)? else { return Ok(false) };
            scope.take(1 + piece.len().min(rest.as_str().len()))?;
            let same = |own: char| rest.next().is_some_and(|c| own == c || own.to_lowercase().eq(c.to_lowercase()));
            if !piece.chars().all(same) {
                return Ok(false);
            }
        }
        Ok(rest.as_str().is_empty())
    }

    /// Whether what must stand in a text of so many bytes fits into it, and every variable has a value.
    fn has_room(&self, bytes: usize, scope: &Scope<'_>) -> Result<bool, Overrun> {
        let mut needed = 0;
        for (index, token) in self.tokens.iter().enumerate() {
            let least = match *token {
                Token::Many => Some(0),
                Token::Ones(count) => Some(usize::from(count)),
                token => self.piece(token, scope)?.map(str::len),
            };
            needed += least.unwrap_or(usize::MAX - needed);
            if needed > bytes {
                scope.take(1 + index)?;
                return Ok(false);
            }
        }
        scope.take(1 + self.tokens.len())?;
        Ok(true)
    }

    /// What a token stands for; none for a wildcard and for a variable without a value.
    fn piece<'s>(&'s self, token: Token, scope: &'s Scope<'_>) -> Result<Option<&'s str>, Overrun> {
        Ok(match token {
            Token::Text(span) => Some(self.span(span)),
            Token::Variable(key, default) => scope.variable(key)?.or(default.map(|span| self.span(span))),
            Token::Ones(_) | Token::Many => None,
        })
    }

    fn span(&self, span: Span) -> &str {
        let start = usize::from(span.start);
        self.text.get(start..start + usize::from(span.bytes)).unwrap_or_default()
    }

    /// The text after a segment at its start.
    fn after<'t>(&self, segment: &[Token], text: &'t str, scope: &Scope<'_>) -> Result<Option<&'t str>, Overrun> {
        let mut rest = text;
        for token in segment {
            let after = match *token {
                Token::Ones(count) => skip(rest, count).map(|at| &rest[at..]),
                token => self.piece(token, scope)?.and_then(|piece| rest.strip_prefix(piece)),
            };
            let Some(after) = after else { return Ok(None) };
            scope.take(rest.len() - after.len())?;
            rest = after;
        }
        Ok(Some(rest))
    }

    /// The text before a segment at its end.
    fn before<'t>(&self, segment: &[Token], text: &'t str, scope: &Scope<'_>) -> Result<Option<&'t str>, Overrun> {
        let mut rest = text;
        for token in segment.iter().rev() {
            let before = match *token {
                Token::Ones(count) => skip_back(rest, count).map(|at| &rest[..at]),
                token => self.piece(token, scope)?.and_then(|piece| rest.strip_suffix(piece)),
            };
            let Some(before) = before else { return Ok(None) };
            scope.take(rest.len() - before.len())?;
            rest = before;
        }
        Ok(Some(rest))
    }

    /// The text behind the first place where a segment stands in it.
    fn behind<'t>(&self, segment: &[Token], text: &'t str, scope: &Scope<'_>) -> Result<Option<&'t str>, Overrun> {
        let mut needle = String::new();
        let end = match *segment {
            [] => Some(0),
            [Token::Ones(count)] => skip(text, count),
            [Token::Text(span)] => find(text, self.span(span), scope)?,
            // No longer than the whole text, which has room for the pattern.
            _ if !segment.iter().any(|token| matches!(token, Token::Ones(_))) => {
                for token in segment {
                    needle.push_str(self.piece(*token, scope)?.unwrap_or_default());
                }
                find(text, &needle, scope)?
            }
            _ => {
                let mut needle = Vec::new();
                for token in segment {
                    match *token {
                        Token::Ones(count) => needle.resize(needle.len() + usize::from(count), None),
                        token => {
                            needle.extend(self.piece(token, scope)?.unwrap_or_default().bytes().map(Some));
                        }
                    }
                }
                search::end_of(&needle, text, |steps| scope.take(steps))?
            }
        };
        Ok(end.and_then(|end| text.get(end..)))
    }
}

/// Where the first place ends at which a text has another.
fn find(text: &str, needle: &str, scope: &Scope<'_>) -> Result<Option<usize>, Overrun> {
    let found = memmem::find(text.as_bytes(), needle.as_bytes()).map(|at| at + needle.len());
    scope.take(found.unwrap_or(text.len()) + needle.len())?;
    Ok(found)
}

/// Where so many characters end.
fn skip(text: &str, count: u16) -> Option<usize> {
    let mut chars = text.chars();
    let has = (0..count).all(|_| chars.next().is_some());
    has.then(|| text.len() - chars.as_str().len())
}

/// Where so many characters at the end begin.
fn skip_back(text: &str, count: u16) -> Option<usize> {
    let mut chars = text.chars();
    let has = (0..count).all(|_| chars.next_back().is_some());
    has.then_some(chars.as_str().len())
}

/// A pattern of an Amazon resource name.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum ArnPattern {
    /// Of fewer parts than a name has, so it is held against all of it.
    Whole(Pattern),
    /// Part by part, so that no wildcard reaches past a colon but in the last one (AWS, "Amazon Resource
    /// Name (ARN) condition operators").
    Parts(Box<[Pattern]>),
}

impl ArnPattern {
    pub(super) fn parse(text: &str, syntax: Syntax, keys: &mut Keys) -> Result<Self, &'static str> {
        let parts = parts(text, syntax.variables)?;
        if parts.len() < ARN_PARTS {
            return Pattern::parse(text, syntax, keys).map(Self::Whole);
        }
        let parts = parts.into_iter().map(|part| Pattern::parse(part, syntax, keys));
        parts.collect::<Result<_, _>>().map(Self::Parts)
    }

    pub(super) fn matches(&self, arn: &str, scope: &Scope<'_>) -> Result<bool, Overrun> {
        let parts = match self {
            Self::Whole(pattern) => return pattern.matches(arn, scope),
            Self::Parts(parts) => parts,
        };
        scope.take(arn.len())?;
        if arn.splitn(ARN_PARTS, ':').count() < ARN_PARTS {
            return Ok(false);
        }
        for (part, given) in parts.iter().zip(arn.splitn(ARN_PARTS, ':')) {
            if !part.matches(given, scope)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The patterns in it.
    pub(super) fn patterns(&self) -> &[Pattern] {
        match self {
            Self::Whole(pattern) => std::slice::from_ref(pattern),
            Self::Parts(parts) => parts,
        }
    }
}

/// A text cut at its first colons that stand in no variable, into as many parts as a name has at most.
fn parts(text: &str, variables: bool) -> Result<Vec<&str>, &'static str> {
    let mut parts = Vec::with_capacity(ARN_PARTS);
    let (mut start, mut at) = (0, 0);
    while let Some(c) = text[at..].chars().next() {
        if variables && text[at..].starts_with("${") {
            at += end_of_variable(&text[at..]).ok_or("a policy variable has no end")? + 1;
            continue;
        }
        if c == ':' && parts.len() + 1 < ARN_PARTS {
            parts.push(&text[start..at]);
            start = at + 1;
        }
        at += c.len_utf8();
    }
    parts.push(&text[start..]);
    Ok(parts)
}

/// A pattern as it is read. Wildcards that stand beside each other are kept as their `?` and then one star, which fit
/// the same texts.
#[derive(Default)]
struct Builder {
    text: String,
    tokens: Vec<Token>,
    ones: u16,
    stars: bool,
}

impl Builder {
    fn char(&mut self, c: char) -> Result<(), &'static str> {
        self.flush();
        let start = self.text.len();
        self.text.push(c);
        let added = self.span_from(start)?;
        match self.tokens.last_mut() {
            Some(Token::Text(span)) if usize::from(span.start + span.bytes) == start => span.bytes += added.bytes,
            _ => self.tokens.push(Token::Text(added)),
        }
        Ok(())
    }

    fn variable(&mut self, key: KeyIndex, default: Option<&str>) -> Result<(), &'static str> {
        self.flush();
        let start = self.text.len();
        self.text.push_str(default.unwrap_or_default());
        let span = self.span_from(start)?;
        self.tokens.push(Token::Variable(key, default.map(|_| span)));
        Ok(())
    }

    fn span_from(&self, start: usize) -> Result<Span, &'static str> {
        let span = |start, bytes| Some(Span { start: u16::try_from(start).ok()?, bytes: u16::try_from(bytes).ok()? });
        span(start, self.text.len() - start).ok_or("a value is too long")
    }

    /// Closes a run of wildcards.
    fn flush(&mut self) {
        match std::mem::take(&mut self.ones) {
            0 => {}
            ones => self.tokens.push(Token::Ones(ones)),
        }
        if std::mem::take(&mut self.stars) {
            self.tokens.push(Token::Many);
        }
    }
}

/// What stands between the braces of a variable.
enum Inside<'a> {
    /// A character that would mean something else.
    Char(char),
    Variable(ConditionKey, Option<&'a str>),
}

/// Where the brace that ends a variable stands. One in a quoted default does not end it.
fn end_of_variable(text: &str) -> Option<usize> {
    let mut quoted = false;
    text.char_indices().find_map(|(at, c)| {
        quoted ^= c == '\'';
        (c == '}' && !quoted).then_some(at)
    })
}

/// What stands between the braces (AWS, "IAM policy elements: Variables and tags").
fn variable(inside: &str) -> Result<Inside<'_>, &'static str> {
    if let "*" | "?" | "$" = inside {
        return Ok(Inside::Char(inside.chars().next().unwrap_or('$')));
    }
    let (name, default) = match inside.split_once(',') {
        None => (inside, None),
        Some((name, default)) => {
            let default = default.trim().strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
            (name, Some(default.ok_or("the default of a policy variable stands in single quotes")?))
        }
    };
    let key = ConditionKey::parse(name.trim()).ok_or("a policy variable names a condition key, as ${aws:username}")?;
    Ok(Inside::Variable(key, default))
}
