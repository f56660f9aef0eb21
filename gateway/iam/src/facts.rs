//! What a request brings, by condition key (AWS, "AWS global condition context keys", "Actions,
//! resources, and condition keys for Amazon S3" and "AWS KMS condition keys").
//!
//! A condition sees what the operation does: what the domain read of a request comes from the domain, and a header
//! counts only where its door says that the operation goes by it.
//!
//! A key that is not in the table has no value. Those of AWS's own networks and organisations are left out
//! on purpose: nothing here is reached through a VPC endpoint or an access point.

use crate::action::Action;
use crate::caller::Principal;
use crate::policy::{ConditionKey, Context, NAMED_KEY, account_number, arn, key_name};
use crate::question::{Question, Resource};
use crate::request_facts::Signature;
use cofre_catalog::records::LockMode;
use cofre_types::{AccountId, Timestamp};
use std::borrow::Cow;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A question as the context of conditions.
pub(crate) struct QuestionContext<'a>(pub(crate) &'a Question<'a>);

type Value<'a> = Option<Cow<'a, str>>;

impl Context for QuestionContext<'_> {
    fn values(&self, key: &ConditionKey) -> Option<Vec<Cow<'_, str>>> {
        if key.name() == "s3:requestobjecttagkeys" && key.part().is_none() {
            let tags = self.0.details.request_tags?;
            return Some(tags.pairs().iter().map(|(key, _)| Cow::Borrowed(key.as_str())).collect());
        }
        if key.name() == "aws:tagkeys" && key.part().is_none() {
            let tag_keys = self.0.details.tag_keys?;
            return Some(tag_keys.iter().map(|key| Cow::Borrowed(key.as_str())).collect());
        }
        self.value(key).map(|value| vec![value])
    }
}

impl QuestionContext<'_> {
    fn value(&self, key: &ConditionKey) -> Value<'_> {
        let Some(tag) = key.part() else {
            let name = key.name();
            return self.global(name).or_else(|| self.of_s3(name)).or_else(|| self.of_kms(name));
        };
        let tags = match key.name() {
            "s3:existingobjecttag" => self.0.object()?.tags,
            "s3:requestobjecttag" => self.0.details.request_tags?,
            "aws:requesttag" => self.0.details.bucket_tags?,
            "aws:resourcetag" | "s3:buckettag" => self.0.access()?.tags.as_ref()?,
            _ => return None,
        };
        tags.pairs().iter().find(|(key, _)| key == tag).map(|(_, value)| value.into())
    }

    fn global(&self, name: &str) -> Value<'_> {
        let caller = self.0.caller;
        let text = |text: &'static str| Some(Cow::Borrowed(text));
        match name {
            "aws:currenttime" => iso(self.0.now),
            "aws:epochtime" => Some((self.0.now.0 / 1_000_000_000).to_string().into()),
            "aws:sourceip" => Some(caller.origin.ip?.to_canonical().to_string().into()),
            "aws:securetransport" => Some(caller.origin.secure.to_string().into()),
            "aws:useragent" => self.header("user-agent"),
            "aws:referer" => self.header("referer"),
            "aws:principaltype" => match caller.principal {
                Principal::Anonymous => text("Anonymous"),
                Principal::Service(_) => None,
                Principal::Account(_) | Principal::Internal(_) => text("Account"),
            },
            "aws:principalaccount" | "aws:userid" => Some(account_number(caller.principal.account_id()?).into()),
            "aws:principalarn" => Some(caller.principal.arn()?.into()),
            "aws:resourceaccount" | "s3:resourceaccount" => Some(account_number(self.owner()?).into()),
            "aws:principalisawsservice" => Some(matches!(caller.principal, Principal::Service(_)).to_string().into()),
            "aws:principalservicename" => match caller.principal {
                Principal::Service(name) => text(name),
                Principal::Account(_) | Principal::Anonymous | Principal::Internal(_) => None,
            },
            "aws:sourcearn" => Some(format!("arn:aws:s3:::{}", self.0.details.source?.0).into()),
            "aws:sourceaccount" => Some(account_number(self.0.details.source?.1).into()),
            "aws:viaawsservice" => text("false"),
            _ => None,
        }
    }

    fn of_s3(&self, name: &str) -> Value<'_> {
        let details = &self.0.details;
        match name {
            "s3:authtype" => Some(self.signature()?.auth_type.into()),
            "s3:signatureversion" => Some(self.signature()?.version.into()),
            "s3:signatureage" => Some(self.signature()?.age?.as_millis().to_string().into()),
            "s3:prefix" => match details.prefix {
                Some(prefix) => Some(prefix.into()),
                None => self.of_listing("prefix"),
            },
            "s3:delimiter" => self.of_listing("delimiter"),
            "s3:max-keys" => self.of_listing("max-keys"),
            "s3:tlsversion" => self.0.caller.origin.tls?.version.strip_prefix("TLSv").map(Cow::Borrowed),
            "s3:versionid" => Some(details.version?.to_string().into()),
            "s3:objectcreationoperation" => Some(details.creates?.to_string().into()),
            "s3:if-match" => self.header("if-match"),
            "s3:if-none-match" => self.header("if-none-match"),
            "s3:object-lock-mode" => Some(match details.lock?.retention?.mode {
                LockMode::Governance => "GOVERNANCE".into(),
                LockMode::Compliance => "COMPLIANCE".into(),
            }),
            "s3:object-lock-legal-hold" => Some(if details.lock?.legal_hold? { "ON" } else { "OFF" }.into()),
            "s3:object-lock-retain-until-date" => iso(details.lock?.retention?.until),
            "s3:object-lock-remaining-retention-days" => self.remaining_days(),
            "s3:x-amz-server-side-encryption" if details.encryption.is_some() => {
                Some(details.encryption?.method.into())
            }
            NAMED_KEY => {
                let name = match details.encryption {
                    Some(encryption) => encryption.key?.into(),
                    None => self.header(NAMED_KEY.strip_prefix("s3:")?)?,
                };
                Some(arn::of_key(key_name(&name)).into())
            }
            "s3:x-amz-copy-source" => details.copy_source.map(|(bucket, key)| format!("{bucket}/{key}").into()),
            _ => self.header(name.strip_prefix("s3:").filter(|header| header.starts_with("x-amz-"))?),
        }
    }

    /// What is known of the use of a named key (AWS, "AWS KMS condition keys").
    fn of_kms(&self, name: &str) -> Value<'_> {
        let Resource::Key { region, bucket, key, .. } = self.0.resource else { return None };
        match name {
            "kms:calleraccount" => Some(account_number(self.0.caller.principal.account_id()?).into()),
            "kms:viaservice" => Some(format!("s3.{region}.amazonaws.com").into()),
            "kms:encryptioncontext:aws:s3:arn" => Some(match key {
                Some(key) => format!("arn:aws:s3:::{bucket}/{key}").into(),
                None => format!("arn:aws:s3:::{bucket}").into(),
            }),
            _ => None,
        }
    }

    /// A header; an empty one is none, as operations take it.
    fn header(&self, name: &str) -> Value<'_> {
        self.0.caller.facts.as_ref()?.header(name).filter(|value| !value.trim_ascii().is_empty())
    }

    fn signature(&self) -> Option<Signature> {
        self.0.caller.facts.as_ref()?.signature(self.0.now)
    }

    /// A parameter of a listing. Other requests do not have the key, whatever their address says.
    fn of_listing(&self, parameter: &str) -> Value<'_> {
        match self.0.action {
            Action::ListBucket | Action::ListBucketVersions | Action::ListBucketMultipartUploads => {
                self.0.caller.facts.as_ref()?.parameter(parameter)
            }
            _ => None,
        }
    }

    /// Whole days from now until the retention that is asked for ends.
    fn remaining_days(&self) -> Value<'_> {
        const DAY_NANOS: i128 = 86_400_000_000_000;
        let until = i128::from(self.0.details.lock?.retention?.until.0);
        Some(((until - i128::from(self.0.now.0)) / DAY_NANOS).to_string().into())
    }

    fn owner(&self) -> Option<AccountId> {
        self.0.access().map(|access| access.owner)
    }
}

fn iso(at: Timestamp) -> Value<'static> {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.0)).ok()?;
    at.format(&Rfc3339).ok().map(Cow::Owned)
}
