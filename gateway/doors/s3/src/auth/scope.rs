//! What a signature of version 4 is for: a key, a day, a region.

use crate::exchange::Exchange;
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use std::fmt;
use zeroize::Zeroizing;

/// The service that requests are signed for.
const SERVICE: &str = "s3";

/// What a scope ends in.
const TERMINAL: &str = "aws4_request";

/// `AKID/YYYYMMDD/REGION/s3/aws4_request`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scope<'a> {
    pub(crate) access_key: &'a str,
    pub(crate) date: &'a str,
    pub(crate) region: &'a str,
}

/// Why a credential is none, in AWS's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ScopeError<'a> {
    /// It has not five parts, or no key.
    Malformed,
    /// It is for another service.
    Service(&'a str),
    /// It ends in something else.
    Terminal(&'a str),
    /// Its day is none.
    Date(&'a str),
    /// It is for another region.
    Region { expected: &'a [String], actual: &'a str },
}

impl fmt::Display for ScopeError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str(
                "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".",
            ),
            Self::Service(service) => {
                write!(f, "incorrect service \"{service}\". This endpoint belongs to \"{SERVICE}\".")
            }
            Self::Terminal(terminal) => {
                write!(f, "incorrect terminal \"{terminal}\". This endpoint uses \"{TERMINAL}\".")
            }
            Self::Date(date) => write!(
                f,
                "incorrect date format \"{date}\". This date in the credential must be in the format \"yyyyMMdd\"."
            ),
            Self::Region { expected, actual } => {
                write!(f, "the region '{actual}' is wrong; expecting '{}'", expected.join("' or '"))
            }
        }
    }
}

impl ScopeError<'_> {
    /// Names the region to sign for in the details of an error, if that is what is wrong.
    pub(crate) fn tell(&self, exchange: &Exchange) {
        if let Self::Region { expected: [region, ..], .. } = self {
            exchange.detail("Region", region.as_str());
        }
    }
}

impl<'a> Scope<'a> {
    /// Reads a credential that is to be for one of these regions.
    pub(crate) fn parse(credential: &'a str, regions: &'a [String]) -> Result<Self, ScopeError<'a>> {
        let mut parts = credential.rsplitn(5, '/');
        let (Some(terminal), Some(service), Some(of_region), Some(date), Some(access_key)) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(ScopeError::Malformed);
        };
        if access_key.is_empty() || access_key.contains('/') {
            return Err(ScopeError::Malformed);
        }
        if service != SERVICE {
            return Err(ScopeError::Service(service));
        }
        if terminal != TERMINAL {
            return Err(ScopeError::Terminal(terminal));
        }
        if !is_day(date) {
            return Err(ScopeError::Date(date));
        }
        if !regions.iter().any(|region| region == of_region) {
            return Err(ScopeError::Region { expected: regions, actual: of_region });
        }
        Ok(Self { access_key, date, region: of_region })
    }

    /// The key that signs for this scope.
    pub(crate) fn signing_key(&self, secret: &str) -> SigningKey {
        let first = Zeroizing::new(format!("AWS4{secret}").into_bytes());
        let last = [self.date, self.region, SERVICE, TERMINAL].into_iter().fold(first, |key, text| {
            let key = hmac::Key::new(HMAC_SHA256, &key);
            Zeroizing::new(hmac::sign(&key, text.as_bytes()).as_ref().to_vec())
        });
        SigningKey(hmac::Key::new(HMAC_SHA256, &last))
    }
}

impl fmt::Display for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{SERVICE}/{TERMINAL}", self.date, self.region)
    }
}

/// Eight digits that may be a day. The day itself is held against the time of the request.
fn is_day(date: &str) -> bool {
    let month_and_day = date.get(4..6).zip(date.get(6..8));
    let within = |text: &str, most: u8| text.parse().is_ok_and(|number: u8| (1..=most).contains(&number));
    date.len() == 8
        && date.bytes().all(|b| b.is_ascii_digit())
        && month_and_day.is_some_and(|(month, day)| within(month, 12) && within(day, 31))
}

/// A key that was derived for a scope.
#[derive(Clone)]
pub(crate) struct SigningKey(hmac::Key);

impl SigningKey {
    /// Holds a signature in hexadecimal against a text, in a time that does not tell where it differs.
    pub(crate) fn verify(&self, text: &[u8], signature: &str) -> bool {
        let mut bytes = [0; 32];
        hex::decode_to_slice(signature, &mut bytes).is_ok() && hmac::verify(&self.0, text, &bytes).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_of_its_form() {
        let good = "AKID/20151229/us-east-1/s3/aws4_request";
        let regions = ["us-east-1".to_owned()];
        let scope = Scope::parse(good, &regions).unwrap();
        assert_eq!((scope.access_key, scope.date, scope.region), ("AKID", "20151229", "us-east-1"));
        assert_eq!(scope.to_string(), "20151229/us-east-1/s3/aws4_request");
        for (credential, told) in [
            ("", "the Credential is mal-formed"),
            ("20151229/us-east-1/s3/aws4_request", "the Credential is mal-formed"),
            ("/20151229/us-east-1/s3/aws4_request", "the Credential is mal-formed"),
            ("a/b/20151229/us-east-1/s3/aws4_request", "the Credential is mal-formed"),
            ("A/20151229/us-east-1/ec2/aws4_request", "incorrect service \"ec2\""),
            ("A/20151229/us-east-1/s3/aws_request", "incorrect terminal \"aws_request\""),
            ("A/2015122/us-east-1/s3/aws4_request", "incorrect date format \"2015122\""),
            ("A/20151329/us-east-1/s3/aws4_request", "incorrect date format \"20151329\""),
            ("A/20151229/eu-west-1/s3/aws4_request", "the region 'eu-west-1' is wrong; expecting 'us-east-1'"),
        ] {
            let refused = Scope::parse(credential, &regions).unwrap_err().to_string();
            assert!(refused.starts_with(told), "{credential}: {refused}");
        }
    }

    /// AWS, "Examples: Signature Calculations in AWS Signature Version 4": GET Object.
    #[test]
    fn signs_as_the_example_does() {
        let scope = Scope { access_key: "AKIAIOSFODNN7EXAMPLE", date: "20130524", region: "us-east-1" };
        let key = scope.signing_key("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
        let text = "AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n\
                    7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972";
        let signature = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
        assert!(key.verify(text.as_bytes(), signature));
        assert!(!key.verify(text.as_bytes(), "f0e8"));
        assert!(!key.verify(text.as_bytes(), &signature.replace("f0", "f1")));
    }
}
