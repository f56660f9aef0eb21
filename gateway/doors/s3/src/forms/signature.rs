//! Signatures of forms: over the field `policy`, as it was sent (AWS, "Authenticating Requests in
//! Browser-Based Uploads Using POST"; for version 2, "Browser-Based Uploads Using POST").

use super::fields::Fields;
use crate::auth::scope::Scope;
use crate::auth::version_2_refused;
use crate::exchange::Exchange;
use crate::facts::Signed;
use crate::translate::times;
use aws_lc_rs::hmac::{self, HMAC_SHA1_FOR_LEGACY_USE_ONLY};
use base64::{Engine, prelude::BASE64_STANDARD};
use cofre_types::Timestamp;
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};
use std::time::Duration;

/// The one algorithm of version 4 that forms have.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// How far the signer's clock may be ahead.
const AHEAD_MAX: Duration = Duration::from_secs(15 * 60);

/// How long a key of version 4 signs after its date (AWS, "POST Object"): its policy may end earlier.
const AGE_MAX: Duration = Duration::from_secs(7 * 86_400);

/// Who a form says has signed its policy.
pub(crate) struct Claim<'a> {
    pub(crate) access_key: &'a str,
    pub(crate) policy: &'a str,
    signature: &'a str,
    scope: Option<Scope<'a>>,
}

impl<'a> Claim<'a> {
    /// The claim of a form; none if it is anonymous.
    pub(crate) fn of(
        fields: &'a Fields,
        regions: &'a [String],
        takes_version_2: bool,
        now: Timestamp,
        exchange: &Exchange,
    ) -> S3Result<Option<Self>> {
        let has_any = |names: &[&str]| names.iter().any(|name| fields.get(name).is_some());
        if has_any(&["x-amz-signature", "x-amz-credential", "x-amz-algorithm"]) {
            return Self::of_version_4(fields, regions, now, exchange).map(Some);
        }
        if !has_any(&["signature", "awsaccesskeyid", "policy"]) {
            return Ok(None);
        }
        if !takes_version_2 {
            return Err(version_2_refused());
        }
        Ok(Some(Self {
            access_key: fields.required("AWSAccessKeyId")?,
            policy: fields.required("policy")?,
            signature: fields.required("signature")?,
            scope: None,
        }))
    }

    fn of_version_4(fields: &'a Fields, regions: &'a [String], now: Timestamp, exchange: &Exchange) -> S3Result<Self> {
        let policy = fields.required("policy")?;
        if fields.required("X-Amz-Algorithm")? != ALGORITHM {
            return Err(s3_error!(InvalidArgument, "X-Amz-Algorithm only supports \"{ALGORITHM}\""));
        }
        let credential = fields.required("X-Amz-Credential")?;
        let at = fields.required("X-Amz-Date")?;
        let signature = fields.required("X-Amz-Signature")?;
        let scope = Scope::parse(credential, regions).map_err(|error| {
            error.tell(exchange);
            s3_error!(AuthorizationQueryParametersError, "Error parsing the X-Amz-Credential parameter; {error}")
        })?;
        let signed = times::parse_basic(at).filter(|_| at.starts_with(scope.date));
        let signed = signed.ok_or_else(|| {
            s3_error!(InvalidArgument, "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\", and of the date of the Credential")
        })?;
        if signed > now.after(AHEAD_MAX) {
            return Err(S3Error::with_message(S3ErrorCode::AccessDenied, "Request is not valid yet"));
        }
        if now.since(signed) > AGE_MAX {
            return Err(S3Error::with_message(S3ErrorCode::AccessDenied, "Request has expired"));
        }
        Ok(Self { access_key: scope.access_key, policy, signature, scope: Some(scope) })
    }

    /// Holds the signature against a secret, in a time that does not tell where it differs.
    pub(crate) fn verify(&self, secret: &str, exchange: &Exchange) -> S3Result<()> {
        let policy = self.policy.as_bytes();
        let is_good = match &self.scope {
            Some(scope) => scope.signing_key(secret).verify(policy, self.signature),
            None => {
                let key = hmac::Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes());
                let given = BASE64_STANDARD.decode(self.signature).ok();
                given.is_some_and(|given| hmac::verify(&key, policy, &given).is_ok())
            }
        };
        if is_good {
            return Ok(());
        }
        exchange.detail("AWSAccessKeyId", self.access_key);
        exchange.detail("StringToSign", self.policy);
        exchange.detail("SignatureProvided", self.signature);
        Err(S3Error::new(S3ErrorCode::SignatureDoesNotMatch))
    }

    /// How the form was signed, for conditions of policies.
    pub(crate) const fn signed(&self) -> Signed {
        match self.scope {
            Some(_) => Signed::Form,
            None => Signed::FormOfVersion2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofre_iam::{Origin, RequestId};
    use cofre_runtime::Random;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    const CREDENTIAL: &str = "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request";
    /// 29 December 2015, midnight.
    const SIGNED: Timestamp = Timestamp::from_secs(1_451_347_200);

    fn fields(changes: &[(&str, &str)]) -> Fields {
        let whole = [
            ("policy", "eyJhIjoiYiJ9"),
            ("x-amz-algorithm", ALGORITHM),
            ("x-amz-credential", CREDENTIAL),
            ("x-amz-date", "20151229T000000Z"),
            ("x-amz-signature", SIGNATURE),
        ];
        let mut fields = Fields::default();
        for (name, value) in whole {
            let changed = changes.iter().find(|(changed, _)| *changed == name).map_or(value, |(_, value)| value);
            fields.push(name, changed.to_owned()).unwrap();
        }
        fields
    }

    /// Of the policy above; made with Python's hmac.
    const SIGNATURE: &str = "3cfc0948beaa069f5aeb3088419b15e48eba8cb1ddf4163e59361c26d89cfde7";

    fn verify(changes: &[(&str, &str)], now: Timestamp) -> String {
        let exchange = Exchange::new(RequestId::new(&Random::seeded(1)), Origin::default(), None);
        let fields = fields(changes);
        let regions = ["eu-central-1".to_owned(), "us-east-1".to_owned()];
        let outcome = Claim::of(&fields, &regions, true, now, &exchange)
            .and_then(|claim| claim.unwrap().verify(SECRET, &exchange));
        outcome.err().map(|error| error.code().as_str().to_owned()).unwrap_or_default()
    }

    #[test]
    fn a_signature_is_of_its_policy_key_date_and_region() {
        assert_eq!(verify(&[], SIGNED), "");
        for (change, told) in [
            (("policy", "eyJhIjoiYyJ9"), "SignatureDoesNotMatch"),
            (("x-amz-signature", "00"), "SignatureDoesNotMatch"),
            (("x-amz-signature", "no hex"), "SignatureDoesNotMatch"),
            (("x-amz-date", "20151230T000000Z"), "InvalidArgument"),
            (("x-amz-date", "20151229"), "InvalidArgument"),
            (("x-amz-algorithm", "AWS4-HMAC-SHA512"), "InvalidArgument"),
            (("x-amz-credential", "A/20151229/eu-west-1/s3/aws4_request"), "AuthorizationQueryParametersError"),
            (("x-amz-credential", "A/20151229/us-east-1/iam/aws4_request"), "AuthorizationQueryParametersError"),
            (("x-amz-credential", "20151229/us-east-1/s3/aws4_request"), "AuthorizationQueryParametersError"),
            (("x-amz-credential", ""), "AuthorizationQueryParametersError"),
        ] {
            assert_eq!(verify(&[change], SIGNED), told, "{change:?}");
        }
    }

    #[test]
    fn a_signature_lasts_for_a_week() {
        assert_eq!(verify(&[], SIGNED.after(AGE_MAX)), "");
        assert_eq!(verify(&[], SIGNED.after(AGE_MAX + Duration::from_secs(1))), "AccessDenied");
        assert_eq!(verify(&[], Timestamp(SIGNED.0 - AHEAD_MAX.as_nanos() as u64)), "");
        assert_eq!(verify(&[], Timestamp(SIGNED.0 - AHEAD_MAX.as_nanos() as u64 - 1)), "AccessDenied");
    }

    #[test]
    fn a_form_is_signed_whole_or_not_at_all() {
        let exchange = Exchange::new(RequestId::new(&Random::seeded(1)), Origin::default(), None);
        let told = |names: &[&str]| {
            let mut fields = Fields::default();
            for name in names {
                fields.push(name, "x".to_owned()).unwrap();
            }
            let regions = ["us-east-1".to_owned()];
            let claim = Claim::of(&fields, &regions, true, SIGNED, &exchange);
            claim.map(|claim| claim.is_some()).map_err(|error| error.code().as_str().to_owned())
        };
        assert_eq!(told(&["key"]), Ok(false));
        assert_eq!(told(&["AWSAccessKeyId", "Policy", "Signature"]), Ok(true));
        let missing: [&[&str]; 5] = [
            &["policy"],
            &["AWSAccessKeyId", "policy"],
            &["AWSAccessKeyId", "signature"],
            &["x-amz-signature"],
            &["policy", "x-amz-credential"],
        ];
        for names in missing {
            assert_eq!(told(names), Err("InvalidArgument".to_owned()), "{names:?}");
        }
    }
}
