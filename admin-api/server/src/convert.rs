//! From the domain's types to the API's, and from the domain's errors to the API's: by hand, in one
//! place, and without a wildcard.

use crate::{ApiError, CatalogError};
use cofre_admin_types as api;
use cofre_blobs::{BlobsError, TopologyError};
use cofre_events::EventsError;
use cofre_iam::{AccessKey, Account, AdminToken, IamError};
use cofre_objects::{AccountUsage, Error, ErrorKind};
use cofre_settings::SettingsError;
use cofre_types::Timestamp;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A moment as the API writes it: RFC 3339, UTC, milliseconds.
pub(crate) fn time_text(at: Timestamp) -> String {
    let nanos = i128::from(at.millis()) * 1_000_000;
    let text = OffsetDateTime::from_unix_timestamp_nanos(nanos).ok().and_then(|at| at.format(&Rfc3339).ok());
    text.unwrap_or_default()
}

pub(crate) const fn api_scope(scope: cofre_iam::Scope) -> api::Scope {
    match scope {
        cofre_iam::Scope::Read => api::Scope::Read,
        cofre_iam::Scope::Operate => api::Scope::Operate,
        cofre_iam::Scope::Admin => api::Scope::Admin,
    }
}

pub(crate) const fn domain_scope(scope: api::Scope) -> cofre_iam::Scope {
    match scope {
        api::Scope::Read => cofre_iam::Scope::Read,
        api::Scope::Operate => cofre_iam::Scope::Operate,
        api::Scope::Admin => cofre_iam::Scope::Admin,
    }
}

pub(crate) fn account(account: Account, usage: AccountUsage) -> api::Account {
    let count = |counter: i64| u64::try_from(counter).unwrap_or(0);
    api::Account {
        id: account.id.to_string(),
        display_name: account.name,
        email: account.email,
        root: account.root,
        disabled: account.disabled,
        created: time_text(account.created),
        buckets_max: account.buckets_max,
        quota: api::Quota { bytes_max: account.bytes_max, objects_max: account.objects_max },
        usage: api::AccountUsage {
            buckets: count(usage.buckets),
            objects: count(usage.objects),
            bytes: count(usage.bytes),
            grace_bytes: count(usage.grace_bytes),
        },
    }
}

pub(crate) fn key(key: AccessKey, account_name: String) -> api::Key {
    api::Key {
        access_key_id: key.id.to_string(),
        account: key.account.to_string(),
        account_name,
        disabled: key.disabled,
        created: time_text(key.created),
        expires: key.expires.map(time_text),
        note: key.note,
    }
}

pub(crate) fn token(token: AdminToken) -> api::Token {
    api::Token {
        id: token.id,
        note: token.note,
        scope: api_scope(token.scope),
        created: time_text(token.created),
        expires: token.expires.map(time_text),
    }
}

pub(crate) fn event(event: cofre_events::Event) -> api::Event {
    let record = event.record;
    api::Event {
        cursor: event.cursor.to_string(),
        at: time_text(record.at),
        kind: record.kind,
        subject: record.subject,
        actor: record.actor,
        details: record.details.into_iter().collect(),
    }
}

impl From<IamError> for ApiError {
    fn from(error: IamError) -> Self {
        match error {
            IamError::Invalid(invalid) => invalid.into(),
            IamError::Taken { .. } | IamError::Refused { .. } | IamError::Conflict => Self::Conflict(error.to_string()),
            IamError::NotFound { what } => Self::NotFound(format!("such {what}")),
            IamError::Store(_)
            | IamError::Damaged(_)
            | IamError::WrongMasterKey(_)
            | IamError::MasterKey(_)
            | IamError::File { .. } => Self::Internal(error.to_string()),
        }
    }
}

impl From<SettingsError> for ApiError {
    fn from(error: SettingsError) -> Self {
        match error {
            SettingsError::Invalid { path, reason } if path.is_empty() => Self::invalid("document", reason),
            SettingsError::Invalid { path, reason } => Self::invalid(path, reason),
            SettingsError::Conflict { .. } => Self::PreconditionFailed(error.to_string()),
            SettingsError::NotFound(revision) => Self::NotFound(format!("revision {revision} of the settings")),
            SettingsError::Store(_) | SettingsError::Damaged(_) => Self::Internal(error.to_string()),
        }
    }
}

impl From<EventsError> for ApiError {
    fn from(error: EventsError) -> Self {
        match error {
            EventsError::Invalid { field, reason } => Self::invalid(field, reason),
            EventsError::Conflict => Self::Conflict(error.to_string()),
            EventsError::Store(_) | EventsError::Damaged(_) => Self::Internal(error.to_string()),
        }
    }
}

impl From<TopologyError> for ApiError {
    fn from(error: TopologyError) -> Self {
        match error {
            TopologyError::Invalid { field, reason } => Self::invalid(field, reason),
            TopologyError::OutOfReach { field, why } => {
                Self::invalid(field, format!("{why}; add shards, or ask for less"))
            }
            TopologyError::NoSuchShard(id) => Self::NotFound(format!("shard {id}")),
            TopologyError::Unusable(reason) => Self::invalid("place", reason),
            TopologyError::Changed { .. } => Self::PreconditionFailed(error.to_string()),
            TopologyError::Taken { .. }
            | TopologyError::Copied { .. }
            | TopologyError::NotDraining
            | TopologyError::HoldsCopies(_)
            | TopologyError::NotGivenUp
            | TopologyError::NotRestored
            | TopologyError::NotCompared { .. }
            | TopologyError::Unread { .. }
            | TopologyError::Away(_)
            | TopologyError::TooMany
            | TopologyError::Conflict => Self::Conflict(error.to_string()),
            TopologyError::Store(_) | TopologyError::Record(_) => Self::Internal(error.to_string()),
        }
    }
}

impl From<CatalogError> for ApiError {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::Directory(reason) => Self::invalid("directory", reason),
            CatalogError::Failed(reason) => Self::Internal(reason),
        }
    }
}

impl From<BlobsError> for ApiError {
    fn from(error: BlobsError) -> Self {
        Error::from(error).into()
    }
}

/// Errors of the domain. Rights were decided by the scope of the token, so that a denial is a fault of ours.
impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match (error.kind(), error) {
            (_, Error::Invalid(invalid)) => invalid.into(),
            (_, Error::MalformedPolicy(malformed)) => Self::invalid("policy", malformed.to_string()),
            (ErrorKind::NotFound, _) => Self::NotFound(text.trim_start_matches("there is no ").to_owned()),
            (ErrorKind::Exists | ErrorKind::Conflict | ErrorKind::Quota, _) => Self::Conflict(text),
            (ErrorKind::Condition, _) => Self::PreconditionFailed(text),
            (ErrorKind::Invalid | ErrorKind::TooLarge, _) => Self::invalid("request", text),
            (ErrorKind::NoRoom | ErrorKind::Later, _) => Self::Unavailable(text),
            (ErrorKind::Denied | ErrorKind::Internal, _) => Self::Internal(text),
        }
    }
}
