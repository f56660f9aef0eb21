//! Keys of what is known of encryption keys: a part of [`crate::keys`].

use crate::keys::{family, with};

/// Key of the record of the encryption keys that are known.
pub fn known_keys() -> Vec<u8> {
    vec![family::KNOWN_KEYS]
}

/// Key of the policy of an encryption key.
pub fn key_policy(name: &str) -> Vec<u8> {
    with(family::KEY_POLICY, &[name.as_bytes()])
}

/// What every policy of an encryption key begins with.
pub fn key_policies() -> Vec<u8> {
    vec![family::KEY_POLICY]
}

/// The encryption key in the key of a policy.
pub fn key_policy_of(key: &[u8]) -> Option<&str> {
    std::str::from_utf8(key.strip_prefix(&[family::KEY_POLICY])?).ok()
}
