//! Continuation tokens of listings: opaque to clients, and refused if anything else is sent.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use s3s::crypto::Crc32;
use s3s::{S3Error, s3_error};

/// Layout of a token: this byte, the CRC-32 of the text, the text.
const VERSION: u8 = 1;

/// Hides the place where a listing goes on.
pub(crate) fn encode(place: &str) -> String {
    let mut bytes = Vec::with_capacity(place.len() + 5);
    bytes.push(VERSION);
    bytes.extend_from_slice(&Crc32::checksum_u32(place.as_bytes()).to_be_bytes());
    bytes.extend_from_slice(place.as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// The place behind a token; `None` if it is not one of ours.
pub(crate) fn decode(token: &str) -> Option<String> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).ok()?;
    let (&version, rest) = bytes.split_first()?;
    let (crc, place) = rest.split_at_checked(4)?;
    let is_ours = version == VERSION && crc == Crc32::checksum_u32(place).to_be_bytes();
    is_ours.then(|| String::from_utf8(place.to_vec()).ok()).flatten()
}

/// The answer to a token that is not one of ours.
pub(crate) fn refuse() -> S3Error {
    s3_error!(InvalidArgument, "The continuation token provided is incorrect")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_what_it_did_not_make() {
        for token in ["", "blah", "AQ", "a/b", "\u{e9}"] {
            assert_eq!(decode(token), None, "{token}");
        }
    }

    proptest! {
        #[test]
        fn any_place_survives(place in ".{0,100}") {
            prop_assert_eq!(decode(&encode(&place)), Some(place));
        }

        #[test]
        fn a_changed_token_is_refused(place in "[a-z]{1,40}", at in 0..100_usize) {
            let mut token = encode(&place).into_bytes();
            let at = at % token.len();
            token[at] = if token[at] == b'A' { b'B' } else { b'A' };
            let token = String::from_utf8(token).unwrap();
            // The last digit of base64 may carry bits that do not count.
            prop_assert!(decode(&token).is_none_or(|changed| changed == place));
        }
    }
}
