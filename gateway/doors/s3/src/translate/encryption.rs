//! Encryption headers: what a request asks for, the keys that it brings, and how an answer tells it.
//!
//! The gate takes the keys themselves out of the headers, so that nothing behind it can log them.

use base64::{Engine, prelude::BASE64_STANDARD};
use cofre_objects::{CustomerKey, EncryptAs, Encrypted, EncryptionMethod};
use http::{HeaderMap, HeaderName, HeaderValue};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

const METHOD: HeaderName = HeaderName::from_static("x-amz-server-side-encryption");
const KMS_KEY: HeaderName = HeaderName::from_static("x-amz-server-side-encryption-aws-kms-key-id");
const CONTEXT: HeaderName = HeaderName::from_static("x-amz-server-side-encryption-context");
const BUCKET_KEY: HeaderName = HeaderName::from_static("x-amz-server-side-encryption-bucket-key-enabled");

/// The three headers of a customer's key.
struct Names {
    algorithm: HeaderName,
    key: HeaderName,
    md5: HeaderName,
}

/// Of the object itself.
const OWN: Names = Names {
    algorithm: HeaderName::from_static("x-amz-server-side-encryption-customer-algorithm"),
    key: HeaderName::from_static("x-amz-server-side-encryption-customer-key"),
    md5: HeaderName::from_static("x-amz-server-side-encryption-customer-key-md5"),
};

/// Of the source of a copy.
const SOURCE: Names = Names {
    algorithm: HeaderName::from_static("x-amz-copy-source-server-side-encryption-customer-algorithm"),
    key: HeaderName::from_static("x-amz-copy-source-server-side-encryption-customer-key"),
    md5: HeaderName::from_static("x-amz-copy-source-server-side-encryption-customer-key-md5"),
};

/// The customers' keys of a request, as they were written.
#[derive(Clone, Default)]
pub(crate) struct CustomerKeys {
    own: Option<Zeroizing<Vec<u8>>>,
    source: Option<Zeroizing<Vec<u8>>>,
    /// Whether they came over a connection that others may read.
    exposed: bool,
}

impl CustomerKeys {
    /// Takes the keys out of the headers. Over a connection that others may read they are refused once they are asked
    /// for, as other headers are, unless the operator says that it is safe.
    pub(crate) fn take(headers: &mut HeaderMap, safe: bool) -> Self {
        let all = [OWN.algorithm, OWN.key, OWN.md5, SOURCE.algorithm, SOURCE.key, SOURCE.md5];
        let exposed = !safe && all.iter().any(|name| headers.contains_key(name));
        let mut take = |name| headers.remove(name).map(|value| Zeroizing::new(value.as_bytes().to_vec()));
        Self { own: take(OWN.key), source: take(SOURCE.key), exposed }
    }

    /// The customer's key that an object to be read is encrypted under. A read takes no other
    /// encryption header: what is read decides.
    pub(crate) fn to_read(&self, headers: &HeaderMap) -> S3Result<Option<CustomerKey>> {
        for name in [METHOD, KMS_KEY, CONTEXT, BUCKET_KEY] {
            if headers.contains_key(&name) {
                return Err(s3_error!(InvalidArgument, "{name} header is not supported for this operation."));
            }
        }
        self.key(headers, &OWN, self.own.as_deref())
    }

    /// The customer's key that the source of a copy is encrypted under.
    pub(crate) fn of_source(&self, headers: &HeaderMap) -> S3Result<Option<CustomerKey>> {
        self.key(headers, &SOURCE, self.source.as_deref())
    }

    fn key(&self, headers: &HeaderMap, names: &Names, key: Option<&Vec<u8>>) -> S3Result<Option<CustomerKey>> {
        if self.exposed {
            return Err(s3_error!(
                InvalidRequest,
                "Requests specifying Server Side Encryption with Customer provided keys must be made over a secure connection."
            ));
        }
        customer_key(headers, names, key)
    }

    /// What a write asks for.
    pub(crate) fn to_write(&self, headers: &HeaderMap) -> S3Result<EncryptAs> {
        let customer = self.key(headers, &OWN, self.own.as_deref())?;
        let method = headers.get(METHOD).map(HeaderValue::as_bytes);
        if let Some(customer) = customer {
            if method.is_some() {
                return Err(s3_error!(
                    InvalidArgument,
                    "Server Side Encryption with Customer provided key is incompatible with the encryption method specified"
                ));
            }
            needs_kms(headers)?;
            return Ok(EncryptAs::Customer(customer));
        }
        match method {
            None => needs_kms(headers).map(|()| EncryptAs::AsBucket),
            Some(b"AES256") => needs_kms(headers).map(|()| EncryptAs::S3),
            Some(b"aws:kms") => kms(headers, false),
            Some(b"aws:kms:dsse") => kms(headers, true),
            Some(_) => Err(s3_error!(InvalidArgument, "The encryption method specified is not supported")),
        }
    }
}

/// Refuses what only goes together with SSE-KMS.
fn needs_kms(headers: &HeaderMap) -> S3Result<()> {
    if headers.contains_key(KMS_KEY) || headers.contains_key(CONTEXT) {
        return Err(s3_error!(
            InvalidArgument,
            "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms"
        ));
    }
    Ok(())
}

fn kms(headers: &HeaderMap, dual_layer: bool) -> S3Result<EncryptAs> {
    let text =
        |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).filter(|text| !text.is_empty());
    let context = text(&CONTEXT).map(str::to_owned);
    if let Some(context) = &context {
        check_context(context)?;
    }
    let bucket_key = match text(&BUCKET_KEY).map(str::to_ascii_lowercase).as_deref() {
        None => None,
        Some("true") if dual_layer => {
            return Err(s3_error!(InvalidArgument, "S3 Bucket Keys are not supported for DSSE-KMS."));
        }
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(_) => return Err(s3_error!(InvalidArgument, "{BUCKET_KEY} is true or false.")),
    };
    let key = text(&KMS_KEY).map(str::to_owned);
    Ok(EncryptAs::Kms { key, dual_layer, context, bucket_key })
}

/// A context is base64 of a JSON object of texts (AWS, "PutObject").
fn check_context(context: &str) -> S3Result<()> {
    let decoded = BASE64_STANDARD.decode(context).ok();
    let parsed = decoded.and_then(|json| serde_json::from_slice::<BTreeMap<String, String>>(&json).ok());
    match parsed {
        Some(_) => Ok(()),
        None => Err(s3_error!(
            InvalidArgument,
            "The header '{CONTEXT}' shall be Base64-encoded UTF-8 JSON of key-value pairs."
        )),
    }
}

/// The key that three headers name, in AWS's words where they do not.
fn customer_key(headers: &HeaderMap, names: &Names, key: Option<&Vec<u8>>) -> S3Result<Option<CustomerKey>> {
    let (algorithm, md5) = (headers.get(&names.algorithm), headers.get(&names.md5));
    let missing = |what: &str| {
        s3_error!(
            InvalidArgument,
            "Requests specifying Server Side Encryption with Customer provided keys must provide {what}."
        )
    };
    let Some(algorithm) = algorithm else {
        return if key.is_none() && md5.is_none() { Ok(None) } else { Err(missing("a valid encryption algorithm")) };
    };
    if algorithm.as_bytes() != b"AES256" {
        let words = "The encryption request that you specified is not valid. The valid value is AES256.";
        return Err(S3Error::with_message(S3ErrorCode::InvalidEncryptionAlgorithmError, words));
    }
    let key = key.ok_or_else(|| missing("an appropriate secret key"))?;
    let md5 = md5.ok_or_else(|| missing("the client calculated MD5 of the secret key"))?;
    let mut bytes = Zeroizing::new([0; 32]);
    // Base64 of 32 bytes; the decoder wants room for what a text of this length can hold.
    let mut decoded = Zeroizing::new([0; 33]);
    match BASE64_STANDARD.decode_slice(key, &mut *decoded) {
        Ok(32) => bytes.copy_from_slice(&decoded[..32]),
        _ => return Err(s3_error!(InvalidArgument, "The secret key was invalid for the specified algorithm.")),
    }
    let key = CustomerKey::from_bytes(bytes);
    if BASE64_STANDARD.decode(md5).is_ok_and(|md5| md5 == key.md5()) {
        return Ok(Some(key));
    }
    Err(s3_error!(InvalidArgument, "The calculated MD5 hash of the key did not match the hash that was provided."))
}

/// The headers of an answer about something that is encrypted.
pub(crate) fn shown(encrypted: Option<&Encrypted>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let Some(encrypted) = encrypted else { return headers };
    let mut set = |name: HeaderName, value: &str| {
        // A key's name and a context came as header values, or were checked when they were set.
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    match &encrypted.method {
        EncryptionMethod::S3 => set(METHOD, "AES256"),
        EncryptionMethod::Kms { key, dual_layer } => {
            set(METHOD, if *dual_layer { "aws:kms:dsse" } else { "aws:kms" });
            set(KMS_KEY, key);
        }
        EncryptionMethod::Customer => {
            set(OWN.algorithm, "AES256");
            set(OWN.md5, &BASE64_STANDARD.encode(encrypted.key_md5.unwrap_or_default()));
        }
    }
    if encrypted.bucket_key {
        set(BUCKET_KEY, "true");
    }
    headers
}

/// The same, of an answer to a write, which also tells the context.
pub(crate) fn shown_of_write(encrypted: Option<&Encrypted>) -> HeaderMap {
    let mut headers = shown(encrypted);
    if let Some(Ok(context)) = encrypted.and_then(|e| e.context.as_deref()).map(HeaderValue::from_str) {
        headers.insert(CONTEXT, context);
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "pO3upElrwuEXSoFwCfnZPdSsmt/xWeFa0N9KgDijwVs=";
    const MD5: &str = "DWygnHRtgiJ77HCm+1rvHw==";

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            let name = HeaderName::from_bytes(format!("x-amz-server-side-encryption{name}").as_bytes()).unwrap();
            (name, HeaderValue::from_str(value).unwrap())
        };
        pairs.iter().map(pair).collect()
    }

    fn write(pairs: &[(&'static str, &str)]) -> Result<EncryptAs, String> {
        let mut headers = headers(pairs);
        let keys = CustomerKeys::take(&mut headers, true);
        assert!(!headers.contains_key(OWN.key));
        keys.to_write(&headers).map_err(|error| error.code().as_str().to_owned())
    }

    #[test]
    fn a_write_asks_for_one_method() {
        assert!(matches!(write(&[]), Ok(EncryptAs::AsBucket)));
        assert!(matches!(write(&[("", "AES256")]), Ok(EncryptAs::S3)));
        let customer = [("-customer-algorithm", "AES256"), ("-customer-key", KEY), ("-customer-key-md5", MD5)];
        assert!(matches!(write(&customer), Ok(EncryptAs::Customer(_))));
        let context = BASE64_STANDARD.encode(r#"{"a":"b"}"#);
        let all = [("", "aws:kms"), ("-aws-kms-key-id", "k"), ("-context", &context), ("-bucket-key-enabled", "True")];
        match write(&all) {
            Ok(EncryptAs::Kms { key: Some(key), dual_layer: false, context: Some(got), bucket_key: Some(true) }) => {
                assert_eq!((key.as_str(), &got), ("k", &context));
            }
            other => panic!("{other:?}"),
        }
        let dual = write(&[("", "aws:kms:dsse")]);
        assert!(matches!(dual, Ok(EncryptAs::Kms { key: None, dual_layer: true, context: None, bucket_key: None })));
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        let algorithm = ("-customer-algorithm", "AES256");
        let (key, md5) = (("-customer-key", KEY), ("-customer-key-md5", MD5));
        for (pairs, code) in [
            (vec![("", "aes:kms")], "InvalidArgument"),
            (vec![("-aws-kms-key-id", "k")], "InvalidArgument"),
            (vec![("", "AES256"), ("-aws-kms-key-id", "k")], "InvalidArgument"),
            (vec![("", "AES256"), algorithm, key, md5], "InvalidArgument"),
            (vec![("", "aws:kms"), algorithm, key, md5], "InvalidArgument"),
            (vec![algorithm], "InvalidArgument"),
            (vec![algorithm, key], "InvalidArgument"),
            (vec![key, md5], "InvalidArgument"),
            (vec![algorithm, key, ("-customer-key-md5", "AAAAAAAAAAAAAAAAAAAAAA==")], "InvalidArgument"),
            (vec![algorithm, ("-customer-key", "c2hvcnQ="), md5], "InvalidArgument"),
            (vec![("-customer-algorithm", "AES128"), key, md5], "InvalidEncryptionAlgorithmError"),
            (vec![("", "aws:kms"), ("-context", "nonsense")], "InvalidArgument"),
            (vec![("", "aws:kms:dsse"), ("-bucket-key-enabled", "true")], "InvalidArgument"),
        ] {
            assert_eq!(write(&pairs).unwrap_err(), code, "{pairs:?}");
        }
    }

    #[test]
    fn keys_travel_only_where_nobody_listens() {
        let code = |error: S3Error| error.code().as_str().to_owned();
        let mut sent = headers(&[("-customer-algorithm", "AES256")]);
        let exposed = CustomerKeys::take(&mut sent, false);
        assert_eq!(exposed.to_read(&sent).err().map(code).as_deref(), Some("InvalidRequest"));
        assert_eq!(exposed.of_source(&sent).err().map(code).as_deref(), Some("InvalidRequest"));
        assert_eq!(exposed.to_write(&sent).err().map(code).as_deref(), Some("InvalidRequest"));
        let mut plain = headers(&[("", "AES256")]);
        assert!(matches!(CustomerKeys::take(&mut plain, false).to_write(&plain), Ok(EncryptAs::S3)));
    }

    #[test]
    fn a_read_takes_a_customers_key_and_nothing_else() {
        let none = CustomerKeys::default();
        assert!(none.to_read(&HeaderMap::new()).unwrap().is_none());
        assert!(none.to_read(&headers(&[("", "AES256")])).is_err());
        assert!(none.to_read(&headers(&[("-aws-kms-key-id", "k")])).is_err());
    }
}
