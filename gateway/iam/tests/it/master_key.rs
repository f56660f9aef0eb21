use cofre_iam::{IamError, MasterKey, Secret, write_private_file};
use cofre_runtime::Random;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

fn mode(path: &std::path::Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_file_is_made_once_private_and_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("master.key");
    MasterKey::load_or_create(&path, &Random::system()).unwrap();
    let made = std::fs::read_to_string(&path).unwrap();
    assert_eq!((made.trim().len(), mode(&path)), (64, 0o600));
    MasterKey::load_or_create(&path, &Random::system()).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), made);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "no temporary file stays");
}

#[test]
fn a_file_that_others_may_read_is_refused_with_the_remedy() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("master.key");
    MasterKey::load_or_create(&path, &Random::system()).unwrap();
    std::fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    let error = MasterKey::load_or_create(&path, &Random::system()).unwrap_err().to_string();
    assert!(error.contains("mode 640") && error.contains(&format!("chmod 600 {}", path.display())), "{error}");
}

#[test]
fn a_file_without_a_key_is_refused_and_kept() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("master.key");
    write_private_file(&path, "0123").unwrap();
    assert!(matches!(MasterKey::load_or_create(&path, &Random::system()), Err(IamError::MasterKey(_))));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "0123");
}

#[test]
fn a_private_file_takes_the_place_of_an_open_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("credentials");
    std::fs::write(&path, "old").unwrap();
    std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    write_private_file(&path, "new").unwrap();
    assert_eq!((std::fs::read_to_string(&path).unwrap().as_str(), mode(&path)), ("new", 0o600));
}

#[test]
fn text_in_hexadecimal_and_base64_is_taken_and_other_text_not_repeated() {
    let hexadecimal = "00".repeat(32);
    for good in [hexadecimal.as_str(), "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", &format!(" {hexadecimal}\n")] {
        assert!(MasterKey::parse(good).is_ok(), "{good:?}");
    }
    for bad in ["", "hunter2hunter2", &hexadecimal[1..], &"00".repeat(33)] {
        let error = MasterKey::parse(bad).unwrap_err().to_string();
        assert!(bad.is_empty() || !error.contains(bad), "{error}");
    }
    assert_eq!(format!("{:?}", MasterKey::parse(&hexadecimal).unwrap()), "MasterKey(redacted)");
}

#[test]
fn a_sealed_secret_opens_for_its_owner_alone() {
    let (key, random) = (MasterKey::from_bytes([7; 32]).unwrap(), Random::system());
    let secret = Secret::new("the node's secret".to_owned());
    let sealed = key.seal_for("node", "bucket/prefix", &secret, &random).unwrap();
    assert!(!sealed.windows(6).any(|window| window == b"secret"));
    assert_eq!(key.open_for("node", "bucket/prefix", &sealed).unwrap().expose(), secret.expose());
    let other = MasterKey::from_bytes([8; 32]).unwrap();
    assert!(matches!(other.open_for("node", "bucket/prefix", &sealed), Err(IamError::WrongMasterKey(_))));
    for (kind, owner) in [("node", "bucket/other"), ("other", "bucket/prefix"), ("nodebucket", "/prefix")] {
        assert!(matches!(key.open_for(kind, owner, &sealed), Err(IamError::WrongMasterKey(_))), "{kind} {owner}");
    }
    let mut flipped = sealed;
    flipped[14] ^= 1;
    assert!(key.open_for("node", "bucket/prefix", &flipped).is_err());
}
