//! The page that a visitor gets where something goes wrong, in S3's form (AWS, "Configuring a custom error
//! document"). All that is not ours is escaped.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use s3s::{Body, HttpResponse, S3Error};
use std::fmt::Write;

const ERROR_CODE: HeaderName = HeaderName::from_static("x-amz-error-code");
const ERROR_MESSAGE: HeaderName = HeaderName::from_static("x-amz-error-message");

/// A page about an error.
pub(super) struct Page {
    status: StatusCode,
    headers: HeaderMap,
    /// The lists of the page, as HTML: of the error, and of what else went wrong.
    lists: String,
}

impl Page {
    pub(super) fn of(error: &S3Error, details: Vec<(&'static str, String)>, request_id: &str, host_id: &str) -> Self {
        let (code, message) = (error.code().as_str(), error.message().unwrap_or_default());
        let mut headers = error.headers().cloned().unwrap_or_default();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        for (name, value) in [(ERROR_CODE, code), (ERROR_MESSAGE, message)] {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        }
        let mut lists = String::new();
        let told = details.iter().map(|(name, value)| (*name, value.as_str()));
        let ids = [("RequestId", request_id), ("HostId", host_id)];
        list(&mut lists, [("Code", code), ("Message", message)].into_iter().chain(told).chain(ids));
        Self { status: error.status_code().unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), headers, lists }
    }

    /// Adds that the error document cannot be shown either.
    pub(super) fn nest(&mut self, error: &S3Error, document: &str) {
        self.lists.push_str("<h3>An Error Occurred While Attempting to Retrieve a Custom Error Document</h3>\n");
        let message = error.message().unwrap_or_default();
        let told = [("Code", error.code().as_str()), ("Message", message), ("Key", document)];
        list(&mut self.lists, told.into_iter());
    }

    pub(super) fn into_response(self) -> HttpResponse {
        let (code, reason) = (self.status.as_str(), self.status.canonical_reason().unwrap_or_default());
        let html = format!(
            "<html>\n<head><title>{code} {reason}</title></head>\n<body>\n<h1>{code} {reason}</h1>\n{}<hr/>\n</body>\n\
             </html>\n",
            self.lists
        );
        let mut response = HttpResponse::new(Body::from(html));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

fn list<'a>(html: &mut String, told: impl Iterator<Item = (&'a str, &'a str)>) {
    html.push_str("<ul>\n");
    for (name, value) in told {
        // Writing to a string does not fail.
        let _ = write!(html, "<li>{name}: ");
        escape(html, value);
        html.push_str("</li>\n");
    }
    html.push_str("</ul>\n");
}

fn escape(html: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c if c.is_control() => html.push('\u{fffd}'),
            c => html.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use s3s::S3ErrorCode;

    #[test]
    fn nothing_of_a_request_becomes_markup() {
        let hostile = "<script>alert('\"&\u{1}')</script>".to_owned();
        let mut page = Page::of(&S3Error::new(S3ErrorCode::NoSuchKey), vec![("Key", hostile.clone())], "1", "host");
        page.nest(&S3Error::new(S3ErrorCode::AccessDenied), &hostile);
        assert!(!page.lists.contains("<script"), "{}", page.lists);
        let escaped = "<li>Key: &lt;script&gt;alert(&#39;&quot;&amp;\u{fffd}&#39;)&lt;/script&gt;</li>";
        assert_eq!(page.lists.matches(escaped).count(), 2, "{}", page.lists);
        let response = page.into_response();
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(response.headers()[ERROR_CODE], "NoSuchKey");
        assert!(!response.headers().contains_key(header::LOCATION));
    }
}
