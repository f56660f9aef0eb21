//! What CORS rules say and what they match (AWS, "Elements of a CORS configuration" and "Testing CORS").

use cofre_catalog::records::BucketConfig;
use serde::{Deserialize, Serialize};

/// Most headers that a request may ask for: each is held against every pattern of every rule, for anyone.
const ASKED_HEADERS_MAX: usize = 256;

/// The CORS rules of a bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cors {
    /// The rules. The first that matches decides.
    pub rules: Vec<CorsRule>,
}

/// One rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorsRule {
    /// Its id, at most 255 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Origins, such as `https://example.com`, each with at most one `*`, which stands for any text.
    pub origins: Vec<String>,
    /// Methods that a page may use.
    pub methods: Vec<CorsMethod>,
    /// Headers that a page may send, each with at most one `*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<String>,
    /// Headers of answers that a page may read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exposed: Vec<String>,
    /// How long a browser may keep the answer to a preflight request, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age_secs: Option<u32>,
}

/// A method that a rule may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum CorsMethod {
    /// GET.
    Get,
    /// PUT.
    Put,
    /// HEAD.
    Head,
    /// POST.
    Post,
    /// DELETE.
    Delete,
}

impl CorsMethod {
    /// Reads a method's name, in capitals.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Get, Self::Put, Self::Head, Self::Post, Self::Delete].into_iter().find(|method| method.as_str() == name)
    }

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

impl Cors {
    /// The first rule that lets pages of `origin` use `method` and send all of these headers.
    pub fn matching(&self, origin: &str, method: &str, headers: &[&str]) -> Option<&CorsRule> {
        let method = CorsMethod::parse(method).filter(|_| headers.len() <= ASKED_HEADERS_MAX)?;
        self.rules.iter().find(|rule| {
            rule.methods.contains(&method)
                && rule.origins.iter().any(|pattern| fits(pattern, origin, <[u8]>::eq))
                && headers.iter().all(|header| rule.allows_header(header))
        })
    }
}

impl CorsRule {
    /// Whether it is for pages of every origin, so that answers need not name the one.
    pub fn allows_any_origin(&self) -> bool {
        self.origins.iter().any(|origin| origin == "*")
    }

    fn allows_header(&self, header: &str) -> bool {
        self.headers.iter().any(|pattern| fits(pattern, header, <[u8]>::eq_ignore_ascii_case))
    }
}

impl Cors {
    /// Reads the rules of a bucket's record. Rules that cannot be read allow nothing.
    pub fn in_config(config: &[BucketConfig]) -> Option<Self> {
        let document = config.iter().find_map(|config| match config {
            BucketConfig::Cors(document) => Some(document),
            _ => None,
        })?;
        let parsed = serde_json::from_str(document)
            .inspect_err(|error| tracing::error!(%error, "the CORS rules of a bucket cannot be read; none allows"));
        Some(parsed.unwrap_or_default())
    }
}

/// Whether a text is what a pattern says, whose first `*` stands for any text, also for none.
fn fits(pattern: &str, text: &str, same: fn(&[u8], &[u8]) -> bool) -> bool {
    let text = text.as_bytes();
    let Some((before, after)) = pattern.split_once('*') else { return same(pattern.as_bytes(), text) };
    let Some(middle_and_after) = text.len().checked_sub(before.len()) else { return false };
    let Some(middle) = middle_and_after.checked_sub(after.len()) else { return false };
    same(before.as_bytes(), &text[..before.len()]) && same(after.as_bytes(), &text[before.len() + middle..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rule(origins: &[&str], methods: &[CorsMethod], headers: &[&str]) -> CorsRule {
        let all = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        CorsRule { origins: all(origins), methods: methods.to_vec(), headers: all(headers), ..CorsRule::default() }
    }

    fn matched(rules: &Cors, origin: &str, method: &str, headers: &[&str]) -> Option<usize> {
        let found = rules.matching(origin, method, headers)?;
        rules.rules.iter().position(|rule| std::ptr::eq(rule, found))
    }

    #[test]
    fn a_star_stands_for_any_text() {
        let only = |origin: &str| Cors { rules: vec![rule(&[origin], &[CorsMethod::Get], &[])] };
        for (pattern, origin, expected) in [
            ("*", "http://a.example", true),
            ("*", "null", true),
            ("http://*.example.com", "http://www.example.com", true),
            ("http://*.example.com", "http://a.b.example.com", true),
            ("http://*.example.com", "http://example.com", false),
            ("http://*.example.com", "https://www.example.com", false),
            ("http://*.example.com", "http://www.example.com.evil", false),
            ("start*end", "startend", true),
            ("start*end", "start12end", true),
            ("start*end", "0start12end", false),
            ("aba*aba", "aba", false),
            ("prefix*", "prefix", true),
            ("*suffix", "no.suffix.here", false),
            ("http://Example.com", "http://example.com", false),
            ("http://é*", "http://é.example", true),
        ] {
            assert_eq!(only(pattern).matching(origin, "GET", &[]).is_some(), expected, "{pattern} {origin}");
        }
    }

    #[test]
    fn the_first_rule_that_matches_whole_decides() {
        let rules = Cors {
            rules: vec![
                rule(&["http://a"], &[CorsMethod::Put], &["x-amz-*", "Content-Type"]),
                rule(&["http://a", "http://b"], &[CorsMethod::Get, CorsMethod::Put], &["*"]),
                rule(&["*"], &[CorsMethod::Get], &[]),
            ],
        };
        assert_eq!(matched(&rules, "http://a", "PUT", &["X-Amz-Date", "content-type"]), Some(0));
        assert_eq!(matched(&rules, "http://a", "PUT", &["x-amz-date", "authorization"]), Some(1));
        assert_eq!(matched(&rules, "http://a", "GET", &["anything"]), Some(1));
        assert_eq!(matched(&rules, "http://c", "GET", &[]), Some(2));
        assert_eq!(matched(&rules, "http://c", "GET", &["authorization"]), None);
        assert_eq!(matched(&rules, "http://c", "PUT", &[]), None);
        assert_eq!(matched(&rules, "http://a", "OPTIONS", &[]), None);
        assert_eq!(matched(&rules, "http://a", "get", &[]), None, "methods are told apart by case");
    }

    #[test]
    fn a_request_cannot_ask_for_any_number_of_headers() {
        let rules = Cors { rules: vec![rule(&["*"], &[CorsMethod::Get], &["*"])] };
        assert!(rules.matching("o", "GET", &["h"; ASKED_HEADERS_MAX]).is_some());
        assert!(rules.matching("o", "GET", &["h"; ASKED_HEADERS_MAX + 1]).is_none());
    }

    /// The form in which rules stand in records of buckets: it must be read for ever.
    #[test]
    fn documents_keep_their_form() {
        let full = CorsRule {
            id: Some("one".to_owned()),
            exposed: vec!["ETag".to_owned()],
            max_age_secs: Some(3000),
            ..rule(&["http://*.example.com"], &[CorsMethod::Get, CorsMethod::Delete], &["*"])
        };
        let rules = Cors { rules: vec![full, rule(&["*"], &[CorsMethod::Head], &[])] };
        let document = r#"{"rules":[{"id":"one","origins":["http://*.example.com"],"methods":["GET","DELETE"],"headers":["*"],"exposed":["ETag"],"max_age_secs":3000},{"origins":["*"],"methods":["HEAD"]}]}"#;
        assert_eq!(serde_json::to_string(&rules).unwrap(), document);
        assert_eq!(serde_json::from_str::<Cors>(document).unwrap(), rules);
    }

    proptest! {
        #[test]
        fn what_is_put_for_the_star_fits(before in "\\PC{0,8}", middle in "\\PC{0,8}", after in "\\PC{0,8}") {
            prop_assume!(!before.contains('*'));
            let (pattern, text) = (format!("{before}*{after}"), format!("{before}{middle}{after}"));
            prop_assert!(fits(&pattern, &text, <[u8]>::eq));
        }
    }
}
