//! How settings of buckets compare, and in which order they are set.

use super::BucketSetting;
use cofre_admin_types::provision::{
    BlockedEncryption, Ownership, Provision, ProvisionBucket, PublicAccessBlock, TransitionMinimum,
};
use serde_json::{Map, Value, json};

/// The settings in the order that gets from one to the other without being refused on the way.
pub(super) fn order(wanted: &ProvisionBucket, is: &ProvisionBucket) -> Vec<BucketSetting> {
    use BucketSetting as S;
    let mut order = S::ALL.to_vec();
    let mut swap = |early: S, late: S| {
        order.retain(|setting| *setting != early);
        let at = order.iter().position(|setting| *setting == late).unwrap_or(0);
        order.insert(at, early);
    };
    // Lists are taken away before they are disabled.
    if wanted.ownership == Some(Ownership::BucketOwnerEnforced) {
        swap(S::Acl, S::Ownership);
    }
    // What opens the bucket comes after what lets it, and before what keeps it.
    if loosens(wanted, is.public_access_block.as_ref()) {
        swap(S::PublicAccessBlock, S::Ownership);
    }
    order
}

fn loosens(wanted: &ProvisionBucket, is: Option<&PublicAccessBlock>) -> bool {
    let none = wanted.unset.iter().any(|name| name == BucketSetting::PublicAccessBlock.name());
    let wanted = wanted.public_access_block.or_else(|| none.then(PublicAccessBlock::default));
    let (Some(wanted), Some(is)) = (wanted, is) else { return false };
    (is.block_public_acls && !wanted.block_public_acls) || (is.block_public_policy && !wanted.block_public_policy)
}

/// What a bucket has when it is made and asks for nothing else, as the settings will say by then.
pub(super) fn new_bucket(desired: &Provision, actual: &Provision) -> ProvisionBucket {
    let setting = |name: &str| {
        let of = |document: &Provision| document.settings.get("new_buckets")?.get(name).cloned();
        of(desired).or_else(|| of(actual)).unwrap_or(Value::Null)
    };
    let is_on = |name: &str| setting(name) == Value::Bool(true);
    let all = PublicAccessBlock {
        block_public_acls: true,
        ignore_public_acls: true,
        block_public_policy: true,
        restrict_public_buckets: true,
    };
    ProvisionBucket {
        ownership: serde_json::from_value(setting("ownership")).ok(),
        public_access_block: is_on("public_access_block").then_some(all),
        blocked_encryption_types: is_on("sse_c_block").then(|| vec![BlockedEncryption::CustomerKeys]),
        ..ProvisionBucket::default()
    }
}

/// Whether two values of a setting say the same: policies are compared as JSON.
pub(super) fn same(setting: BucketSetting, one: &Value, other: &Value) -> bool {
    match (setting, one.as_str(), other.as_str()) {
        (BucketSetting::Policy, Some(one), Some(other)) => same_json(one, other),
        _ => one == other,
    }
}

pub(super) fn same_json(one: &str, other: &str) -> bool {
    let parse = |text: &str| serde_json::from_str::<Value>(text).ok();
    one == other || parse(one).is_some_and(|one| parse(other) == Some(one))
}

/// Whether a value says what holds for a bucket that has not the setting.
pub(super) fn is_nothing(setting: BucketSetting, value: &Value, owner: Option<&str>) -> bool {
    match setting {
        BucketSetting::Quota | BucketSetting::Tags => value.as_object().is_some_and(Map::is_empty),
        BucketSetting::TransitionMinimum => *value == json!(TransitionMinimum::ByClass),
        BucketSetting::Acl => *value == json!([{"account": owner, "permission": "full_control"}]),
        _ => false,
    }
}
