use cofre_catalog::keys;
use cofre_catalog::records::{
    AccessKeyRecord, AccessLogRecord, AccountRecord, AdminTokenRecord, BlobRecord, BucketRecord,
    DefaultRedundancyRecord, DoomedRecord, EventRecord, GarbageRecord, HealRecord, JobRecord, KeyPolicyRecord,
    KnownKeysRecord, ManifestRecord, PartRecord, Record, RemovedShardRecord, SettingsRecord, ShardRecord, UploadRecord,
    VersionRecord,
};
use cofre_types::{BucketId, ObjectKey};

/// Keys of the catalog: any bytes, and that their order is the order of the names in them.
pub fn keys(bytes: &[u8]) {
    if let Some((text, rest)) = keys::text(bytes) {
        assert!(text.len() + rest.len() < bytes.len());
    }
    let _ = keys::object_of(bytes);
    let (one, other) = bytes.split_at(bytes.len() / 2);
    let parse = |bytes: &[u8]| ObjectKey::parse(&String::from_utf8_lossy(bytes));
    let (Ok(one), Ok(other)) = (parse(one), parse(other)) else { return };
    let (one_key, other_key) = (keys::current(BucketId(7), &one), keys::current(BucketId(7), &other));
    assert_eq!(one.as_str().cmp(other.as_str()), one_key.cmp(&other_key), "{one:?} and {other:?}");
    let (bucket, text, rest) = keys::object_of(&one_key).expect("a key that was made");
    assert_eq!((bucket, text.as_slice(), rest), (BucketId(7), one.as_str().as_bytes(), &[][..]));
    let newer = keys::version(BucketId(7), &one, 2);
    assert!(newer < keys::version(BucketId(7), &one, 1), "versions are not newest first");
}

/// Records of the catalog: the first byte says which, the others are what stands on disk.
pub fn records(bytes: &[u8]) {
    if let Some((which, record)) = bytes.split_first() {
        DECODERS[usize::from(*which) % DECODERS.len()](record);
    }
}

const DECODERS: [fn(&[u8]); 21] = [
    decode::<VersionRecord>,
    decode::<BlobRecord>,
    decode::<BucketRecord>,
    decode::<UploadRecord>,
    decode::<PartRecord>,
    decode::<ManifestRecord>,
    decode::<GarbageRecord>,
    decode::<HealRecord>,
    decode::<DoomedRecord>,
    decode::<AccountRecord>,
    decode::<AccessKeyRecord>,
    decode::<AdminTokenRecord>,
    decode::<ShardRecord>,
    decode::<SettingsRecord>,
    decode::<EventRecord>,
    decode::<JobRecord>,
    decode::<AccessLogRecord>,
    decode::<KnownKeysRecord>,
    decode::<KeyPolicyRecord>,
    decode::<DefaultRedundancyRecord>,
    decode::<RemovedShardRecord>,
];

/// What decodes must be the same after another turn.
fn decode<R: Record>(bytes: &[u8]) {
    if let Ok(record) = R::decode(bytes) {
        let encoded = record.encode();
        let again = R::decode(&encoded).expect("what was encoded decodes");
        assert_eq!(again.encode(), encoded, "{} changes from turn to turn", R::NAME);
    }
}

/// Keys with their hard parts.
pub fn key_seeds() -> Vec<Vec<u8>> {
    vec![b"photos/1photos/2".to_vec(), b"a\0b\0\0\x01a\0".to_vec(), b"c\0\0\0\0\0\0\0\x07key\0\x01".to_vec()]
}

/// A version byte and zeros decode as far as any record goes.
pub fn record_seeds() -> Vec<Vec<u8>> {
    let plain = |which: u8, filler: u8| {
        let mut bytes = vec![which, 1];
        bytes.resize(80, filler);
        bytes
    };
    (0..DECODERS.len()).flat_map(|which| [plain(which as u8, 0), plain(which as u8, 1)]).collect()
}
