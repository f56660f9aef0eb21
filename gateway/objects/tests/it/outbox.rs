//! The outbox of access logs, shared by accounts.

use crate::access_logs::DELIVERY;
use crate::bed::{Bed, bucket};
use cofre_catalog::records::{AccessLogBacklog, AccessLogRecord, Record};
use cofre_catalog::{Batch, ReadExt, Scan, Store, keys};
use cofre_objects::{BucketConfig, CreateBucket, LogKeys, Logging};
use serde_json::json;

impl Bed {
    /// The bucket `c`, which bob owns and which is logged to his bucket `d`.
    async fn log_of_bob(&self) {
        for name in ["c", "d"] {
            let request = CreateBucket {
                name: bucket(name),
                region: String::new(),
                object_lock: false,
                acl: None,
                ownership: None,
            };
            self.objects.create_bucket(&self.bob, request).await.unwrap();
        }
        let policy = json!({"Statement": {"Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"},
            "Action": "s3:PutObject", "Resource": "arn:aws:s3:::bucket-d/*"}});
        let policy = BucketConfig::Policy(policy.to_string());
        self.objects.put_bucket_config(&self.bob, &bucket("d"), policy).await.unwrap();
        let logging = Logging { bucket: bucket("d"), prefix: String::new(), keys: LogKeys::Simple, grants: Vec::new() };
        self.objects.put_bucket_logging(&self.bob, &bucket("c"), Some(logging)).await.unwrap();
    }

    async fn log_bob(&self, text: &str) {
        let to = self.objects.logged_bucket("bucket-c").await.unwrap();
        to.push(text.to_owned());
    }
}

#[tokio::test]
async fn an_account_that_fills_the_outbox_drops_its_own_lines() {
    let bed = Bed::logged().await;
    bed.log_of_bob().await;
    let line = "x".repeat((1 << 20) - 1);
    for _ in 0..20 {
        bed.log(&line).await;
    }
    bed.log_bob(&line).await;
    assert_eq!(bed.upkeep.access_log().counts().dropped, 16, "alice's alone");
    bed.upkeep.access_log().write().await;
    // In the catalog too: what is left is a share for another.
    let alice = bed.alice.principal.account_id().unwrap();
    let mut batch = Batch::new();
    for key in [keys::access_log_backlog(None), keys::access_log_backlog_of(alice)] {
        batch.add(key, vec![(1 << 30) - (16 << 20), 0]);
    }
    bed.store.commit(batch).await.unwrap();
    bed.log(&line).await;
    bed.log_bob(&line).await;
    bed.upkeep.access_log().write().await;
    let counts = bed.upkeep.access_log().counts();
    assert_eq!((counts.written, counts.dropped), (5 + 1, 17));
    let events = bed.dropped_events().await;
    assert_eq!(events[0].subject, "bucket-b");
    let names: Vec<_> = events[0].details.iter().filter(|(name, _)| name.starts_with("account")).collect();
    assert_eq!(names, [&("account".to_owned(), "alice".to_owned()), &("account_id".to_owned(), alice.to_string())]);
}

#[tokio::test]
async fn what_an_older_cofre_left_is_delivered_and_counted_for_its_bucket_alone() {
    let bed = Bed::logged().await;
    bed.log("one").await;
    bed.upkeep.access_log().write().await;
    // As the version before wrote it: the record does not say that it is counted for its owner.
    let alice = bed.alice.principal.account_id().unwrap();
    let scan = Scan::prefix(&[keys::family::ACCESS_LOG]);
    let (key, entry) = bed.store.page(scan, 1).await.unwrap().remove(0);
    let record = AccessLogRecord { counted: false, ..AccessLogRecord::decode(&entry.value).unwrap() };
    let mut batch = Batch::new();
    batch.put(key, record.encode()).delete(keys::access_log_backlog_of(alice));
    bed.store.commit(batch).await.unwrap();
    bed.log("two").await;
    bed.upkeep.access_log().write().await;
    bed.clock.advance(DELIVERY);
    bed.deliver().await;
    assert_eq!(bed.delivered().await.len(), 1);
    let row = bed.store.get(keys::access_log_backlog_of(alice)).await.unwrap().unwrap();
    assert_eq!(AccessLogBacklog::from_value(&row.value), AccessLogBacklog::default());
    assert_eq!(bed.backlog().await, (0, 0));
}
