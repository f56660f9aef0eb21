//! Headers that ask for what the gateway does not do. Ignoring one would be a lie: bytes reported as
//! encrypted and stored in the clear.

use crate::errors::not_implemented;
use http::HeaderMap;
use s3s::S3Result;

/// What the refused headers begin with.
const REFUSED: [&str; 2] = ["x-amz-write-offset-bytes", "x-amz-rename-source"];

/// Refuses what the gateway does not do.
pub(crate) fn check(headers: &HeaderMap) -> S3Result<()> {
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
        for (name, value, expected) in
            [("x-amz-rename-source", "/b/k", Some("NotImplemented")), ("x-amz-acl", "public-read", None)]
        {
            assert_eq!(code(name, value).as_deref(), expected, "{name}: {value}");
        }
    }
}
