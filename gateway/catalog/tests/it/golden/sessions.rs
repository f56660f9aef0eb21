use super::check;
use cofre_catalog::records::SessionRecord;
use cofre_types::{AccessKeyId, AccountId, Timestamp};

#[test]
fn sessions() {
    let record = SessionRecord {
        id: "session".to_owned(),
        secret_sha256: [0x77; 32],
        account: AccountId::from_bytes([0xab; 32]),
        key: AccessKeyId::parse("COFREEXAMPLE").expect("it is legal"),
        key_mark: [0x78; 32],
        created: Timestamp(1_790_000_000_123_456_789),
        seen: Timestamp(1_790_000_900_000_000_000),
        idle_secs: 43_200,
        expires: Timestamp(1_790_086_400_123_456_789),
        address: "192.0.2.1".to_owned(),
        agent: "Firefox".to_owned(),
    };
    check("session", &[SessionRecord { address: String::new(), agent: String::new(), ..record.clone() }, record]);
}
