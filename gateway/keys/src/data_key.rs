use crate::derive::derive;
use cofre_runtime::Random;
use std::fmt;
use zeroize::Zeroizing;

/// The key of one object's bytes, or of one multipart upload's.
#[derive(Clone)]
pub struct DataKey(Zeroizing<[u8; 32]>);

impl DataKey {
    /// A random key.
    pub fn random(random: &Random) -> Self {
        Self::from_bytes(random.bytes())
    }

    /// The key of 32 bytes, which should be random.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(crate) fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// An entity tag for bytes whose MD5 must not show: the same for the same bytes under this key,
    /// so that a part that is sent again keeps its tag, and telling nothing of them without it.
    pub fn entity_tag(&self, md5: [u8; 16]) -> [u8; 16] {
        *derive(self.expose(), &md5, &[b"cofre entity tag 1"])
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(redacted)")
    }
}
