//! From lines to objects: each line once, whatever comes between.

use crate::bed::{Bed, bucket};
use crate::lifecycle::{DAY, after, noncurrent, pass, rule, set_rules};
use crate::named_keys::only;
use cofre_catalog::records::{EventRecord, Record};
use cofre_catalog::{ReadExt, Scan, keys};
use cofre_iam::account_number;
use cofre_objects::{
    AccessLogStep, BucketConfig, BucketEncryption, ConfigKind, DefaultEncryption, EncryptionMethod, GetObject,
    ListObjects, LogKeys, Logging, Rule, Transition, Versioning, When,
};
use futures_util::StreamExt;
use serde_json::{Value, json};
use std::time::Duration;

pub(crate) const DELIVERY: Duration = Duration::from_secs(300);

impl Bed {
    /// The bucket `b` is logged to `logs`, whose policy lets its logs in.
    pub(crate) async fn logged() -> Self {
        let bed = Self::with_bucket().await;
        bed.make_bucket("logs").await;
        bed.let_logs_in(json!({})).await;
        bed.log_to(LogKeys::Simple).await;
        bed
    }

    async fn log_to(&self, keys: LogKeys) {
        let logging = Logging { bucket: bucket("logs"), prefix: "p/".to_owned(), keys, grants: Vec::new() };
        self.objects.put_bucket_logging(&self.alice, &bucket("b"), Some(logging)).await.unwrap();
    }

    async fn let_logs_in(&self, condition: Value) {
        let policy = json!({"Statement": {"Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"},
            "Action": "s3:PutObject", "Resource": "arn:aws:s3:::bucket-logs/p/*", "Condition": condition}});
        let policy = BucketConfig::Policy(policy.to_string());
        self.objects.put_bucket_config(&self.alice, &bucket("logs"), policy).await.unwrap();
    }

    pub(crate) async fn log(&self, text: &str) {
        let to = self.objects.logged_bucket("bucket-b").await.unwrap();
        to.push(text.to_owned());
    }

    /// One pass of delivery: what its steps did.
    pub(crate) async fn deliver(&self) -> Vec<AccessLogStep> {
        let (mut steps, mut from) = (Vec::new(), Vec::new());
        loop {
            let step = self.upkeep.deliver_access_log(&from).await.unwrap();
            let next = step.next.clone();
            steps.push(step);
            match next {
                Some(next) => from = next,
                None => return steps,
            }
        }
    }

    /// Keys and texts of the log objects.
    pub(crate) async fn delivered(&self) -> Vec<(String, String)> {
        let request = ListObjects {
            bucket: bucket("logs"),
            prefix: String::new(),
            delimiter: String::new(),
            after: None,
            max: 1000,
        };
        let mut found = Vec::new();
        for object in self.objects.list_objects(&self.alice, request).await.unwrap().objects {
            let get = GetObject { bucket: bucket("logs"), ..crate::bed::get(&object.key) };
            let mut body = self.objects.get_object(&self.alice, get).await.unwrap().body;
            let mut text = Vec::new();
            while let Some(piece) = body.next().await {
                text.extend_from_slice(&piece.unwrap());
            }
            found.push((object.key, String::from_utf8(text).unwrap()));
        }
        found
    }

    pub(crate) async fn backlog(&self) -> (i64, i64) {
        let backlog = self.upkeep.access_log_backlog().await.unwrap();
        (backlog.lines, backlog.bytes)
    }

    pub(crate) async fn dropped_events(&self) -> Vec<EventRecord> {
        let events = self.store.page(Scan::prefix(&keys::events()), 1000).await.unwrap();
        let events = events.iter().map(|(_, entry)| EventRecord::decode(&entry.value).unwrap());
        events.filter(|event| event.kind == "access_log.lines_dropped").collect()
    }
}

#[tokio::test]
async fn lines_become_one_object_when_they_are_due() {
    let bed = Bed::logged().await;
    bed.log("one").await;
    bed.upkeep.access_log().write().await;
    bed.log("two").await;
    bed.upkeep.access_log().write().await;
    assert_eq!((bed.backlog().await, bed.upkeep.access_log().counts().written), ((2, 8), 2));
    bed.deliver().await;
    assert!(bed.delivered().await.is_empty(), "they are still gathered");
    bed.clock.advance(DELIVERY);
    bed.deliver().await;
    let delivered = bed.delivered().await;
    assert_eq!(delivered.len(), 1);
    assert_eq!(delivered[0].1, "one\ntwo\n");
    assert!(delivered[0].0.starts_with("p/2023-11-14-22-18-20-"), "{}", delivered[0].0);
    assert_eq!((bed.backlog().await, bed.count(keys::family::ACCESS_LOG).await), ((0, 0), 0));
    bed.deliver().await;
    assert_eq!(bed.delivered().await.len(), 1);
}

/// Under the default encryption of the bucket that they go to, whoever else may use its key.
#[tokio::test]
async fn a_policy_of_a_key_keeps_no_line_back() {
    let bed = Bed::logged().await;
    let method = EncryptionMethod::Kms { key: "one".to_owned(), dual_layer: false };
    let default = Some(DefaultEncryption { method, bucket_key: false });
    let wanted = BucketEncryption { default, block: None };
    bed.objects.put_bucket_encryption(&bed.alice, &bucket("logs"), wanted).await.unwrap();
    only(&bed, "one", &[&bed.alice], &["kms:*"]).await;
    bed.log("a line").await;
    bed.upkeep.access_log().write().await;
    bed.clock.advance(DELIVERY);
    bed.deliver().await;
    assert_eq!(bed.delivered().await.len(), 1);
}

#[tokio::test]
async fn a_line_is_delivered_once_by_two_that_deliver_at_once() {
    let bed = Bed::logged().await;
    bed.log("one").await;
    bed.upkeep.access_log().write().await;
    bed.clock.advance(DELIVERY);
    let twin = bed.twin_upkeep.clone();
    bed.rival.before_next_commit(move || async move {
        assert_eq!(twin.deliver_access_log(&[]).await.unwrap().objects, 1);
    });
    let steps = bed.deliver().await;
    assert_eq!(steps.iter().map(|step| step.objects).sum::<u64>(), 0, "{steps:?}");
    assert_eq!(bed.delivered().await.len(), 1);
    bed.reclaim().await;
    assert_eq!(bed.stored().await, 1, "what the slower one wrote is reclaimed");
}

#[tokio::test]
async fn what_a_target_does_not_take_waits_and_is_given_up_after_a_week() {
    let bed = Bed::logged().await;
    bed.objects.delete_bucket_config(&bed.alice, &bucket("logs"), ConfigKind::Policy).await.unwrap();
    bed.log("one").await;
    bed.upkeep.access_log().write().await;
    bed.clock.advance(DELIVERY);
    let problem = bed.deliver().await[0].problem.clone().unwrap();
    assert_eq!(problem.0, "bucket-b");
    assert!(bed.delivered().await.is_empty());
    // Another source's right is not this one's.
    bed.let_logs_in(json!({"ArnLike": {"aws:SourceArn": "arn:aws:s3:::other"}})).await;
    assert!(bed.deliver().await[0].problem.is_some());
    let account = account_number(bed.alice.principal.account_id().unwrap());
    let own =
        json!({"ArnLike": {"aws:SourceArn": "arn:aws:s3:::bucket-b"}, "StringEquals": {"aws:SourceAccount": account}});
    bed.let_logs_in(own).await;
    bed.deliver().await;
    assert_eq!(bed.delivered().await.len(), 1);

    bed.objects.delete_bucket_config(&bed.alice, &bucket("logs"), ConfigKind::Policy).await.unwrap();
    bed.log("two").await;
    bed.upkeep.access_log().write().await;
    bed.clock.advance(Duration::from_secs(7 * 86_400));
    assert_eq!(bed.deliver().await[0].dropped, 1);
    let events = bed.dropped_events().await;
    assert_eq!((events[0].subject.as_str(), events[0].details[0].1.as_str()), ("bucket-b", "1"));
    assert_eq!(bed.backlog().await, (0, 0));
}

#[tokio::test]
async fn lines_outlive_their_bucket_and_go_where_they_were_meant_to() {
    let bed = Bed::logged().await;
    bed.log("one").await;
    bed.upkeep.access_log().write().await;
    bed.log_to(LogKeys::ByDeliveryTime).await;
    bed.log("two").await;
    bed.upkeep.access_log().write().await;
    bed.objects.put_bucket_logging(&bed.alice, &bucket("b"), None).await.unwrap();
    assert!(bed.objects.logged_bucket("bucket-b").await.is_none());
    bed.objects.delete_bucket(&bed.alice, &bucket("b")).await.unwrap();
    bed.clock.advance(DELIVERY);
    bed.deliver().await;
    let delivered = bed.delivered().await;
    let account = account_number(bed.alice.principal.account_id().unwrap());
    assert_eq!(delivered.len(), 2, "{delivered:?}");
    assert!(delivered[0].0.starts_with(&format!("p/{account}/us-east-1/bucket-b/2023/11/14/2023-11-14-22-18-20-")));
    assert_eq!((delivered[0].1.as_str(), delivered[1].1.as_str()), ("two\n", "one\n"));
}

#[tokio::test]
async fn lines_beyond_the_bounds_are_dropped_counted_and_told() {
    let bed = Bed::logged().await;
    let line = "x".repeat((1 << 20) - 1);
    for _ in 0..5 {
        bed.log(&line).await;
    }
    assert_eq!(bed.upkeep.access_log().counts().dropped, 1, "of one account 4 MiB wait in memory at the most");
    bed.upkeep.access_log().write().await;
    for _ in 4..65 {
        bed.log(&line).await;
        bed.upkeep.access_log().write().await;
    }
    let counts = bed.upkeep.access_log().counts();
    assert_eq!((counts.written, counts.dropped), (64, 2), "64 MiB of a bucket wait in the catalog at the most");
    assert_eq!(bed.dropped_events().await.len(), 1, "an event a minute tells of it");
    bed.clock.advance(DELIVERY);
    bed.log("fits again").await;
    bed.deliver().await;
    bed.upkeep.access_log().write().await;
    assert_eq!(bed.upkeep.access_log().counts().written, 65);
    let told: Vec<_> = bed.dropped_events().await.iter().map(|event| event.details[0].1.clone()).collect();
    assert_eq!(told, ["1", "1"]);
}

/// The fields of the lines that wait, without those that are never the same, in the order of their keys.
async fn told(bed: &Bed) -> Vec<String> {
    bed.clock.advance(DELIVERY);
    bed.deliver().await;
    let text: String = bed.delivered().await.into_iter().map(|(_, text)| text).collect();
    let mut lines: Vec<_> = text
        .lines()
        .map(|line| {
            let fields: Vec<_> = line.split(' ').collect();
            assert_eq!((fields.len(), fields[1], fields[4], fields[5]), (27, "bucket-b", "-", "AmazonS3"), "{line}");
            assert_eq!(fields[9..12], ["\"-\"", "-", "-"], "no request and no status: {line}");
            [fields[8], fields[7], fields[13], fields[18]].join(" ")
        })
        .collect();
    lines.sort();
    let keys = bed.delivered().await.into_iter().map(|(key, _)| key);
    for key in keys {
        let request = cofre_objects::DeleteObject {
            key: crate::bed::key(&key),
            version: None,
            conditions: Default::default(),
            bypass_governance: false,
        };
        bed.objects.delete_object(&bed.alice, &bucket("logs"), request).await.unwrap();
    }
    lines
}

#[tokio::test]
async fn what_rules_do_is_told_in_the_commit_that_does_it() {
    let bed = Bed::logged().await;
    bed.set(json!({"storage_classes": {"STANDARD_IA": "replicas:2", "COLD": "replicas:2"}})).await;
    let end = |prefix: &str| Rule { expiration: after(1), ..rule(prefix, prefix) };
    let to = |class: &str| vec![Transition { when: When::Days(1), storage_class: class.to_owned() }];
    let moves = |class: &str| Rule { transitions: to(class), ..rule(class, class) };
    let aborts = Rule { abort_upload_days: Some(1), ..rule("aborts", "up/") };
    set_rules(&bed, vec![end("end/"), moves("COLD"), moves("STANDARD_IA"), aborts]).await;
    for name in ["end/a b", "end/c", "COLD", "STANDARD_IA", "kept"] {
        bed.put(name, b"12345").await;
    }
    crate::multipart::begin(&bed, "up/1", None).await;
    bed.clock.advance(3 * DAY);
    bed.rival.take_removals();
    let counts = pass(&bed).await;
    assert_eq!((counts.expired, counts.transitioned, counts.uploads_aborted), (2, 2, 1));
    assert_eq!(bed.rival.take_removals().len(), 4, "a commit for what ends, for each move and for the upload");
    assert_eq!((bed.backlog().await.0, bed.upkeep.access_log().counts().written), (5, 5));
    let expected = [
        "COLD S3.TRANSITION.OBJECT 5 -",
        "STANDARD_IA S3.TRANSITION_SIA.OBJECT 5 -",
        "end/a%2520b S3.EXPIRE.OBJECT 5 -",
        "end/c S3.EXPIRE.OBJECT 5 -",
        "up/1 S3.DELETE.UPLOAD - -",
    ];
    assert_eq!(told(&bed).await, expected);

    bed.objects.put_bucket_versioning(&bed.alice, &bucket("b"), Versioning::Enabled).await.unwrap();
    let all = Rule { noncurrent_expiration: noncurrent(1, None), ..end("end/") };
    set_rules(&bed, vec![all]).await;
    let version = bed.put("end/v", b"123").await.version.unwrap();
    bed.clock.advance(3 * DAY);
    assert_eq!(pass(&bed).await.expired, 1);
    let marker = bed.versions("end/v").await[0];
    assert_eq!(told(&bed).await, [format!("end/v S3.CREATE.DELETEMARKER - {marker}")]);
    bed.clock.advance(3 * DAY);
    assert_eq!(pass(&bed).await.noncurrent_expired, 1);
    assert_eq!(told(&bed).await, [format!("end/v S3.EXPIRE.OBJECT 3 {version}")]);
    assert_eq!(pass(&bed).await.markers_removed, 1);
    assert_eq!(told(&bed).await, [format!("end/v S3.EXPIRE.OBJECT - {marker}")]);
}

#[tokio::test]
async fn a_line_that_finds_no_room_keeps_no_rule_from_its_work() {
    let bed = Bed::logged().await;
    set_rules(&bed, vec![Rule { expiration: after(1), ..rule("r", "") }]).await;
    bed.put("a", b"1").await;
    bed.put("b", b"2").await;
    let line = "x".repeat((1 << 20) - 1);
    for _ in 0..64 {
        bed.log(&line).await;
        bed.upkeep.access_log().write().await;
    }
    bed.clock.advance(3 * DAY);
    assert_eq!(pass(&bed).await.expired, 2);
    assert!(bed.list("", "").await.0.is_empty());
    let counts = bed.upkeep.access_log().counts();
    assert_eq!((counts.written, counts.dropped), (64, 2));
    assert_eq!(bed.dropped_events().await[0].details[0].1, "2");
}

#[tokio::test]
async fn what_a_rule_did_not_do_after_all_has_no_line() {
    let bed = Bed::logged().await;
    set_rules(&bed, vec![Rule { expiration: after(1), ..rule("r", "") }]).await;
    bed.put("a", b"1").await;
    bed.put("b", b"2").await;
    bed.clock.advance(3 * DAY);
    let (twin, alice) = (bed.twin.clone(), bed.alice.clone());
    bed.rival.before_next_commit(|| async move {
        twin.put_object(&alice, crate::bed::put("a", b"new")).await.unwrap();
    });
    let counts = pass(&bed).await;
    assert_eq!((counts.expired, counts.changed), (1, 1));
    assert_eq!(told(&bed).await, ["b S3.EXPIRE.OBJECT 1 -"]);
}
