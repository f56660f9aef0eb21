//! The XML of errors. s3s writes code and message; S3's clients and operators also want the request
//! id, the resource and what the error is about.

use crate::exchange::Noted;
use std::borrow::Cow;
use std::fmt::Write;

/// Where s3s words an error otherwise than S3 does.
const WORDS: [(&str, &str); 4] = [
    ("request time is too far from server time", TOO_SKEWED),
    ("request date is later than server time too much", TOO_SKEWED),
    ("missing header: x-amz-object-attributes", NO_ATTRIBUTES),
    ("missing header: x-amz-content-sha256", "Missing required header for this request: x-amz-content-sha256"),
];

/// The answer to GetObjectAttributes that names none.
pub(crate) const NO_ATTRIBUTES: &str =
    "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty";

const TOO_SKEWED: &str = "The difference between the request time and the current time is too large.";

/// s3s gives this code for no other reason than the region.
const WRONG_REGION: &str = "<Code>AuthorizationHeaderMalformed</Code>";

const END: &str = "</Error>";

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
