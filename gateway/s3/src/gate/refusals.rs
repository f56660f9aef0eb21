//! Headers that ask for what the gateway does not do. Ignoring one would be a lie: bytes reported as
//! encrypted and stored in the clear, an object that is public by its own
//! account and private in truth.

use crate::errors::not_implemented;
use http::HeaderMap;
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

/// What the refused headers begin with.
const REFUSED: [&str; 4] = [
    "x-amz-server-side-encryption",
    "x-amz-copy-source-server-side-encryption",
    "x-amz-write-offset-bytes",
    "x-amz-rename-source",
];

/// Canned lists that say what is true anyway: all for the owner, nothing for others.
const PRIVATE: [&str; 3] = ["private", "bucket-owner-full-control", "bucket-owner-read"];

/// The other canned lists that S3 has.
const PUBLIC: [&str; 5] =
    ["public-read", "public-read-write", "authenticated-read", "aws-exec-read", "log-delivery-write"];

/// Refuses what the gateway does not do.
pub(crate) fn check(headers: &HeaderMap) -> S3Result<()> {
    for (name, value) in headers {
        let Some(rest) = name.as_str().strip_prefix("x-amz-") else { continue };
        match rest {
            "acl" => check_canned(value.to_str().unwrap_or_default())?,
            _ if rest.starts_with("grant-") => {
                return Err(S3Error::new(S3ErrorCode::AccessControlListNotSupported));
            }
            _ if REFUSED.iter().any(|refused| name.as_str().starts_with(refused)) => {
                return Err(not_implemented(&format!("The header '{name}'")));
            }
            _ => {}
        }
    }
    Ok(())
}

fn check_canned(list: &str) -> S3Result<()> {
    if PRIVATE.contains(&list) {
        return Ok(());
    }
    if PUBLIC.contains(&list) {
        return Err(S3Error::new(S3ErrorCode::AccessControlListNotSupported));
    }
    Err(s3_error!(InvalidArgument, "The canned access control list is not valid."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    #[test]
    fn refuses_what_would_be_pretended() {
        let code = |name: &'static str, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
            check(&headers).err().map(|error| error.code().as_str().to_owned())
        };
        for (name, value, expected) in [
            ("x-amz-server-side-encryption", "AES256", Some("NotImplemented")),
            ("x-amz-server-side-encryption-customer-key", "k", Some("NotImplemented")),
            ("x-amz-acl", "private", None),
            ("x-amz-acl", "public-read", Some("AccessControlListNotSupported")),
            ("x-amz-acl", "public-ready", Some("InvalidArgument")),
            ("x-amz-grant-read", "id=1", Some("AccessControlListNotSupported")),
            ("x-amz-meta-acl", "public-read", None),
        ] {
            assert_eq!(code(name, value).as_deref(), expected, "{name}: {value}");
        }
    }
}
