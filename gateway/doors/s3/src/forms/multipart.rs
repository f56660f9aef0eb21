//! `multipart/form-data` (RFC 7578) as it comes: the fields, each whole and within a bound, then the
//! file as a stream. What comes behind the file is read and ignored.
//!
//! # Limits
//! [`FIELDS_BYTES_MAX`] and [`FIELDS_MAX`] bound what is held of a form. A file is never held.

use super::fields::Fields;
use super::file::FileStream;
use crate::errors;
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use http::{HeaderMap, header};
use memchr::memmem::Finder;
use percent_encoding::percent_decode_str;
use s3s::{S3Error, S3ErrorCode, S3Result, StdError, s3_error};

/// Most bytes before the content of the file: fields, their headers and the boundaries (AWS, "POST
/// Object": 20 KB).
pub(crate) const FIELDS_BYTES_MAX: usize = 20 * 1024;

/// Most fields before the file. AWS has some forty names, and ten more may be metadata.
pub(crate) const FIELDS_MAX: usize = 100;

/// Longest boundary in bytes (RFC 2046, section 5.1.1).
const BOUNDARY_BYTES_MAX: usize = 70;

/// A form whose file is still to be read.
pub(crate) struct Form<B> {
    /// The fields before the file.
    pub(crate) fields: Fields,
    /// What the client calls the file, without its folders; empty if it says nothing.
    pub(crate) filename: String,
    pub(crate) file: FileStream<B>,
}

/// What stands between the parts of a form: a line break, two hyphens and the boundary.
pub(crate) struct Delimiter(Vec<u8>);

impl Delimiter {
    /// Reads the boundary that a request declares.
    pub(crate) fn of(headers: &HeaderMap) -> S3Result<Self> {
        let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let parameters = content_type.and_then(|text| text.split_once(';')).map_or("", |(_, parameters)| parameters);
        Self::new(&parameter(parameters, "boundary").ok_or_else(malformed)?)
    }

    pub(crate) fn new(boundary: &str) -> S3Result<Self> {
        let is_boundary = (1..=BOUNDARY_BYTES_MAX).contains(&boundary.len())
            && boundary.bytes().all(|b| b.is_ascii_graphic() || b == b' ')
            && !boundary.ends_with(' ');
        if is_boundary { Ok(Self(format!("\r\n--{boundary}").into_bytes())) } else { Err(malformed()) }
    }
}

/// Reads a form up to its file.
pub(crate) async fn read<B>(body: B, delimiter: &Delimiter) -> S3Result<Form<B>>
where
    B: Stream<Item = Result<Bytes, StdError>> + Unpin,
{
    let (between, line_break, blank_line) = (Finder::new(&delimiter.0), Finder::new("\r\n"), Finder::new("\r\n\r\n"));
    // As if a line stood before the first delimiter too.
    let mut reader = Reader { body, held: BytesMut::from("\r\n") };
    let mut fields = Fields::default();
    let mut at = reader.find(&between, 0).await? + delimiter.0.len();
    loop {
        reader.fill_to(at + 2).await?;
        if reader.held[at..].starts_with(b"--") {
            return Err(no_file());
        }
        let line_end = reader.find(&line_break, at).await?;
        if !reader.held[at..line_end].iter().all(|b| matches!(b, b' ' | b'\t')) {
            return Err(malformed());
        }
        let head_end = reader.find(&blank_line, line_end).await?;
        let head = PartHead::parse(reader.held.get(line_end + 2..head_end).unwrap_or_default())?;
        let content = head_end + 4;
        if head.name.eq_ignore_ascii_case("file") {
            let held = reader.held.split_off(content).freeze();
            let file = FileStream::new(reader.body, held, between.into_owned());
            return Ok(Form { fields, filename: head.filename, file });
        }
        let end = reader.find(&between, content).await?;
        let value = std::str::from_utf8(&reader.held[content..end]).map_err(|_| malformed())?;
        fields.push(&head.name, value.to_owned())?;
        if fields.len() > FIELDS_MAX {
            return Err(too_large());
        }
        at = end + delimiter.0.len();
    }
}

/// What came of a form before its file.
struct Reader<B> {
    body: B,
    held: BytesMut,
}

impl<B: Stream<Item = Result<Bytes, StdError>> + Unpin> Reader<B> {
    /// Where something begins, at `from` or behind it.
    async fn find(&mut self, wanted: &Finder<'_>, from: usize) -> S3Result<usize> {
        let length = wanted.needle().len();
        let mut searched = from;
        loop {
            let found = self.held.get(searched..).and_then(|rest| wanted.find(rest)).map(|at| searched + at);
            match found {
                Some(at) if at + length <= FIELDS_BYTES_MAX => return Ok(at),
                Some(_) => return Err(too_large()),
                None if self.held.len() > FIELDS_BYTES_MAX => return Err(too_large()),
                None => {}
            }
            searched = searched.max((self.held.len() + 1).saturating_sub(length));
            self.fill().await?;
        }
    }

    async fn fill_to(&mut self, length: usize) -> S3Result<()> {
        while self.held.len() < length {
            self.fill().await?;
        }
        Ok(())
    }

    async fn fill(&mut self) -> S3Result<()> {
        let piece = self.body.next().await.ok_or_else(malformed)?.map_err(errors::body)?;
        self.held.extend_from_slice(&piece);
        Ok(())
    }
}

/// What the headers of a part say.
#[derive(Debug, PartialEq, Eq)]
struct PartHead {
    name: String,
    filename: String,
}

impl PartHead {
    fn parse(head: &[u8]) -> S3Result<Self> {
        let head = std::str::from_utf8(head).map_err(|_| malformed())?;
        let disposition = head.split("\r\n").find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.trim().eq_ignore_ascii_case("content-disposition").then(|| value.trim())
        });
        let (kind, parameters) = disposition.and_then(|value| value.split_once(';')).ok_or_else(malformed)?;
        if !kind.trim().eq_ignore_ascii_case("form-data") {
            return Err(malformed());
        }
        let name = parameter(parameters, "name").filter(|name| !name.is_empty()).ok_or_else(malformed)?;
        if name.chars().any(char::is_control) {
            return Err(malformed());
        }
        // RFC 8187; some clients write names so that are not ASCII.
        let extended = parameter(parameters, "filename*").and_then(|text| {
            let (charset, rest) = text.split_once('\'')?;
            let (_, encoded) = rest.split_once('\'')?;
            let decoded = percent_decode_str(encoded).decode_utf8().ok()?.into_owned();
            charset.eq_ignore_ascii_case("utf-8").then_some(decoded)
        });
        let path = extended.or_else(|| parameter(parameters, "filename")).unwrap_or_default();
        let filename = path.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
        Ok(Self { name, filename })
    }
}

/// A parameter of a header (RFC 9110, section 5.6.6). In a quoted one only a quote can be escaped, as
/// browsers have it: a backslash before anything else is part of a path of Windows.
fn parameter(parameters: &str, wanted: &str) -> Option<String> {
    let mut rest = parameters;
    loop {
        rest = rest.trim_start_matches([';', ' ', '\t']);
        let (name, after) = rest.split_once('=')?;
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => unquote(quoted)?,
            None => {
                let (value, after) = after.split_once(';').unwrap_or((after, ""));
                (value.trim().to_owned(), after)
            }
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        rest = after;
    }
}

/// The text up to the closing quote, and what stands behind it.
fn unquote(quoted: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = quoted;
    loop {
        let at = rest.find('"')?;
        let (before, after) = (&rest[..at], &rest[at + 1..]);
        match before.strip_suffix('\\') {
            Some(before) => {
                value.push_str(before);
                value.push('"');
                rest = after;
            }
            None => {
                value.push_str(before);
                return Some((value, after));
            }
        }
    }
}

pub(super) fn malformed() -> S3Error {
    s3_error!(MalformedPOSTRequest, "The body of your POST request is not well-formed multipart/form-data.")
}

fn no_file() -> S3Error {
    s3_error!(InvalidArgument, "POST requires exactly one file upload per request.")
}

pub(super) fn too_large() -> S3Error {
    let words = "Your POST request fields preceding the upload file were too large.";
    S3Error::with_message(S3ErrorCode::MaxPostPreDataLengthExceededError, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> Option<(String, String)> {
        PartHead::parse(text.as_bytes()).ok().map(|head| (head.name, head.filename))
    }

    #[test]
    fn reads_the_head_of_a_part() {
        for (text, name, filename) in [
            ("Content-Disposition: form-data; name=\"key\"", "key", ""),
            ("content-disposition:form-data;name=key ; filename=a.txt", "key", "a.txt"),
            ("X: y\r\nContent-Disposition: form-data; name=\"f\"; filename=\"C:\\dir\\a b.txt\"", "f", "a b.txt"),
            ("Content-Disposition: form-data; filename=\"/x/y;name=z.txt\"; name=\"f\"", "f", "y;name=z.txt"),
            ("Content-Disposition: form-data; name=\"a\\\"b\"; filename=\"\"", "a\"b", ""),
            ("Content-Disposition: form-data; name=\"f\"; filename*=utf-8''%E2%82%AC.txt", "f", "\u{20ac}.txt"),
        ] {
            assert_eq!(head(text), Some((name.to_owned(), filename.to_owned())), "{text}");
        }
        for text in [
            "",
            "Content-Disposition: form-data",
            "Content-Disposition: attachment; name=\"a\"",
            "Content-Disposition: form-data; name=\"a",
            "Content-Disposition: form-data; name=\"\"",
            "Content-Disposition: form-data; name=\"a\u{1}\"",
        ] {
            assert_eq!(head(text), None, "{text}");
        }
    }

    #[test]
    fn a_boundary_is_bounded_and_printable() {
        assert!(Delimiter::new("frontier").is_ok());
        assert!(Delimiter::new(&"b".repeat(70)).is_ok());
        for bad in ["", "a\r\n", "a ", &"b".repeat(71)] {
            assert!(Delimiter::new(bad).is_err(), "{bad:?}");
        }
    }
}
