use crate::domain::Objects;
use crate::error::Error;
use crate::object::get::{GetTicket, info};
use crate::object::{Attributes, ObjectPart, ObjectRef, ReadObject};
use cofre_catalog::records::Content;
use cofre_iam::{Action, Caller, Details};

/// The right to be told of an object and its parts, which was asked once, and the object.
pub struct AttributesTicket<'a>(GetTicket<'a>);

impl AttributesTicket<'_> {
    /// Tells of the object and of the parts after `parts_after`, at most `parts_max`.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn tell(self, read: ReadObject, parts_after: u16, parts_max: usize) -> Result<Attributes, Error> {
        self.0.check(&read)?;
        let GetTicket { objects, bucket, record, .. } = self.0;
        let mut attributes = Attributes { info: info(&bucket, &record), parts: Vec::new(), truncated: false };
        if let Content::Manifest(id) = record.content {
            let manifest = objects.manifest(id).await?;
            let numbered = (1_u16..).zip(manifest.parts).skip(usize::from(parts_after));
            for (number, (stored, size)) in numbered {
                if attributes.parts.len() == parts_max {
                    attributes.truncated = true;
                    break;
                }
                let checksum = objects.part(id, stored).await?.checksum;
                attributes.parts.push(ObjectPart { number, size, checksum });
            }
        }
        Ok(attributes)
    }
}

impl Objects {
    /// Asks for the rights to be told of an object and its parts: two are needed (AWS, "GetObjectAttributes",
    /// "Permissions").
    ///
    /// # Errors
    /// As [`Objects::begin_get`].
    pub async fn begin_attributes<'a>(
        &'a self,
        caller: &'a Caller,
        at: ObjectRef,
    ) -> Result<AttributesTicket<'a>, Error> {
        let version = at.version;
        let (action, read) = match version {
            Some(_) => (Action::GetObjectVersionAttributes, Action::GetObjectVersion),
            None => (Action::GetObjectAttributes, Action::GetObject),
        };
        let key = at.key.clone();
        let ticket = self.ticket_for(caller, action, at).await?;
        let details = Details { version, ..Details::default() };
        self.authorise_version(caller, read, &ticket.bucket, &key, &ticket.record, details)?;
        Ok(AttributesTicket(ticket))
    }
}
