//! The XML of errors. s3s writes code and message; S3's clients and operators also want the request
//! id, the resource and what the error is about.

use crate::exchange::Noted;
use std::borrow::Cow;
use std::fmt::Write;

/// Where s3s words an error otherwise than S3 does.
const WORDS: [(&str, &str); 3] = [
    ("request time is too far from server time", TOO_SKEWED),
    ("request date is later than server time too much", TOO_SKEWED),
    ("missing header: x-amz-content-sha256", "Missing required header for this request: x-amz-content-sha256"),
];

const TOO_SKEWED: &str = "The difference between the request time and the current time is too large.";

/// s3s gives this code for no other reason than the region.
const WRONG_REGION: &str = "<Code>AuthorizationHeaderMalformed</Code>";

const END: &str = "</Error>";

/// The code in an error's XML.
pub(crate) fn code(xml: &str) -> Option<&str> {
    let (_, rest) = xml.split_once("<Code>")?;
    rest.split_once("</Code>").map(|(code, _)| code)
}

/// Adds the details to an error's XML.
pub(crate) fn complete(xml: &str, noted: &Noted, resource: &str, request_id: &str, host_id: &str) -> String {
    let mut xml = Cow::Borrowed(xml);
    for (ours, theirs) in WORDS {
        if xml.contains(ours) {
            xml = Cow::Owned(xml.replace(ours, theirs));
        }
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

/// Tells a client that signed for another region which one to sign for.
pub(crate) fn with_region(xml: String, region: &str) -> String {
    match xml.strip_suffix(END) {
        Some(before) if xml.contains(WRONG_REGION) => {
            let mut whole = before.to_owned();
            element(&mut whole, "Region", region);
            whole.push_str(END);
            whole
        }
        Some(_) | None => xml,
    }
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
    fn tells_the_region_to_who_signed_for_another() {
        let xml = "<Error><Code>AuthorizationHeaderMalformed</Code></Error>";
        let whole = with_region(xml.to_owned(), "eu-west-1");
        assert_eq!(whole, "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>");
        let other = "<Error><Code>NoSuchKey</Code></Error>";
        assert_eq!(with_region(other.to_owned(), "eu-west-1"), other);
    }

    #[test]
    fn leaves_other_documents_alone() {
        assert_eq!(complete("<List/>", &Noted::default(), "/", "1", "h"), "<List/>");
    }
}
