use cofre_events::Cursor;
use cofre_iam::{GivenKey, MasterKey};

/// Keys that an operator gives, and cursors of the event log.
pub fn secrets(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Err(error) = MasterKey::parse(text) {
        let long = text.trim();
        assert!(long.len() < 8 || !error.to_string().contains(long), "an error repeats a secret");
    }
    let (id, secret) = text.split_once('\n').unwrap_or((text, text));
    let _ = GivenKey::parse(id, secret);
    if let Ok(cursor) = text.parse::<Cursor>() {
        assert_eq!(cursor.to_string(), text);
    }
}

/// One of each.
pub fn seeds() -> Vec<Vec<u8>> {
    let texts = [
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "AKIAIOSFODNN7EXAMPLE\nwJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "00000000000000ff01",
    ];
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}
