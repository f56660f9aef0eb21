use cofre_types::VersionId;

/// The version id of the version at `place`: the inverted place and 64 random bits, so that ids of
/// one key sort newest first.
pub fn version_id(place: u64, random: u64) -> VersionId {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&(!place).to_be_bytes());
    bytes[8..].copy_from_slice(&random.to_be_bytes());
    VersionId::Id(bytes)
}

/// The place in a version id; `None` for the null version, whose place stands in its record.
pub fn place_of(id: VersionId) -> Option<u64> {
    match id {
        VersionId::Null => None,
        VersionId::Id(bytes) => bytes.first_chunk().map(|inverted| !u64::from_be_bytes(*inverted)),
    }
}
