//! The elements of a document, counted while it comes: what has more of them than it may is refused before the rest of
//! it is read.

use super::documents::Document;
use s3s::{S3Error, S3ErrorCode, S3Result};

/// Markup that is no element: how it begins, and how it ends.
const NO_ELEMENTS: [(&[u8], &[u8]); 3] = [(b"<!--", b"-->"), (b"<![CDATA[", b"]]>"), (b"<?", b"?>")];

/// What a document has, as far as it takes memory to parse.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Count {
    elements: usize,
    /// Elements directly below the first.
    children: usize,
}

/// Counts the elements of a document, well formed or not. What is not XML has none.
#[derive(Debug)]
pub(super) struct Counter {
    elements_max: usize,
    children_max: usize,
    count: Count,
    /// Elements that are open.
    depth: usize,
    /// Where the next markup may begin, or that begins whose end has not come.
    begin: usize,
    is_open: bool,
    /// Up to where the end of that was looked for.
    seen: usize,
    /// The quote that is open there, where it is a tag: a `>` within is no end.
    quote: Option<u8>,
}

impl Counter {
    /// Counts up to what a document may have.
    pub(super) fn of(document: &Document) -> Self {
        Self {
            elements_max: document.elements_max,
            children_max: document.children_max,
            count: Count::default(),
            depth: 0,
            begin: 0,
            is_open: false,
            seen: 0,
            quote: None,
        }
    }

    /// Counts on. `xml` is all that came so far; each byte of it is looked at once, whatever the pieces.
    pub(super) fn came(&mut self, xml: &[u8]) -> S3Result<()> {
        while self.finds_markup(xml) {
            let Some(end) = self.end(xml) else { break };
            self.take(&xml[self.begin..end]);
            self.check()?;
            (self.begin, self.is_open, self.quote) = (end, false, None);
        }
        Ok(())
    }

    /// The number of elements, once all came.
    pub(super) fn end_of(mut self, xml: &[u8]) -> S3Result<usize> {
        self.came(xml)?;
        if self.is_open {
            // The parser may see an end where this sees none: all that follows counts.
            let more = memchr::memchr_iter(b'<', &xml[self.begin..]).count();
            self.count.elements += more;
            self.count.children += more;
            self.check()?;
        }
        Ok(self.count.elements)
    }

    fn check(&self) -> S3Result<()> {
        if self.count.elements > self.elements_max || self.count.children > self.children_max {
            return Err(S3Error::new(S3ErrorCode::MalformedXML));
        }
        Ok(())
    }

    /// Goes to the next markup.
    fn finds_markup(&mut self, xml: &[u8]) -> bool {
        if !self.is_open {
            match memchr::memchr(b'<', &xml[self.begin..]) {
                Some(at) => {
                    self.begin += at;
                    (self.is_open, self.seen) = (true, self.begin);
                }
                None => self.begin = xml.len(),
            }
        }
        self.is_open
    }

    /// One past the end of the markup that begins at `begin`; none if it has not come.
    fn end(&mut self, xml: &[u8]) -> Option<usize> {
        let rest = &xml[self.begin..];
        for (begins, ends) in NO_ELEMENTS {
            if rest.starts_with(begins) {
                // The end may have come in two pieces.
                let from = self.seen.saturating_sub(ends.len() - 1).max(self.begin);
                let found = memchr::memmem::find(&xml[from..], ends);
                self.seen = xml.len();
                return found.map(|at| from + at + ends.len());
            }
            if begins.starts_with(rest) {
                // What it is shows when more of it comes.
                return None;
            }
        }
        for (at, byte) in (self.seen..).zip(&xml[self.seen..]) {
            match (self.quote, byte) {
                (None, b'>') => return Some(at + 1),
                (None, b'"' | b'\'') => self.quote = Some(*byte),
                (Some(open), byte) if open == *byte => self.quote = None,
                _ => {}
            }
        }
        self.seen = xml.len();
        None
    }

    fn take(&mut self, markup: &[u8]) {
        match markup[1] {
            b'!' | b'?' => {}
            b'/' => self.depth = self.depth.saturating_sub(1),
            _ => {
                self.count.elements += 1;
                self.count.children += usize::from(self.depth == 1);
                self.depth += usize::from(!markup.ends_with(b"/>"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::documents;
    use proptest::prelude::*;

    const WITHOUT_BOUND: Document = Document { bytes_max: usize::MAX, ..documents::UNBOUNDED };

    /// What is counted of a document that comes in pieces of so many bytes.
    fn count(xml: &[u8], piece: usize) -> Count {
        let mut counter = Counter::of(&WITHOUT_BOUND);
        for end in (0..xml.len()).step_by(piece) {
            counter.came(&xml[..end]).unwrap();
        }
        counter.came(xml).unwrap();
        let (before, mut children) = (counter.count, counter.count.children);
        let elements = counter.end_of(xml).unwrap();
        children += elements - before.elements;
        Count { elements, children }
    }

    #[test]
    fn counts_elements_and_children() {
        for (xml, elements, children) in [
            ("", 0, 0),
            ("no xml", 0, 0),
            ("<a/>", 1, 0),
            ("<a><b/><b></b><c><b/></c></a>", 5, 3),
            ("<?xml version=\"1.0\"?><!-- <x> --><a x='>' y=\"/>\"><b><![CDATA[<b>]]></b></a>", 2, 1),
            ("<a><b", 2, 1),
            ("<a></a></a></a><b><c/>", 3, 1),
            // An odd quote in an instruction is none to the parser.
            ("<?x it's one?><a><b/><b/></a>", 3, 2),
            ("<?x \"?><a><b/><b/></a>", 3, 2),
            // What seems to have no end may have one to the parser.
            ("<a><b x=\"><c/><c/>", 4, 3),
            ("<a><!", 2, 1),
            ("<a><!-", 2, 1),
        ] {
            assert_eq!(count(xml.as_bytes(), usize::MAX), Count { elements, children }, "{xml}");
        }
    }

    #[test]
    fn refuses_the_first_element_beyond() {
        let may = Document { elements_max: 4, children_max: 2, ..WITHOUT_BOUND };
        for (xml, beyond) in [
            ("<a><b/><b/></a>", None),
            ("<a><b/><b/><b/>", Some(15)),
            ("<a><b><c/><c/></b></a>", None),
            ("<a><b><c/><c/><c/>", Some(18)),
        ] {
            let mut counter = Counter::of(&may);
            let refused = (1..=xml.len()).find(|end| counter.came(&xml.as_bytes()[..*end]).is_err());
            assert_eq!(refused, beyond, "{xml}");
        }
    }

    proptest! {
        #[test]
        fn pieces_count_as_the_whole(xml in "(<|>|/|!|-|\\[|\\]|\\?|CDATA|a|'|\"|<!--|-->|<!\\[CDATA\\[|\\]\\]>|<\\?|\\?>|<a>|</a>|<a/>){0,24}", piece in 1..12usize) {
            prop_assert_eq!(count(xml.as_bytes(), piece), count(xml.as_bytes(), usize::MAX));
        }
    }
}
