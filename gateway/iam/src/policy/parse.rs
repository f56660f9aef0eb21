//! From a document to statements.

use super::condition::{self, Condition};
use super::json::Json;
use super::pattern::{Case, Pattern, Syntax};
use super::principal::{self, Principals};
use super::{ConditionKey, Context, Effect, MalformedPolicy, POLICY_BYTES_MAX, PolicyKind, Resources, Statement, arn};
use crate::Action;
use std::borrow::Cow;
use std::collections::BTreeSet;

type Members = [(String, Json)];

pub(super) fn statements(document: &str, kind: PolicyKind<'_>) -> Result<Vec<Statement>, MalformedPolicy> {
    if document.len() > POLICY_BYTES_MAX {
        return Err(wrong("Policy", "Policies must not be larger than 20 KB"));
    }
    let document = Json::parse(document).map_err(|error| wrong("Policy", format!("is not valid JSON: {error}")))?;
    let Json::Object(members) = document else { return Err(wrong("Policy", "is not a JSON object")) };
    only(&members, &["Version", "Id", "Statement"], "Policy")?;
    let variables = match get(&members, "Version") {
        None => false,
        Some(Json::Text(version)) if version == "2008-10-17" => false,
        Some(Json::Text(version)) if version == "2012-10-17" => true,
        Some(_) => return Err(wrong("Version", "The policy must contain a valid version string")),
    };
    text(&members, "Id", "Id")?;
    let listed = match get(&members, "Statement") {
        Some(Json::List(statements)) if !statements.is_empty() => statements.as_slice(),
        Some(one @ Json::Object(_)) => std::slice::from_ref(one),
        _ => return Err(wrong("Statement", "Could not parse the policy: Statement is empty!")),
    };
    let mut ids = BTreeSet::new();
    let mut statements = Vec::with_capacity(listed.len());
    for (index, statement) in listed.iter().enumerate() {
        let place = Place { name: format!("Statement[{index}]"), kind, variables };
        let Json::Object(members) = statement else { return Err(wrong(&place.name, "is not a JSON object")) };
        let id = text(members, "Sid", &place.of("Sid"))?;
        if id.is_some_and(|id| !ids.insert(id.to_owned())) {
            return Err(wrong(&place.of("Sid"), "Statement IDs (SID) in a single policy must be unique"));
        }
        statements.push(place.statement(members)?);
    }
    Ok(statements)
}

/// The statement that is parsed, and by which rules.
struct Place<'a> {
    name: String,
    kind: PolicyKind<'a>,
    variables: bool,
}

const ELEMENTS: [&str; 9] =
    ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];

impl Place<'_> {
    fn of(&self, element: &str) -> String {
        format!("{}.{element}", self.name)
    }

    fn statement(&self, members: &Members) -> Result<Statement, MalformedPolicy> {
        only(members, &ELEMENTS, &self.name)?;
        let effect = match get(members, "Effect") {
            Some(Json::Text(effect)) if effect == "Allow" => Effect::Allow,
            Some(Json::Text(effect)) if effect == "Deny" => Effect::Deny,
            _ => return Err(wrong(&self.of("Effect"), "must be Allow or Deny")),
        };
        Ok(Statement {
            effect,
            principals: self.principals(members, effect)?,
            actions: self.actions(members)?,
            resources: self.resources(members)?,
            conditions: self.conditions(members)?,
        })
    }

    fn principals(&self, members: &Members, effect: Effect) -> Result<Option<Principals>, MalformedPolicy> {
        if self.kind == PolicyKind::Identity {
            let given = ["Principal", "NotPrincipal"].into_iter().find(|name| get(members, name).is_some());
            return match given {
                Some(name) => Err(wrong(&self.of(name), "Policy document should not specify a principal")),
                None => Ok(None),
            };
        }
        let (name, value, negated) = either(members, "Principal", "NotPrincipal")
            .ok_or_else(|| wrong(&self.of("Principal"), "Missing required field Principal"))?;
        if negated && effect == Effect::Allow {
            return Err(wrong(&self.of(name), "Allow with NotPrincipal is not allowed"));
        }
        let who = principal::parse(value).map_err(|reason| wrong(&self.of(name), reason))?;
        Ok(Some(Principals { negated, who }))
    }

    fn actions(&self, members: &Members) -> Result<Box<[bool]>, MalformedPolicy> {
        let (name, value, negated) = either(members, "Action", "NotAction")
            .ok_or_else(|| wrong(&self.of("Action"), "Missing required field Action"))?;
        let mut patterns = Vec::new();
        for text in self.texts(name, value)? {
            let service = text.split_once(':').map(|(service, _)| service);
            let of_s3 = service.is_some_and(|service| service.eq_ignore_ascii_case("s3"));
            // The policy of an identity may be about other services too.
            let known = text == "*" || of_s3 || (service.is_some() && self.kind == PolicyKind::Identity);
            if !known {
                return Err(wrong(&self.of(name), "Policy has invalid action"));
            }
            let syntax = Syntax { wildcards: true, variables: false };
            patterns.push(Pattern::parse(text, syntax).map_err(|reason| wrong(&self.of(name), reason))?);
        }
        let named = |action: &Action| {
            patterns.iter().any(|pattern| pattern.matches_in(action.as_str(), &NoContext, Case::Folded)) != negated
        };
        Ok(Action::ALL.iter().map(named).collect())
    }

    fn resources(&self, members: &Members) -> Result<Resources, MalformedPolicy> {
        let (name, value, negated) = either(members, "Resource", "NotResource")
            .ok_or_else(|| wrong(&self.of("Resource"), "Missing required field Resource"))?;
        let mut patterns = Vec::new();
        for text in self.texts(name, value)? {
            if let PolicyKind::Bucket(bucket) = self.kind
                && !may_be_in(text, bucket)
            {
                return Err(wrong(&self.of(name), "Policy has invalid resource"));
            }
            let syntax = Syntax { wildcards: true, variables: self.variables };
            patterns.push(Pattern::parse(text, syntax).map_err(|reason| wrong(&self.of(name), reason))?);
        }
        Ok(Resources { negated, patterns })
    }

    fn conditions(&self, members: &Members) -> Result<Vec<Condition>, MalformedPolicy> {
        let operators = match get(members, "Condition") {
            None => return Ok(Vec::new()),
            Some(Json::Object(operators)) => operators,
            Some(_) => return Err(wrong(&self.of("Condition"), "is not a JSON object")),
        };
        let mut conditions = Vec::new();
        for (operator, keys) in operators {
            let parsed = condition::parse(operator, keys, self.variables);
            conditions.extend(parsed.map_err(|reason| wrong(&self.of(&format!("Condition.{operator}")), reason))?);
        }
        Ok(conditions)
    }

    /// A text or a list of texts.
    fn texts<'j>(&self, name: &str, value: &'j Json) -> Result<Vec<&'j str>, MalformedPolicy> {
        let text = |value: &'j Json| match value {
            Json::Text(text) if !text.is_empty() => Some(text.as_str()),
            _ => None,
        };
        let texts = match value {
            Json::List(values) if values.is_empty() => None,
            Json::List(values) => values.iter().map(text).collect(),
            value => text(value).map(|text| vec![text]),
        };
        texts.ok_or_else(|| wrong(&self.of(name), "must be a text or a list of texts"))
    }
}

/// Whether a resource can be a bucket or an object in it. A variable in the bucket's part is told only
/// by the request.
fn may_be_in(resource: &str, bucket: &str) -> bool {
    if resource == "*" {
        return true;
    }
    let Some(rest) = resource.strip_prefix(arn::RESOURCE) else { return false };
    let own = rest.split_once('/').map_or(rest, |(bucket, _)| bucket);
    let syntax = Syntax { wildcards: true, variables: false };
    own.contains("${") || Pattern::parse(own, syntax).is_ok_and(|pattern| pattern.matches(bucket, &NoContext))
}

fn wrong(element: &str, reason: impl Into<Cow<'static, str>>) -> MalformedPolicy {
    MalformedPolicy { element: element.to_owned(), reason: reason.into() }
}

fn get<'j>(members: &'j Members, name: &str) -> Option<&'j Json> {
    members.iter().find(|(own, _)| own == name).map(|(_, value)| value)
}

/// The one of two elements that is there; none if none is, or both are.
fn either<'j>(members: &'j Members, name: &'static str, not: &'static str) -> Option<(&'static str, &'j Json, bool)> {
    match (get(members, name), get(members, not)) {
        (Some(value), None) => Some((name, value, false)),
        (None, Some(value)) => Some((not, value, true)),
        (None, None) | (Some(_), Some(_)) => None,
    }
}

fn text<'j>(members: &'j Members, name: &str, element: &str) -> Result<Option<&'j str>, MalformedPolicy> {
    match get(members, name) {
        None => Ok(None),
        Some(Json::Text(text)) => Ok(Some(text)),
        Some(_) => Err(wrong(element, "must be a text")),
    }
}

fn only(members: &Members, known: &[&str], element: &str) -> Result<(), MalformedPolicy> {
    match members.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        Some((name, _)) => Err(wrong(element, format!("has the unknown element {name}"))),
        None => Ok(()),
    }
}

/// For patterns without variables.
struct NoContext;

impl Context for NoContext {
    fn values(&self, _: &ConditionKey) -> Option<Vec<Cow<'_, str>>> {
        None
    }
}
