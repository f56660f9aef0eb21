//! The fields of a form, and what they stand for: most are what a PUT has as headers.

use super::multipart::{FIELDS_BYTES_MAX, too_large};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use s3s::dto::TimestampFormat;
use s3s::dto::{Metadata, ObjectLockLegalHoldStatus, ObjectLockMode, PutObjectInput, StorageClass, Timestamp};
use s3s::{S3Result, s3_error};

/// What the names of user metadata begin with.
const METADATA: &str = "x-amz-meta-";

/// Fields that a PUT has as headers, beside those that begin with `x-amz-`.
const OF_HEADERS: [HeaderName; 7] = [
    header::CACHE_CONTROL,
    header::CONTENT_DISPOSITION,
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_TYPE,
    header::EXPIRES,
    HeaderName::from_static("content-md5"),
];

/// Fields of the signature, which say nothing of the object.
const OF_SIGNATURE: [&str; 4] = ["x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature"];

/// The fields before the file, each name once and in lower case. No `Debug`: they may hold keys.
#[derive(Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Adds a field. One that comes twice is refused: a policy would be asked for one of its values, and
    /// the other could be meant.
    pub(crate) fn push(&mut self, name: &str, value: String) -> S3Result<()> {
        let name = name.to_ascii_lowercase();
        if self.get(&name).is_some() && !is_ignored(&name) {
            return Err(s3_error!(InvalidArgument, "The form has more than one field named '{name}'."));
        }
        self.0.push((name, value));
        Ok(())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The value of a field, by its name in lower case.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Puts the name of the file where fields ask for it (AWS, "POST Object", `${filename}`), but for those that sign.
    /// The fields are bounded with it as they are without.
    pub(crate) fn expand(&mut self, filename: &str) -> S3Result<()> {
        const FILENAME: &str = "${filename}";
        let signs = |name: &str| OF_SIGNATURE.contains(&name) || matches!(name, "policy" | "signature");
        let wanted = self.0.iter_mut().filter(|(name, value)| !signs(name) && value.contains(FILENAME));
        let mut more = 0;
        for (_, value) in wanted {
            more += value.matches(FILENAME).count() * filename.len();
            if more > FIELDS_BYTES_MAX {
                return Err(too_large());
            }
            *value = value.replace(FILENAME, filename);
        }
        Ok(())
    }

    /// A field that must be there, in AWS's words where it is not.
    pub(crate) fn required(&self, name: &str) -> S3Result<&str> {
        self.get(&name.to_ascii_lowercase()).ok_or_else(|| {
            s3_error!(
                InvalidArgument,
                "Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the fields."
            )
        })
    }

    /// The headers that the fields stand for.
    pub(crate) fn to_headers(&self) -> S3Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        for (name, value) in self.iter() {
            let name = if name == "acl" { "x-amz-acl" } else { name };
            if name.starts_with("x-amz-copy-source") {
                return Err(s3_error!(
                    InvalidArgument,
                    "A form does not copy: it must not have a field named '{name}'."
                ));
            }
            let is_header = OF_HEADERS.iter().any(|header| header == name)
                || name.starts_with("x-amz-") && !OF_SIGNATURE.contains(&name);
            if !is_header {
                continue;
            }
            let not_one = || s3_error!(InvalidArgument, "The value of the form field '{name}' is not a header value.");
            let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| not_one())?;
            let value = HeaderValue::from_bytes(value.trim().as_bytes()).map_err(|_| not_one())?;
            if headers.insert(header, value).is_some() {
                return Err(s3_error!(InvalidArgument, "The form has both 'acl' and 'x-amz-acl'."));
            }
        }
        Ok(headers)
    }

    /// The PUT that the fields stand for; its body, tags and what [`Fields::to_headers`] keeps stand apart.
    pub(crate) fn to_input(&self, bucket: &str) -> S3Result<PutObjectInput> {
        let text = |name: &str| self.get(name).map(|value| value.trim().to_owned());
        let metadata: Metadata =
            self.iter().filter_map(|(name, _)| Some((name.strip_prefix(METADATA)?.to_owned(), text(name)?))).collect();
        Ok(PutObjectInput {
            bucket: bucket.to_owned(),
            key: self.required("key")?.to_owned(),
            cache_control: text("cache-control"),
            content_disposition: text("content-disposition"),
            content_encoding: text("content-encoding"),
            content_language: text("content-language"),
            content_type: text("content-type"),
            expires: text("expires"),
            metadata: (!metadata.is_empty()).then_some(metadata),
            object_lock_legal_hold_status: text("x-amz-object-lock-legal-hold").map(ObjectLockLegalHoldStatus::from),
            object_lock_mode: text("x-amz-object-lock-mode").map(ObjectLockMode::from),
            object_lock_retain_until_date: self.retain_until()?,
            storage_class: text("x-amz-storage-class").map(StorageClass::from),
            website_redirect_location: text("x-amz-website-redirect-location"),
            ..PutObjectInput::default()
        })
    }

    fn retain_until(&self) -> S3Result<Option<Timestamp>> {
        let Some(text) = self.get("x-amz-object-lock-retain-until-date") else { return Ok(None) };
        let date = Timestamp::parse(TimestampFormat::DateTime, text.trim());
        date.map(Some)
            .map_err(|_| s3_error!(InvalidArgument, "The retain until date must be provided in ISO 8601 format"))
    }
}

/// Whether a field is the client's own business (AWS, "Creating a POST policy").
pub(crate) fn is_ignored(name: &str) -> bool {
    name.starts_with("x-ignore-")
}
