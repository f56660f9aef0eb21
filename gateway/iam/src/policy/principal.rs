//! Whom a statement is about.

use super::arn;
use super::json::Json;
use super::scope::Scope;
use super::steps::Overrun;
use cofre_types::AccountId;

/// Who asks, as policies see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requester<'a> {
    /// Someone without credentials.
    Anonymous,
    /// An identity of an account.
    Identity {
        /// The account.
        account: AccountId,
        /// Its ARN.
        arn: &'a str,
    },
    /// A service that acts for a bucket, by its name.
    Service(&'a str),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Principals {
    /// Whether the statement is about all but these.
    pub negated: bool,
    pub who: Vec<Who>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Who {
    /// With credentials or without.
    Everyone,
    /// Every identity of an account.
    Account(AccountId),
    /// Every identity of the account with this number.
    Number(String),
    /// One identity.
    Arn(String),
    /// A service, by its name.
    Service(String),
    /// A federated identity, of which there are none.
    Nobody,
}

impl Principals {
    pub(super) fn include(&self, requester: Requester<'_>, scope: &Scope<'_>) -> Result<bool, Overrun> {
        scope.take(self.who.len())?;
        Ok(self.who.iter().any(|who| who.is(requester, scope)) != self.negated)
    }
}

impl Who {
    fn is(&self, requester: Requester<'_>, scope: &Scope<'_>) -> bool {
        match (self, requester) {
            (Self::Everyone, _) => true,
            (Self::Service(own), Requester::Service(name)) => own == name,
            (Self::Nobody | Self::Service(_), _) | (_, Requester::Anonymous | Requester::Service(_)) => false,
            (Self::Account(own), Requester::Identity { account, .. }) => *own == account,
            (Self::Number(own), Requester::Identity { account, .. }) => own == scope.number(account),
            (Self::Arn(own), Requester::Identity { arn, .. }) => own == arn,
        }
    }
}

/// Reads `Principal` or `NotPrincipal`.
pub(super) fn parse(value: &Json) -> Result<Vec<Who>, &'static str> {
    match value {
        Json::Text(text) if text == "*" => Ok(vec![Who::Everyone]),
        Json::Object(kinds) if !kinds.is_empty() => {
            let mut all = Vec::new();
            for (kind, names) in kinds {
                for name in texts(names)? {
                    all.push(one(kind, name)?);
                }
            }
            Ok(all)
        }
        _ => Err("must be \"*\" or an object such as {\"AWS\": \"arn:aws:iam::111122223333:root\"}"),
    }
}

fn texts(names: &Json) -> Result<Vec<&str>, &'static str> {
    match names {
        Json::List(names) if !names.is_empty() => names.iter().map(text).collect(),
        name => Ok(vec![text(name)?]),
    }
}

fn text(name: &Json) -> Result<&str, &'static str> {
    match name {
        Json::Text(text) => Ok(text),
        _ => Err("a principal is a text"),
    }
}

fn one(kind: &str, name: &str) -> Result<Who, &'static str> {
    match kind {
        "AWS" => aws(name),
        "CanonicalUser" => {
            AccountId::parse(name).map(Who::Account).map_err(|_| "a canonical user id has 64 hexadecimal digits")
        }
        "Service" if !name.is_empty() => Ok(Who::Service(name.to_owned())),
        "Federated" if !name.is_empty() => Ok(Who::Nobody),
        _ => Err("the kinds of principals are AWS, CanonicalUser, Service and Federated"),
    }
}

fn aws(name: &str) -> Result<Who, &'static str> {
    if name == "*" {
        return Ok(Who::Everyone);
    }
    if name.contains(['*', '?']) {
        return Err("a principal is named whole: a wildcard stands for everyone or not at all");
    }
    let account = arn::account_root(name).unwrap_or(name);
    if arn::is_number(account) {
        return Ok(Who::Number(account.to_owned()));
    }
    if let Ok(id) = AccountId::parse(account) {
        return Ok(Who::Account(id));
    }
    if name.starts_with("arn:") && name.split(':').count() >= 6 {
        return Ok(Who::Arn(name.to_owned()));
    }
    Err("Invalid principal in policy: it is no account, canonical user id or ARN")
}
