//! The elements of a document, counted while it comes: what has more of them than it may is refused before the rest of
//! it is read.
//!
//! # Invariants
//! No document has more elements to the parser than are counted. Every `<` before a name counts, also within quotes,
//! comments and sections, so the two need not agree on where those end. A declaration (`<!DOCTYPE`) is refused: S3's
//! documents have none.

use super::documents::Document;
use s3s::{S3Error, S3ErrorCode, S3Result};

/// What `<!` may begin.
const COMMENT: &[u8] = b"<!--";
const SECTION: &[u8] = b"<![CDATA[";

/// What a document has, as far as it takes memory to parse.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) elements: usize,
    /// Elements of which the operation makes a list.
    pub(super) items: usize,
}

/// Counts the elements of a document, well formed or not. What is not XML has none.
#[derive(Debug)]
pub(super) struct Counter {
    may: Document,
    count: Count,
    /// Up to where was looked.
    seen: usize,
}

impl Counter {
    /// Counts up to what a document may have.
    pub(super) const fn of(document: &Document) -> Self {
        Self { may: *document, count: Count { elements: 0, items: 0 }, seen: 0 }
    }

    /// Counts on. `xml` is all that came so far; each byte of it is looked at once, whatever the pieces.
    pub(super) fn came(&mut self, xml: &[u8]) -> S3Result<()> {
        self.look(xml, false)
    }

    /// What there is, once all came.
    pub(super) fn end_of(mut self, xml: &[u8]) -> S3Result<Count> {
        self.look(xml, true)?;
        Ok(self.count)
    }

    fn look(&mut self, xml: &[u8], is_all: bool) -> S3Result<()> {
        // What a `<` begins shows in what follows.
        let whole = SECTION.len().max(self.may.item.map_or(0, |item| item.len() + 2));
        while let Some(at) = memchr::memchr(b'<', &xml[self.seen..]) {
            let rest = &xml[self.seen + at..];
            if rest.len() < whole && !is_all {
                self.seen += at;
                return Ok(());
            }
            self.take(rest)?;
            self.seen += at + 1;
        }
        self.seen = xml.len();
        Ok(())
    }

    fn take(&mut self, rest: &[u8]) -> S3Result<()> {
        let malformed = || S3Error::new(S3ErrorCode::MalformedXML);
        match rest.get(1) {
            Some(b'/' | b'?') => return Ok(()),
            Some(b'!') if rest.starts_with(COMMENT) || rest.starts_with(SECTION) => return Ok(()),
            Some(b'!') => return Err(malformed()),
            _ => {}
        }
        self.count.elements += 1;
        let is_item = self.may.item.is_none_or(|item| {
            // No character of a name follows.
            let behind = rest[1..].strip_prefix(item.as_bytes()).map(|behind| behind.first());
            behind.is_some_and(|byte| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric()))
        });
        self.count.items += usize::from(is_item);
        if self.count.elements > self.may.elements_max || self.count.items > self.may.items_max {
            return Err(malformed());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::documents;
    use proptest::prelude::*;
    use quick_xml::events::Event;

    const OF_PARTS: Document = Document {
        bytes_max: usize::MAX,
        elements_max: usize::MAX,
        items_max: usize::MAX,
        item: Some("Part"),
        ..documents::UNBOUNDED
    };

    /// What is counted of a document that comes in pieces of so many bytes; none if it is refused.
    fn count(xml: &[u8], piece: usize) -> Option<Count> {
        let mut counter = Counter::of(&OF_PARTS);
        for end in (0..xml.len()).step_by(piece) {
            counter.came(&xml[..end]).ok()?;
        }
        counter.end_of(xml).ok()
    }

    /// What the parser finds until it fails.
    fn parsed(xml: &[u8]) -> Count {
        let mut reader = quick_xml::Reader::from_reader(xml);
        let mut count = Count::default();
        loop {
            match reader.read_event() {
                Ok(Event::Start(tag) | Event::Empty(tag)) => {
                    count.elements += 1;
                    count.items += usize::from(tag.name().as_ref() == "Part");
                }
                Ok(Event::Eof) | Err(_) => return count,
                Ok(_) => {}
            }
        }
    }

    #[test]
    fn counts_elements_and_items() {
        for (xml, elements, items) in [
            ("", 0, 0),
            ("no xml", 0, 0),
            ("<a/>", 1, 0),
            ("<a><Part/><Part></Part><c><Part x=''/></c></a>", 5, 3),
            ("<Part\n/><Parts/><PartNumber/><Part", 4, 2),
            ("<?xml version=\"1.0\"?><a x='>' y=\"/>\"><b></b></a><", 3, 0),
            // What may be an element to the parser counts.
            ("<!-- <x> --><a><![CDATA[<b>]]></a>", 3, 0),
        ] {
            assert_eq!(count(xml.as_bytes(), usize::MAX), Some(Count { elements, items }), "{xml}");
        }
    }

    #[test]
    fn declarations_are_refused() {
        for xml in ["<!DOCTYPE a [<!-- \" -->]><a/>", "<!x>", "<!", "<!-", "<![CDAT[", "<a><!ENTITY a \"b\"></a>"] {
            assert_eq!(count(xml.as_bytes(), usize::MAX), None, "{xml}");
            assert_eq!(count(xml.as_bytes(), 1), None, "{xml}");
        }
    }

    #[test]
    fn refuses_the_first_beyond() {
        let may = Document { elements_max: 4, items_max: 2, ..OF_PARTS };
        for (xml, is_refused) in [
            ("<a><Part/><Part/></a>", false),
            ("<a><Part/><Part/><Part/>", true),
            ("<a><b/><b/><b/></a>", false),
            ("<a><b/><b/><b/><b/>", true),
        ] {
            let padded = format!("{xml}{}", " ".repeat(1_000));
            let mut counter = Counter::of(&may);
            let refused = (1..=padded.len()).find(|end| counter.came(&padded.as_bytes()[..*end]).is_err());
            assert_eq!(refused.is_some(), is_refused, "{xml}");
            assert!(refused.is_none_or(|end| end < xml.len() + 10), "{xml}: {refused:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn nothing_is_hidden_from_it_that_the_parser_finds(
            xml in "(<|>|/|!|-|\\[|\\]|\\?| |CDATA|a|'|\"|<!--|-->|<!\\[CDATA\\[|\\]\\]>|<\\?|\\?>|<!DOCTYPE a|<a>|</a>|<Part/>|<Part>|</Part>|<Part x=\"){0,24}",
            piece in 1..12usize,
        ) {
            let whole = count(xml.as_bytes(), usize::MAX);
            prop_assert_eq!(count(xml.as_bytes(), piece), whole);
            if let Some(counted) = whole {
                let found = parsed(xml.as_bytes());
                prop_assert!(counted.elements >= found.elements && counted.items >= found.items, "{counted:?} {found:?}");
            }
        }
    }
}
