use super::FsError;
use super::crc;

/// What a root says it is: the shard's own random identity, and that of the Cofre it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FsIdentity {
    /// The shard.
    pub shard: [u8; 16],
    /// The Cofre.
    pub cluster: [u8; 16],
}

/// First line of the identity file, with the version of its layout.
const TITLE: &str = "cofre shard 1";

impl FsIdentity {
    /// The identity file: four lines of text, for operators to read, the last a checksum of the others.
    pub(super) fn encode(&self) -> String {
        let body = format!("{TITLE}\nidentity {}\ncluster {}\n", hex::encode(self.shard), hex::encode(self.cluster));
        let checksum = crc::of(body.as_bytes());
        format!("{body}crc32c {checksum:08x}\n")
    }

    pub(super) fn parse(text: &str) -> Result<Self, FsError> {
        let identity = text
            .strip_prefix(TITLE)
            .and_then(|rest| Some(Self { shard: field(rest, "\nidentity ")?, cluster: field(rest, "\ncluster ")? }));
        match identity {
            // One text for one identity: whatever else differs fails here, the checksum included.
            Some(identity) if identity.encode() == text => Ok(identity),
            Some(_) => Err(FsError::DamagedIdentity),
            None if text.starts_with("cofre shard ") && !text.starts_with(TITLE) => Err(FsError::NewerIdentity),
            None => Err(FsError::DamagedIdentity),
        }
    }
}

fn field(text: &str, name: &str) -> Option<[u8; 16]> {
    let (_, value) = text.split_once(name)?;
    let mut bytes = [0; 16];
    hex::decode_to_slice(value.lines().next()?, &mut bytes).ok()?;
    Some(bytes)
}
