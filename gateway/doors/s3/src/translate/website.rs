//! Website configurations between XML and the domain, which checks what they say.

use super::lock::malformed;
use cofre_objects::{Condition, Pages, ReplaceKey, RoutingRule, WebProtocol, WebRedirect, Website};
use s3s::dto::{self, GetBucketWebsiteOutput, WebsiteConfiguration};
use s3s::{S3Result, s3_error};

/// Reads a document.
pub(crate) fn from_dto(document: WebsiteConfiguration) -> S3Result<Website> {
    let WebsiteConfiguration { error_document, index_document, redirect_all_requests_to, routing_rules } = document;
    if let Some(elsewhere) = redirect_all_requests_to {
        if error_document.is_some() || index_document.is_some() || routing_rules.is_some() {
            return Err(s3_error!(
                InvalidArgument,
                "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules."
            ));
        }
        let protocol = elsewhere.protocol.as_ref().map(protocol).transpose()?;
        return Ok(Website::Elsewhere { host: elsewhere.host_name, protocol });
    }
    let index = index_document.ok_or_else(|| {
        s3_error!(
            InvalidArgument,
            "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty"
        )
    })?;
    if routing_rules.as_ref().is_some_and(Vec::is_empty) {
        return Err(malformed());
    }
    Ok(Website::Pages(Pages {
        index: index.suffix,
        error: error_document.map(|document| document.key),
        rules: routing_rules.unwrap_or_default().into_iter().map(rule).collect::<S3Result<_>>()?,
    }))
}

fn rule(rule: dto::RoutingRule) -> S3Result<RoutingRule> {
    let condition = |condition: dto::Condition| -> S3Result<Condition> {
        let status =
            condition.http_error_code_returned_equals.as_deref().map(|code| status(code, "error", "4XX or 5XX"));
        Ok(Condition { prefix: condition.key_prefix_equals, status: status.transpose()? })
    };
    let redirect = rule.redirect;
    let key = match (redirect.replace_key_with, redirect.replace_key_prefix_with) {
        (Some(_), Some(_)) => {
            return Err(s3_error!(InvalidRequest, "You can only define ReplaceKeyPrefix or ReplaceKey but not both."));
        }
        (Some(whole), None) => Some(ReplaceKey::Whole(whole)),
        (None, Some(prefix)) => Some(ReplaceKey::Prefix(prefix)),
        (None, None) => None,
    };
    let code = redirect.http_redirect_code.as_deref().map(|code| status(code, "redirect", "3XX except 300"));
    Ok(RoutingRule {
        condition: rule.condition.map(condition).transpose()?,
        redirect: WebRedirect {
            host: redirect.host_name,
            protocol: redirect.protocol.as_ref().map(protocol).transpose()?,
            status: code.transpose()?,
            key,
        },
    })
}

/// A status, whose range the domain checks.
fn status(code: &str, what: &str, valid: &str) -> S3Result<u16> {
    let invalid =
        || s3_error!(InvalidRequest, "The provided HTTP {what} code ({code}) is not valid. Valid codes are {valid}.");
    code.parse().map_err(|_| invalid())
}

fn protocol(name: &dto::Protocol) -> S3Result<WebProtocol> {
    match name.as_str() {
        dto::Protocol::HTTP => Ok(WebProtocol::Http),
        dto::Protocol::HTTPS => Ok(WebProtocol::Https),
        _ => Err(s3_error!(
            InvalidRequest,
            "Invalid protocol, protocol can be http or https. If not defined the protocol will be selected automatically."
        )),
    }
}

/// Writes a website.
pub(crate) fn to_dto(website: Website) -> GetBucketWebsiteOutput {
    match website {
        Website::Elsewhere { host, protocol } => GetBucketWebsiteOutput {
            redirect_all_requests_to: Some(dto::RedirectAllRequestsTo {
                host_name: host,
                protocol: protocol.map(protocol_to_dto),
            }),
            ..GetBucketWebsiteOutput::default()
        },
        Website::Pages(pages) => GetBucketWebsiteOutput {
            error_document: pages.error.map(|key| dto::ErrorDocument { key }),
            index_document: Some(dto::IndexDocument { suffix: pages.index }),
            redirect_all_requests_to: None,
            routing_rules: (!pages.rules.is_empty()).then(|| pages.rules.into_iter().map(rule_to_dto).collect()),
        },
    }
}

fn protocol_to_dto(protocol: WebProtocol) -> dto::Protocol {
    dto::Protocol::from_static(protocol.as_str())
}

fn rule_to_dto(rule: RoutingRule) -> dto::RoutingRule {
    let (whole, prefix) = match rule.redirect.key {
        Some(ReplaceKey::Whole(whole)) => (Some(whole), None),
        Some(ReplaceKey::Prefix(prefix)) => (None, Some(prefix)),
        None => (None, None),
    };
    dto::RoutingRule {
        condition: rule.condition.map(|condition| dto::Condition {
            http_error_code_returned_equals: condition.status.map(|status| status.to_string()),
            key_prefix_equals: condition.prefix,
        }),
        redirect: dto::Redirect {
            host_name: rule.redirect.host,
            http_redirect_code: rule.redirect.status.map(|status| status.to_string()),
            protocol: rule.redirect.protocol.map(protocol_to_dto),
            replace_key_prefix_with: prefix,
            replace_key_with: whole,
        },
    }
}
