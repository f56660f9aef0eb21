//! Keys and other names in XML answers.
//!
//! XML 1.0 cannot hold every character that a key may have (section 2.2, "Characters"): control
//! characters are not allowed at all, and a parser turns a carriage return into a line feed. A client
//! that asks for `encoding-type=url` gets names percent-encoded. Any other answer names such a character
//! by reference (`&#x1;`), as S3 does, and leaves all others as they are.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::EncodingType;

/// What `encoding-type=url` leaves as it is: unreserved characters (RFC 3986, section 2.3) and `/`.
const LITERAL: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// Stands in for an unwritable character until the XML is made, followed by six hexadecimal digits
/// of its code. From the private use area: a name that has it is escaped likewise.
const ESCAPE: char = '\u{f8fe}';

/// Whether XML 1.0 can hold the text so that it is read back unchanged.
pub(crate) fn is_writable(text: &str) -> bool {
    text.bytes().all(|b| b >= 0x20 || b == b'\t' || b == b'\n') && !text.contains(['\u{fffe}', '\u{ffff}'])
}

/// Whether every `%` begins an escape of two hexadecimal digits (RFC 3986, section 2.1).
pub(crate) fn has_whole_escapes(text: &[u8]) -> bool {
    let is_whole = |digits: &[u8]| digits.get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
    text.split(|&b| b == b'%').skip(1).all(is_whole)
}

/// How the names of one listing are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// As they are.
    Plain,
    /// Percent-encoded.
    Url,
}

impl Encoding {
    /// What the client asks for.
    pub(crate) fn of(asked: Option<&EncodingType>) -> Self {
        if asked.is_some_and(|asked| asked.as_str() == EncodingType::URL) { Self::Url } else { Self::Plain }
    }

    /// Writes a name. `used` tells whether [`unescape`] must go over the XML.
    pub(crate) fn write(self, name: String, used: &mut bool) -> String {
        match self {
            Self::Plain => escape(name, used),
            Self::Url => utf8_percent_encode(&name, LITERAL).to_string(),
        }
    }

    /// The element that tells the client.
    pub(crate) fn to_dto(self) -> Option<EncodingType> {
        (self == Self::Url).then(|| EncodingType::from_static(EncodingType::URL))
    }
}

/// Makes a name safe for s3s' serializer, which refuses control characters. `used` tells whether
/// [`unescape`] must go over the XML.
pub(crate) fn escape(name: String, used: &mut bool) -> String {
    if is_writable(&name) && !name.contains(ESCAPE) {
        return name;
    }
    *used = true;
    let mut safe = String::with_capacity(name.len() + 8);
    for c in name.chars() {
        let writable = c >= ' ' || c == '\t' || c == '\n';
        if writable && !matches!(c, '\u{fffe}' | '\u{ffff}' | ESCAPE) {
            safe.push(c);
        } else {
            safe.push(ESCAPE);
            safe.push_str(&format!("{:06x}", c as u32));
        }
    }
    safe
}

/// Puts references (`&#x1;`) into XML where [`escape`] left its marks.
pub(crate) fn unescape(xml: &str) -> String {
    let mut pieces = xml.split(ESCAPE);
    let mut whole = String::with_capacity(xml.len());
    whole.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        match piece.split_at_checked(6) {
            Some((code, rest)) => {
                whole.push_str("&#x");
                let short = code.trim_start_matches('0');
                whole.push_str(if short.is_empty() { "0" } else { short });
                whole.push(';');
                whole.push_str(rest);
            }
            None => whole.push_str(piece),
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn url_encodes_as_s3_does() {
        for (plain, encoded) in
            [("asdf+b", "asdf%2Bb"), ("foo+1/", "foo%2B1/"), ("quux ab/", "quux%20ab/"), ("\u{e9}", "%C3%A9")]
        {
            assert_eq!(Encoding::Url.write(plain.to_owned(), &mut false), encoded);
        }
    }

    #[test]
    fn encodes_only_where_it_is_asked_for() {
        assert_eq!(Encoding::of(None), Encoding::Plain);
        assert_eq!(Encoding::of(Some(&EncodingType::from_static("url"))), Encoding::Url);
    }

    #[test]
    fn names_what_xml_cannot_hold_by_reference() {
        let mut used = false;
        let safe = escape("a\u{1}b\rc".to_owned(), &mut used);
        assert!(used && is_writable(&safe));
        assert_eq!(unescape(&safe), "a&#x1;b&#xd;c");
        let mut used = false;
        assert_eq!(escape("plain".to_owned(), &mut used), "plain");
        assert!(!used);
    }

    proptest! {
        #[test]
        fn what_is_url_encoded_decodes_to_itself(name in any::<String>()) {
            let encoded = Encoding::Url.write(name.clone(), &mut false);
            prop_assert!(encoded.is_ascii() && is_writable(&encoded));
            let decoded = percent_encoding::percent_decode_str(&encoded).decode_utf8().unwrap().into_owned();
            prop_assert_eq!(decoded, name);
        }

        #[test]
        fn any_name_can_be_escaped(name in any::<String>()) {
            let mut used = false;
            let safe = escape(name, &mut used);
            prop_assert!(is_writable(&safe));
            let _ = unescape(&safe);
        }
    }
}
