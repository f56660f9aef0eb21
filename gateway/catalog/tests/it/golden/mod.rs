//! Bytes that stand on the disks of those who run Cofre, and must be read for ever.
//!
//! A file of `tests/golden/` holds samples of one version of one format, a line of hexadecimal digits
//! each. Files are added, never changed once their version is released: a changed line means that
//! records written before no longer decode. `COFRE_GOLDEN_WRITE=1` writes files that are missing.

mod files;
mod samples;
mod sessions;

use cofre_catalog::records::{AccessLogBacklog, AccountUsage, QueueTally, Record, RecordError, ShardUsage, Usage};
use std::fmt::Debug;
use std::path::Path;

/// Holds what the code of today makes against the golden file; gives the file's samples.
fn hold(name: &str, today: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    let lines: String = today.iter().map(|bytes| hex::encode(bytes) + "\n").collect();
    if std::env::var_os("COFRE_GOLDEN_WRITE").is_some() && !path.exists() {
        std::fs::write(&path, &lines).expect("the golden file is written");
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(lines, golden, "{name}: today's bytes are not those of before");
    golden.lines().map(|line| hex::decode(line).expect("lines are hexadecimal")).collect()
}

/// Changes bytes in a way that is the same in every run.
fn mutated(bytes: &[u8], round: u64) -> Vec<u8> {
    let random = cofre_runtime::Random::seeded(round);
    let mut bytes = bytes.to_vec();
    for _ in 0..1 + random.below(4) {
        let at = usize::try_from(random.below(bytes.len() as u64 + 1)).expect("it is small");
        match random.below(5) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, random.bytes::<1>()[0]),
            2 if at < bytes.len() => bytes[at] = 0xff,
            3 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            _ if at < bytes.len() => _ = bytes.remove(at),
            _ => bytes.extend(random.bytes::<9>()),
        }
    }
    bytes
}

/// `encode` gives the golden bytes, `decode` reads them, and garbage is an error or a value that
/// stands for itself, never a panic.
fn check<R: Record + Debug + PartialEq>(file: &str, samples: &[R]) {
    let today: Vec<_> = samples.iter().map(Record::encode).collect();
    let golden = hold(&format!("{file}.v{}.hex", R::VERSION), &today);
    for (bytes, sample) in golden.iter().zip(samples) {
        assert_eq!(R::decode(bytes).as_ref(), Ok(sample));
        for length in 0..bytes.len() {
            assert!(R::decode(&bytes[..length]).is_err(), "{file}: a sample cut at {length} decodes");
        }
        assert!(R::decode(&[&bytes[..], &[0]].concat()).is_err(), "{file}: a longer sample decodes");
        let mut later = bytes.clone();
        later[0] = R::VERSION + 1;
        assert!(matches!(R::decode(&later), Err(RecordError::Unknown { .. })), "{file}: a later version");
        for round in 0..2000 {
            if let Ok(value) = R::decode(&mutated(bytes, round)) {
                assert_eq!(R::decode(&value.encode()).as_ref(), Ok(&value));
            }
        }
    }
    assert!(matches!(R::decode(&[]), Err(RecordError::Damaged { .. })));
}

/// Samples of an older version still decode to what they said.
fn check_older<R: Record + Debug + PartialEq>(file: &str, samples: &[R]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
    let golden = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let bytes: Vec<_> = golden.lines().map(|line| hex::decode(line).expect("lines are hexadecimal")).collect();
    assert_eq!(bytes.len(), samples.len(), "{file}");
    for (bytes, sample) in bytes.iter().zip(samples) {
        assert!(bytes[0] < R::VERSION, "{file} is not older");
        assert_eq!(R::decode(bytes).as_ref(), Ok(sample));
    }
}

#[test]
fn rows_of_counters_are_as_they_were() {
    let usage = Usage::from_value(&(1_i64..=11).flat_map(i64::to_le_bytes).collect::<Vec<_>>());
    let bytes = |row: Vec<i64>| row.into_iter().flat_map(i64::to_le_bytes).collect::<Vec<u8>>();
    let golden = hold("usage.v2.hex", &[bytes(usage.row())]);
    assert_eq!(Usage::from_value(&golden[0]), usage);
    assert_eq!((usage.objects, usage.bytes, usage.total_objects, usage.total_bytes), (1, 2, 9, 10));
    assert_eq!((usage.noncurrent_versions, usage.noncurrent_bytes, usage.delete_markers), (3, 4, 5));
    assert_eq!((usage.uploads, usage.upload_parts, usage.upload_bytes, usage.grace_bytes), (6, 7, 8, 11));
    let shorter = hold("usage.hex", &[bytes(usage.row()[..10].to_vec())]);
    assert_eq!(Usage::from_value(&shorter[0]), Usage { grace_bytes: 0, ..usage });
    let account = AccountUsage { buckets: 1, objects: 2, bytes: 3, grace_bytes: 4 };
    let golden = hold("account-usage.v2.hex", &[bytes(account.row())]);
    assert_eq!(AccountUsage::from_value(&golden[0]), account);
    let shorter = hold("account-usage.hex", &[bytes(account.row()[..3].to_vec())]);
    assert_eq!(AccountUsage::from_value(&shorter[0]), AccountUsage { grace_bytes: 0, ..account });
    let backlog = AccessLogBacklog { bytes: 1, lines: 2 };
    let golden = hold("access-log-backlog.hex", &[bytes(backlog.row())]);
    assert_eq!(AccessLogBacklog::from_value(&golden[0]), backlog);
    let queue = QueueTally { records: 3, weight: -1 };
    let golden = hold("queue-tally.hex", &[bytes(queue.row())]);
    assert_eq!(QueueTally::from_value(&golden[0]), queue);
    let shard = ShardUsage { copies: 1, bytes: -2 };
    let golden = hold("shard-usage.hex", &[bytes(shard.row())]);
    assert_eq!(ShardUsage::from_value(&golden[0]), shard);
}
