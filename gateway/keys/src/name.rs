/// Longest name of a key, in bytes (AWS KMS, "KeyId").
const NAME_BYTES_MAX: usize = 256;

/// What a name of a key is, for a person to read.
pub const KEY_NAME_RULE: &str = "has 1 to 256 letters, digits and characters of -_.:/";

/// Whether a text may be the name of a key.
pub fn is_key_name(text: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"-_.:/".contains(&b);
    (1..=NAME_BYTES_MAX).contains(&text.len()) && text.bytes().all(legal)
}
