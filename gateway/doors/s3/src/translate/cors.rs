//! CORS rules between XML and the domain, which checks what they say.

use super::lock::malformed;
use cofre_objects::{Cors, CorsMethod, CorsRule};
use s3s::dto::{CORSConfiguration, CORSRule};
use s3s::{S3Result, s3_error};

/// Reads a document.
pub(crate) fn from_dto(document: CORSConfiguration) -> S3Result<Cors> {
    Ok(Cors { rules: document.cors_rules.into_iter().map(rule).collect::<S3Result<_>>()? })
}

fn rule(rule: CORSRule) -> S3Result<CorsRule> {
    let method = |name: String| {
        let unsupported =
            || s3_error!(InvalidRequest, "Found unsupported HTTP method in CORS config. Unsupported method is {name}");
        CorsMethod::parse(&name).ok_or_else(unsupported)
    };
    Ok(CorsRule {
        id: rule.id,
        origins: rule.allowed_origins,
        methods: rule.allowed_methods.into_iter().map(method).collect::<S3Result<_>>()?,
        headers: rule.allowed_headers.unwrap_or_default(),
        exposed: rule.expose_headers.unwrap_or_default(),
        max_age_secs: rule.max_age_seconds.map(u32::try_from).transpose().map_err(|_| malformed())?,
    })
}

/// Writes the rules.
pub(crate) fn to_dto(rules: Cors) -> Vec<CORSRule> {
    let rule = |rule: CorsRule| CORSRule {
        allowed_headers: some(rule.headers),
        allowed_methods: rule.methods.into_iter().map(|method| method.as_str().to_owned()).collect(),
        allowed_origins: rule.origins,
        expose_headers: some(rule.exposed),
        id: rule.id,
        max_age_seconds: rule.max_age_secs.map(|secs| i32::try_from(secs).unwrap_or(i32::MAX)),
    };
    rules.rules.into_iter().map(rule).collect()
}

fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

#[cfg(test)]
mod tests {
    use super::*;
    use s3s::S3ErrorCode;

    fn given() -> CORSRule {
        CORSRule {
            allowed_methods: vec!["GET".to_owned(), "DELETE".to_owned()],
            allowed_origins: vec!["http://*.example.com".to_owned()],
            allowed_headers: Some(vec!["x-amz-*".to_owned()]),
            expose_headers: Some(vec!["ETag".to_owned()]),
            id: Some("one".to_owned()),
            max_age_seconds: Some(3000),
        }
    }

    #[test]
    fn rules_survive() {
        let least =
            CORSRule { allowed_headers: None, expose_headers: None, id: None, max_age_seconds: None, ..given() };
        let rules = vec![given(), least];
        let read = from_dto(CORSConfiguration { cors_rules: rules.clone() }).unwrap();
        assert_eq!(to_dto(read), rules);
    }

    #[test]
    fn what_is_no_rule_is_refused_by_name() {
        let read = |rule: CORSRule| from_dto(CORSConfiguration { cors_rules: vec![rule] }).unwrap_err();
        let error = read(CORSRule { allowed_methods: vec!["PATCH".to_owned()], ..given() });
        assert_eq!(error.code(), &S3ErrorCode::InvalidRequest);
        assert!(error.message().unwrap().contains("PATCH"));
        let error = read(CORSRule { max_age_seconds: Some(-1), ..given() });
        assert_eq!(error.code(), &S3ErrorCode::MalformedXML);
    }
}
