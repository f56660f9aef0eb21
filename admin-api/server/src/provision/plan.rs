//! From what should be and what is to the steps between. Pure.

mod compare;

use cofre_admin_types::Scope;
use cofre_admin_types::provision::{
    Provision, ProvisionAccount, ProvisionBucket, ProvisionKey, ProvisionStep, ProvisionVerb,
};
use cofre_iam::ROOT_NAME;
use compare::{is_nothing, new_bucket, order, same, same_json};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::{HashMap, HashSet};

/// A step, and what does it.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    pub(crate) step: ProvisionStep,
    pub(crate) op: Op,
}

/// What a step does; numbers are places in the document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Op {
    /// Sets all settings of the document.
    Settings,
    /// The step before does it.
    Included,
    CreateAccount(usize),
    SetAccount(usize, AccountSetting),
    CreateKey(usize, usize),
    ChangeKey(usize, usize),
    SetKeyPolicy(usize),
    CreateBucket(usize),
    HandOver(usize),
    SetBucket(usize, BucketSetting),
    UnsetBucket(String, BucketSetting),
    DeleteBucket(String),
    DeleteKeyPolicy(String),
    DeleteKey(String),
    DeleteAccount(String),
}

impl Op {
    /// What a token must reach to ask for it: what the route of the single change asks for, where there is one.
    pub(crate) const fn scope(&self) -> Scope {
        match self {
            Self::CreateBucket(_)
            | Self::DeleteBucket(_)
            | Self::SetBucket(_, BucketSetting::Quota | BucketSetting::Redundancy)
            | Self::UnsetBucket(_, BucketSetting::Quota | BucketSetting::Redundancy)
            | Self::SetAccount(_, AccountSetting::Quota) => Scope::Operate,
            // Who says who may reach a bucket, and what becomes of its objects, could get at them.
            _ => Scope::Admin,
        }
    }
}

impl Op {
    /// Whether it deletes something as a whole.
    pub(crate) const fn deletes(&self) -> bool {
        matches!(self, Self::DeleteBucket(_) | Self::DeleteKeyPolicy(_) | Self::DeleteKey(_) | Self::DeleteAccount(_))
    }
}

/// A setting of an account that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AccountSetting {
    Disabled,
    BucketsMax,
    Quota,
}

/// Declares the settings of buckets with the names of their fields.
macro_rules! bucket_settings {
    ($($name:ident = $text:literal,)*) => {
        /// A setting of a bucket, in the order in which they are set.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum BucketSetting {
            $($name,)*
        }

        impl BucketSetting {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its field in the document.
            pub(crate) const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

bucket_settings! {
    Quota = "quota",
    Redundancy = "redundancy",
    Versioning = "versioning",
    ObjectLock = "object_lock",
    Encryption = "encryption",
    BlockedEncryptionTypes = "blocked_encryption_types",
    Tags = "tags",
    Abac = "abac",
    Ownership = "ownership",
    Acl = "acl",
    Policy = "policy",
    PublicAccessBlock = "public_access_block",
    Cors = "cors",
    TransitionMinimum = "transition_default_minimum_object_size",
    Lifecycle = "lifecycle",
    Website = "website",
    RequestPayer = "request_payer",
    Acceleration = "acceleration",
    Logging = "logging",
}

impl BucketSetting {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|setting| setting.name() == name)
    }

    /// Whether a bucket that has it once never goes without.
    pub(crate) const fn is_for_good(self) -> bool {
        matches!(self, Self::Versioning | Self::ObjectLock)
    }
}

/// What it takes to get from `actual` to `desired`, and what is there beside it and stays. Of keys in `other_secrets` the
/// secret is another one than the document's. Both documents are in the form that [`super::Prepared::document`] has.
pub fn plan(
    desired: &Provision,
    actual: &Provision,
    other_secrets: &HashSet<String>,
    prune: bool,
) -> (Vec<Planned>, Vec<ProvisionStep>) {
    let mut plan = Plan { steps: Vec::new(), deletions: Vec::new(), prune };
    plan.settings(&desired.settings, &actual.settings);
    plan.accounts(desired, actual, other_secrets);
    plan.key_policies(desired, actual);
    plan.buckets(desired, actual);
    plan.deletions(desired, actual);
    let Plan { mut steps, deletions, .. } = plan;
    if prune {
        steps.extend(deletions);
        return (steps, Vec::new());
    }
    (steps, deletions.into_iter().map(|planned| planned.step).collect())
}

struct Plan {
    steps: Vec<Planned>,
    /// What is there beside the document.
    deletions: Vec<Planned>,
    prune: bool,
}

fn value(of: &impl Serialize) -> Value {
    serde_json::to_value(of).unwrap_or(Value::Null)
}

/// What is made, without the name, which its subject has.
fn nameless(of: &impl Serialize) -> Value {
    let mut made = value(of);
    if let Value::Object(fields) = &mut made {
        fields.remove("name");
    }
    made
}

fn step(verb: ProvisionVerb, subject: String, setting: Option<&str>, field: String) -> ProvisionStep {
    ProvisionStep { verb, subject, setting: setting.map(str::to_owned), field, before: Value::Null, after: Value::Null }
}

impl Plan {
    fn push(&mut self, op: Op, step: ProvisionStep) {
        self.steps.push(Planned { step, op });
    }

    fn delete(&mut self, op: Op, subject: String) {
        self.deletions.push(Planned { step: step(ProvisionVerb::Delete, subject, None, String::new()), op });
    }

    fn settings(&mut self, desired: &Map<String, Value>, actual: &Map<String, Value>) {
        let mut is = HashMap::new();
        leaves("", actual, &mut |path, value| drop(is.insert(path, value.clone())));
        let mut op = Op::Settings;
        leaves("", desired, &mut |path, wanted| {
            let before = is.remove(&path).unwrap_or(Value::Null);
            if before != *wanted {
                let made = step(ProvisionVerb::Set, "settings".to_owned(), Some(&path), format!("settings.{path}"));
                self.push(
                    std::mem::replace(&mut op, Op::Included),
                    ProvisionStep { before, after: wanted.clone(), ..made },
                );
            }
        });
    }

    fn accounts(&mut self, desired: &Provision, actual: &Provision, other_secrets: &HashSet<String>) {
        let there: HashMap<&str, &ProvisionAccount> = actual.accounts.iter().map(|a| (a.name.as_str(), a)).collect();
        for (at, wanted) in desired.accounts.iter().enumerate() {
            let field = format!("accounts[{at}]");
            let subject = format!("account {}", wanted.name);
            let is = match there.get(wanted.name.as_str()) {
                Some(is) => (*is).clone(),
                None => {
                    let made = step(ProvisionVerb::Create, subject.clone(), None, field.clone());
                    let after = nameless(&ProvisionAccount { keys: Vec::new(), ..wanted.clone() });
                    self.push(Op::CreateAccount(at), ProvisionStep { after, ..made });
                    // What is made with it.
                    let (name, buckets_max) = (wanted.name.clone(), wanted.buckets_max);
                    let fresh = ProvisionAccount {
                        disabled: Some(false),
                        quota: Some(Default::default()),
                        ..Default::default()
                    };
                    ProvisionAccount { name, buckets_max, ..fresh }
                }
            };
            let settings = [
                (AccountSetting::BucketsMax, "buckets_max", value(&is.buckets_max), value(&wanted.buckets_max)),
                (AccountSetting::Quota, "quota", value(&is.quota), value(&wanted.quota)),
                (AccountSetting::Disabled, "disabled", value(&is.disabled), value(&wanted.disabled)),
            ];
            for (setting, name, before, after) in settings {
                if !after.is_null() && before != after {
                    let made = step(ProvisionVerb::Set, subject.clone(), Some(name), format!("{field}.{name}"));
                    self.push(Op::SetAccount(at, setting), ProvisionStep { before, after, ..made });
                }
            }
            self.keys(at, wanted, &is, other_secrets);
        }
    }

    fn keys(&mut self, at: usize, wanted: &ProvisionAccount, is: &ProvisionAccount, other_secrets: &HashSet<String>) {
        let there: HashMap<&str, &ProvisionKey> = is.keys.iter().map(|key| (key.access_key_id.as_str(), key)).collect();
        for (key_at, key) in wanted.keys.iter().enumerate() {
            let id = &key.access_key_id;
            let (field, subject) = (format!("accounts[{at}].keys[{key_at}]"), format!("key {id}"));
            let shown = ProvisionKey { secret_access_key: None, ..key.clone() };
            let Some(found) = there.get(id.as_str()) else {
                let made = step(ProvisionVerb::Create, subject, None, field);
                self.push(Op::CreateKey(at, key_at), ProvisionStep { after: value(&shown), ..made });
                continue;
            };
            let mut settings = Vec::new();
            if other_secrets.contains(id) {
                settings.push(("secret_access_key", json!("another secret"), json!("that of the document")));
            }
            let (wanted, is) = (value(&shown), value(found));
            for name in ["disabled", "expires", "note"] {
                if let Some(after) = wanted.get(name) {
                    settings.push((name, is.get(name).cloned().unwrap_or(Value::Null), after.clone()));
                }
            }
            let mut op = Op::ChangeKey(at, key_at);
            for (name, before, after) in settings.into_iter().filter(|(_, before, after)| before != after) {
                let made = step(ProvisionVerb::Set, subject.clone(), Some(name), format!("{field}.{name}"));
                self.push(std::mem::replace(&mut op, Op::Included), ProvisionStep { before, after, ..made });
            }
        }
    }

    fn key_policies(&mut self, desired: &Provision, actual: &Provision) {
        for (at, wanted) in desired.key_policies.iter().enumerate() {
            let is = actual.key_policies.iter().find(|policy| policy.key == wanted.key);
            if is.is_some_and(|is| same_json(&is.policy, &wanted.policy)) {
                continue;
            }
            let made = step(
                ProvisionVerb::Set,
                format!("key policy {}", wanted.key),
                None,
                format!("key_policies[{at}].policy"),
            );
            let before = is.map_or(Value::Null, |is| json!(is.policy));
            self.push(Op::SetKeyPolicy(at), ProvisionStep { before, after: json!(wanted.policy), ..made });
        }
    }

    fn buckets(&mut self, desired: &Provision, actual: &Provision) {
        let there: HashMap<&str, &ProvisionBucket> = actual.buckets.iter().map(|b| (b.name.as_str(), b)).collect();
        let usual = new_bucket(desired, actual);
        // Logs may go from one bucket of the document to another: all are there, and let them in, before.
        let mut last = Vec::new();
        for (at, wanted) in desired.buckets.iter().enumerate() {
            let (field, subject) = (format!("buckets[{at}]"), format!("bucket {}", wanted.name));
            let made = ProvisionBucket { ownership: wanted.ownership.or(usual.ownership), ..usual.clone() };
            let is = match there.get(wanted.name.as_str()) {
                Some(is) => {
                    if let Some(owner) = wanted.owner.as_ref().filter(|owner| is.owner.as_ref() != Some(owner)) {
                        let made = step(ProvisionVerb::Set, subject, Some("owner"), format!("{field}.owner"));
                        let (before, after) = (value(&is.owner), json!(owner));
                        self.push(Op::HandOver(at), ProvisionStep { before, after, ..made });
                    }
                    *is
                }
                None => {
                    let owner = Some(wanted.owner.clone().unwrap_or_else(|| ROOT_NAME.to_owned()));
                    let after = ProvisionBucket { owner, region: wanted.region.clone(), ..ProvisionBucket::default() };
                    let made_step = step(ProvisionVerb::Create, subject, None, field);
                    self.push(Op::CreateBucket(at), ProvisionStep { after: nameless(&after), ..made_step });
                    &made
                }
            };
            last.extend(self.bucket_settings(at, wanted, is, &value(&usual)));
        }
        self.steps.extend(last);
    }

    /// The steps of a bucket's settings; those of its logging are given back. What it has as `usual` is not to be pruned.
    fn bucket_settings(
        &mut self,
        at: usize,
        wanted: &ProvisionBucket,
        is: &ProvisionBucket,
        usual: &Value,
    ) -> Vec<Planned> {
        let (after, before) = (value(wanted), value(is));
        let owner = wanted.owner.clone().or_else(|| is.owner.clone());
        let mut later = Vec::new();
        for setting in order(wanted, is) {
            let name = setting.name();
            let (field, subject) = (format!("buckets[{at}].{name}"), format!("bucket {}", wanted.name));
            let is = before.get(name).cloned().unwrap_or(Value::Null);
            let unset = wanted.unset.iter().any(|unset| unset == name);
            let made = match after.get(name) {
                Some(after) if same(setting, after, &is) => continue,
                Some(after) if is.is_null() && is_nothing(setting, after, owner.as_deref()) => continue,
                Some(after) => {
                    let made = step(ProvisionVerb::Set, subject, Some(name), field);
                    Planned {
                        step: ProvisionStep { before: is, after: after.clone(), ..made },
                        op: Op::SetBucket(at, setting),
                    }
                }
                None if is.is_null() => continue,
                None if !unset && (setting.is_for_good() || usual.get(name) == Some(&is)) => continue,
                None => {
                    let field = if unset { format!("buckets[{at}].unset") } else { String::new() };
                    let made = step(ProvisionVerb::Delete, subject, Some(name), field);
                    let op = Op::UnsetBucket(wanted.name.clone(), setting);
                    Planned { step: ProvisionStep { before: is, ..made }, op }
                }
            };
            match (&made.op, setting) {
                (Op::UnsetBucket(..), _) if !unset && !self.prune => self.deletions.push(made),
                (_, BucketSetting::Logging) => later.push(made),
                _ => self.steps.push(made),
            }
        }
        later
    }

    /// What is there of the kinds that the document has, and not in it. What others need goes last.
    fn deletions(&mut self, desired: &Provision, actual: &Provision) {
        let names: HashSet<&str> = desired.buckets.iter().map(|bucket| bucket.name.as_str()).collect();
        for bucket in actual.buckets.iter().filter(|bucket| !names.is_empty() && !names.contains(bucket.name.as_str()))
        {
            self.delete(Op::DeleteBucket(bucket.name.clone()), format!("bucket {}", bucket.name));
        }
        let names: HashSet<&str> = desired.key_policies.iter().map(|policy| policy.key.as_str()).collect();
        for policy in
            actual.key_policies.iter().filter(|policy| !names.is_empty() && !names.contains(policy.key.as_str()))
        {
            self.delete(Op::DeleteKeyPolicy(policy.key.clone()), format!("key policy {}", policy.key));
        }
        let wanted: HashMap<&str, &ProvisionAccount> = desired.accounts.iter().map(|a| (a.name.as_str(), a)).collect();
        for account in actual.accounts.iter().filter(|account| !wanted.is_empty() && account.name != ROOT_NAME) {
            let Some(wanted) = wanted.get(account.name.as_str()) else {
                self.delete(Op::DeleteAccount(account.name.clone()), format!("account {}", account.name));
                continue;
            };
            let keys: HashSet<&str> = wanted.keys.iter().map(|key| key.access_key_id.as_str()).collect();
            for key in account.keys.iter().filter(|key| !keys.is_empty() && !keys.contains(key.access_key_id.as_str()))
            {
                self.delete(Op::DeleteKey(key.access_key_id.clone()), format!("key {}", key.access_key_id));
            }
        }
    }
}

/// Calls for each value that is no object, with its path.
pub(super) fn leaves(path: &str, of: &Map<String, Value>, each: &mut impl FnMut(String, &Value)) {
    for (name, value) in of {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match value {
            Value::Object(inner) => leaves(&path, inner, each),
            value => each(path, value),
        }
    }
}

#[cfg(test)]
mod tests;
