//! What is left of a catalog with damaged files.

use crate::open;
use cofre_catalog::backup::{Salvaged, salvage};
use cofre_catalog::records::{
    AccessKeyRecord, AccountRecord, AccountUsage, BlobRecord, BucketRecord, Content, CopyRecord, DoomedRecord,
    Durability, Garbage, GarbageRecord, Guards, Headers, ManifestRecord, PartRecord, Record, Segment, ShardUsage,
    UploadRecord, Usage, VersionKind, VersionRecord, Versioning,
};
use cofre_catalog::{Batch, Embedded, EmbeddedOptions, Entry, ReadExt, Scan, Store, keys};
use cofre_runtime::Clock;
use cofre_types::{
    AccessKeyId, AccountId, BlobId, BucketId, BucketName, ETag, ObjectKey, Scheme, ShardId, Tags, Timestamp, UploadId,
    VersionId,
};
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

type Records = BTreeMap<Vec<u8>, Entry>;

async fn everything(store: &dyn Store) -> Records {
    let page = store.snapshot().await.expect("a snapshot").page(Scan::prefix(b""), usize::MAX).await;
    page.expect("scans").into_iter().collect()
}

/// A catalog of many small tables, with records that were written again and some that were deleted.
async fn made(path: &Path) -> Records {
    let options = EmbeddedOptions { memtable_bytes: 128 * 1024, ..EmbeddedOptions::default() };
    let store = Embedded::open(path, options, Clock::system()).await.expect("the catalog opens");
    for round in 0..24_u8 {
        let mut batch = Batch::new();
        for index in 0..200 {
            batch.put(format!("{:03} {:02}", index, round % 12).into_bytes(), vec![round; 100]);
        }
        batch.delete(format!("{round:03} 00").into_bytes());
        store.commit(batch).await.expect("commits");
    }
    let records = everything(&store).await;
    store.close().await.expect("closes");
    records
}

fn flip(path: &Path, at: u64) {
    let file = OpenOptions::new().read(true).write(true).open(path).expect("it opens");
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).expect("it reads");
    file.write_all_at(&[byte[0] ^ 0x10], at).expect("it writes");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("it lists").map(|entry| entry.expect("it lists").path()).collect();
    files.sort();
    files
}

/// Every copy is whole here.
fn copy_bytes(_: Scheme, size: u64, _: u8) -> u64 {
    size
}

async fn salvaged(from: &Path, to: &Path) -> (Salvaged, Records) {
    let salvaged =
        salvage(from, to, EmbeddedOptions::default(), copy_bytes, Timestamp(1), |_| {}).await.expect("it is salvaged");
    let store = open(to).await.expect("the salvaged catalog opens");
    let mut records = everything(&store).await;
    // What it lacks stands on the shards: they are compared with it as with a catalog of a backup.
    assert!(records.remove(&keys::incarnation()).is_some());
    assert_eq!(records.len() as u64, salvaged.summary.records);
    assert_eq!(store.snapshot().await.expect("a snapshot").revision(), salvaged.summary.revision);
    store.close().await.expect("closes");
    std::fs::remove_dir_all(to).expect("it is removed");
    (salvaged, records)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_catalog_comes_through_whole() {
    let directory = TempDir::new().expect("a directory");
    let (from, to) = (directory.path().join("from"), directory.path().join("to"));
    let records = made(&from).await;
    let (salvaged, found) = salvaged(&from, &to).await;
    assert!(salvaged.losses.is_empty(), "{:?}", salvaged.losses);
    assert!(found == records, "{} of {} records", found.len(), records.len());
    assert!(!directory.path().join("to.salvaging").exists());
    let store = open(&from).await.expect("what was salvaged from is as it was");
    assert!(everything(&store).await == records);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flipped_bit_in_any_table_loses_what_is_listed_and_nothing_else() {
    let directory = TempDir::new().expect("a directory");
    let (from, to) = (directory.path().join("from"), directory.path().join("to"));
    let records = made(&from).await;
    let tables = files(&from.join("engine/keyspaces/1/tables"));
    assert!(!tables.is_empty());
    for table in tables {
        let length = table.metadata().expect("it has a length").len();
        for at in [2, 20, 600, length / 2, length * 9 / 10, length - 3] {
            flip(&table, at);
            let (salvaged, found) = salvaged(&from, &to).await;
            flip(&table, at);
            let lost = |key: &Vec<u8>| {
                salvaged.losses.iter().any(|loss| {
                    let after = loss.after.as_ref().is_none_or(|after| key > after);
                    after && loss.before.as_ref().is_none_or(|before| key < before)
                })
            };
            for (key, entry) in &records {
                assert!(
                    lost(key) || found.get(key) == Some(entry),
                    "{} at {at}: {}",
                    table.display(),
                    key.escape_ascii()
                );
            }
            for (key, entry) in &found {
                assert!(
                    lost(key) || records.get(key) == Some(entry),
                    "{} at {at}: {}",
                    table.display(),
                    key.escape_ascii()
                );
            }
            assert!(
                found.len() * 2 > records.len(),
                "one bit costs {} of {}",
                records.len() - found.len(),
                records.len()
            );
        }
    }
}

#[tokio::test]
async fn batches_behind_a_break_in_a_journal_are_found() {
    let directory = TempDir::new().expect("a directory");
    let (from, to) = (directory.path().join("from"), directory.path().join("to"));
    let store = open(&from).await.expect("the catalog opens");
    for index in 0..40 {
        crate::put(&store, &format!("~key {index:02}"), "value").await;
    }
    store.close().await.expect("closes");
    let journal = from.join("engine/0.jnl");
    let bytes = std::fs::read(&journal).expect("it reads");
    let end = bytes.iter().rposition(|byte| *byte != 0).expect("it is not empty") as u64;
    flip(&journal, end / 2);
    assert!(open(&from).await.is_err(), "a break in the middle does not open");
    let (salvaged, found) = salvaged(&from, &to).await;
    assert_eq!((salvaged.losses.len(), found.len()), (1, 39));
    assert!(found.contains_key(&b"~key 39"[..]) && found.contains_key(&b"~key 00"[..]));
}

const BUCKET: BucketId = BucketId(7);
const OWNER: AccountId = AccountId::from_bytes([0xab; 32]);
const SHARD: ShardId = ShardId(1);
const SIZE: u64 = 100;

fn blob_id(number: u8) -> BlobId {
    BlobId::from_bytes([number; 16])
}

fn upload_id(number: u8) -> UploadId {
    UploadId::from_bytes([number; 16])
}

fn segments(blob: u8) -> Vec<Segment> {
    vec![Segment { blob: blob_id(blob), offset: 0, length: SIZE }]
}

fn blob(references: u32) -> BlobRecord {
    let copies = vec![CopyRecord { shard: SHARD, locator: vec![1], piece: 0 }];
    let scheme = Scheme::Replicas { count: 1 };
    BlobRecord { size: SIZE, references, scheme, written: Timestamp(1), sealed_for: None, copies }
}

fn version(content: Content, kind: VersionKind) -> Vec<u8> {
    let record = VersionRecord {
        version: VersionId::Null,
        place: 1,
        kind,
        modified: Timestamp(1),
        owner: OWNER,
        size: if kind == VersionKind::Object { SIZE } else { 0 },
        etag: ETag::of_md5([0; 16]),
        checksum: None,
        storage_class: String::new(),
        headers: Headers::default(),
        tags: Tags::default(),
        content,
        guards: Guards::default(),
    };
    record.encode()
}

fn upload(id: UploadId) -> Vec<u8> {
    let record = UploadRecord {
        id,
        initiator: OWNER,
        owner: OWNER,
        initiated: Timestamp(1),
        storage_class: String::new(),
        headers: Headers::default(),
        tags: Tags::default(),
        checksum: None,
        guards: Guards::default(),
    };
    record.encode()
}

fn part(blob: u8) -> Vec<u8> {
    let (etag, segments) = (ETag::of_md5([0; 16]), segments(blob));
    PartRecord { size: SIZE, etag, checksum: None, modified: Timestamp(1), segments, checksum_sent: false }.encode()
}

/// A catalog whose records are of several states, as one is where older values came to light.
async fn torn(path: &Path) {
    let store = open(path).await.expect("the catalog opens");
    let name = BucketName::parse("photos").expect("it is legal");
    let key = |text: &str| ObjectKey::parse(text).expect("it is legal");
    let bucket = BucketRecord {
        id: BUCKET,
        owner: OWNER,
        created: Timestamp(1),
        region: String::new(),
        versioning: Versioning::Enabled,
        durability: Durability::Durable,
        scheme: None,
        bytes_max: None,
        objects_max: None,
        tags: Tags::default(),
        config: Vec::new(),
    };
    let manifest =
        |references| ManifestRecord { references, parts: vec![(1, SIZE)], etag: ETag::of_parts([0; 16], 1) }.encode();
    let garbage = |what: Garbage| GarbageRecord::from(what).encode();
    let object = |blob| version(Content::Segments(segments(blob)), VersionKind::Object);
    let whole = |id| version(Content::Manifest(upload_id(id)), VersionKind::Object);
    let marker = version(Content::Segments(Vec::new()), VersionKind::DeleteMarker);
    let mut batch = Batch::new();
    batch.put(keys::bucket(&name), bucket.encode());
    batch.put(keys::bucket_id(BUCKET), b"photos".to_vec());
    // A blob of an object and two copies whose record knows of one, and one that nothing refers to but garbage.
    batch.put(keys::current(BUCKET, &key("a")), object(1)).put(keys::current(BUCKET, &key("b")), object(1));
    batch.put(keys::version(BUCKET, &key("b"), 1), object(1)).put(keys::version(BUCKET, &key("c"), 1), marker);
    batch.put(keys::blob(blob_id(1)), blob(1).encode()).put(keys::blob(blob_id(2)), blob(1).encode());
    batch.put(keys::garbage(1, [1; 16]), garbage(Garbage::Blobs(vec![blob_id(1), blob_id(2)])));
    batch.put(keys::doomed(SHARD, blob_id(1)), DoomedRecord { locator: vec![1], size: SIZE }.encode());
    // An object of parts and its copy, whose upload came to light again, and an upload that is under way.
    batch.put(keys::current(BUCKET, &key("d")), whole(1)).put(keys::current(BUCKET, &key("e")), whole(1));
    batch.put(keys::manifest(upload_id(1)), manifest(1)).put(keys::part(upload_id(1), 1), part(3));
    batch.put(keys::upload(BUCKET, &key("d"), upload_id(1)), upload(upload_id(1)));
    batch.put(keys::upload(BUCKET, &key("f"), upload_id(2)), upload(upload_id(2)));
    batch.put(keys::part(upload_id(2), 1), part(4));
    batch.put(keys::blob(blob_id(3)), blob(7).encode()).put(keys::blob(blob_id(4)), blob(1).encode());
    // A manifest that no object has any more, with its part.
    batch.put(keys::manifest(upload_id(3)), manifest(1)).put(keys::part(upload_id(3), 1), part(5));
    batch.put(keys::blob(blob_id(5)), blob(1).encode());
    batch.add(keys::usage(BUCKET), vec![99; 11]).add(keys::account_usage(OWNER), vec![99; 4]);
    batch.add(keys::shard_usage(SHARD), vec![99; 2]);
    store.commit(batch).await.expect("commits");
    store.close().await.expect("closes");
}

#[tokio::test]
async fn what_records_count_is_counted_anew_and_nothing_is_left_to_be_deleted() {
    let directory = TempDir::new().expect("a directory");
    let (from, to) = (directory.path().join("from"), directory.path().join("to"));
    torn(&from).await;
    let (_, found) = salvaged(&from, &to).await;
    let blobs: Vec<_> = (1..=5).map(|number| found.get(&keys::blob(blob_id(number)))).collect();
    let references =
        blobs.iter().map(|blob| blob.map(|blob| BlobRecord::decode(&blob.value).expect("a blob").references));
    assert_eq!(references.collect::<Vec<_>>(), [Some(3), None, Some(1), Some(1), None]);
    let manifests = [1, 3].map(|number| found.get(&keys::manifest(upload_id(number))));
    let references =
        manifests.map(|found| found.map(|found| ManifestRecord::decode(&found.value).expect("a manifest").references));
    assert_eq!(references, [Some(2), None]);
    let parts = [1, 2, 3].map(|number| found.contains_key(&keys::part(upload_id(number), 1)));
    assert_eq!(parts, [true, true, false]);
    let uploads = found.keys().filter(|key| key[0] == keys::family::UPLOAD).count();
    assert_eq!(uploads, 1, "an upload that became an object is none any more");
    assert!(!found.keys().any(|key| matches!(key[0], keys::family::GARBAGE | keys::family::DOOMED)));
    let usage = Usage {
        objects: 4,
        bytes: 400,
        noncurrent_versions: 1,
        noncurrent_bytes: 100,
        delete_markers: 1,
        uploads: 1,
        upload_parts: 1,
        upload_bytes: 100,
        total_objects: 5,
        total_bytes: 600,
        grace_bytes: 0,
    };
    assert_eq!(Usage::from_value(&found[&keys::usage(BUCKET)].value), usage);
    let account = AccountUsage { buckets: 1, objects: 5, bytes: 600, grace_bytes: 0 };
    assert_eq!(AccountUsage::from_value(&found[&keys::account_usage(OWNER)].value), account);
    let shard = ShardUsage { copies: 3, bytes: 300 };
    assert_eq!(ShardUsage::from_value(&found[&keys::shard_usage(SHARD)].value), shard);
}

#[tokio::test]
async fn what_leads_to_records_is_made_anew() {
    let directory = TempDir::new().expect("a directory");
    let (from, to) = (directory.path().join("from"), directory.path().join("to"));
    torn(&from).await;
    let store = open(&from).await.expect("the catalog opens");
    let (other, key_id) = (AccountId::from_bytes([8; 32]), AccessKeyId::parse("KEYOFALICE").expect("it is legal"));
    let account = AccountRecord {
        id: OWNER,
        name: "Alice".to_owned(),
        email: "A@example.com".to_owned(),
        root: false,
        disabled: false,
        created: Timestamp(1),
        buckets_max: None,
        bytes_max: None,
        objects_max: None,
    };
    let nameless = AccountRecord { id: other, name: "bob".to_owned(), email: String::new(), ..account.clone() };
    let access_key = AccessKeyRecord {
        id: key_id.clone(),
        account: OWNER,
        sealed_secret: vec![1],
        disabled: false,
        created: Timestamp(1),
        expires: None,
        note: String::new(),
    };
    let name = BucketName::parse("photos").expect("it is legal");
    let at = |text: &str| ObjectKey::parse(text).expect("it is legal");
    let mut batch = Batch::new();
    batch.put(keys::account(OWNER), account.encode()).put(keys::account(other), nameless.encode());
    batch.put(keys::access_key(&key_id), access_key.encode());
    // Some that lead elsewhere, or nowhere.
    batch.put(keys::account_name("alice"), other.as_bytes().to_vec()).put(keys::account_name("gone"), vec![7; 32]);
    batch.put(keys::account_email("gone@example.com"), vec![7; 32]);
    batch.put(keys::owned_bucket(other, &name), Vec::new()).delete(keys::bucket_id(BUCKET));
    batch.put(keys::null_version(BUCKET, &at("b")), 9_u64.to_be_bytes().to_vec());
    batch.put(keys::null_version(BUCKET, &at("z")), 1_u64.to_be_bytes().to_vec());
    store.commit(batch).await.expect("commits");
    store.close().await.expect("closes");

    let (_, found) = salvaged(&from, &to).await;
    let of = |families: &[u8]| {
        let held = found.iter().filter(|(key, _)| families.contains(&key[0]));
        held.map(|(key, entry)| (key.clone(), entry.value.clone())).collect::<Vec<_>>()
    };
    let [alice, bob] = [OWNER, other].map(|id| id.as_bytes().to_vec());
    assert_eq!(
        of(&[keys::family::ACCOUNT_NAME, keys::family::ACCOUNT_EMAIL]),
        [
            (keys::account_name("alice"), alice.clone()),
            (keys::account_name("bob"), bob),
            (keys::account_email("a@example.com"), alice)
        ]
    );
    assert_eq!(of(&[keys::family::ACCOUNT_KEY]), [(keys::account_key(OWNER, &key_id), Vec::new())]);
    assert_eq!(of(&[keys::family::OWNED_BUCKET]), [(keys::owned_bucket(OWNER, &name), Vec::new())]);
    assert_eq!(of(&[keys::family::BUCKET_ID]), [(keys::bucket_id(BUCKET), b"photos".to_vec())]);
    let place = 1_u64.to_be_bytes().to_vec();
    assert_eq!(
        of(&[keys::family::NULL_VERSION]),
        [(keys::null_version(BUCKET, &at("b")), place.clone()), (keys::null_version(BUCKET, &at("c")), place)]
    );
}

#[tokio::test]
async fn a_record_that_does_not_decode_is_left_out_and_told() {
    let directory = TempDir::new().expect("a directory");
    let (from, to) = (directory.path().join("from"), directory.path().join("to"));
    let store = open(&from).await.expect("the catalog opens");
    let key = keys::current(BUCKET, &ObjectKey::parse("a").expect("it is legal"));
    let mut batch = Batch::new();
    batch.put(key.clone(), b"no version".to_vec());
    store.commit(batch).await.expect("commits");
    store.close().await.expect("closes");
    let (salvaged, found) = salvaged(&from, &to).await;
    assert!(found.is_empty());
    assert_eq!(salvaged.losses.iter().map(|loss| loss.after.clone()).collect::<Vec<_>>(), [Some(key)]);
}
