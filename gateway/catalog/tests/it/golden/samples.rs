use super::{check, check_older};
use cofre_catalog::records::{
    AccessKeyRecord, AccessLogRecord, AccountRecord, AclGrant, AclGrantee, AclPermission, AclRecord, AdminTokenRecord,
    BlobRecord, BucketConfig, BucketRecord, ClusterRecord, ComparisonRecord, Content, CopyRecord, DefaultEncryption,
    DefaultRedundancyRecord, DoomedRecord, Durability, Encryption, EncryptionBlock, EncryptionMethod, EventRecord,
    Garbage, GarbageRecord, GraceCharge, Guards, Header, Headers, HealRecord, IncarnationRecord, JobRecord,
    KeyPolicyRecord, KnownKey, KnownKeysRecord, LegalHold, LockConfig, LockDefault, LockMode, LockPeriod,
    ManifestRecord, Ownership, PartRecord, Payer, PublicAccessBlock, RemovedShardRecord, Retention, S3Place, Scope,
    Segment, SettingsRecord, ShardMode, ShardPass, ShardPlace, ShardRecord, UnknownCopies, UploadRecord, VersionKind,
    VersionRecord, Versioning,
};
use cofre_types::{
    AccessKeyId, AccountId, BlobId, BucketId, BucketName, Checksum, ChecksumAlgorithm, ChecksumKind, ETag, Scheme,
    ShardId, Tags, TagsLimit, Timestamp, UploadId, VersionId,
};

const TIME: Timestamp = Timestamp(1_790_000_000_123_456_789);

fn text(text: &str) -> String {
    text.to_owned()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| (text(key), text(value))).collect()
}

fn account() -> AccountId {
    AccountId::from_bytes([0xab; 32])
}

fn tags() -> Tags {
    Tags::new(pairs(&[("team", "archive"), ("café", "")]), TagsLimit::Object).expect("they are legal")
}

fn headers() -> Headers {
    let system = [
        Header::ContentType,
        Header::ContentEncoding,
        Header::ContentDisposition,
        Header::ContentLanguage,
        Header::CacheControl,
        Header::Expires,
        Header::WebsiteRedirectLocation,
    ];
    let system = system.into_iter().map(|header| (header, format!("{header:?}"))).collect();
    Headers { system, user: pairs(&[("mtime", "1790000000.5"), ("empty", "")]) }
}

fn segments() -> Vec<Segment> {
    vec![
        Segment { blob: BlobId::from_bytes([1; 16]), offset: 0, length: 5_368_709_120 },
        Segment { blob: BlobId::from_bytes([2; 16]), offset: 4096, length: 1 },
    ]
}

fn checksum(algorithm: ChecksumAlgorithm, kind: ChecksumKind) -> Checksum {
    Checksum::new(algorithm, kind, vec![0x5a; algorithm.bytes()]).expect("it has its length")
}

fn checksums() -> Vec<Checksum> {
    use ChecksumAlgorithm::{Crc32, Crc32c, Crc64Nvme, Sha1, Sha256};
    let all = [Crc32, Crc32c, Crc64Nvme, Sha1, Sha256].map(|algorithm| checksum(algorithm, ChecksumKind::FullObject));
    all.into_iter().chain([checksum(Sha256, ChecksumKind::Composite)]).collect()
}

fn acl() -> AclRecord {
    let grant = |grantee, permission| AclGrant { grantee, permission };
    AclRecord {
        grants: vec![
            grant(AclGrantee::Account(account()), AclPermission::FullControl),
            grant(AclGrantee::AllUsers, AclPermission::Read),
            grant(AclGrantee::AuthenticatedUsers, AclPermission::Write),
            grant(AclGrantee::LogDelivery, AclPermission::ReadAcp),
            grant(AclGrantee::AllUsers, AclPermission::WriteAcp),
        ],
    }
}

fn guards() -> Vec<Guards> {
    let methods = [
        EncryptionMethod::S3,
        EncryptionMethod::Kms { key: text("orders"), dual_layer: true },
        EncryptionMethod::Customer,
    ];
    let encrypted = methods.map(|method| Encryption {
        key_md5: (method == EncryptionMethod::Customer).then_some([0x66; 16]),
        context: matches!(method, EncryptionMethod::Kms { .. }).then(|| text("e30=")),
        bucket_key: matches!(method, EncryptionMethod::Kms { .. }),
        method,
        sealed_key: vec![0xc1; 60],
    });
    let encrypted = encrypted.map(|encryption| Guards { encryption: Some(encryption), ..Guards::default() });
    let kept = [LockMode::Governance, LockMode::Compliance].map(|mode| Guards {
        retention: Some(Retention { mode, until: TIME }),
        legal_hold: if mode == LockMode::Compliance { LegalHold::On } else { LegalHold::Never },
        ..Guards::default()
    });
    let listed = Guards { acl: Some(acl()), ..Guards::default() };
    encrypted.into_iter().chain(kept).chain([listed]).collect()
}

fn version() -> VersionRecord {
    VersionRecord {
        version: VersionId::Null,
        place: 1_790_000_000_123_456_789,
        kind: VersionKind::Object,
        modified: TIME,
        owner: account(),
        size: 5_368_709_121,
        etag: ETag::of_md5([0x11; 16]),
        checksum: None,
        storage_class: String::new(),
        headers: headers(),
        tags: tags(),
        content: Content::Segments(segments()),
        guards: Guards::default(),
    }
}

#[test]
fn access_logs() {
    let record = AccessLogRecord {
        source: BucketName::parse("photos").expect("it is legal"),
        owner: account(),
        region: text("us-east-1"),
        destination: text("{\"bucket\":\"logs\"}"),
        written: TIME,
        lines: 2,
        counted: true,
        text: text("one\ntwo\n"),
    };
    check("access-log", std::slice::from_ref(&record));
    check_older("access-log.v1.hex", &[AccessLogRecord { counted: false, ..record }]);
}

#[test]
fn encryption_keys() {
    check("key-policy", &[KeyPolicyRecord { document: text("{\"Statement\":[]}"), set: TIME }]);
    let key = |name: &str, version| KnownKey { name: text(name), version, fingerprint: [0x77; 16] };
    check("known-keys", &[KnownKeysRecord { keys: vec![key("cofre-default", 1), key("orders", 300)] }]);
}

#[test]
fn accounts_and_keys() {
    let record = AccountRecord {
        id: account(),
        name: text("main"),
        email: text("main@example.org"),
        root: true,
        disabled: false,
        created: TIME,
        buckets_max: Some(100),
        bytes_max: None,
        objects_max: None,
    };
    let disabled = AccountRecord { root: false, disabled: true, buckets_max: None, ..record.clone() };
    check_older("account.v1.hex", &[record.clone(), disabled.clone()]);
    let bounded = AccountRecord { bytes_max: Some(1 << 40), objects_max: Some(0), ..disabled.clone() };
    check("account", &[record, disabled, bounded]);
    let record = AccessKeyRecord {
        id: AccessKeyId::parse("COFREEXAMPLEKEY12345").expect("it is legal"),
        account: account(),
        sealed_secret: vec![0xc0; 68],
        disabled: false,
        created: TIME,
        expires: None,
        note: text("laptop"),
    };
    let expiring = AccessKeyRecord { disabled: true, expires: Some(TIME), note: String::new(), ..record.clone() };
    check("access-key", &[record, expiring]);
    let token = |scope, expires| AdminTokenRecord {
        id: text("token"),
        note: text("grafana"),
        secret_sha256: [0x77; 32],
        scope,
        created: TIME,
        expires,
    };
    check("admin-token", &[token(Scope::Read, None), token(Scope::Operate, Some(TIME)), token(Scope::Admin, None)]);
}

#[test]
fn buckets() {
    let record = BucketRecord {
        id: BucketId(7),
        owner: account(),
        created: TIME,
        region: text("eu-central-1"),
        versioning: Versioning::Unversioned,
        durability: Durability::Durable,
        scheme: None,
        bytes_max: None,
        objects_max: None,
        tags: Tags::default(),
        config: Vec::new(),
    };
    let full = BucketRecord {
        versioning: Versioning::Enabled,
        durability: Durability::Relaxed,
        scheme: Some(Scheme::Replicas { count: 3 }),
        bytes_max: Some(u64::MAX),
        objects_max: Some(0),
        tags: tags(),
        config: vec![
            BucketConfig::Cors(text("[]")),
            BucketConfig::Lifecycle(text("{}")),
            BucketConfig::Policy(text("{\"Statement\":[]}")),
        ],
        ..record.clone()
    };
    let lock = |mode, period| BucketConfig::ObjectLock(LockConfig { default: Some(LockDefault { mode, period }) });
    let default = |method| BucketConfig::Encryption(DefaultEncryption { method, bucket_key: true });
    let public =
        |set| PublicAccessBlock { block_acls: set, ignore_acls: !set, block_policy: set, restrict_buckets: !set };
    let configured = BucketRecord {
        config: vec![
            BucketConfig::Acl(acl()),
            BucketConfig::Ownership(Ownership::BucketOwnerEnforced),
            BucketConfig::Ownership(Ownership::BucketOwnerPreferred),
            BucketConfig::Ownership(Ownership::ObjectWriter),
            BucketConfig::PublicAccess(public(true)),
            BucketConfig::PublicAccess(public(false)),
            default(EncryptionMethod::S3),
            default(EncryptionMethod::Kms { key: text("orders"), dual_layer: false }),
            BucketConfig::ObjectLock(LockConfig::default()),
            lock(LockMode::Governance, LockPeriod::Days(30)),
            lock(LockMode::Compliance, LockPeriod::Years(7)),
            BucketConfig::Website(text("{}")),
            BucketConfig::Logging(text("{}")),
            BucketConfig::RequestPayment(Payer::BucketOwner),
            BucketConfig::RequestPayment(Payer::Requester),
            BucketConfig::Accelerate(true),
        ],
        ..record.clone()
    };
    let block = |customer_keys| BucketConfig::EncryptionBlock(EncryptionBlock { customer_keys });
    let later = BucketRecord {
        config: vec![block(true), block(false), BucketConfig::Abac(true), BucketConfig::Abac(false)],
        ..record.clone()
    };
    let suspended = BucketRecord { versioning: Versioning::Suspended, ..record.clone() };
    check("bucket", &[record, full, suspended]);
    check("bucket-configurations", &[configured]);
    check("bucket-configurations-2026", &[later]);
}

#[test]
fn versions() {
    let mut samples = vec![version()];
    samples.push(VersionRecord {
        version: VersionId::Id([0x3c; 16]),
        etag: ETag::of_parts([0x22; 16], 10_000),
        content: Content::Manifest(UploadId::from_bytes([9; 16])),
        storage_class: text("STANDARD_IA"),
        ..version()
    });
    samples.push(VersionRecord {
        version: VersionId::Id([0x3d; 16]),
        kind: VersionKind::DeleteMarker,
        size: 0,
        headers: Headers::default(),
        tags: Tags::default(),
        content: Content::Segments(Vec::new()),
        ..version()
    });
    samples.extend(checksums().into_iter().map(|checksum| VersionRecord { checksum: Some(checksum), ..version() }));
    check_older("version.v1.hex", &samples);
    samples.extend(guards().into_iter().map(|guards| VersionRecord { guards, ..version() }));
    check("version", &samples);
    let kinds = ChecksumAlgorithm::ALL.into_iter().map(|algorithm| (algorithm, algorithm.default_multipart_kind()));
    let sums = kinds.map(|(algorithm, kind)| VersionRecord { checksum: Some(checksum(algorithm, kind)), ..version() });
    check("version-checksums", &sums.collect::<Vec<_>>());
}

#[test]
fn uploads_and_parts() {
    let record = UploadRecord {
        id: UploadId::from_bytes([9; 16]),
        initiator: account(),
        owner: account(),
        initiated: TIME,
        storage_class: String::new(),
        headers: headers(),
        tags: tags(),
        checksum: Some((ChecksumAlgorithm::Crc64Nvme, ChecksumKind::FullObject)),
        guards: Guards::default(),
    };
    let plain = UploadRecord { checksum: None, headers: Headers::default(), ..record.clone() };
    check_older("upload.v1.hex", &[record.clone(), plain.clone()]);
    let guarded = guards().into_iter().map(|guards| UploadRecord { guards, ..plain.clone() });
    check("upload", &[record.clone(), plain.clone()].into_iter().chain(guarded).collect::<Vec<_>>());
    let record = PartRecord {
        size: 8_388_608,
        etag: ETag::of_md5([0x33; 16]),
        checksum: checksums().pop(),
        modified: TIME,
        segments: segments(),
        checksum_sent: false,
    };
    check_older("part.v1.hex", std::slice::from_ref(&record));
    check("part", &[record.clone(), PartRecord { checksum_sent: true, ..record }]);
    let record =
        ManifestRecord { references: 2, parts: vec![(1, 8_388_608), (10_000, 1)], etag: ETag::of_parts([0x44; 16], 2) };
    check("manifest", &[record]);
}

#[test]
fn blobs() {
    let copy = |shard, locator: &[u8], piece| CopyRecord { shard: ShardId(shard), locator: locator.to_vec(), piece };
    let record = |pieces: [u8; 2], sealed_for: Option<BlobId>| BlobRecord {
        size: 5_368_709_120,
        references: 3,
        scheme: Scheme::Replicas { count: 2 },
        written: TIME,
        sealed_for,
        copies: vec![copy(1, b"\x01\x02\x03", pieces[0]), copy(300, b"", pieces[1])],
    };
    check("blob", &[record([0, 0], None), record([1, 31], Some(BlobId::from_bytes([7; 16])))]);
    check_older("blob.v1.hex", &[record([0, 0], None)]);
    check_older("blob.v2.hex", &[record([0, 0], None), record([1, 31], None)]);
    check("heal", &[HealRecord { since: TIME, suspects: vec![ShardId(1), ShardId(300)] }]);
    let garbage = [
        Garbage::Blobs(vec![BlobId::from_bytes([1; 16]), BlobId::from_bytes([2; 16])]),
        Garbage::Manifest(UploadId::from_bytes([9; 16])),
        Garbage::Parts(UploadId::from_bytes([8; 16])),
        Garbage::Uploads(BucketId(7)),
    ];
    let charge = GraceCharge { bucket: BucketId(7), account: account(), bytes: 5_368_709_120 };
    check("garbage", &garbage.clone().map(|what| GarbageRecord { what, charge: Some(charge) }));
    check_older("garbage.v1.hex", &garbage.map(GarbageRecord::from));
    check("doomed", &[DoomedRecord { locator: vec![1, 2, 3], size: 4096 }]);
}

#[test]
fn shards_settings_events_and_jobs() {
    let shard = |mode, failure_domain: Option<&str>| ShardRecord {
        id: ShardId(1),
        identity: [0xee; 16],
        place: ShardPlace::Filesystem { path: text("/srv/disk1") },
        mode,
        failure_domain: failure_domain.map(text),
        weight_percent: 100,
        labels: pairs(&[("rack", "b2")]),
        registered: TIME,
    };
    let modes = [ShardMode::Active, ShardMode::ReadOnly, ShardMode::Draining];
    check("shard", &modes.map(|mode| shard(mode, (mode == ShardMode::Active).then_some("host-a"))));
    let removed = RemovedShardRecord { id: ShardId(3), identity: [0xee; 16], path: text("/srv/disk3"), removed: TIME };
    check("removed-shard", &[removed]);
    let place = S3Place {
        endpoint: text("https://s3.example.com"),
        region: text("eu-central-1"),
        bucket: text("cofre"),
        prefix: text("node-1/"),
        access_key_id: text("AKIAEXAMPLE"),
        sealed_secret: vec![9; 20],
        ca_pem: Some(text("-----BEGIN CERTIFICATE-----")),
        capacity_bytes: 1 << 40,
    };
    let remote = ShardRecord { place: ShardPlace::S3(place), ..shard(ShardMode::Active, None) };
    check("shard-s3", &[remote]);
    let record = SettingsRecord {
        document: text("{\"log\":\"info\"}"),
        author: text("admin token boot"),
        at: TIME,
        note: text("first"),
    };
    check("settings", &[record]);
    let record = EventRecord {
        at: TIME,
        kind: text("shard.mode_changed"),
        subject: text("1"),
        actor: text("admin token boot"),
        details: pairs(&[("from", "active"), ("to", "draining")]),
    };
    check("event", &[record]);
    let incarnation = IncarnationRecord { id: [7; 16], begun: TIME, backup_taken: Some(TIME), found_behind: false };
    let unknown = IncarnationRecord { backup_taken: None, ..incarnation.clone() };
    check_older("incarnation.v1.hex", &[unknown.clone(), incarnation.clone()]);
    let found = IncarnationRecord { found_behind: true, ..incarnation.clone() };
    check("incarnation", &[unknown, incarnation, found]);
    let mut unknown = UnknownCopies { copies: 300, bytes: 70_000, ..UnknownCopies::default() };
    [[9; 16], [8; 16], [9; 16]].into_iter().for_each(|id| unknown.blobs.insert(BlobId::from_bytes(id)));
    let under_way =
        ComparisonRecord { incarnation: [7; 16], cursor: vec![1, 2], newer: unknown.clone(), ..Default::default() };
    let ended = ComparisonRecord {
        cursor: Vec::new(),
        ended: TIME,
        released: TIME,
        seen: 1_000,
        named: 2,
        passed: 3,
        older: unknown,
        ..under_way.clone()
    };
    let released = ComparisonRecord {
        passed: 0,
        newer: UnknownCopies::default(),
        older: UnknownCopies::default(),
        ..ended.clone()
    };
    // What was not let go of yet is compared anew.
    let anew = ComparisonRecord { incarnation: [7; 16], ..ComparisonRecord::default() };
    check_older("comparison.v1.hex", &[anew, released]);
    check("comparison", &[under_way, ended]);
    check("cluster", &[ClusterRecord { id: [7; 16], created: TIME }]);
    let schemes = [Scheme::Replicas { count: 2 }, Scheme::Erasure { data: 4, parity: 2 }];
    check("default-redundancy", &schemes.map(|scheme| DefaultRedundancyRecord { scheme }));
    let given_up = [ShardMode::Dead, ShardMode::Lost, ShardMode::Returning];
    check("shard-given-up", &given_up.map(|mode| shard(mode, None)));
    let job = JobRecord { cursor: b"c\0\x01".to_vec(), began: TIME, ..JobRecord::default() };
    check_older("job.v1.hex", std::slice::from_ref(&job));
    let on_shard = ShardPass { shard: ShardId(3), copies: 300, bytes: 70_000, bad: 1, unreachable: 2 };
    check("job", &[JobRecord { ended: TIME, goal: b"goal".to_vec(), shards: vec![on_shard], ..job }]);
}
