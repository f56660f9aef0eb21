//! A data key under another key.
//!
//! Each wrap has its own AES-256-GCM key, derived from the wrapping key and 32 random bytes, so that
//! its nonce may be zero and no bound on the number of wraps is ever near.

use crate::data_key::DataKey;
use crate::derive::derive;
use crate::error::KeyError;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use cofre_runtime::Random;
use zeroize::Zeroizing;

const SALT_BYTES: usize = 32;
const KEY_BYTES: usize = 32;

/// What sets these keys apart from all others that are derived from the same secret.
const PURPOSE: &[u8] = b"cofre wrap 1";

fn cipher(wrapping: &[u8; KEY_BYTES], salt: &[u8]) -> LessSafeKey {
    let key = derive::<KEY_BYTES>(wrapping, salt, &[PURPOSE]);
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &*key).expect("the key has the cipher's length"))
}

/// Salt, ciphertext and tag of `key`, bound to `context`.
pub(crate) fn wrap(wrapping: &[u8; KEY_BYTES], context: &[u8], key: &DataKey, random: &Random) -> Vec<u8> {
    let salt = random.bytes::<SALT_BYTES>();
    let mut bytes = Zeroizing::new(*key.expose());
    let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
    let tag = cipher(wrapping, &salt)
        .seal_in_place_separate_tag(nonce, Aad::from(context), &mut *bytes)
        .expect("32 bytes are below the cipher's bound");
    [&salt, bytes.as_slice(), tag.as_ref()].concat()
}

/// Undoes [`wrap`].
pub(crate) fn unwrap(wrapping: &[u8; KEY_BYTES], context: &[u8], wrapped: &[u8]) -> Result<DataKey, KeyError> {
    let (salt, sealed) = wrapped.split_first_chunk::<SALT_BYTES>().ok_or(KeyError::DoesNotOpen)?;
    let mut bytes = Zeroizing::new(sealed.to_vec());
    let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
    let opened = cipher(wrapping, salt).open_in_place(nonce, Aad::from(context), &mut bytes);
    let opened = opened.map_err(|_| KeyError::DoesNotOpen)?;
    Ok(DataKey::from_bytes((&*opened).try_into().map_err(|_| KeyError::DoesNotOpen)?))
}
