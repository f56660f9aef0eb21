//! What CORS rules must be like (AWS, "PutBucketCors" and "Elements of a CORS configuration").

use super::{Cors, CorsRule};
use crate::error::RulesError;

/// Most rules of a bucket.
pub const CORS_RULES_MAX: usize = 100;

/// Largest document, in bytes, in the form in which it is kept.
pub const CORS_DOCUMENT_BYTES_MAX: usize = 64 * 1024;

/// Longest id of a rule, in characters.
const ID_CHARS_MAX: usize = 255;

impl Cors {
    /// Checks the rules and writes them down as they are kept.
    ///
    /// # Errors
    /// [`RulesError`] for the first rule that is broken.
    pub fn validate(&self) -> Result<String, RulesError> {
        if self.rules.is_empty() {
            return Err(malformed("A CORSConfiguration has at least one CORSRule"));
        }
        if self.rules.len() > CORS_RULES_MAX {
            return Err(request(format!(
                "The number of CORS rules should not exceed allowed limit of {CORS_RULES_MAX} rules."
            )));
        }
        self.rules.iter().try_for_each(CorsRule::validate)?;
        let document = serde_json::to_string(self).map_err(|error| request(error.to_string()))?;
        if document.len() > CORS_DOCUMENT_BYTES_MAX {
            return Err(request("The CORS configuration should not exceed allowed limit of 64 KB."));
        }
        Ok(document)
    }
}

impl CorsRule {
    fn validate(&self) -> Result<(), RulesError> {
        if self.id.as_ref().is_some_and(|id| id.chars().count() > ID_CHARS_MAX) {
            return Err(RulesError::Argument("ID length should not exceed allowed limit of 255".to_owned()));
        }
        if self.origins.is_empty() {
            return Err(malformed("A CORSRule has at least one AllowedOrigin"));
        }
        if self.methods.is_empty() {
            return Err(malformed("A CORSRule has at least one AllowedMethod"));
        }
        for (name, patterns) in [("AllowedOrigin", &self.origins), ("AllowedHeader", &self.headers)] {
            if let Some(pattern) = patterns.iter().find(|pattern| pattern.matches('*').count() > 1) {
                return Err(request(format!("{name} \"{pattern}\" can not have more than one wildcard.")));
            }
            if patterns.iter().any(String::is_empty) {
                return Err(malformed(&format!("{name} must not be empty")));
            }
        }
        if let Some(name) = self.headers.iter().find(|name| !is_token(name)) {
            return Err(request(format!("AllowedHeader \"{name}\" contains invalid character.")));
        }
        for name in &self.exposed {
            if name.contains('*') {
                return Err(request(format!(
                    "ExposeHeader \"{name}\" contains wildcard. We currently do not support wildcard for ExposeHeader."
                )));
            }
            if !is_token(name) {
                return Err(request(format!("ExposeHeader \"{name}\" is not the name of a header.")));
            }
        }
        Ok(())
    }
}

/// Whether a text can be the name of a header (RFC 9110, section 5.6.2).
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

fn malformed(why: &str) -> RulesError {
    RulesError::Malformed(why.to_owned())
}

fn request(why: impl Into<String>) -> RulesError {
    RulesError::Request(why.into())
}
