use aws_lc_rs::constant_time::verify_slices_are_equal;
use cofre_runtime::Random;
use cofre_types::{AccessKeyId, Invalid};
use std::fmt;
use zeroize::Zeroizing;

/// What access key ids made here begin with; AWS's begin with `AKIA`.
const KEY_ID_PREFIX: &str = "COFRE";

/// Random characters of an access key id: 15 of 32, or 75 bits. With the prefix 20, as on AWS.
const KEY_ID_RANDOM_CHARS: usize = 15;

/// Characters of a secret access key made here: 40 of 62, or 238 bits.
const SECRET_CHARS: usize = 40;

/// Letters and digits need no quotes in a shell, an ini file or a URL.
const ALPHANUMERIC: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// RFC 4648, section 6: no letter looks like a digit.
const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Ids and secrets that everybody knows: defaults of other stores, and those of AWS's documents. In lower case.
const WELL_KNOWN: [&str; 17] = [
    "minioadmin",
    "minio123",
    "minio-secret-key",
    "miniosecret",
    "rustfsadmin",
    "seaweedfs",
    "garage",
    "garagesecret",
    "wjalrxutnfemi/k7mdeng/bpxrficyexamplekey",
    "je7mtgbclwbf/2zp9utk/h3ycx4nvbexamplekey",
    "password",
    "password123",
    "changeme",
    "changeme123",
    "secretkey",
    "secret-key",
    "secret_access_key",
];

/// A secret text: overwritten when dropped, never shown by `Debug`.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps a text.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text. Whoever calls this keeps it out of logs and records.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether both are the same text, in a time that does not tell where they differ.
    pub(crate) fn is(&self, other: &Self) -> bool {
        verify_slices_are_equal(self.expose().as_bytes(), other.expose().as_bytes()).is_ok()
    }

    /// A secret access key: 40 random letters and digits.
    pub fn access_key(random: &Random) -> Self {
        Self::new(random_text(random, ALPHANUMERIC, SECRET_CHARS))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// An access key that an operator brings along, from another store say.
#[derive(Debug, Clone)]
pub struct GivenKey {
    /// Its id.
    pub id: AccessKeyId,
    /// Its secret.
    pub secret: Secret,
}

/// Fewest characters of the secret of a key that is brought from elsewhere while Cofre runs.
const IMPORTED_SECRET_CHARS_MIN: usize = 16;

/// Fewest different characters of such a secret.
const IMPORTED_SECRET_VARIETY_MIN: usize = 6;

impl GivenKey {
    /// Checks an id and a secret as [`GivenKey::parse`] does, and refuses what can be guessed: a secret of fewer than 16
    /// characters or of fewer than six different ones, one that holds the id, and well-known defaults.
    ///
    /// # Errors
    /// `access key id` or `secret access key`.
    pub fn import(id: &str, secret: &str) -> Result<Self, Invalid> {
        let given = Self::parse(id, secret)?;
        let weak = |reason| Err(Invalid { field: "secret access key", reason });
        let lower = secret.to_ascii_lowercase();
        if WELL_KNOWN.iter().any(|word| id.eq_ignore_ascii_case(word)) {
            return Err(Invalid { field: "access key id", reason: "is a well-known default; choose another" });
        }
        if WELL_KNOWN.iter().any(|word| lower.contains(word)) {
            return weak("is, or holds, a well-known default; choose another");
        }
        if secret.len() < IMPORTED_SECRET_CHARS_MIN {
            return weak("must have at least 16 characters; let Cofre make one up, or choose a longer one");
        }
        let variety = secret.bytes().collect::<std::collections::BTreeSet<_>>().len();
        if variety < IMPORTED_SECRET_VARIETY_MIN || lower.contains(&id.to_ascii_lowercase()) {
            return weak("can be guessed; choose one of random characters");
        }
        Ok(given)
    }

    /// Checks an id and a secret of 8 to 128 printable ASCII characters without spaces: Signature V4
    /// takes any text as a key, but clients' configuration files do not. The defaults of other stores and the
    /// secrets of documents are refused, and so is the id itself.
    ///
    /// # Errors
    /// `access key id` or `secret access key`.
    pub fn parse(id: &str, secret: &str) -> Result<Self, Invalid> {
        let invalid = |reason| Err(Invalid { field: "secret access key", reason });
        if !(8..=128).contains(&secret.len()) {
            return invalid("must have 8 to 128 characters");
        }
        if !secret.bytes().all(|b| b.is_ascii_graphic()) {
            return invalid("may have printable ASCII characters without spaces");
        }
        if WELL_KNOWN.contains(&secret.to_ascii_lowercase().as_str()) || secret.eq_ignore_ascii_case(id) {
            return invalid("is one that everybody knows: take a random one");
        }
        Ok(Self { id: AccessKeyId::parse(id)?, secret: Secret::new(secret.to_owned()) })
    }

    /// A new random key.
    pub(crate) fn random(random: &Random) -> Result<Self, Invalid> {
        let id = format!("{KEY_ID_PREFIX}{}", random_text(random, BASE32, KEY_ID_RANDOM_CHARS));
        Ok(Self { id: AccessKeyId::parse(&id)?, secret: Secret::access_key(random) })
    }
}

/// `length` characters of `alphabet`, each as likely as the others: bytes that would tip the balance
/// are thrown away.
pub(crate) fn random_text(random: &Random, alphabet: &[u8], length: usize) -> String {
    let fair = 256 - 256 % alphabet.len();
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let [byte] = random.bytes::<1>();
        if usize::from(byte) < fair {
            text.push(char::from(alphabet[usize::from(byte) % alphabet.len()]));
        }
    }
    text
}

/// Like [`random_text`], of letters and digits.
pub(crate) fn random_alphanumeric(random: &Random, length: usize) -> String {
    random_text(random, ALPHANUMERIC, length)
}
