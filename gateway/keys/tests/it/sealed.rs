use base64::{Engine, prelude::BASE64_STANDARD};
use cofre_keys::{CustomerKey, DataKey, KeyError};
use cofre_runtime::Random;
use proptest::prelude::*;
use zeroize::Zeroizing;

fn customer(byte: u8) -> CustomerKey {
    CustomerKey::from_bytes(Zeroizing::new([byte; 32]))
}

#[test]
fn a_customers_key_opens_what_it_sealed_and_no_other_does() {
    let random = Random::seeded(1);
    let key = DataKey::from_bytes([9; 32]);
    let sealed = customer(1).seal(&key, &random);
    assert_eq!(customer(1).unseal(&sealed).unwrap().entity_tag([0; 16]), key.entity_tag([0; 16]));
    assert_eq!(customer(2).unseal(&sealed).unwrap_err(), KeyError::DoesNotOpen);
    assert_ne!(customer(1).seal(&key, &random), sealed, "two seals of one key have nothing in common");
}

#[test]
fn nothing_shows_a_key() {
    let shown = format!("{:?} {:?}", customer(0xab), DataKey::from_bytes([0xab; 32]));
    assert!(!shown.contains("171") && !shown.contains("ab,"), "{shown}");
}

#[test]
fn a_customers_key_is_named_by_its_md5() {
    // From AWS's own examples of SSE-C, as ceph/s3-tests has them.
    let bytes = BASE64_STANDARD.decode("pO3upElrwuEXSoFwCfnZPdSsmt/xWeFa0N9KgDijwVs=").unwrap();
    let key = CustomerKey::from_bytes(Zeroizing::new(bytes.try_into().unwrap()));
    assert_eq!(BASE64_STANDARD.encode(key.md5()), "DWygnHRtgiJ77HCm+1rvHw==");
}

proptest! {
    #[test]
    fn a_sealed_key_that_was_changed_does_not_open(at in 0_usize..81, bit in 0_u8..8) {
        let mut sealed = customer(1).seal(&DataKey::from_bytes([9; 32]), &Random::seeded(1));
        prop_assert_eq!(sealed.len(), 81);
        sealed[at] ^= 1 << bit;
        prop_assert_eq!(customer(1).unseal(&sealed).unwrap_err(), KeyError::DoesNotOpen);
        prop_assert_eq!(customer(1).unseal(&sealed[..at]).unwrap_err(), KeyError::DoesNotOpen);
    }
}

#[test]
fn an_entity_tag_depends_on_key_and_content() {
    let tag = |key: u8, md5: u8| DataKey::from_bytes([key; 32]).entity_tag([md5; 16]);
    assert_eq!(tag(1, 1), tag(1, 1));
    assert_ne!(tag(1, 1), tag(2, 1));
    assert_ne!(tag(1, 1), tag(1, 2));
    assert_ne!(tag(1, 1), [1; 16]);
}
