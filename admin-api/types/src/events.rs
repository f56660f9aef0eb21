use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// A change of state or an admin action, in the order in which they were committed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Place in the log: hand it back as `after`, or as Last-Event-ID of a stream.
    pub cursor: String,
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// What, as `subject.verb`: `bucket.created`.
    pub kind: String,
    /// What it happened to: a bucket's name, a shard's number.
    pub subject: String,
    /// Who did it: an account, an admin token, a job.
    pub actor: String,
    /// Further facts. Never a secret.
    pub details: BTreeMap<String, String>,
}

/// Which events. A filter that is absent lets everything through.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EventsQuery {
    /// Only events after this cursor; from the oldest that is kept if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// The latest events in place of the oldest, as they happened all the same; not together with `after`, and not of a
    /// stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest: Option<bool>,
    /// Most events of a page, 1 to 1,000; 100 if absent. A stream has no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<usize>,
    /// Only kinds that begin with this: `bucket.` for all that happens to buckets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Only events of this subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Only events by this actor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
}
