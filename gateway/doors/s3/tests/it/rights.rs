//! Every operation, by everyone who may ask: that each asks for the right that AWS documents for it, and
//! for no other.

use crate::bed::{Answer, Bed};
use crate::sign::{Draft, Key};
use cofre_types::AccessKeyId;
use http::Method;
use serde_json::{Value, json};

/// An operation and the actions that it needs. `{upload}` stands for the id of an upload under way of the
/// key `up`.
pub(crate) struct Operation {
    method: Method,
    address: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
    actions: &'static [&'static str],
    /// Who may: see `matrix`.
    pub(crate) marks: &'static str,
}

const COPY: &[(&str, &str)] = &[("x-amz-copy-source", "/bucket/key")];
const COPY_VERSION: &[(&str, &str)] = &[("x-amz-copy-source", "/bucket/key?versionId=null")];
const TAGGED: &[(&str, &str)] = &[("x-amz-tagging", "a=1")];
const PRIVATE: &[(&str, &str)] = &[("x-amz-acl", "private")];
const ATTRIBUTES: &[(&str, &str)] = &[("x-amz-object-attributes", "ETag")];
const LOCKED: &[(&str, &str)] = &[("x-amz-object-lock-legal-hold", "ON"), ("content-md5", "ndTkYSaMgDT1yFZOFVxnpg==")];

const TAGGING: &str = "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>";
const NO_POLICY: &str =
    r#"{"Statement": {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::bucket/*"}}"#;
const OWNERSHIP: &str =
    "<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>";
const BLOCK: &str =
    "<PublicAccessBlockConfiguration><IgnorePublicAcls>true</IgnorePublicAcls></PublicAccessBlockConfiguration>";
const VERSIONING: &str = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
const CORS: &str = "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>";
const LIFECYCLE: &str = "<LifecycleConfiguration><Rule><Filter/><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>";
const ENCRYPTION: &str = "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>";
const WEBSITE: &str =
    "<WebsiteConfiguration><IndexDocument><Suffix>index.html</Suffix></IndexDocument></WebsiteConfiguration>";
const REPLICATION: &str = "<ReplicationConfiguration><Role>r</Role><Rule><Status>Enabled</Status><Destination><Bucket>arn:aws:s3:::b</Bucket></Destination></Rule></ReplicationConfiguration>";
const PAYMENT: &str = "<RequestPaymentConfiguration><Payer>BucketOwner</Payer></RequestPaymentConfiguration>";
const ACCELERATE: &str = "<AccelerateConfiguration><Status>Suspended</Status></AccelerateConfiguration>";
const ANALYTICS: &str = "<AnalyticsConfiguration><Id>1</Id><StorageClassAnalysis/></AnalyticsConfiguration>";
const INVENTORY: &str = "<InventoryConfiguration><Destination><S3BucketDestination><Bucket>arn:aws:s3:::b</Bucket><Format>CSV</Format></S3BucketDestination></Destination><IsEnabled>true</IsEnabled><Id>1</Id><IncludedObjectVersions>All</IncludedObjectVersions><Schedule><Frequency>Daily</Frequency></Schedule></InventoryConfiguration>";
const METRICS: &str = "<MetricsConfiguration><Id>1</Id></MetricsConfiguration>";
const TIERING: &str = "<IntelligentTieringConfiguration><Id>1</Id><Status>Enabled</Status><Tiering><AccessTier>ARCHIVE_ACCESS</AccessTier><Days>90</Days></Tiering></IntelligentTieringConfiguration>";
const LOCK: &str = "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>";
const RETENTION: &str =
    "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2100-01-01T00:00:00Z</RetainUntilDate></Retention>";
const RESTORE: &str = "<RestoreRequest><Days>1</Days></RestoreRequest>";
const NEW_KEY: &str =
    "<ObjectEncryption><SSE-KMS><KMSKeyArn>arn:aws:kms:::key/named</KMSKeyArn></SSE-KMS></ObjectEncryption>";
const ABAC: &str = "<AbacStatus><Status>Enabled</Status></AbacStatus>";
const HOLD: &str = "<LegalHold><Status>ON</Status></LegalHold>";
const COMPLETE: &str =
    "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\"x\"</ETag></Part></CompleteMultipartUpload>";

/// Each operation with its method, address, headers, body, actions, and marks of the matrix.
macro_rules! operations {
    ($($method:ident $address:literal $headers:expr, $body:expr => $($action:literal)+, $marks:literal;)*) => {
        vec![$(Operation {
            method: Method::$method,
            address: $address,
            headers: $headers,
            body: $body,
            actions: &[$(concat!("s3:", $action)),+],
            marks: $marks,
        }),*]
    };
}

pub(crate) fn operations() -> Vec<Operation> {
    operations! {
        GET "/bucket/key" &[], "" => "GetObject", "+ - + + - - - -";
        HEAD "/bucket/key" &[], "" => "GetObject", "+ - + + - - - -";
        GET "/bucket/key?versionId=null" &[], "" => "GetObjectVersion", "+ - + + - - - -";
        GET "/bucket/key?attributes" ATTRIBUTES, "" => "GetObjectAttributes" "GetObject", "+ - + - - - - -";
        GET "/bucket/key?acl" &[], "" => "GetObjectAcl", "+ - + + - - - -";
        GET "/bucket/key?acl&versionId=null" &[], "" => "GetObjectVersionAcl", "+ - + + - - - -";
        PUT "/bucket/key?acl" PRIVATE, "" => "PutObjectAcl", "+ - + + - - - -";
        PUT "/bucket/key?acl&versionId=null" PRIVATE, "" => "PutObjectVersionAcl", "+ - + + - - - -";
        GET "/bucket/key?tagging" &[], "" => "GetObjectTagging", "+ - + - - - - -";
        GET "/bucket/key?tagging&versionId=null" &[], "" => "GetObjectVersionTagging", "+ - + - - - - -";
        PUT "/bucket/key?tagging" &[], TAGGING => "PutObjectTagging", "+ - + - - - - -";
        PUT "/bucket/key?tagging&versionId=null" &[], TAGGING => "PutObjectVersionTagging", "+ - + - - - - -";
        DELETE "/bucket/key?tagging" &[], "" => "DeleteObjectTagging", "+ - + - - - - -";
        DELETE "/bucket/key?tagging&versionId=null" &[], "" => "DeleteObjectVersionTagging", "+ - + - - - - -";
        GET "/bucket/key?retention" &[], "" => "GetObjectRetention", "+ - + - - - - -";
        GET "/bucket/key?legal-hold" &[], "" => "GetObjectLegalHold", "+ - + - - - - -";
        POST "/bucket/key?restore" &[], RESTORE => "RestoreObject", "+ - + - - - - -";
        PUT "/bucket/new" &[], "x" => "PutObject", "+ - + + - - - -";
        PUT "/bucket/new" PRIVATE, "x" => "PutObject", "+ - + + - - - -";
        PUT "/bucket/new" TAGGED, "x" => "PutObject" "PutObjectTagging", "+ - + + - - - -";
        PUT "/bucket/new" LOCKED, "x" => "PutObject" "PutObjectLegalHold", "+ - + - - - - -";
        PUT "/bucket/copy" COPY, "" => "PutObject" "GetObject" "GetObjectTagging" "PutObjectTagging", "+ - + - - - - -";
        DELETE "/bucket/key" &[], "" => "DeleteObject", "+ - + - - - - -";
        DELETE "/bucket/key?versionId=null" &[], "" => "DeleteObjectVersion", "+ - + - - - - -";
        POST "/bucket/up?uploads" &[], "" => "PutObject", "+ - + + - - - -";
        PUT "/bucket/up?partNumber=1&uploadId={upload}" &[], "x" => "PutObject", "+ - + + - - - -";
        PUT "/bucket/up?partNumber=1&uploadId={upload}" COPY, "" => "PutObject" "GetObject", "+ - + + - - - -";
        POST "/bucket/up?uploadId={upload}" &[], COMPLETE => "PutObject", "+ - + + - - - -";
        GET "/bucket/up?uploadId={upload}" &[], "" => "ListMultipartUploadParts", "+ - + - - - - -";
        DELETE "/bucket/up?uploadId={upload}" &[], "" => "AbortMultipartUpload", "+ - + - - - - -";
        GET "/bucket" &[], "" => "ListBucket", "+ - + + - - - -";
        GET "/bucket?list-type=2" &[], "" => "ListBucket", "+ - + + - - - -";
        HEAD "/bucket" &[], "" => "ListBucket", "+ - + + - - - -";
        GET "/bucket?versions" &[], "" => "ListBucketVersions", "+ - + + - - - -";
        GET "/bucket?uploads" &[], "" => "ListBucketMultipartUploads", "+ - + + - - - -";
        GET "/bucket?location" &[], "" => "GetBucketLocation", "+ - + - - - - -";
        GET "/bucket?acl" &[], "" => "GetBucketAcl", "+ - + + - - - -";
        PUT "/bucket?acl" PRIVATE, "" => "PutBucketAcl", "+ - + + - - - -";
        GET "/bucket?policy" &[], "" => "GetBucketPolicy", "+ - - - + - - -";
        GET "/bucket?policyStatus" &[], "" => "GetBucketPolicyStatus", "+ - + - - - - -";
        PUT "/bucket?policy" &[], NO_POLICY => "PutBucketPolicy", "+ - - - + - - -";
        DELETE "/bucket?policy" &[], "" => "DeleteBucketPolicy", "+ - - - + - - -";
        GET "/bucket?ownershipControls" &[], "" => "GetBucketOwnershipControls", "+ - + - - - - -";
        PUT "/bucket?ownershipControls" &[], OWNERSHIP => "PutBucketOwnershipControls", "+ - + - - - - -";
        DELETE "/bucket?ownershipControls" &[], "" => "PutBucketOwnershipControls", "+ - + - - - - -";
        GET "/bucket?publicAccessBlock" &[], "" => "GetBucketPublicAccessBlock", "+ - + - - - - -";
        PUT "/bucket?publicAccessBlock" &[], BLOCK => "PutBucketPublicAccessBlock", "+ - + - - - - -";
        DELETE "/bucket?publicAccessBlock" &[], "" => "PutBucketPublicAccessBlock", "+ - + - - - - -";
        GET "/bucket?versioning" &[], "" => "GetBucketVersioning", "+ - + - - - - -";
        PUT "/bucket?versioning" &[], VERSIONING => "PutBucketVersioning", "+ - + - - - - -";
        GET "/bucket?tagging" &[], "" => "GetBucketTagging", "+ - + - - - - -";
        PUT "/bucket?tagging" &[], TAGGING => "PutBucketTagging", "+ - + - - - - -";
        DELETE "/bucket?tagging" &[], "" => "PutBucketTagging", "+ - + - - - - -";
        GET "/bucket?object-lock" &[], "" => "GetBucketObjectLockConfiguration", "+ - + - - - - -";
        GET "/bucket?cors" &[], "" => "GetBucketCORS", "+ - + - - - - -";
        DELETE "/bucket?cors" &[], "" => "PutBucketCORS", "+ - + - - - - -";
        GET "/bucket?lifecycle" &[], "" => "GetLifecycleConfiguration", "+ - + - - - - -";
        DELETE "/bucket?lifecycle" &[], "" => "PutLifecycleConfiguration", "+ - + - - - - -";
        GET "/bucket?encryption" &[], "" => "GetEncryptionConfiguration", "+ - + - - - - -";
        DELETE "/bucket?encryption" &[], "" => "PutEncryptionConfiguration", "+ - + - - - - -";
        GET "/bucket?website" &[], "" => "GetBucketWebsite", "+ - + - - - - -";
        DELETE "/bucket?website" &[], "" => "DeleteBucketWebsite", "+ - + - - - - -";
        GET "/bucket?replication" &[], "" => "GetReplicationConfiguration", "+ - + - - - - -";
        DELETE "/bucket?replication" &[], "" => "PutReplicationConfiguration", "+ - + - - - - -";
        GET "/bucket?logging" &[], "" => "GetBucketLogging", "+ - + - - - - -";
        GET "/bucket?notification" &[], "" => "GetBucketNotification", "+ - + - - - - -";
        GET "/bucket?requestPayment" &[], "" => "GetBucketRequestPayment", "+ - + - - - - -";
        GET "/bucket?accelerate" &[], "" => "GetAccelerateConfiguration", "+ - + - - - - -";
        GET "/bucket?analytics" &[], "" => "GetAnalyticsConfiguration", "+ - + - - - - -";
        GET "/bucket?inventory" &[], "" => "GetInventoryConfiguration", "+ - + - - - - -";
        GET "/bucket?metrics" &[], "" => "GetMetricsConfiguration", "+ - + - - - - -";
        GET "/bucket?intelligent-tiering" &[], "" => "GetIntelligentTieringConfiguration", "+ - + - - - - -";
        PUT "/bucket?cors" &[], CORS => "PutBucketCORS", "+ - + - - - - -";
        PUT "/bucket?lifecycle" &[], LIFECYCLE => "PutLifecycleConfiguration", "+ - + - - - - -";
        PUT "/bucket?encryption" &[], ENCRYPTION => "PutEncryptionConfiguration", "+ - + - - - - -";
        PUT "/bucket?website" &[], WEBSITE => "PutBucketWebsite", "+ - + - - - - -";
        PUT "/bucket?replication" &[], REPLICATION => "PutReplicationConfiguration", "+ - + - - - - -";
        PUT "/bucket?logging" &[], "<BucketLoggingStatus/>" => "PutBucketLogging", "+ - + - - - - -";
        PUT "/bucket?notification" &[], "<NotificationConfiguration/>" => "PutBucketNotification", "+ - + - - - - -";
        PUT "/bucket?requestPayment" &[], PAYMENT => "PutBucketRequestPayment", "+ - + - - - - -";
        PUT "/bucket?accelerate" &[], ACCELERATE => "PutAccelerateConfiguration", "+ - + - - - - -";
        GET "/bucket?analytics&id=1" &[], "" => "GetAnalyticsConfiguration", "+ - + - - - - -";
        PUT "/bucket?analytics&id=1" &[], ANALYTICS => "PutAnalyticsConfiguration", "+ - + - - - - -";
        GET "/bucket?inventory&id=1" &[], "" => "GetInventoryConfiguration", "+ - + - - - - -";
        PUT "/bucket?inventory&id=1" &[], INVENTORY => "PutInventoryConfiguration", "+ - + - - - - -";
        GET "/bucket?metrics&id=1" &[], "" => "GetMetricsConfiguration", "+ - + - - - - -";
        PUT "/bucket?metrics&id=1" &[], METRICS => "PutMetricsConfiguration", "+ - + - - - - -";
        GET "/bucket?intelligent-tiering&id=1" &[], "" => "GetIntelligentTieringConfiguration", "+ - + - - - - -";
        PUT "/bucket?intelligent-tiering&id=1" &[], TIERING => "PutIntelligentTieringConfiguration", "+ - + - - - - -";
        PUT "/bucket?object-lock" &[], LOCK => "PutBucketObjectLockConfiguration", "+ - + - - - - -";
        PUT "/bucket/key?retention" &[], RETENTION => "PutObjectRetention", "+ - + - - - - -";
        PUT "/bucket/key?legal-hold" &[], HOLD => "PutObjectLegalHold", "+ - + - - - - -";
        PUT "/bucket/key?encryption" &[], NEW_KEY => "UpdateObjectEncryption", "+ - + - - - - -";
        GET "/bucket?abac" &[], "" => "GetBucketAbac", "+ - + - - - - -";
        PUT "/bucket?abac" &[], ABAC => "PutBucketAbac", "+ - + - - - - -";
        GET "/bucket/key?attributes&versionId=null" ATTRIBUTES, "" => "GetObjectVersionAttributes" "GetObjectVersion", "+ - + - - - - -";
        PUT "/bucket/copy" COPY_VERSION, "" => "PutObject" "GetObjectVersion" "GetObjectVersionTagging" "PutObjectTagging", "+ - + - - - - -";
        PUT "/bucket/up?partNumber=1&uploadId={upload}" COPY_VERSION, "" => "PutObject" "GetObjectVersion", "+ - + + - - - -";
        DELETE "/bucket" &[], "" => "DeleteBucket", "+ - + - - - - -";
    }
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub(crate) enum By {
    Alice,
    Bob,
    Anyone,
    /// Alice, but with a secret that is not hers.
    Forger,
    /// Alice, in a session; there are none.
    Session,
}

impl Operation {
    pub(crate) fn name(&self) -> String {
        format!("{} {} {:?}", self.method, self.address, self.headers)
    }

    /// Whether nobody does it without credentials, whatever is granted.
    fn needs_credentials(&self) -> bool {
        let sets = matches!(self.method, Method::PUT | Method::DELETE);
        let of_bucket = self.address == "/bucket" || self.address.starts_with("/bucket?");
        let of_whole = ["?acl", "/key?encryption"].iter().any(|name| self.address.contains(name));
        let grants = self.method == Method::PUT && of_whole;
        let copies = self.headers.iter().any(|(name, _)| *name == "x-amz-copy-source");
        sets && of_bucket || grants || copies || self.address.ends_with("?uploads") && self.method == Method::POST
    }

    /// Does it in a bucket of its own, which alice owns and which has this policy.
    async fn answer(&self, by: By, policy: Option<Value>) -> Answer {
        let bed = Bed::with_bucket().await;
        self.answer_in(&bed, by, policy, false).await
    }

    /// As [`Operation::answer`], in this bed; with `listed`, lists give bob all of the bucket and the object.
    pub(crate) async fn answer_in(&self, bed: &Bed, by: By, policy: Option<Value>, listed: bool) -> Answer {
        let put = Draft::new(Method::PUT, "/bucket/key").header("x-amz-tagging", "b=2").body("content");
        bed.send(put).await.is(200);
        for address in ["/bucket?acl", "/bucket/key?acl"].into_iter().filter(|_| listed) {
            let to_bob = format!("id={}", bed.bob_id);
            bed.send(Draft::new(Method::PUT, address).header("x-amz-grant-full-control", &to_bob)).await.is(200);
        }
        let upload = bed.post("/bucket/up?uploads", "").await.is(200).element("UploadId").unwrap();
        if let Some(policy) = policy {
            bed.put("/bucket?policy", policy.to_string()).await.is(204);
        }
        let mut draft = Draft::new(self.method.clone(), &self.address.replace("{upload}", &upload)).body(self.body);
        for (name, value) in self.headers {
            draft = draft.header(name, value);
        }
        send(bed, draft, by).await
    }
}

pub(crate) async fn send(bed: &Bed, draft: Draft, by: By) -> Answer {
    match by {
        By::Alice => bed.send(draft).await,
        By::Bob => bed.by_bob(draft).await,
        By::Anyone => bed.by_anyone(draft).await,
        By::Forger => bed.raw(draft.signed(&Key { secret: "none of hers".to_owned(), ..bed.alice.clone() })).await,
        By::Session => bed.send(draft.header("x-amz-security-token", "a-session")).await,
    }
}

/// Whether the answer is that the caller may not. A HEAD says so by its status alone.
fn is_denied(answer: &Answer) -> bool {
    answer.status == 403 && matches!(answer.element("Code").as_deref(), None | Some("AccessDenied"))
}

pub(crate) fn statement(effect: &str, principal: &Value, actions: &Value) -> Value {
    json!({"Effect": effect, "Principal": principal, "Action": actions,
           "Resource": ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"]})
}

pub(crate) fn policy(statements: Value) -> Option<Value> {
    Some(json!({"Version": "2012-10-17", "Statement": statements}))
}

#[tokio::test]
async fn without_a_grant_only_the_owner_may() {
    for operation in operations() {
        let name = operation.name();
        let own = operation.answer(By::Alice, None).await;
        assert!(!is_denied(&own), "{name} by the owner: {} {}", own.status, own.text());
        for by in [By::Bob, By::Anyone] {
            let answer = operation.answer(by, None).await;
            assert!(is_denied(&answer), "{name} by {by:?}: {} {}", answer.status, answer.text());
        }
    }
}

#[tokio::test]
async fn each_operation_needs_its_actions_and_no_more() {
    let everyone = json!("*");
    for operation in operations() {
        let name = operation.name();
        let granted = statement("Allow", &everyone, &json!(operation.actions));
        for by in [By::Bob, By::Anyone] {
            let answer = operation.answer(by, policy(json!([granted]))).await;
            let told = format!("{name} granted to {by:?}: {} {}", answer.status, answer.text());
            if operation.address.starts_with("/bucket?policy") && !operation.address.contains("Status") {
                assert_eq!(answer.status, 405, "{told}");
            } else {
                assert_eq!(is_denied(&answer), matches!(by, By::Anyone) && operation.needs_credentials(), "{told}");
            }
        }
        for missing in operation.actions {
            let others: Vec<_> = operation.actions.iter().filter(|action| *action != missing).collect();
            if others.is_empty() {
                continue;
            }
            let answer =
                operation.answer(By::Bob, policy(json!([statement("Allow", &everyone, &json!(others))]))).await;
            assert!(is_denied(&answer), "{name} without {missing}: {} {}", answer.status, answer.text());
        }
    }
}

#[tokio::test]
async fn an_action_that_is_denied_is_denied_to_the_owner_too() {
    let everyone = json!("*");
    let allow = statement("Allow", &everyone, &json!("s3:*"));
    for operation in operations() {
        let name = operation.name();
        for action in operation.actions {
            let denied = policy(json!([allow, statement("Deny", &everyone, &json!(action))]));
            let answer = operation.answer(By::Bob, denied.clone()).await;
            assert!(is_denied(&answer), "{name} with {action} denied: {} {}", answer.status, answer.text());
            let own = operation.answer(By::Alice, denied).await;
            let is_kept = matches!(*action, "s3:GetBucketPolicy" | "s3:PutBucketPolicy" | "s3:DeleteBucketPolicy");
            assert_eq!(is_denied(&own), !is_kept, "{name} with {action} denied to the owner: {}", own.text());
        }
    }
}

#[tokio::test]
async fn a_key_that_is_disabled_gets_nothing_by_a_grant() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket/key", "x").await.is(200);
    let open = policy(json!([statement("Allow", &json!("*"), &json!("s3:*"))])).unwrap();
    bed.put("/bucket?policy", open.to_string()).await.is(204);
    let get = || Draft::new(Method::GET, "/bucket/key");
    bed.by_bob(get()).await.is(200);
    bed.iam.set_key_disabled(&AccessKeyId::parse(&bed.bob.id).unwrap(), true, "test").await.unwrap();
    bed.by_bob(get()).await.is_error(403, "InvalidAccessKeyId");
    bed.by_anyone(get()).await.is(200);
}

#[tokio::test]
async fn of_many_deletions_each_is_asked_for() {
    let bed = Bed::with_bucket().await;
    for key in ["open", "closed"] {
        bed.put(&format!("/bucket/{key}"), "x").await.is(200);
    }
    let open = json!({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:DeleteObject",
        "Resource": "arn:aws:s3:::bucket/open"}});
    bed.put("/bucket?policy", open.to_string()).await.is(204);
    let list = "<Delete><Object><Key>open</Key></Object><Object><Key>closed</Key></Object></Delete>";
    let digest = crate::bed::base64(&md5(list.as_bytes()));
    let draft = Draft::new(Method::POST, "/bucket?delete").header("content-md5", &digest).body(list);
    let answer = bed.by_bob(draft).await;
    assert_eq!(answer.is(200).elements("Code"), ["AccessDenied"], "{}", answer.text());
    bed.get("/bucket/open").await.is_error(404, "NoSuchKey");
    bed.get("/bucket/closed").await.is(200);
}

fn md5(bytes: &[u8]) -> Vec<u8> {
    use s3s::crypto::Checksum;
    s3s::crypto::Md5::checksum(bytes).to_vec()
}
