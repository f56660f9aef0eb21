//! The XML of errors. s3s writes code and message; S3's clients and operators also want the request
//! id, the resource and what the error is about.

use crate::exchange::Noted;
use std::borrow::Cow;
use std::fmt::Write;

/// What s3s says where no attributes are named, and what S3 says.
const WORDS: (&str, &str) = ("missing header: x-amz-object-attributes", NO_ATTRIBUTES);

/// The answer to GetObjectAttributes that names none.
pub(crate) const NO_ATTRIBUTES: &str =
    "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty";

const END: &str = "</Error>";

/// The code in an error's XML.
pub(crate) fn code(xml: &str) -> Option<&str> {
    let (_, rest) = xml.split_once("<Code>")?;
    rest.split_once("</Code>").map(|(code, _)| code)
}

/// Adds the details to an error's XML.
pub(crate) fn complete(xml: &str, noted: &Noted, resource: &str, request_id: &str, host_id: &str) -> String {
    let mut xml = Cow::Borrowed(xml);
    if let Some(message) = &noted.message
        && let Some((before, rest)) = xml.split_once("<Message>")
        && let Some((_, after)) = rest.split_once("</Message>")
    {
        let mut whole = before.to_owned();
        element(&mut whole, "Message", message);
        whole.push_str(after);
        xml = Cow::Owned(whole);
    }
    if xml.contains(WORDS.0) {
        xml = Cow::Owned(xml.replace(WORDS.0, WORDS.1));
    }
    let Some(before) = xml.strip_suffix(END) else { return xml.into_owned() };
    let mut whole = String::with_capacity(before.len() + 256);
    whole.push_str(before);
    for (name, value) in &noted.details {
        element(&mut whole, name, value);
    }
    element(&mut whole, "Resource", resource);
    element(&mut whole, "RequestId", request_id);
    element(&mut whole, "HostId", host_id);
    whole.push_str(END);
    whole
}

fn element(xml: &mut String, name: &str, value: &str) {
    // Writing to a string does not fail.
    let _ = write!(xml, "<{name}>");
    for c in value.chars() {
        match c {
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '&' => xml.push_str("&amp;"),
            '"' => xml.push_str("&quot;"),
            // No XML has it.
            '\0' => xml.push('\u{fffd}'),
            // By reference, as names in other answers.
            '\u{1}'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {
                let _ = write!(xml, "&#x{:x};", c as u32);
            }
            c => xml.push(c),
        }
    }
    let _ = write!(xml, "</{name}>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_details_and_escapes_them() {
        let noted = Noted { details: vec![("Key", "a<b>&\u{1}".to_owned())], ..Noted::default() };
        let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>NoSuchKey</Code></Error>";
        let whole = complete(xml, &noted, "/b/k", "0123456789ABCDEF", "host");
        assert_eq!(
            whole,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>NoSuchKey</Code>\
             <Key>a&lt;b&gt;&amp;&#x1;</Key><Resource>/b/k</Resource>\
             <RequestId>0123456789ABCDEF</RequestId><HostId>host</HostId></Error>"
        );
    }

    #[test]
    fn says_another_message() {
        let noted = Noted { message: Some("a & b".to_owned()), ..Noted::default() };
        let whole = complete("<Error><Code>C</Code><Message>x</Message></Error>", &noted, "/", "1", "h");
        assert!(whole.starts_with("<Error><Code>C</Code><Message>a &amp; b</Message><Resource>/<"), "{whole}");
    }

    #[test]
    fn leaves_other_documents_alone() {
        assert_eq!(complete("<List/>", &Noted::default(), "/", "1", "h"), "<List/>");
    }
}
