use super::*;
use cofre_admin_types::Quota;
use cofre_admin_types::provision::{
    AclPermission, Grant, Logging, Ownership, ProvisionKeyPolicy, PublicAccessBlock, Versioning,
};

fn bucket(name: &str) -> ProvisionBucket {
    ProvisionBucket { name: name.to_owned(), owner: Some("ana".to_owned()), ..ProvisionBucket::default() }
}

fn buckets(buckets: impl IntoIterator<Item = ProvisionBucket>) -> Provision {
    Provision { buckets: buckets.into_iter().collect(), ..Provision::default() }
}

fn account(name: &str, keys: &[&str]) -> ProvisionAccount {
    let key = |id: &&str| ProvisionKey { access_key_id: (*id).to_owned(), ..ProvisionKey::default() };
    ProvisionAccount { name: name.to_owned(), keys: keys.iter().map(key).collect(), ..ProvisionAccount::default() }
}

/// Steps in words, as `set bucket photos quota`, and what stays.
fn told(desired: &Provision, actual: &Provision, prune: bool) -> (Vec<String>, Vec<String>) {
    let (planned, kept) = plan(desired, actual, &HashSet::new(), prune);
    let words = |step: &ProvisionStep| {
        let verb = format!("{:?}", step.verb).to_lowercase();
        format!("{verb} {} {}", step.subject, step.setting.as_deref().unwrap_or_default()).trim_end().to_owned()
    };
    (planned.iter().map(|planned| words(&planned.step)).collect(), kept.iter().map(words).collect())
}

#[test]
fn what_is_there_asks_for_nothing() {
    let mut all = buckets([ProvisionBucket {
        quota: Some(Quota { bytes_max: Some(5), objects_max: None }),
        versioning: Some(Versioning::Enabled),
        policy: Some("{\"a\": 1, \"b\": 2}".to_owned()),
        ..bucket("photos")
    }]);
    all.accounts = vec![account("ana", &["one"])];
    assert_eq!(told(&all, &all, true), (vec![], vec![]));
    // A policy is the same however it is written.
    let mut other = all.clone();
    other.buckets[0].policy = Some("{\"b\":2,\n\"a\":1}".to_owned());
    assert_eq!(told(&other, &all, true), (vec![], vec![]));
    other.buckets[0].policy = Some("{\"a\":2}".to_owned());
    assert_eq!(told(&other, &all, true).0, ["set bucket photos policy"]);
}

#[test]
fn everything_comes_in_the_order_of_what_needs_it() {
    let logging = Logging {
        target_bucket: "logs".to_owned(),
        target_prefix: String::new(),
        key_format: Default::default(),
        target_grants: Vec::new(),
    };
    let mut desired = buckets([
        ProvisionBucket {
            logging: Some(logging),
            abac: Some(true),
            tags: Some([("a".to_owned(), "b".to_owned())].into()),
            ..bucket("a-first")
        },
        ProvisionBucket { policy: Some("{}".to_owned()), ..bucket("logs") },
    ]);
    desired.accounts = vec![ProvisionAccount { disabled: Some(true), ..account("ana", &["one"]) }];
    desired.key_policies = vec![ProvisionKeyPolicy { key: "k".to_owned(), policy: "{}".to_owned() }];
    desired.settings = serde_json::from_str("{\"quotas\": {\"grace_multiple\": 3}}").unwrap();
    let steps = [
        "set settings quotas.grace_multiple",
        "create account ana",
        "set account ana disabled",
        "create key one",
        "set key policy k",
        "create bucket a-first",
        "set bucket a-first tags",
        "set bucket a-first abac",
        "create bucket logs",
        "set bucket logs policy",
        "set bucket a-first logging",
    ];
    assert_eq!(told(&desired, &Provision::default(), false).0, steps);
}

#[test]
fn what_opens_a_bucket_comes_after_what_lets_it_and_before_what_keeps_it() {
    let block = |on: bool| {
        Some(PublicAccessBlock { block_public_policy: on, block_public_acls: on, ..PublicAccessBlock::default() })
    };
    let with = |policy: Option<&str>, on| {
        buckets([ProvisionBucket { policy: policy.map(str::to_owned), public_access_block: block(on), ..bucket("b") }])
    };
    let (policy, blocked) = ("set bucket b policy", "set bucket b public_access_block");
    assert_eq!(told(&with(Some("{}"), false), &with(None, true), false).0, [blocked, policy]);
    assert_eq!(told(&with(Some("{}"), true), &with(None, false), false).0, [policy, blocked]);

    let grant = Grant { account: Some("bea".to_owned()), group: None, permission: AclPermission::Read };
    let lists = ProvisionBucket { acl: Some(vec![grant]), ownership: Some(Ownership::ObjectWriter), ..bucket("b") };
    let none = ProvisionBucket {
        unset: vec!["acl".to_owned()],
        ownership: Some(Ownership::BucketOwnerEnforced),
        ..bucket("b")
    };
    let (list, unlist, owner) = ("set bucket b acl", "delete bucket b acl", "set bucket b ownership");
    assert_eq!(told(&buckets([none.clone()]), &buckets([lists.clone()]), false).0, [unlist, owner]);
    let enforced = ProvisionBucket { unset: Vec::new(), ..none };
    assert_eq!(told(&buckets([lists]), &buckets([enforced]), false).0, [owner, list]);
}

#[test]
fn nothing_is_deleted_unless_asked() {
    let mut actual = buckets([
        ProvisionBucket { abac: Some(true), versioning: Some(Versioning::Enabled), ..bucket("b") },
        bucket("old"),
    ]);
    actual.accounts = vec![account("ana", &["one", "two"]), account("bea", &[]), account(ROOT_NAME, &["root-key"])];
    let mut desired = buckets([bucket("b")]);
    desired.accounts = vec![account("ana", &["one"])];
    // What was versioned once stays so, which is no difference.
    let stays = ["delete bucket b abac", "delete bucket old", "delete key two", "delete account bea"];
    assert_eq!(told(&desired, &actual, false), (vec![], stays.map(str::to_owned).to_vec()));
    assert_eq!(told(&desired, &actual, true), (stays.map(str::to_owned).to_vec(), vec![]));
    // A kind of which the document says nothing is not touched; nor are keys of an account that has none in it.
    desired.accounts[0].keys.clear();
    assert_eq!(told(&desired, &actual, true).0, ["delete bucket b abac", "delete bucket old", "delete account bea"]);
    assert_eq!(told(&buckets([]), &actual, true), (vec![], vec![]));
    // What the document says is not to be goes without asking.
    desired.buckets[0].unset = vec!["abac".to_owned()];
    assert_eq!(told(&desired, &actual, false).0, ["delete bucket b abac"]);
}

#[test]
fn nothing_said_is_nothing_to_do() {
    let desired = buckets([ProvisionBucket {
        quota: Some(Quota::default()),
        tags: Some(Default::default()),
        acl: Some(vec![Grant { account: Some("ana".to_owned()), group: None, permission: AclPermission::FullControl }]),
        ..bucket("b")
    }]);
    assert_eq!(told(&desired, &buckets([bucket("b")]), false), (vec![], vec![]));
    let mut other = desired;
    other.buckets[0].acl.as_mut().unwrap()[0].account = Some("bea".to_owned());
    assert_eq!(told(&other, &buckets([bucket("b")]), false).0, ["set bucket b acl"]);
}

#[test]
fn another_secret_is_a_step_that_tells_none() {
    let mut desired = Provision { accounts: vec![account("ana", &["one"])], ..Provision::default() };
    desired.accounts[0].keys[0].secret_access_key = Some("0123456789abcdefXYZ".to_owned());
    let actual = Provision { accounts: vec![account("ana", &["one"])], ..Provision::default() };
    let (planned, _) = plan(&desired, &actual, &HashSet::from(["one".to_owned()]), false);
    assert_eq!((planned.len(), &planned[0].op), (1, &Op::ChangeKey(0, 0)));
    assert!(!format!("{planned:?}").contains("0123456789"), "{planned:?}");
    let (planned, _) = plan(&desired, &Provision::default(), &HashSet::new(), false);
    assert!(!format!("{planned:?}").contains("0123456789"), "{planned:?}");
}

#[test]
fn each_step_asks_for_the_scope_of_its_change() {
    let scope = |desired: &Provision| {
        let (planned, _) = plan(desired, &buckets([]), &HashSet::new(), false);
        planned.iter().map(|planned| planned.op.scope()).max()
    };
    let quota = Some(Quota { bytes_max: Some(5), objects_max: None });
    let mut desired = buckets([ProvisionBucket { quota, redundancy: Some("replicas:1".to_owned()), ..bucket("b") }]);
    assert_eq!(scope(&desired), Some(Scope::Operate));
    // Who may set policies could read all.
    desired.buckets[0].policy = Some("{}".to_owned());
    assert_eq!(scope(&desired), Some(Scope::Admin));
    let accounts = Provision { accounts: vec![account("ana", &[])], ..Provision::default() };
    assert_eq!(scope(&accounts), Some(Scope::Admin));
}

#[test]
fn a_new_bucket_has_what_the_settings_give_it() {
    let mut settings = buckets([]);
    settings.settings =
        serde_json::from_str(r#"{"new_buckets": {"public_access_block": true, "ownership": "object_writer"}}"#)
            .unwrap();
    let open = ProvisionBucket {
        policy: Some("{}".to_owned()),
        unset: vec!["public_access_block".to_owned(), "ownership".to_owned()],
        ..bucket("b")
    };
    let made = "create bucket b";
    let steps = [made, "delete bucket b public_access_block", "delete bucket b ownership", "set bucket b policy"];
    assert_eq!(told(&buckets([open]), &settings, false).0, steps);
    // What it got so is nobody's to prune.
    assert_eq!(told(&buckets([bucket("b")]), &settings, true), (vec![made.to_owned()], vec![]));
    settings.buckets = vec![ProvisionBucket { ownership: Some(Ownership::ObjectWriter), ..bucket("b") }];
    assert_eq!(told(&buckets([bucket("b")]), &settings, true), (vec![], vec![]));
}
