use super::{ListedPart, PartsPage, UploadInfo, UploadRef};
use crate::domain::Objects;
use crate::error::Error;
use crate::list::PAGE_ENTRIES_MAX;
use cofre_catalog::records::{PartRecord, Record};
use cofre_catalog::{ReadExt, Scan, keys};
use cofre_iam::{Action, Caller};

impl Objects {
    /// Lists the parts of an upload under way, after part `after`, at most `max`.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn list_parts(&self, caller: &Caller, at: UploadRef, after: u16, max: usize) -> Result<PartsPage, Error> {
        let found = self.upload_for(caller, Action::ListMultipartUploadParts, &at, None).await?;
        let max = max.min(PAGE_ENTRIES_MAX);
        let scan = Scan::prefix(&keys::parts(at.upload)).after(keys::part(at.upload, after));
        let mut entries = self.store().page(scan, max + 1).await?;
        let truncated = entries.len() > max;
        entries.truncate(max);
        let mut parts = Vec::with_capacity(entries.len());
        for (key, entry) in entries {
            let number = key.last_chunk().map_or(0, |bytes| u16::from_be_bytes(*bytes));
            let part = PartRecord::decode(&entry.value)?;
            let checksum = found.record.checksum.and(part.checksum);
            parts.push(ListedPart { number, size: part.size, etag: part.etag, checksum, modified: part.modified });
        }
        let ending = Self::ending_upload(&found.bucket, &at.key, found.record.initiated);
        let upload = UploadInfo { ending, ..UploadInfo::of(&found.record) };
        Ok(PartsPage { upload, parts, truncated })
    }
}
