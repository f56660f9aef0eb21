//! The XML of errors. s3s writes code and message; S3's clients and operators also want the request
//! id, the resource and what the error is about.

use crate::exchange::Noted;
use std::borrow::Cow;
use std::fmt::Write;

const END: &str = "</Error>";

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
            // XML 1.0 has no way to hold these; the error is for people and need not be exact.
            '\u{0}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {
                xml.push('\u{fffd}')
            }
            '\r' => xml.push_str("&#xd;"),
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
             <Key>a&lt;b&gt;&amp;\u{fffd}</Key><Resource>/b/k</Resource>\
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
