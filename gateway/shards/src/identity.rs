use crate::crc;

/// What a shard says it is, in a file or an object beside its blobs: the shard's own random identity, and that of the Cofre it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardIdentity {
    /// The shard.
    pub shard: [u8; 16],
    /// The Cofre.
    pub cluster: [u8; 16],
}

/// Why a text is no identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// It is not what was written.
    #[error("the identity is damaged")]
    Damaged,
    /// It is of a newer Cofre: use that.
    #[error("the identity is of a newer version of Cofre")]
    Newer,
}

/// First line of the identity file, with the version of its layout.
const TITLE: &str = "cofre shard 1";

impl ShardIdentity {
    /// The identity file: four lines of text, for operators to read, the last a checksum of the others.
    pub fn encode(&self) -> String {
        let body = format!("{TITLE}\nidentity {}\ncluster {}\n", hex::encode(self.shard), hex::encode(self.cluster));
        let checksum = crc::of(body.as_bytes());
        format!("{body}crc32c {checksum:08x}\n")
    }

    /// Reads what [`ShardIdentity::encode`] wrote.
    ///
    /// # Errors
    /// [`IdentityError`] if it is anything else, by a single byte.
    pub fn parse(text: &str) -> Result<Self, IdentityError> {
        let identity = text
            .strip_prefix(TITLE)
            .and_then(|rest| Some(Self { shard: field(rest, "\nidentity ")?, cluster: field(rest, "\ncluster ")? }));
        match identity {
            // One text for one identity: whatever else differs fails here, the checksum included.
            Some(identity) if identity.encode() == text => Ok(identity),
            Some(_) => Err(IdentityError::Damaged),
            None if text.starts_with("cofre shard ") && !text.starts_with(TITLE) => Err(IdentityError::Newer),
            None => Err(IdentityError::Damaged),
        }
    }
}

fn field(text: &str, name: &str) -> Option<[u8; 16]> {
    let (_, value) = text.split_once(name)?;
    let mut bytes = [0; 16];
    hex::decode_to_slice(value.lines().next()?, &mut bytes).ok()?;
    Some(bytes)
}
