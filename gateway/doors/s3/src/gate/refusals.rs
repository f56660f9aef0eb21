//! Headers that ask for what the gateway does not do. Ignoring one would be a lie: bytes reported as
//! encrypted and stored in the clear.

use crate::errors::not_implemented;
use http::HeaderMap;
use s3s::{S3Result, s3_error};

/// What the refused headers begin with.
const REFUSED: [&str; 2] = ["x-amz-write-offset-bytes", "x-amz-rename-source"];

/// Headers that guard an object. Without a value they would guard nothing, and look as if they did.
const GUARDS: [&str; 3] =
    ["x-amz-object-lock-mode", "x-amz-object-lock-legal-hold", "x-amz-object-lock-retain-until-date"];

/// Refuses what the gateway does not do, and what would only seem to be asked for.
pub(crate) fn check(headers: &HeaderMap) -> S3Result<()> {
    for name in GUARDS {
        if headers.get_all(name).iter().any(|value| value.as_bytes().trim_ascii().is_empty()) {
            return Err(s3_error!(InvalidArgument, "The header '{name}' has no value."));
        }
    }
    for name in headers.keys() {
        if REFUSED.iter().any(|refused| name.as_str().starts_with(refused)) {
            return Err(not_implemented(&format!("The header '{name}'")));
        }
    }
    Ok(())
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
            ("x-amz-rename-source", "/b/k", Some("NotImplemented")),
            ("x-amz-acl", "public-read", None),
            ("x-amz-object-lock-mode", "", Some("InvalidArgument")),
            ("x-amz-object-lock-legal-hold", " ", Some("InvalidArgument")),
            ("x-amz-object-lock-retain-until-date", "", Some("InvalidArgument")),
            ("x-amz-object-lock-mode", "GOVERNANCE", None),
        ] {
            assert_eq!(code(name, value).as_deref(), expected, "{name}: {value}");
        }
    }
}
