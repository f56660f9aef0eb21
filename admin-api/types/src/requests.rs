use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A request to the S3 API that was refused, failed or took long, and what is known of why. Secrets and signatures are left
/// out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RequestReport {
    /// Its id: `x-amz-request-id` of the answer.
    pub request_id: String,
    /// When it was answered.
    #[schema(format = DateTime)]
    pub at: String,
    /// The account whose signature was good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The access key whose signature was good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// Where it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// Method.
    pub method: String,
    /// Host that it was sent to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Path, without the query.
    pub path: String,
    /// Operation, by S3's name; absent if it was refused before it was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Status of the answer.
    pub status: u16,
    /// Code of the error; absent of one that took long and succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What the client was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What the client was not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// What the error is about: the canonical request and the string to sign that Cofre made of what came, the argument.
    pub details: Vec<ReportDetail>,
    /// What was refused for want of a right, in the order in which it was asked, at most two: the last is why the request
    /// was refused. Empty where something else was in the way, and where the client had so much explained that more would
    /// slow others down.
    pub decisions: Vec<ReportDecision>,
    /// What is likely to be the matter, the likeliest first.
    pub hints: Vec<String>,
    /// How long each part of it took, in their order.
    pub parts: Vec<ReportPart>,
}

/// Something that an error is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportDetail {
    /// Its name, as in S3's errors.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// How long a part of a request took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportPart {
    /// Which part.
    pub name: String,
    /// How long it took, in microseconds.
    pub duration_us: u64,
}

/// Why a right was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportDecision {
    /// The action that was asked for, as policies name it: `s3:GetObject`.
    pub action: String,
    /// What it was asked of: an Amazon resource name.
    pub resource: String,
    /// The rule that decided.
    pub rule: String,
    /// The statements about the action, in their order, without those for which there is no room: those that do not apply
    /// go first.
    pub statements: Vec<ReportStatement>,
}

/// A statement of a policy, and why it is about the request or is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportStatement {
    /// Its place in its policy, from zero.
    pub index: u64,
    /// Its `Sid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// `Allow` or `Deny`.
    pub effect: String,
    /// Whether it names who asks.
    pub principal: bool,
    /// Whether it names what is asked of.
    pub resource: bool,
    /// Its conditions.
    pub conditions: Vec<ReportCondition>,
    /// Whether it is about the request.
    pub applies: bool,
}

/// A condition, and what it saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportCondition {
    /// The operator, as the policy names it: `StringEquals`.
    pub operator: String,
    /// The key: `aws:sourceip`.
    pub key: String,
    /// What the request has for the key, each value cut to 256 bytes and of many the first 16; absent if it has no such
    /// key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saw: Option<Vec<String>>,
    /// Whether it holds.
    pub holds: bool,
}
