//! Rules of CORS and lifecycles, and websites, between the document's form and the domain's.

use super::forms::{moment, text_of};
use crate::ApiError;
use cofre_admin_types::provision as api;
use cofre_objects::{
    Condition, Cors, CorsMethod, CorsRule, Criteria, Expiration, Lifecycle, NoncurrentExpiration, NoncurrentTransition,
    Pages, ReplaceKey, RoutingRule, Rule, Scope, Transition, WebProtocol, WebRedirect, Website, When,
};

pub(super) fn cors(rules: &[api::CorsRule]) -> Result<Cors, ApiError> {
    let rule = |(at, rule): (usize, &api::CorsRule)| {
        let method = |name: &String| {
            CorsMethod::parse(name).ok_or_else(|| {
                ApiError::invalid(
                    format!("cors[{at}].allowed_methods"),
                    format!("{name:?} is none of GET, PUT, HEAD, POST, DELETE"),
                )
            })
        };
        Ok(CorsRule {
            id: rule.id.clone(),
            origins: rule.allowed_origins.clone(),
            methods: rule.allowed_methods.iter().map(method).collect::<Result<_, ApiError>>()?,
            headers: rule.allowed_headers.clone(),
            exposed: rule.expose_headers.clone(),
            max_age_secs: rule.max_age_seconds,
        })
    };
    let cors = Cors { rules: rules.iter().enumerate().map(rule).collect::<Result<_, ApiError>>()? };
    cors.validate().map_err(|error| ApiError::invalid("cors", error.to_string()))?;
    Ok(cors)
}

pub(super) fn shown_cors(cors: &Cors) -> Vec<api::CorsRule> {
    let rule = |rule: &CorsRule| api::CorsRule {
        id: rule.id.clone(),
        allowed_origins: rule.origins.clone(),
        allowed_methods: rule.methods.iter().map(|method| method.as_str().to_owned()).collect(),
        allowed_headers: rule.headers.clone(),
        expose_headers: rule.exposed.clone(),
        max_age_seconds: rule.max_age_secs,
    };
    cors.rules.iter().map(rule).collect()
}

/// `is_class` says whether there is a storage class of a name.
pub(super) fn lifecycle(
    rules: &[api::LifecycleRule],
    minimum: Option<api::TransitionMinimum>,
    is_class: impl Fn(&str) -> bool,
) -> Result<Lifecycle, ApiError> {
    let rules = rules.iter().enumerate().map(|(at, rule)| {
        lifecycle_rule(rule).map_err(|(field, why)| ApiError::invalid(format!("lifecycle[{at}].{field}"), why))
    });
    let small_stay = minimum == Some(api::TransitionMinimum::Below128KiB);
    let lifecycle = Lifecycle { rules: rules.collect::<Result<_, _>>()?, small_stay };
    lifecycle.validate(is_class).map_err(|error| ApiError::invalid("lifecycle", error.to_string()))?;
    Ok(lifecycle)
}

/// A field, and what is wrong with it.
type Wrong = (&'static str, String);

fn lifecycle_rule(rule: &api::LifecycleRule) -> Result<Rule, Wrong> {
    if rule.id.is_empty() {
        return Err(("id", "must not be empty: by it the rule is found again".to_owned()));
    }
    let scope = match (&rule.prefix, &rule.filter) {
        (Some(_), Some(_)) => {
            return Err(("prefix", "does not go with a filter: write it into the filter".to_owned()));
        }
        (Some(prefix), None) => Scope::Prefix(prefix.clone()),
        (None, filter) => filter.as_ref().map_or(Scope::Filter(Criteria::default()), scope_of),
    };
    let expiration = rule.expiration.as_ref().map(|expiration| {
        let when = match (expiration.days, &expiration.date) {
            (None, None) => None,
            (days, date) => Some(when("expiration", days, date.as_deref())?),
        };
        Ok(Expiration { when, lone_markers: expiration.expired_object_delete_marker })
    });
    let transition = |transition: &api::LifecycleTransition| {
        let when = when("transitions", transition.days, transition.date.as_deref())?;
        Ok(Transition { when, storage_class: transition.storage_class.clone() })
    };
    let noncurrent = |transition: &api::NoncurrentTransition| NoncurrentTransition {
        days: transition.noncurrent_days,
        keep: transition.newer_noncurrent_versions,
        storage_class: transition.storage_class.clone(),
    };
    Ok(Rule {
        id: rule.id.clone(),
        enabled: rule.enabled,
        scope,
        expiration: expiration.transpose()?,
        noncurrent_expiration: rule.noncurrent_version_expiration.as_ref().map(|expiration| NoncurrentExpiration {
            days: expiration.noncurrent_days,
            keep: expiration.newer_noncurrent_versions,
        }),
        transitions: rule.transitions.iter().map(transition).collect::<Result<_, Wrong>>()?,
        noncurrent_transitions: rule.noncurrent_version_transitions.iter().map(noncurrent).collect(),
        abort_upload_days: rule.abort_incomplete_multipart_upload_days,
    })
}

/// One criterion is a filter of its own, several are joined by `And`.
fn scope_of(filter: &api::LifecycleFilter) -> Scope {
    let criteria = Criteria {
        prefix: filter.prefix.clone(),
        tags: filter.tags.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
        larger_than: filter.object_size_greater_than,
        smaller_than: filter.object_size_less_than,
    };
    let sizes = usize::from(criteria.larger_than.is_some()) + usize::from(criteria.smaller_than.is_some());
    let count = usize::from(criteria.prefix.is_some()) + criteria.tags.len() + sizes;
    if count > 1 { Scope::And(criteria) } else { Scope::Filter(criteria) }
}

fn when(field: &'static str, days: Option<u32>, date: Option<&str>) -> Result<When, Wrong> {
    match (days, date) {
        (Some(days), None) => Ok(When::Days(days)),
        (None, Some(date)) => moment(date).map(When::Date).map_err(|why| (field, format!("date {why}"))),
        _ => Err((field, "has either days or a date".to_owned())),
    }
}

pub(super) fn shown_lifecycle(lifecycle: &Lifecycle) -> Vec<api::LifecycleRule> {
    lifecycle.rules.iter().map(shown_rule).collect()
}

fn shown_rule(rule: &Rule) -> api::LifecycleRule {
    let (prefix, filter) = match &rule.scope {
        Scope::Prefix(prefix) => (Some(prefix.clone()), None),
        Scope::Filter(criteria) | Scope::And(criteria) if *criteria == Criteria::default() => (None, None),
        Scope::Filter(criteria) | Scope::And(criteria) => (None, Some(shown_filter(criteria))),
    };
    let days_or_date = |when: When| match when {
        When::Days(days) => (Some(days), None),
        When::Date(date) => (None, Some(text_of(date))),
    };
    let transition = |transition: &Transition| {
        let (days, date) = days_or_date(transition.when);
        api::LifecycleTransition { days, date, storage_class: transition.storage_class.clone() }
    };
    let noncurrent = |transition: &NoncurrentTransition| api::NoncurrentTransition {
        noncurrent_days: transition.days,
        newer_noncurrent_versions: transition.keep,
        storage_class: transition.storage_class.clone(),
    };
    api::LifecycleRule {
        id: rule.id.clone(),
        enabled: rule.enabled,
        prefix,
        filter,
        expiration: rule.expiration.map(|expiration| {
            let (days, date) = expiration.when.map_or((None, None), days_or_date);
            api::LifecycleExpiration { days, date, expired_object_delete_marker: expiration.lone_markers }
        }),
        noncurrent_version_expiration: rule.noncurrent_expiration.map(|expiration| api::NoncurrentExpiration {
            noncurrent_days: expiration.days,
            newer_noncurrent_versions: expiration.keep,
        }),
        transitions: rule.transitions.iter().map(transition).collect(),
        noncurrent_version_transitions: rule.noncurrent_transitions.iter().map(noncurrent).collect(),
        abort_incomplete_multipart_upload_days: rule.abort_upload_days,
    }
}

fn shown_filter(criteria: &Criteria) -> api::LifecycleFilter {
    api::LifecycleFilter {
        prefix: criteria.prefix.clone(),
        tags: criteria.tags.iter().cloned().collect(),
        object_size_greater_than: criteria.larger_than,
        object_size_less_than: criteria.smaller_than,
    }
}

pub(super) fn website(website: &api::Website) -> Result<Website, ApiError> {
    let wrong = |(field, why): Wrong| ApiError::invalid(format!("website.{field}"), why);
    let made = website_of(website).map_err(wrong)?;
    made.validate().map_err(|error| ApiError::invalid("website", error.to_string()))?;
    Ok(made)
}

fn website_of(website: &api::Website) -> Result<Website, Wrong> {
    if let Some(elsewhere) = &website.redirect_all_requests_to {
        let alone = api::Website { redirect_all_requests_to: None, ..website.clone() } == api::Website::default();
        if !alone {
            return Err(("redirect_all_requests_to", "goes with nothing else".to_owned()));
        }
        let protocol = protocol("redirect_all_requests_to", elsewhere.protocol.as_deref())?;
        return Ok(Website::Elsewhere { host: elsewhere.host_name.clone(), protocol });
    }
    let Some(index) = website.index_document.clone() else {
        return Err(("index_document", "is needed, as index.html".to_owned()));
    };
    let rule = |rule: &api::RoutingRule| {
        let key = match (&rule.redirect.replace_key_with, &rule.redirect.replace_key_prefix_with) {
            (Some(_), Some(_)) => {
                return Err(("routing_rules", "replace_key_with does not go with replace_key_prefix_with".to_owned()));
            }
            (Some(whole), None) => Some(ReplaceKey::Whole(whole.clone())),
            (None, prefix) => prefix.clone().map(ReplaceKey::Prefix),
        };
        let redirect = WebRedirect {
            host: rule.redirect.host_name.clone(),
            protocol: protocol("routing_rules", rule.redirect.protocol.as_deref())?,
            status: rule.redirect.http_redirect_code,
            key,
        };
        let condition = rule.condition.as_ref().map(|condition| Condition {
            prefix: condition.key_prefix_equals.clone(),
            status: condition.http_error_code_returned_equals,
        });
        Ok(RoutingRule { condition, redirect })
    };
    let rules = website.routing_rules.iter().map(rule).collect::<Result<_, Wrong>>()?;
    Ok(Website::Pages(Pages { index, error: website.error_document.clone(), rules }))
}

fn protocol(field: &'static str, name: Option<&str>) -> Result<Option<WebProtocol>, Wrong> {
    match name {
        None => Ok(None),
        Some("http") => Ok(Some(WebProtocol::Http)),
        Some("https") => Ok(Some(WebProtocol::Https)),
        Some(other) => Err((field, format!("the protocol {other:?} is neither http nor https"))),
    }
}

pub(super) fn shown_website(website: &Website) -> api::Website {
    let name = |protocol: &Option<WebProtocol>| protocol.map(|protocol| protocol.as_str().to_owned());
    let pages = match website {
        Website::Elsewhere { host, protocol } => {
            let elsewhere = api::HostRedirect { host_name: host.clone(), protocol: name(protocol) };
            return api::Website { redirect_all_requests_to: Some(elsewhere), ..api::Website::default() };
        }
        Website::Pages(pages) => pages,
    };
    let rule = |rule: &RoutingRule| {
        let (replace_key_with, replace_key_prefix_with) = match &rule.redirect.key {
            None => (None, None),
            Some(ReplaceKey::Whole(whole)) => (Some(whole.clone()), None),
            Some(ReplaceKey::Prefix(prefix)) => (None, Some(prefix.clone())),
        };
        api::RoutingRule {
            condition: rule.condition.as_ref().map(|condition| api::RoutingCondition {
                key_prefix_equals: condition.prefix.clone(),
                http_error_code_returned_equals: condition.status,
            }),
            redirect: api::RoutingRedirect {
                host_name: rule.redirect.host.clone(),
                protocol: name(&rule.redirect.protocol),
                http_redirect_code: rule.redirect.status,
                replace_key_with,
                replace_key_prefix_with,
            },
        }
    };
    api::Website {
        index_document: Some(pages.index.clone()),
        error_document: pages.error.clone(),
        routing_rules: pages.rules.iter().map(rule).collect(),
        redirect_all_requests_to: None,
    }
}

/// What is said of small objects beside the rules, if anything is.
pub(super) fn shown_minimum(lifecycle: &Lifecycle) -> Option<api::TransitionMinimum> {
    lifecycle.small_stay.then_some(api::TransitionMinimum::Below128KiB)
}
