use cofre_runtime::Random;

/// How the embedded engine uses memory and disk.
#[derive(Debug, Clone)]
pub struct EmbeddedOptions {
    /// Bytes of what was read that stay in memory: three quarters for blocks of the disk, one for
    /// single records that are asked for again and again. The operating system's page cache stands
    /// behind it.
    pub cache_bytes: u64,
    /// Bytes of recent commits that stay in memory until they are written out as a table. Up to five
    /// such buffers exist while the disk is slower than the commits. More of it writes less often,
    /// and makes a start after a crash longer. Fixed when the catalog is made.
    pub memtable_bytes: u64,
    /// Bytes of disk that are kept free: with less, commits answer [`crate::StoreError::Full`]
    /// before anything is written. It must hold the buffers above and a compaction. A commit that
    /// [frees](crate::Batch::frees) something is taken down to a quarter of it.
    pub reserve_bytes: u64,
    /// Source of the catalog's identity.
    pub random: Random,
}

impl Default for EmbeddedOptions {
    fn default() -> Self {
        Self {
            cache_bytes: 64 * 1024 * 1024,
            memtable_bytes: 16 * 1024 * 1024,
            reserve_bytes: 128 * 1024 * 1024,
            random: Random::system(),
        }
    }
}

impl EmbeddedOptions {
    /// The part of the cache for blocks.
    pub(super) const fn block_bytes(&self) -> u64 {
        self.cache_bytes - self.recent_bytes()
    }

    /// The part of the cache for single records.
    pub(super) const fn recent_bytes(&self) -> u64 {
        self.cache_bytes / 4
    }
}
