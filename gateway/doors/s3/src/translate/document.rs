//! XML documents as s3s' parser can read them.
//!
//! It passes over CDATA sections (XML 1.0, section 2.7), and takes neither references to most characters beyond the
//! Basic Multilingual Plane nor those to control characters, which XML 1.0 has not and S3's clients name keys with.

use bytes::Bytes;
use memchr::memchr2;
use memchr::memmem::find;
use std::borrow::Cow;

/// Puts text in the place of CDATA sections, and characters in the place of references to them that the parser does not
/// take. Markup that never ends is left to the parser, which refuses it.
pub(crate) fn plain(xml: Bytes) -> Bytes {
    match rewritten(&xml) {
        Some(plain) => plain.into(),
        None => xml,
    }
}

/// The document with what [`plain`] changes; none if that is nothing.
fn rewritten(xml: &[u8]) -> Option<Vec<u8>> {
    let mut plain: Option<Vec<u8>> = None;
    // What is before `copied` stands in `plain`, if that is there.
    let (mut at, mut copied) = (0, 0);
    while let Some(next) = memchr2(b'<', b'&', &xml[at..]) {
        at += next;
        let rest = &xml[at..];
        let Some((length, text)) = (if rest[0] == b'&' { reference(rest) } else { markup(rest) }) else { break };
        if let Some(text) = text {
            let plain = plain.get_or_insert_with(|| Vec::with_capacity(xml.len()));
            plain.extend_from_slice(&xml[copied..at]);
            plain.extend_from_slice(&text);
            copied = at + length;
        }
        at += length;
    }
    let mut plain = plain?;
    plain.extend_from_slice(&xml[copied..]);
    Some(plain)
}

/// Length of the markup that `rest` begins with, and the text that stands for it if it is a CDATA section. None if it
/// has no end.
fn markup(rest: &[u8]) -> Option<(usize, Option<Cow<'_, [u8]>>)> {
    const SECTION: &[u8] = b"<![CDATA[";
    let ends = |begin: &[u8], end: &[u8]| find(&rest[begin.len()..], end).map(|at| begin.len() + at + end.len());
    if rest.starts_with(SECTION) {
        let length = ends(SECTION, b"]]>")?;
        return Some((length, Some(escaped(&rest[SECTION.len()..length - 3]))));
    }
    for (begin, end) in [(&b"<!--"[..], &b"-->"[..]), (b"<?", b"?>")] {
        if rest.starts_with(begin) {
            return Some((ends(begin, end)?, None));
        }
    }
    Some((1, None))
}

/// Length of the reference that `rest` begins with, and the character that it names, if the parser does not know it.
fn reference(rest: &[u8]) -> Option<(usize, Option<Cow<'_, [u8]>>)> {
    // Leading zeros aside, `&#x10ffff;` is the longest.
    let end = rest.iter().take(16).position(|&b| b == b';');
    let name = end.and_then(|end| std::str::from_utf8(&rest[..end]).ok()).and_then(|text| text.strip_prefix("&#"));
    let (Some(end), Some(digits)) = (end, name) else { return Some((1, None)) };
    let is_number = |digits: &str, radix| !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
    let code = match digits.strip_prefix('x') {
        Some(digits) => is_number(digits, 16).then(|| u32::from_str_radix(digits, 16).ok()),
        None => is_number(digits, 10).then(|| digits.parse().ok()),
    };
    let unknown = |c: &char| matches!(c, '\u{1}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}'..);
    let named = code.flatten().and_then(char::from_u32).filter(unknown);
    Some((end + 1, named.map(|c| c.to_string().into_bytes().into())))
}

fn escaped(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.iter().any(|b| matches!(b, b'<' | b'>' | b'&')) {
        return text.into();
    }
    let mut escaped = Vec::with_capacity(text.len() + 16);
    for &b in text {
        match b {
            b'<' => escaped.extend_from_slice(b"&lt;"),
            b'>' => escaped.extend_from_slice(b"&gt;"),
            b'&' => escaped.extend_from_slice(b"&amp;"),
            b => escaped.push(b),
        }
    }
    escaped.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(xml: &str) -> String {
        String::from_utf8(plain(Bytes::copy_from_slice(xml.as_bytes())).to_vec()).unwrap()
    }

    #[test]
    fn makes_text_of_sections() {
        assert_eq!(of("<Key><![CDATA[a&b]]></Key>"), "<Key>a&amp;b</Key>");
        assert_eq!(of("<Key>a<![CDATA[<]]>b<![CDATA[]]>]]&#62;</Key>"), "<Key>a&lt;b]]&#62;</Key>");
        for as_it_is in ["<!-- <![CDATA[a]]> --><Key/>", "<?p <![CDATA[a]]>?>", "<Key><![CDATA[a</Key>", "<!-- ", "<?"]
        {
            assert_eq!(of(as_it_is), as_it_is);
        }
    }

    #[test]
    fn puts_characters_where_references_name_them() {
        for (before, after) in [
            ("<Key>a&#1;b&#x1f;c</Key>", "<Key>a\u{1}b\u{1f}c</Key>"),
            ("<Key>&#0008;&#x9;</Key>", "<Key>\u{8}&#x9;</Key>"),
            ("&#128512;&#x1F600;&#x10ffff;&#x20000;", "\u{1f600}\u{1f600}\u{10ffff}\u{20000}"),
            ("&#26085;&#65535;&#34;", "&#26085;\u{ffff}&#34;"),
        ] {
            assert_eq!(of(before), after);
        }
        for as_it_is in ["&#38;&#60;&#x3e;&#13;", "&amp;&lt;", "&#0;&#xd800;&#x110000;&#x;&#+1;&#", "plain", "&"] {
            assert_eq!(of(as_it_is), as_it_is);
        }
    }

    proptest! {
        #[test]
        fn any_text_reads_the_same_in_a_section(text in "[a-z<>&;#\u{1f600}]{0,40}") {
            prop_assume!(!text.contains("]]>"));
            let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            prop_assert_eq!(of(&format!("<K><![CDATA[{text}]]></K>")), format!("<K>{escaped}</K>"));
        }

        #[test]
        fn any_bytes_are_taken(xml in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = plain(xml.into());
        }
    }
}
