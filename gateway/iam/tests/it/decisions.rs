//! Who may do what, where a bucket has a policy, lists, ownership controls or a public access block: every
//! action, by everyone who may ask.

use crate::evaluate::{ANN, BOB, account, caller};
use crate::policy::arn;
use cofre_catalog::records::{AclGrant, AclGrantee, AclPermission, AclRecord, Ownership, PublicAccessBlock};
use cofre_iam::{
    Action, BucketAccess, Caller, Decision, Details, LOG_DELIVERY, ObjectAccess, Policy, PolicyKind, Principal,
    Question, Resource, account_number, evaluate,
};
use cofre_types::{AccountId, BucketName, ObjectKey, Tags, Timestamp};
use serde_json::{Value, json};

const CAROL: AccountId = AccountId::from_bytes([3; 32]);

/// An object, as much of it as rights look at.
#[derive(Clone)]
pub(crate) struct Thing {
    pub(crate) owner: AccountId,
    pub(crate) acl: Option<AclRecord>,
    pub(crate) tags: Tags,
}

pub(crate) struct Ask<'a> {
    pub(crate) access: &'a BucketAccess,
    pub(crate) object: Option<&'a Thing>,
    pub(crate) details: Details<'a>,
}

impl Ask<'_> {
    pub(crate) fn of(&self, caller: &Caller, action: Action) -> Decision {
        let (bucket, key) = (BucketName::parse("bucket").unwrap(), ObjectKey::parse("k").unwrap());
        let object = self.object.map(|object| ObjectAccess {
            owner: object.owner,
            acl: object.acl.as_ref(),
            tags: &object.tags,
        });
        let resource = match of_objects(action) {
            true => Resource::Object { bucket: &bucket, access: self.access, key: &key, object },
            false => Resource::Bucket { bucket: &bucket, access: self.access },
        };
        let now = Timestamp::from_secs(1_000_000);
        let decision = evaluate(&Question { caller, action, resource, details: self.details, now });
        // What is allowed could be, as far as that is told before more is known.
        let known_late = self.details.initiated || self.details.creates.is_some();
        if decision.is_allowed() && !known_late && !matches!(caller.principal, Principal::Service(_)) {
            assert!(self.access.could_allow(&caller.principal, action), "{action}");
        }
        decision
    }
}

pub(crate) fn ask<'a>(access: &'a BucketAccess, object: Option<&'a Thing>) -> Ask<'a> {
    Ask { access, object, details: Details::default() }
}

fn of_objects(action: Action) -> bool {
    let name = action.as_str();
    let of_buckets = ["Bucket", "Configuration", "Resource"].iter().any(|part| name.contains(part));
    !of_buckets
}

/// Every action that is not asked of a named key.
fn s3_actions() -> impl Iterator<Item = Action> {
    Action::ALL.iter().copied().filter(|action| !action.as_str().starts_with("kms:"))
}

pub(crate) fn thing(owner: AccountId) -> Thing {
    Thing { owner, acl: None, tags: Tags::default() }
}

fn list(grants: &[(AclGrantee, AclPermission)]) -> Option<AclRecord> {
    let grants = grants.iter().map(|(grantee, permission)| AclGrant { grantee: *grantee, permission: *permission });
    Some(AclRecord { grants: grants.collect() })
}

pub(crate) fn policy(statement: Value) -> Option<Policy> {
    let document = json!({"Version": "2012-10-17", "Statement": statement}).to_string();
    Some(Policy::parse(&document, PolicyKind::Bucket("bucket")).unwrap())
}

fn everything(effect: &str, principal: Value) -> Value {
    json!({"Effect": effect, "Principal": principal, "Action": "s3:*",
           "Resource": ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"]})
}

fn ann() -> Caller {
    account(ANN, false)
}

pub(crate) fn bob() -> Caller {
    account(BOB, false)
}

pub(crate) fn anyone() -> Caller {
    caller(Principal::Anonymous)
}

const POLICY_ACTIONS: [Action; 3] = [Action::GetBucketPolicy, Action::PutBucketPolicy, Action::DeleteBucketPolicy];

/// What becomes of an action that a policy allows to another account.
fn allowed_to_others(action: Action) -> Decision {
    if POLICY_ACTIONS.contains(&action) { Decision::OwnerOnly } else { Decision::Allow }
}

/// What becomes of an action that a policy allows to everyone, where someone without credentials asks.
fn allowed_to_anyone(action: Action) -> Decision {
    let name = action.as_str();
    let verbs = ["s3:Put", "s3:Delete", "s3:Create", "s3:Tag", "s3:Untag"];
    let sets = verbs.iter().any(|verb| name.starts_with(verb));
    match allowed_to_others(action) {
        Decision::Allow if sets && !of_objects(action) => Decision::NeedsCredentials,
        Decision::Allow
            if matches!(
                action,
                Action::PutObjectAcl | Action::PutObjectVersionAcl | Action::UpdateObjectEncryption
            ) =>
        {
            Decision::NeedsCredentials
        }
        other => other,
    }
}

#[test]
fn a_policy_grants_and_denies_every_action() {
    let object = thing(ANN);
    let open = BucketAccess { policy: policy(everything("Allow", json!("*"))), ..BucketAccess::private(ANN) };
    let to_bob = everything("Allow", json!({"AWS": arn(BOB)}));
    let granted = BucketAccess { policy: policy(to_bob.clone()), ..BucketAccess::private(ANN) };
    let denied = json!([to_bob, everything("Deny", json!("*"))]);
    let denied = BucketAccess { policy: policy(denied), ..BucketAccess::private(ANN) };
    for action in s3_actions() {
        let (to_others, to_anyone) = (allowed_to_others(action), allowed_to_anyone(action));
        for (caller, decision) in [(ann(), Decision::Allow), (bob(), to_others), (anyone(), to_anyone)] {
            assert_eq!(ask(&open, Some(&object)).of(&caller, action), decision, "{action} open to all");
        }
        let granted = ask(&granted, Some(&object));
        assert_eq!(granted.of(&bob(), action), to_others, "{action} granted");
        assert_eq!(granted.of(&account(CAROL, false), action), Decision::Default, "{action} granted to another");
        assert_eq!(granted.of(&anyone(), action), Decision::Default, "{action} granted to an account");
        let denied = ask(&denied, Some(&object));
        for caller in [bob(), anyone()] {
            assert_eq!(denied.of(&caller, action), Decision::Deny, "{action} denied");
        }
        let own = if POLICY_ACTIONS.contains(&action) { Decision::Allow } else { Decision::Deny };
        assert_eq!(denied.of(&ann(), action), own, "{action} denied to the owner");
        assert_eq!(denied.of(&account(BOB, true), action), Decision::Allow, "{action} by root");
    }
}

#[test]
fn the_delivery_of_logs_has_what_a_policy_or_a_list_gives_it() {
    let (delivery, name) = (caller(LOG_DELIVERY), json!({"Service": "logging.s3.amazonaws.com"}));
    let with = |principal: Value, condition: Value| {
        let statement = json!({"Effect": "Allow", "Principal": principal, "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::bucket/*", "Condition": condition});
        BucketAccess { policy: policy(statement), ..BucketAccess::private(ANN) }
    };
    let source = BucketName::parse("source").unwrap();
    let details = Details { source: Some((&source, ANN)), ..Details::default() };
    let of = |access: &BucketAccess, action| Ask { details, ..ask(access, None) }.of(&delivery, action).is_allowed();
    let granted = with(name.clone(), json!({}));
    assert!(of(&granted, Action::PutObject) && !of(&granted, Action::GetObject));
    assert!(!ask(&granted, None).of(&anyone(), Action::PutObject).is_allowed(), "it is nobody else's");
    assert!(!ask(&granted, None).of(&bob(), Action::PutObject).is_allowed(), "it is nobody else's");
    assert!(!of(&with(json!({"Service": "logging.s3.amazonaws.comb"}), json!({})), Action::PutObject));
    assert!(!of(&BucketAccess::private(ANN), Action::PutObject));
    let from = |arn: &str| json!({"ArnLike": {"aws:SourceArn": arn}});
    assert!(of(&with(name.clone(), from("arn:aws:s3:::sour*")), Action::PutObject));
    assert!(!of(&with(name.clone(), from("arn:aws:s3:::other")), Action::PutObject));
    let account = json!({"StringEquals": {"aws:SourceAccount": account_number(ANN)}});
    assert!(of(&with(name.clone(), account.clone()), Action::PutObject));
    assert!(!ask(&with(name, account), None).of(&delivery, Action::PutObject).is_allowed(), "for no source");
    // A block of public buckets shuts out accounts, not services.
    let mut open = with(json!("*"), json!({}));
    open.block.restrict_buckets = true;
    assert!(of(&open, Action::PutObject) && !ask(&open, None).of(&bob(), Action::PutObject).is_allowed());

    let acl = list(&[(AclGrantee::LogDelivery, AclPermission::Write)]);
    let mut listed = BucketAccess { acl, ..BucketAccess::private(ANN) };
    assert!(of(&listed, Action::PutObject) && !of(&listed, Action::ListBucket));
    assert!(!ask(&listed, None).of(&anyone(), Action::PutObject).is_allowed(), "the group has no account in it");
    listed.ownership = Some(Ownership::BucketOwnerEnforced);
    assert!(!of(&listed, Action::PutObject));
}

/// What each permission of a list gives, by AWS's "Mapping of ACL permissions and access policy permissions".
fn mapped(permission: AclPermission, on_bucket: bool) -> Vec<Action> {
    match (permission, on_bucket) {
        (AclPermission::Read, true) => {
            vec![Action::ListBucket, Action::ListBucketVersions, Action::ListBucketMultipartUploads]
        }
        (AclPermission::Write, true) => vec![Action::PutObject],
        (AclPermission::ReadAcp, true) => vec![Action::GetBucketAcl],
        (AclPermission::WriteAcp, true) => vec![Action::PutBucketAcl],
        (AclPermission::Read, false) => vec![Action::GetObject, Action::GetObjectVersion],
        (AclPermission::Write, false) => vec![],
        (AclPermission::ReadAcp, false) => vec![Action::GetObjectAcl, Action::GetObjectVersionAcl],
        (AclPermission::WriteAcp, false) => vec![Action::PutObjectAcl, Action::PutObjectVersionAcl],
        (AclPermission::FullControl, on_bucket) => {
            let each = [AclPermission::Read, AclPermission::Write, AclPermission::ReadAcp, AclPermission::WriteAcp];
            each.into_iter().flat_map(|permission| mapped(permission, on_bucket)).collect()
        }
    }
}

const PERMISSIONS: [AclPermission; 5] = [
    AclPermission::Read,
    AclPermission::Write,
    AclPermission::ReadAcp,
    AclPermission::WriteAcp,
    AclPermission::FullControl,
];

#[test]
fn what_nothing_could_allow_is_known_early() {
    let private = BucketAccess::private(ANN);
    for action in [Action::DeleteObject, Action::PutObject, Action::PutBucketPolicy, Action::PutLifecycleConfiguration]
    {
        let could = |access: &BucketAccess, caller: &Caller| access.could_allow(&caller.principal, action);
        assert!(could(&private, &ann()) && !could(&private, &bob()) && !could(&private, &anyone()), "{action}");
        let statement = json!({
            "Effect": "Allow",
            "Principal": {"AWS": arn(BOB)},
            "Action": action.as_str(),
            "Resource": ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/only/*"],
        });
        let open = BucketAccess { policy: policy(statement), ..private.clone() };
        assert!(could(&open, &bob()) && !could(&open, &anyone()), "{action}");
    }
}

#[test]
fn lists_grant_what_they_are_mapped_to_and_no_more() {
    let grantees = [
        (AclGrantee::Account(BOB), true, false),
        (AclGrantee::AuthenticatedUsers, true, false),
        (AclGrantee::AllUsers, true, true),
        (AclGrantee::LogDelivery, false, false),
        (AclGrantee::Account(CAROL), false, false),
    ];
    for permission in PERMISSIONS {
        for on_bucket in [true, false] {
            let gives = mapped(permission, on_bucket);
            for (grantee, to_bob, to_anyone) in grantees {
                let acl = list(&[(grantee, permission)]);
                let mut access = BucketAccess::private(ANN);
                let mut object = thing(ANN);
                *(if on_bucket { &mut access.acl } else { &mut object.acl }) = acl;
                for action in Action::ALL.iter().copied() {
                    let may = |caller: &Caller| ask(&access, Some(&object)).of(caller, action).is_allowed();
                    let given = gives.contains(&action);
                    assert_eq!(may(&bob()), given && to_bob, "{action} by {permission:?} for {grantee:?}");
                    let to_anyone = to_anyone && allowed_to_anyone(action) == Decision::Allow;
                    assert_eq!(may(&anyone()), given && to_anyone, "{action} by {permission:?} for {grantee:?}");
                    assert!(may(&ann()), "{action} by the owner, whatever the list");
                }
            }
        }
    }
}

#[test]
fn who_may_write_may_delete_only_its_own() {
    let access =
        BucketAccess { acl: list(&[(AclGrantee::AllUsers, AclPermission::Write)]), ..BucketAccess::private(ANN) };
    let (own, other) = (thing(BOB), thing(ANN));
    assert!(ask(&access, Some(&own)).of(&bob(), Action::DeleteObject).is_allowed());
    assert!(!ask(&access, Some(&other)).of(&bob(), Action::DeleteObject).is_allowed());
    assert!(!ask(&access, None).of(&anyone(), Action::DeleteObject).is_allowed());
    assert!(ask(&access, Some(&own)).of(&ann(), Action::DeleteObject).is_allowed());
}

#[test]
fn who_may_write_may_tag_what_it_makes() {
    let access =
        BucketAccess { acl: list(&[(AclGrantee::AllUsers, AclPermission::Write)]), ..BucketAccess::private(ANN) };
    let tag = |access: &BucketAccess, creates| {
        let details = Details { creates, ..Details::default() };
        Ask { access, object: None, details }.of(&anyone(), Action::PutObjectTagging)
    };
    assert_eq!(tag(&access, Some(true)), Decision::Allow);
    assert_eq!(tag(&access, None), Decision::Default);
    assert_eq!(tag(&BucketAccess::private(ANN), Some(true)), Decision::Default);
    let denied = BucketAccess { policy: policy(everything("Deny", json!("*"))), ..access };
    assert_eq!(tag(&denied, Some(true)), Decision::Deny);
}

#[test]
fn nobody_begins_an_upload_or_copies_without_credentials() {
    let open = BucketAccess { policy: policy(everything("Allow", json!("*"))), ..BucketAccess::private(ANN) };
    let listed =
        BucketAccess { acl: list(&[(AclGrantee::AllUsers, AclPermission::Write)]), ..BucketAccess::private(ANN) };
    let (bucket, key) = (BucketName::parse("source").unwrap(), ObjectKey::parse("k").unwrap());
    for access in [&open, &listed] {
        let put = |caller: &Caller, details| Ask { access, object: None, details }.of(caller, Action::PutObject);
        let begins = Details { begins_upload: true, creates: Some(false), ..Details::default() };
        let copies = Details { copy_source: Some((&bucket, &key)), creates: Some(true), ..Details::default() };
        for details in [begins, copies] {
            assert_eq!(put(&anyone(), details), Decision::NeedsCredentials);
            assert_eq!(put(&bob(), details), Decision::Allow);
        }
        assert_eq!(put(&anyone(), Details::default()), Decision::Allow);
    }
}

#[test]
fn a_denial_beats_a_list() {
    let access = BucketAccess {
        acl: list(&[(AclGrantee::AllUsers, AclPermission::Read)]),
        policy: policy(everything("Deny", json!("*"))),
        ..BucketAccess::private(ANN)
    };
    assert_eq!(ask(&access, None).of(&bob(), Action::ListBucket), Decision::Deny);
}

#[test]
fn an_object_that_another_owns_is_its_owners() {
    let access = BucketAccess { policy: policy(everything("Allow", json!("*"))), ..BucketAccess::private(ANN) };
    let object = thing(BOB);
    let asks = ask(&access, Some(&object));
    let owners = [Action::GetObject, Action::GetObjectAcl, Action::PutObjectAcl, Action::GetObjectTagging];
    for action in owners {
        assert!(asks.of(&bob(), action).is_allowed(), "{action} by its owner");
        assert!(!asks.of(&ann(), action).is_allowed(), "{action} by the owner of the bucket");
        assert!(!asks.of(&anyone(), action).is_allowed(), "{action} by the policy, which is not about it");
    }
    assert!(asks.of(&ann(), Action::DeleteObject).is_allowed(), "who owns the bucket may clear it");
    assert!(asks.of(&ann(), Action::PutObject).is_allowed());
    let granted = Thing { acl: list(&[(AclGrantee::Account(ANN), AclPermission::Read)]), ..object.clone() };
    assert!(ask(&access, Some(&granted)).of(&ann(), Action::GetObject).is_allowed());

    let enforced = BucketAccess { ownership: Some(Ownership::BucketOwnerEnforced), ..BucketAccess::private(ANN) };
    let asks = ask(&enforced, Some(&object));
    for action in owners {
        assert!(asks.of(&ann(), action).is_allowed(), "{action}: the bucket's owner owns all");
        assert!(!asks.of(&bob(), action).is_allowed(), "{action}: the writer owns nothing");
    }
}

#[test]
fn disabled_lists_grant_nothing() {
    let everyone = list(&[(AclGrantee::AllUsers, AclPermission::FullControl)]);
    let access = BucketAccess {
        acl: everyone.clone(),
        ownership: Some(Ownership::BucketOwnerEnforced),
        ..BucketAccess::private(ANN)
    };
    let object = Thing { acl: everyone, ..thing(ANN) };
    for action in Action::ALL.iter().copied() {
        assert!(!ask(&access, Some(&object)).of(&bob(), action).is_allowed(), "{action}");
    }
    assert!(!access.is_public());
}

#[test]
fn a_public_access_block_ignores_lists_and_shuts_others_out() {
    let public = list(&[(AclGrantee::AllUsers, AclPermission::Read), (AclGrantee::Account(BOB), AclPermission::Write)]);
    let block = PublicAccessBlock { ignore_acls: true, ..PublicAccessBlock::default() };
    let access = BucketAccess { acl: public, block, ..BucketAccess::private(ANN) };
    assert!(!ask(&access, None).of(&anyone(), Action::ListBucket).is_allowed());
    assert!(ask(&access, None).of(&bob(), Action::PutObject).is_allowed(), "a grant to an account is not public");

    let block = PublicAccessBlock { restrict_buckets: true, ..PublicAccessBlock::default() };
    let open = json!([everything("Allow", json!("*")), everything("Allow", json!({"AWS": arn(BOB)}))]);
    let access = BucketAccess { policy: policy(open), block, ..BucketAccess::private(ANN) };
    for caller in [bob(), anyone()] {
        assert_eq!(ask(&access, None).of(&caller, Action::PutObject), Decision::Default);
    }
    assert!(ask(&access, None).of(&ann(), Action::PutObject).is_allowed());
    let access = BucketAccess { policy: policy(everything("Allow", json!({"AWS": arn(BOB)}))), ..access };
    assert!(ask(&access, None).of(&bob(), Action::PutObject).is_allowed(), "a policy that is not public counts");
}

#[test]
fn who_began_an_upload_may_list_and_abort_it() {
    let access = BucketAccess::private(ANN);
    let asks = Ask { access: &access, object: None, details: Details { initiated: true, ..Details::default() } };
    for action in Action::ALL.iter().copied() {
        let may = matches!(action, Action::AbortMultipartUpload | Action::ListMultipartUploadParts);
        assert_eq!(asks.of(&bob(), action).is_allowed(), may, "{action}");
    }
}
