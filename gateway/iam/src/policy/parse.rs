//! From a document to statements.

use super::actions::{Named, Names, matches};
use super::condition::{self, Condition};
use super::json::Json;
use super::pattern::{Pattern, Syntax};
use super::principal::{self, Principals};
use super::scope::KeyIndex;
use super::{ConditionKey, Effect, MalformedPolicy, POLICY_BYTES_MAX, PolicyKind, Resources, Statement, arn};
use crate::action::Action;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

type Members = [(String, Json)];

/// Longest text of a new policy that requests are held against (AWS, "IAM and AWS STS quotas": the longest ARN), in
/// bytes.
const PATTERN_BYTES_MAX: usize = 2048;

/// The condition keys that a policy names, each once.
#[derive(Default)]
pub(super) struct Keys(BTreeMap<ConditionKey, KeyIndex>);

impl Keys {
    /// The place of a key.
    pub(super) fn index(&mut self, key: ConditionKey) -> Result<KeyIndex, &'static str> {
        let next = KeyIndex::try_from(self.0.len()).map_err(|_| "names too many condition keys")?;
        Ok(*self.0.entry(key).or_insert(next))
    }

    /// The keys by their places.
    pub(super) fn into_list(self) -> Box<[ConditionKey]> {
        let mut keys: Vec<_> = self.0.into_iter().collect();
        keys.sort_unstable_by_key(|(_, index)| *index);
        keys.into_iter().map(|(key, _)| key).collect()
    }

    /// Whether a condition looks at what differs between objects.
    fn depend_on_object(&self, condition: &Condition) -> bool {
        let of_objects: BTreeSet<_> =
            self.0.iter().filter(|(key, _)| key.is_of_object()).map(|(_, index)| *index).collect();
        !of_objects.is_empty() && condition.keys().any(|key| of_objects.contains(&key))
    }
}

/// Where a document comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    /// It is to be set: what cannot be meant is refused.
    New,
    /// It was set once. What was taken then is taken still.
    Stored,
}

pub(super) fn statements(
    document: &str,
    kind: PolicyKind<'_>,
    age: Age,
) -> Result<(Vec<Statement>, Box<[ConditionKey]>), MalformedPolicy> {
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
    let (names, mut keys) = (Names::new(), Keys::default());
    let mut statements = Vec::with_capacity(listed.len());
    for (index, statement) in listed.iter().enumerate() {
        let mut place =
            Place { name: format!("Statement[{index}]"), kind, age, variables, names: &names, keys: &mut keys };
        let Json::Object(members) = statement else { return Err(wrong(&place.name, "is not a JSON object")) };
        // An empty one is none: Terraform and mc write it into every statement.
        let id = text(members, "Sid", &place.of("Sid"))?.filter(|id| !id.is_empty());
        if id.is_some_and(|id| !ids.insert(id.to_owned())) {
            return Err(wrong(&place.of("Sid"), "Statement IDs (SID) in a single policy must be unique"));
        }
        statements.push(place.statement(members, id)?);
    }
    Ok((statements, keys.into_list()))
}

/// The statement that is parsed, and by which rules.
struct Place<'a> {
    name: String,
    kind: PolicyKind<'a>,
    age: Age,
    variables: bool,
    names: &'a Names,
    keys: &'a mut Keys,
}

/// What the resources of a statement can be.
#[derive(Debug, Clone, Copy)]
struct Reach {
    buckets: bool,
    objects: bool,
    keys: bool,
}

impl Reach {
    /// Whether one of the actions that are named applies.
    const fn fits(self, named: &Named) -> bool {
        named.of_buckets && self.buckets || named.of_objects && self.objects || named.of_keys && self.keys
    }
}

const ELEMENTS: [&str; 9] =
    ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];

impl Place<'_> {
    fn of(&self, element: &str) -> String {
        format!("{}.{element}", self.name)
    }

    fn statement(&mut self, members: &Members, id: Option<&str>) -> Result<Statement, MalformedPolicy> {
        only(members, &ELEMENTS, &self.name)?;
        let effect = match get(members, "Effect") {
            Some(Json::Text(effect)) if effect == "Allow" => Effect::Allow,
            Some(Json::Text(effect)) if effect == "Deny" => Effect::Deny,
            _ => return Err(wrong(&self.of("Effect"), "must be Allow or Deny")),
        };
        let principals = self.principals(members, effect)?;
        let (actions, wanted) = self.actions(members)?;
        let (resources, reach) = self.resources(members)?;
        if !wanted.iter().all(|named| reach.fits(named)) {
            return Err(wrong(&self.of("Action"), "Action does not apply to any resource(s) in statement"));
        }
        let (of_objects, of_request): (Vec<_>, Vec<_>) =
            self.conditions(members)?.into_iter().partition(|condition| self.keys.depend_on_object(condition));
        let id = id.map(Into::into);
        Ok(Statement { id, effect, principals, actions, resources, of_request, of_objects })
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

    /// The actions, and what each of the names must apply to.
    fn actions(&self, members: &Members) -> Result<(Box<[bool]>, Vec<Named>), MalformedPolicy> {
        let (name, value, negated) = either(members, "Action", "NotAction")
            .ok_or_else(|| wrong(&self.of("Action"), "Missing required field Action"))?;
        let mut actions = vec![false; Action::ALL.len()];
        let mut wanted = Vec::new();
        for text in self.texts(name, value)? {
            let service = text.split_once(':').map(|(service, _)| service);
            let own = if matches!(self.kind, PolicyKind::Key(_)) { "kms" } else { "s3" };
            let is_own = service.is_some_and(|service| service.eq_ignore_ascii_case(own));
            // The policy of an identity may be about other services too.
            let known = text == "*" || is_own || (service.is_some() && self.kind == PolicyKind::Identity);
            let named = self.names.named(text).map_err(|reason| wrong(&self.of(name), reason))?;
            if !known || self.is_strict() && !named.any {
                return Err(wrong(&self.of(name), "Policy has invalid action"));
            }
            actions.iter_mut().zip(&named.own).for_each(|(action, named)| *action |= named);
            if self.is_strict() && !negated {
                wanted.push(named);
            }
        }
        Ok((actions.into_iter().map(|named| named != negated).collect(), wanted))
    }

    /// The resources, and what they can be.
    fn resources(&mut self, members: &Members) -> Result<(Resources, Reach), MalformedPolicy> {
        let (name, value, negated) = either(members, "Resource", "NotResource")
            .ok_or_else(|| wrong(&self.of("Resource"), "Missing required field Resource"))?;
        let mut patterns = Vec::new();
        let of_key = matches!(self.kind, PolicyKind::Key(_));
        let mut reach = Reach { buckets: negated && !of_key, objects: negated && !of_key, keys: of_key };
        for text in self.texts(name, value)? {
            let can_be = match self.kind {
                PolicyKind::Bucket(bucket) => may_be_in(text, bucket) && !(self.is_strict() && text == "*"),
                PolicyKind::Key(key) => may_be_key(text, key),
                PolicyKind::Identity => true,
            };
            if !can_be {
                return Err(wrong(&self.of(name), "Policy has invalid resource"));
            }
            self.bounded(name, text)?;
            let syntax = Syntax { wildcards: true, variables: self.variables };
            let resource = match self.kind {
                PolicyKind::Key(key) if text == key => arn::of_key(key).into(),
                _ => arn::key(text).map_or(Cow::Borrowed(text), |key| arn::of_key(key).into()),
            };
            let pattern =
                Pattern::parse(&resource, syntax, self.keys).map_err(|reason| wrong(&self.of(name), reason))?;
            patterns.push(pattern);
            let variable = self.variables && text.contains("${");
            reach.buckets |= !of_key && (variable || !text.contains('/'));
            reach.objects |= !of_key && (variable || text.contains(['/', '*', '?']));
        }
        Ok((Resources { negated, patterns }, reach))
    }

    /// Whether what cannot be meant is refused.
    fn is_strict(&self) -> bool {
        self.age == Age::New && self.kind != PolicyKind::Identity
    }

    fn bounded(&self, name: &str, text: &str) -> Result<(), MalformedPolicy> {
        if self.age == Age::New && text.len() > PATTERN_BYTES_MAX {
            return Err(wrong(&self.of(name), format!("has a value of more than {PATTERN_BYTES_MAX} bytes")));
        }
        Ok(())
    }

    fn conditions(&mut self, members: &Members) -> Result<Vec<Condition>, MalformedPolicy> {
        let operators = match get(members, "Condition") {
            None => return Ok(Vec::new()),
            Some(Json::Object(operators)) => operators,
            Some(_) => return Err(wrong(&self.of("Condition"), "is not a JSON object")),
        };
        let mut conditions = Vec::new();
        for (operator, keys) in operators {
            let name = format!("Condition.{operator}");
            for text in condition::texts_of(keys) {
                self.bounded(&name, text)?;
            }
            let parsed = condition::parse(operator, keys, self.variables, self.keys);
            conditions.extend(parsed.map_err(|reason| wrong(&self.of(&name), reason))?);
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

/// Whether a resource can be a bucket or an object in it.
fn may_be_in(resource: &str, bucket: &str) -> bool {
    if resource == "*" {
        return true;
    }
    let Some(rest) = resource.strip_prefix(arn::RESOURCE) else { return false };
    may_be(rest.split_once('/').map_or(rest, |(bucket, _)| bucket), bucket)
}

/// Whether a resource can be a key.
fn may_be_key(resource: &str, key: &str) -> bool {
    resource == "*" || resource == key || arn::key(resource).is_some_and(|own| may_be(own, key))
}

/// Whether a pattern can be a name. A variable is told only by the request.
fn may_be(pattern: &str, name: &str) -> bool {
    let syntax = Syntax { wildcards: true, variables: false };
    let parsed = Pattern::parse(pattern, syntax, &mut Keys::default());
    pattern.contains("${") || parsed.is_ok_and(|parsed| matches(&parsed, name) == Ok(true))
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
