use crate::encryption::check_customer_key;
use crate::object::get::info;
use crate::{Attributes, Error, GetObject, ObjectPart, Objects};
use cofre_catalog::records::Content;
use cofre_iam::{Action, Caller, Details};

impl Objects {
    /// Tells of an object and of the parts after `parts_after`, at most `parts_max`.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn object_attributes(
        &self,
        caller: &Caller,
        request: GetObject,
        parts_after: u16,
        parts_max: usize,
    ) -> Result<Attributes, Error> {
        // Both are needed (AWS, "GetObjectAttributes", "Permissions").
        let (action, read) = match request.version {
            Some(_) => (Action::GetObjectVersionAttributes, Action::GetObjectVersion),
            None => (Action::GetObjectAttributes, Action::GetObject),
        };
        let bucket = self.bucket(&request.bucket).await?;
        let record = self.version_for(caller, action, &bucket, &request.key, request.version).await?.record;
        let details = Details { version: request.version, ..Details::default() };
        self.authorise_version(caller, read, &bucket, &request.key, &record, details)?;
        check_customer_key(record.guards.encryption.as_ref(), request.customer_key.as_ref())?;
        request.conditions.check(&record)?;
        let mut attributes =
            Attributes { info: info(&bucket, &record, self.part_count(&record)), parts: Vec::new(), truncated: false };
        if let Content::Manifest(id) = record.content {
            let manifest = self.manifest(id).await?;
            let numbered = (1_u16..).zip(manifest.parts).skip(usize::from(parts_after));
            for (number, (stored, size)) in numbered {
                if attributes.parts.len() == parts_max {
                    attributes.truncated = true;
                    break;
                }
                let checksum = self.part(id, stored).await?.checksum;
                attributes.parts.push(ObjectPart { number, size, checksum });
            }
        }
        Ok(attributes)
    }
}
