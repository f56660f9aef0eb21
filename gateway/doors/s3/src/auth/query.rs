//! The parameters of an address.

use percent_encoding::percent_decode;
use std::borrow::Cow;

/// Name and value of a parameter.
type Pair<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

/// Parameters, decoded, in their order.
#[derive(Debug, Default)]
pub(crate) struct Query<'a>(Vec<Pair<'a>>);

impl<'a> Query<'a> {
    /// Takes a query string apart. A parameter without `=` has an empty value.
    pub(crate) fn parse(query: &'a str) -> Self {
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decode(name), decode(value))
                })
                .collect(),
        )
    }

    /// Names and values.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// Whether there is a parameter of this name, in any case.
    pub(crate) fn has(&self, wanted: &str) -> bool {
        self.pairs().any(|(name, _)| name.eq_ignore_ascii_case(wanted.as_bytes()))
    }

    /// The value of a parameter that is there once, and is text.
    pub(crate) fn single(&self, wanted: &str) -> Option<&str> {
        let mut values = self.pairs().filter(|(name, _)| *name == wanted.as_bytes());
        let (_, value) = values.next()?;
        if values.next().is_some() { None } else { std::str::from_utf8(value).ok() }
    }
}

/// Decodes a part of a query string: `+` is a space.
fn decode(text: &str) -> Cow<'_, [u8]> {
    if text.contains('+') {
        let spaced = text.replace('+', " ");
        return Cow::Owned(percent_decode(spaced.as_bytes()).collect());
    }
    percent_decode(text.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_a_query_apart() {
        let query = Query::parse("a=1&&b&c=%26+%ff&a=2&D=x");
        let pairs: Vec<_> = query.pairs().collect();
        assert_eq!(pairs[0], (&b"a"[..], &b"1"[..]));
        assert_eq!(pairs[1], (&b"b"[..], &b""[..]));
        assert_eq!(pairs[2], (&b"c"[..], &b"& \xff"[..]));
        assert_eq!((query.single("a"), query.single("c"), query.single("b")), (None, None, Some("")));
        assert!(query.has("d") && query.has("D") && !query.has("e"));
        assert_eq!(query.single("d"), None);
    }
}
