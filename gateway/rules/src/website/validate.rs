//! What a website's configuration must be like (AWS, "PutBucketWebsite"). Errors name the element.

use super::{Condition, Pages, ReplaceKey, RoutingRule, WebRedirect, Website};
use crate::error::RulesError;

/// Most routing rules of a website.
pub const ROUTING_RULES_MAX: usize = 50;

/// Longest key, in bytes.
const KEY_BYTES_MAX: usize = 1_024;

/// Longest name of a host, with its port, in bytes.
const HOST_BYTES_MAX: usize = 1_024;

type Checked = Result<(), RulesError>;

fn malformed(why: impl Into<String>) -> Checked {
    Err(RulesError::Malformed(why.into()))
}

fn argument(why: &str) -> Checked {
    Err(RulesError::Argument(why.to_owned()))
}

fn request(why: impl Into<String>) -> Checked {
    Err(RulesError::Request(why.into()))
}

impl Website {
    /// Checks it.
    ///
    /// # Errors
    /// [`RulesError`] for the first element that is not good.
    pub fn validate(&self) -> Checked {
        match self {
            Self::Elsewhere { host, .. } => validate_host(host),
            Self::Pages(pages) => pages.validate(),
        }
    }
}

impl Pages {
    fn validate(&self) -> Checked {
        if self.index.is_empty() || self.index.contains('/') || self.index.len() > KEY_BYTES_MAX {
            return argument("The IndexDocument Suffix is not well formed");
        }
        if self.error.as_ref().is_some_and(|key| key.is_empty() || key.len() > KEY_BYTES_MAX) {
            return malformed("The Key of an ErrorDocument has 1 to 1,024 bytes");
        }
        if self.rules.len() > ROUTING_RULES_MAX {
            return request(format!("A WebsiteConfiguration has at most {ROUTING_RULES_MAX} RoutingRules"));
        }
        self.rules.iter().try_for_each(RoutingRule::validate)
    }
}

impl RoutingRule {
    fn validate(&self) -> Checked {
        if let Some(condition) = &self.condition {
            condition.validate()?;
        }
        self.redirect.validate()
    }
}

impl Condition {
    fn validate(&self) -> Checked {
        if *self == Self::default() {
            return request(
                "Condition cannot be empty. To redirect all requests without a condition, the condition element \
                 shouldn't be present.",
            );
        }
        if self.prefix.as_ref().is_some_and(|prefix| prefix.len() > KEY_BYTES_MAX) {
            return argument("KeyPrefixEquals has at most 1,024 bytes");
        }
        match self.status {
            Some(code) if !(400..600).contains(&code) => {
                request(format!("The provided HTTP error code ({code}) is not valid. Valid codes are 4XX or 5XX."))
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl WebRedirect {
    fn validate(&self) -> Checked {
        if *self == Self::default() {
            return malformed("A Redirect has at least one element");
        }
        if let Some(host) = &self.host {
            validate_host(host)?;
        }
        if let Some(ReplaceKey::Whole(key) | ReplaceKey::Prefix(key)) = &self.key
            && key.len() > KEY_BYTES_MAX
        {
            return argument("ReplaceKeyWith and ReplaceKeyPrefixWith have at most 1,024 bytes");
        }
        match self.status {
            Some(code) if !(301..400).contains(&code) => request(format!(
                "The provided HTTP redirect code ({code}) is not valid. Valid codes are 3XX except 300."
            )),
            Some(_) | None => Ok(()),
        }
    }
}

/// A host stands in an address as it is.
fn validate_host(host: &str) -> Checked {
    let legal = |b: u8| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b);
    if (1..=HOST_BYTES_MAX).contains(&host.len()) && host.bytes().all(legal) {
        return Ok(());
    }
    argument("HostName is not the name of a host")
}
