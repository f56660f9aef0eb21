use cofre_keys::{DEFAULT_KEY, KeyError, KeyFile, KeyRing, KeyService, LocalKeys};
use cofre_runtime::{ManualClock, Random};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

struct Bed {
    _directory: TempDir,
    path: PathBuf,
    clock: ManualClock,
    random: Random,
}

impl Bed {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys");
        let clock = ManualClock::at(1_700_000_000_000_000_000);
        Self { _directory: directory, path, clock, random: Random::seeded(1) }
    }

    fn open(&self) -> LocalKeys {
        LocalKeys::open(self.path.clone(), self.clock.clock(), self.random.clone()).unwrap()
    }
}

fn tag(key: &cofre_keys::DataKey) -> [u8; 16] {
    key.entity_tag([0; 16])
}

#[tokio::test]
async fn a_key_opens_what_it_sealed_in_the_same_context() {
    let bed = Bed::new();
    let keys = bed.open();
    let made = keys.generate(DEFAULT_KEY, b"context").await.unwrap();
    assert!(keys.sealed(&made.sealed));
    // Another process has no more than the file.
    let again = bed.open();
    assert_eq!(tag(&again.unseal(DEFAULT_KEY, b"context", &made.sealed).await.unwrap()), tag(&made.key));
    assert_eq!(again.unseal(DEFAULT_KEY, b"other", &made.sealed).await.unwrap_err(), KeyError::DoesNotOpen);
    KeyFile::create(&bed.path, "other", &bed.clock.clock(), &bed.random).unwrap();
    assert_eq!(bed.open().unseal("other", b"context", &made.sealed).await.unwrap_err(), KeyError::DoesNotOpen);
}

#[tokio::test]
async fn a_key_that_there_is_is_sealed_under_the_newest_version_of_another() {
    let bed = Bed::new();
    KeyFile::create(&bed.path, "other", &bed.clock.clock(), &bed.random).unwrap();
    let keys = bed.open();
    let made = keys.generate(DEFAULT_KEY, b"context").await.unwrap();
    let first = keys.seal("other", b"context", &made.key).await.unwrap();
    KeyFile::rotate(&bed.path, "other", &bed.clock.clock(), &bed.random).unwrap();
    bed.clock.advance(Duration::from_secs(2));
    let second = keys.seal("other", b"context", &made.key).await.unwrap();
    assert_ne!(first[1..5], second[1..5]);
    for sealed in [first, second] {
        assert!(keys.sealed(&sealed));
        assert_eq!(tag(&keys.unseal("other", b"context", &sealed).await.unwrap()), tag(&made.key));
        assert_eq!(keys.unseal("other", b"", &sealed).await.unwrap_err(), KeyError::DoesNotOpen);
        assert_eq!(keys.unseal(DEFAULT_KEY, b"context", &sealed).await.unwrap_err(), KeyError::DoesNotOpen);
    }
    assert_eq!(keys.seal("none", b"", &made.key).await.unwrap_err(), KeyError::NoSuchKey("none".to_owned()));
}

#[tokio::test]
async fn keys_are_made_rotated_and_disabled_while_they_are_in_use() {
    let bed = Bed::new();
    let keys = bed.open();
    let missing = keys.generate("mine", b"").await.unwrap_err();
    assert_eq!(missing, KeyError::NoSuchKey("mine".to_owned()));
    KeyFile::create(&bed.path, "mine", &bed.clock.clock(), &bed.random).unwrap();
    bed.clock.advance(Duration::from_secs(2));
    let before = keys.generate("mine", b"").await.unwrap();

    let rotated = KeyFile::rotate(&bed.path, "mine", &bed.clock.clock(), &bed.random).unwrap();
    assert_eq!(rotated.list().iter().map(|key| key.versions).collect::<Vec<_>>(), [1, 2]);
    bed.clock.advance(Duration::from_secs(2));
    let after = keys.generate("mine", b"").await.unwrap();
    assert_eq!((&before.sealed[1..5], &after.sealed[1..5]), (&[0, 0, 0, 1][..], &[0, 0, 0, 2][..]));
    assert_eq!(tag(&keys.unseal("mine", b"", &before.sealed).await.unwrap()), tag(&before.key));

    KeyFile::set_disabled(&bed.path, "mine", true).unwrap();
    bed.clock.advance(Duration::from_secs(2));
    assert!(matches!(keys.unseal("mine", b"", &before.sealed).await, Err(KeyError::Refused(_))));
    assert!(matches!(keys.generate("mine", b"").await, Err(KeyError::Refused(_))));
}

#[tokio::test]
async fn a_key_counts_as_soon_as_it_is_made() {
    let bed = Bed::new();
    let keys = bed.open();
    assert_eq!(keys.generate("new", b"").await.unwrap_err(), KeyError::NoSuchKey("new".to_owned()));
    KeyFile::create(&bed.path, "new", &bed.clock.clock(), &bed.random).unwrap();
    keys.generate("new", b"").await.unwrap();
}

#[test]
fn a_name_is_taken_once_and_must_be_one() {
    let bed = Bed::new();
    let create = |name: &str| KeyFile::create(&bed.path, name, &bed.clock.clock(), &bed.random);
    create("mine").unwrap();
    for name in ["mine", DEFAULT_KEY, "", "a b", &"x".repeat(257)] {
        assert!(matches!(create(name), Err(KeyError::Usage(_))), "{name:?}");
    }
    let arn = "arn:aws:kms:us-east-1:1:key/k";
    let made = create(arn).unwrap();
    assert_eq!(made.list().len(), 3);
    let rotated = KeyFile::rotate(&bed.path, "none", &bed.clock.clock(), &bed.random);
    assert_eq!(rotated.unwrap_err(), KeyError::NoSuchKey("none".to_owned()));
}

#[test]
fn only_its_owner_may_read_the_file() {
    let bed = Bed::new();
    drop(bed.open());
    assert_eq!(std::fs::metadata(&bed.path).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::set_permissions(&bed.path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let refused = LocalKeys::open(bed.path.clone(), bed.clock.clock(), bed.random.clone());
    assert!(matches!(refused, Err(KeyError::File(why)) if why.contains("chmod 600")));
}

#[tokio::test]
async fn a_file_that_breaks_leaves_the_keys_that_are_known() {
    let bed = Bed::new();
    let keys = bed.open();
    let made = keys.generate(DEFAULT_KEY, b"").await.unwrap();
    std::fs::write(&bed.path, "{").unwrap();
    bed.clock.advance(Duration::from_secs(2));
    assert_eq!(tag(&keys.unseal(DEFAULT_KEY, b"", &made.sealed).await.unwrap()), tag(&made.key));
    assert!(LocalKeys::open(bed.path.clone(), bed.clock.clock(), bed.random.clone()).is_err());
}

/// Format 1 of the file and of a sealed key, for ever.
#[tokio::test]
async fn format_1_is_as_it_was() {
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/keys.v1.json");
    let sealed_path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/sealed-by-local-keys.v1.hex");
    if std::env::var_os("COFRE_WRITE_GOLDEN").is_some() {
        let bed = Bed::new();
        drop(bed.open());
        KeyFile::rotate(&bed.path, DEFAULT_KEY, &bed.clock.clock(), &bed.random).unwrap();
        std::fs::copy(&bed.path, golden).unwrap();
        let made = bed.open().generate(DEFAULT_KEY, b"context").await.unwrap();
        std::fs::write(sealed_path, format!("{}\n{}\n", hex::encode(&made.sealed), hex::encode(tag(&made.key))))
            .unwrap();
    }
    let bed = Bed::new();
    std::fs::copy(golden, &bed.path).unwrap();
    std::fs::set_permissions(&bed.path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let text = std::fs::read_to_string(sealed_path).unwrap();
    let (sealed, expected) = text.trim().split_once('\n').unwrap();
    let opened = bed.open().unseal(DEFAULT_KEY, b"context", &hex::decode(sealed).unwrap()).await.unwrap();
    assert_eq!(hex::encode(tag(&opened)), expected);
}

#[tokio::test]
async fn a_ring_opens_what_a_former_service_sealed() {
    let (old, new) = (Bed::new(), Bed::new());
    let former = old.open();
    let made = former.generate(DEFAULT_KEY, b"").await.unwrap();
    let alone = KeyRing::new(Arc::new(former), Vec::new());
    assert_eq!(tag(&alone.unseal(None, b"", &made.sealed).await.unwrap()), tag(&made.key));
    let ring = KeyRing::new(Arc::new(crate::vault::nowhere()), vec![Arc::new(old.open())]);
    assert_eq!(tag(&ring.unseal(None, b"", &made.sealed).await.unwrap()), tag(&made.key));
    assert!(matches!(ring.generate(None, b"").await, Err(KeyError::Unavailable(_))));
    let local_alone = KeyRing::new(Arc::new(new.open()), Vec::new());
    assert!(matches!(local_alone.unseal(None, b"", &[3, 1]).await, Err(KeyError::Unavailable(_))));
}

#[test]
fn a_mark_tells_one_version_of_one_key_from_all_others() {
    let (bed, other) = (Bed::new(), Bed { random: Random::seeded(2), ..Bed::new() });
    let first = KeyFile::open(&bed.path, &bed.clock.clock(), &bed.random).unwrap();
    let marks = first.marks();
    let told: Vec<_> = marks.iter().map(|mark| (mark.name.as_str(), mark.version)).collect();
    assert_eq!(told, [(DEFAULT_KEY, 1)]);
    let rotated = KeyFile::rotate(&bed.path, DEFAULT_KEY, &bed.clock.clock(), &bed.random).unwrap();
    assert!(rotated.has(&marks[0]) && rotated.has(&rotated.marks()[0]));
    assert!(!first.has(&rotated.marks()[0]), "a file from before lacks what came later");
    let foreign = KeyFile::open(&other.path, &other.clock.clock(), &other.random).unwrap();
    assert!(!foreign.has(&marks[0]), "a key of the same name is another key");
    let kept = KeyFile::read(&bed.path).unwrap().unwrap();
    assert_eq!(kept.marks(), rotated.marks());
    assert!(KeyFile::read(&bed.path.with_extension("none")).unwrap().is_none());
}
