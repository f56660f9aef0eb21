//! Browsers' forms: PostObject (AWS, "POST Object" and "Browser-Based Uploads Using POST").
//!
//! A form never reaches s3s. It is read here up to its file; its signature, then its policy are checked;
//! its fields stand for the headers of a PUT, and its file is the body.
//!
//! # Order
//! Signature, policy, the caller's rights, and only then the file: nothing of it is read for a form that
//! is refused.
//!
//! # Limits
//! Every `POST` of `multipart/form-data` is a form: an upload of that very type cannot be begun in parts.

pub(crate) mod fields;
pub(crate) mod file;
pub(crate) mod multipart;
pub(crate) mod policy;
mod reply;
mod signature;

use crate::auth;
use crate::credentials::Credentials;
use crate::exchange::Exchange;
use crate::facts::Signed;
use crate::gate::documents::{UNPROVEN_TIME_MAX, within};
use crate::gate::payment::{self, Charge};
use crate::gate::target::Target;
use crate::gate::{admit_caller, check_expected_owner, refusals};
use crate::host::{self, Domains};
use crate::ops::{Admitted, Operations, post_object};
use crate::translate::checksums;
use crate::translate::conditions::Conditionals;
use crate::translate::encryption::CustomerKeys;
use crate::translate::{names, text};
use cofre_iam::Admission;
use cofre_runtime::Clock;
use cofre_types::Timestamp;
use file::Measured;
use http::{HeaderMap, HeaderValue, Method, Request, header};
use multipart::{Delimiter, Form};
use policy::PostPolicy;
use reply::Made;
use s3s::{HttpRequest, HttpResponse, S3Error, S3ErrorCode, S3Result};
use signature::Claim;
use std::sync::Arc;

/// Answers forms.
pub(crate) struct Forms {
    pub(crate) operations: Operations,
    pub(crate) credentials: Credentials,
    pub(crate) domains: Domains,
    pub(crate) admission: Admission,
    pub(crate) clock: Clock,
    /// The regions that forms may be signed for.
    pub(crate) regions: Arc<[String]>,
    /// Whether forms signed by version 2 are taken.
    pub(crate) takes_version_2: bool,
}

/// Whether a request is a form.
pub(crate) fn is_form<B>(request: &Request<B>) -> bool {
    let content_type = request.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let form = b"multipart/form-data";
    *request.method() == Method::POST
        && content_type.get(..form.len()).is_some_and(|start| start.eq_ignore_ascii_case(form))
}

impl Forms {
    /// Answers a form.
    pub(crate) async fn answer(&self, request: HttpRequest, exchange: &Exchange) -> S3Result<HttpResponse> {
        exchange.note(|noted| noted.operation = "PostObject");
        let (parts, body) = request.into_parts();
        auth::refuse_beside_form(&parts, exchange)?;
        let target = Target::of(&self.domains, &parts.uri, &parts.headers);
        // The key is a field: a form is sent to a bucket.
        let bucket = target.bucket.filter(|_| !target.is_of_object());
        let bucket = bucket.ok_or_else(|| S3Error::new(S3ErrorCode::MethodNotAllowed))?;
        let Form { mut fields, filename, file } =
            within(&self.clock, UNPROVEN_TIME_MAX, multipart::read(body, &Delimiter::of(&parts.headers)?)).await?;
        if fields.get("x-amz-security-token").is_some() {
            // As of every request: there are no sessions.
            return Err(S3Error::new(S3ErrorCode::InvalidToken));
        }
        fields.required("key")?;
        fields.expand(&filename)?;

        let now = Timestamp(self.clock.now_nanos());
        let claim = Claim::of(&fields, &self.regions, self.takes_version_2, now, exchange)?;
        if let Some(claim) = &claim {
            let credential = auth::credential_of(&self.credentials, claim.access_key, exchange).await?;
            claim.verify(credential.secret.expose(), exchange)?;
        }
        let access_key = claim.as_ref().map(|claim| claim.access_key);
        let mut caller = admit_caller(&self.credentials, &self.admission, access_key, exchange).await?;
        let mut allowed = 0..=u64::MAX;
        if let Some(claim) = &claim {
            let policy = PostPolicy::parse(claim.policy)?;
            policy.check(&fields, bucket, now)?;
            allowed = policy.length();
        }
        let name = names::bucket(bucket)?;
        check_expected_owner(&self.operations.objects, &caller, exchange, Some(&name), &parts.headers).await?;

        let mut headers = fields.to_headers()?;
        checksums::value(&headers, checksums::ChecksumOf::Other)?;
        caller.pays = payment::pays(&headers);
        let charge = caller.pays.then(|| Charge::of(&caller, Some(bucket), &headers));
        refusals::check(&headers)?;
        let safe = self.operations.allow_insecure_sse_c || caller.origin.secure;
        let customer_keys = CustomerKeys::take(&mut headers, safe);
        stand_by(&mut headers, &parts.headers);
        let admitted = Admitted {
            caller,
            exchange: exchange.clone(),
            conditionals: Conditionals::default(),
            response_expires: None,
            trailers: None,
            signed: claim.as_ref().map_or(Signed::Not, Claim::signed),
            customer_keys,
        };
        let input = fields.to_input(bucket)?;
        let key = input.key.clone();
        let tagging = fields.get("tagging");
        let file = Measured { inner: file, allowed, size: 0, exchange: exchange.clone() };
        let posted = post_object::Posted { admitted, headers, uri: parts.uri.clone(), input, tagging, file };
        let outcome = post_object::post(&self.operations, posted).await?;

        let host = host::host(&parts.uri, &parts.headers).unwrap_or_default();
        let scheme = if exchange.origin().secure { "https" } else { "http" };
        let made = Made { bucket, key: &key, scheme, host, outcome };
        let mut escaped = false;
        let shown = text::escape(key.clone(), &mut escaped);
        if escaped {
            exchange.note(|noted| noted.escaped = true);
        }
        let mut response = made.answer(&fields, &self.domains, &shown);
        if let Some(charge) = charge {
            charge.tell(&self.operations.objects, response.headers_mut()).await;
        }
        Ok(response)
    }
}

/// Adds what conditions of policies ask of every request.
fn stand_by(headers: &mut HeaderMap, of_request: &HeaderMap) {
    for name in [header::REFERER, header::USER_AGENT] {
        if let Some(value) = of_request.get(&name) {
            headers.insert(name, value.clone());
        }
    }
}
