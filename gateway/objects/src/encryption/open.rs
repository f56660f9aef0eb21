//! Decrypting: who may, and the key of it.

use super::EncryptAs;
use crate::domain::Objects;
use crate::error::Error;
use cofre_catalog::records::{Encryption, EncryptionMethod, UploadRecord};
use cofre_iam::key_name;
use cofre_keys::{CustomerKey, DEFAULT_KEY, DataKey, KeyError};

const MISSING: &str = "The object was stored using a form of Server Side Encryption. The correct parameters must be \
                       provided to retrieve the object.";
const NEEDLESS: &str = "The encryption parameters are not applicable to this object.";
const WRONG: &str = "The provided encryption parameters did not match the ones used originally.";
const PART_MISSING: &str = "The multipart upload initiate requested encryption. Subsequent part requests must include \
                            the appropriate encryption parameters.";
const PART_NEEDLESS: &str = "The multipart upload initiate did not request encryption. Please resend the request \
                             without sending encryption parameters.";

/// Holds the customer's key of a request against how an object is encrypted. Gives the data key if it
/// is sealed by the customer's.
pub(crate) fn check_customer_key(
    held: Option<&Encryption>,
    given: Option<&CustomerKey>,
) -> Result<Option<DataKey>, Error> {
    let sealed = held.filter(|held| held.method == EncryptionMethod::Customer);
    match (sealed, given) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(Error::InvalidRequest(NEEDLESS)),
        (Some(_), None) => Err(Error::InvalidRequest(MISSING)),
        (Some(held), Some(key)) => key.unseal(&held.sealed_key).map(Some).map_err(|_| Error::InvalidRequest(WRONG)),
    }
}

/// Compares what a request to complete says with how its upload was begun. It needs the customer's key only where
/// clients chose a checksum: the upload names an algorithm (AWS, "CompleteMultipartUpload"), or a part came with one.
pub(crate) fn check_completion(upload: &UploadRecord, checksum_sent: bool, said: &EncryptAs) -> Result<(), Error> {
    let held = upload.guards.encryption.as_ref();
    let by_customer = held.is_some_and(|held| held.method == EncryptionMethod::Customer);
    let needs_key = upload.checksum.is_some() || checksum_sent;
    if by_customer && !needs_key && matches!(said, EncryptAs::AsBucket) {
        return Ok(());
    }
    check_part(held, said).map(drop)
}

/// Holds what a request about a part says against how its upload was begun. Gives the data key if it is sealed by the
/// customer's.
pub(crate) fn check_part(held: Option<&Encryption>, said: &EncryptAs) -> Result<Option<DataKey>, Error> {
    let Some(held) = held else {
        return match said {
            EncryptAs::AsBucket => Ok(None),
            _ => Err(Error::InvalidRequest(PART_NEEDLESS)),
        };
    };
    match (&held.method, said) {
        (EncryptionMethod::Customer, EncryptAs::Customer(key)) => {
            key.unseal(&held.sealed_key).map(Some).map_err(|_| Error::InvalidRequest(WRONG))
        }
        (EncryptionMethod::Customer, EncryptAs::AsBucket) => Err(Error::InvalidRequest(PART_MISSING)),
        (_, EncryptAs::AsBucket) | (EncryptionMethod::S3, EncryptAs::S3) => Ok(None),
        (EncryptionMethod::Kms { key, dual_layer }, EncryptAs::Kms { key: said, dual_layer: dual, .. })
            if is_named(said.as_deref().unwrap_or(DEFAULT_KEY), key) && dual == dual_layer =>
        {
            Ok(None)
        }
        _ => Err(Error::InvalidRequest(WRONG)),
    }
}

/// Whether what a request says, a name or an ARN, is the key of this name.
fn is_named(said: &str, key: &str) -> bool {
    said == key || key_name(said) == key
}

impl Objects {
    /// The data key of content, if the caller brought what it takes.
    pub(crate) async fn data_key(
        &self,
        held: Option<&Encryption>,
        given: Option<&CustomerKey>,
    ) -> Result<Option<DataKey>, Error> {
        let key = check_customer_key(held, given)?;
        self.or_unsealed(held, key).await
    }

    pub(crate) async fn or_unsealed(
        &self,
        held: Option<&Encryption>,
        key: Option<DataKey>,
    ) -> Result<Option<DataKey>, Error> {
        let (Some(held), None) = (held, &key) else { return Ok(key) };
        let bound = held.context.as_deref().unwrap_or_default().as_bytes();
        let unsealed = match &held.method {
            EncryptionMethod::S3 => self.key_ring().unseal(None, b"", &held.sealed_key).await,
            EncryptionMethod::Kms { key, .. } => self.key_ring().unseal(Some(key), bound, &held.sealed_key).await,
            EncryptionMethod::Customer => Err(KeyError::DoesNotOpen),
        };
        Ok(Some(unsealed?))
    }
}

impl From<KeyError> for Error {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::NoSuchKey(name) => Self::NoSuchEncryptionKey(name),
            KeyError::Refused(why) => Self::EncryptionKeyRefused(why),
            KeyError::Unavailable(why) => Self::Unavailable(why),
            KeyError::DoesNotOpen => Self::Unreadable(error.to_string()),
            KeyError::File(why) | KeyError::Usage(why) => Self::Internal(why),
        }
    }
}
