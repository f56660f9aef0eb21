//! Blocked encryption types, keys with a policy, and UpdateObjectEncryption, as clients see them.

use crate::bed::{Answer, Bed};
use crate::encryption::{KMS_KEY, METHOD, ONE, bed_with_bucket, get, put, with_key};
use crate::forms::form;
use crate::sign::Draft;
use cofre_iam::Caller;
use cofre_runtime::Random;
use http::Method;
use serde_json::json;

async fn rule(bed: &Bed, rule: &str) -> Answer {
    let document =
        format!("<ServerSideEncryptionConfiguration><Rule>{rule}</Rule></ServerSideEncryptionConfiguration>");
    bed.put("/bucket?encryption", document).await
}

fn blocked(types: &[&str]) -> String {
    let types: String = types.iter().map(|name| format!("<EncryptionType>{name}</EncryptionType>")).collect();
    format!("<BlockedEncryptionTypes>{types}</BlockedEncryptionTypes>")
}

const AES256: &str =
    "<ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault>";

#[tokio::test]
async fn a_bucket_blocks_clients_keys() {
    let bed = bed_with_bucket().await;
    bed.send(with_key(put("before"), "", ONE)).await.is(200);
    let begun = bed.send(with_key(Draft::new(Method::POST, "/bucket/k?uploads"), "", ONE)).await;
    let part = format!("/bucket/k?partNumber=1&uploadId={}", begun.is(200).element("UploadId").unwrap());
    rule(&bed, &blocked(&["SSE-C"])).await.is(200);
    let told = bed.get("/bucket?encryption").await;
    assert_eq!(told.is(200).elements("EncryptionType"), ["SSE-C"]);
    assert_eq!(told.element("SSEAlgorithm"), None, "nothing is encrypted that asks for nothing");

    let copy = |address: &str| Draft::new(Method::PUT, address).header("x-amz-copy-source", "/bucket/before");
    for draft in [
        with_key(put("k"), "", ONE),
        with_key(with_key(copy("/bucket/copy"), "copy-source-", ONE), "", ONE),
        with_key(Draft::new(Method::POST, "/bucket/k?uploads"), "", ONE),
        with_key(Draft::new(Method::PUT, &part).body("x"), "", ONE),
        with_key(with_key(copy(&part), "copy-source-", ONE), "", ONE),
    ] {
        let what = format!("{} {}", draft.method, draft.address);
        let answer = bed.send(draft).await;
        let message = answer.is_error(403, "AccessDenied").element("Message").unwrap();
        assert!(message.contains("SSE-C") && message.contains("PutBucketEncryption"), "{what}: {message}");
    }
    assert_eq!(bed.send(with_key(get("before"), "", ONE)).await.is(200).text(), "hello");
    bed.send(put("k").header(METHOD, "AES256")).await.is(200);

    let everyone = json!({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::bucket/*"}});
    bed.put("/bucket?policy", everyone.to_string()).await.is(204);
    let name = |rest: &str| format!("x-amz-server-side-encryption-customer-{rest}");
    let (algorithm, key, md5) = (name("algorithm"), name("key"), name("key-md5"));
    let fields = [("key", "posted"), (&algorithm, "AES256"), (&key, ONE.0), (&md5, ONE.1)];
    bed.raw(form(&fields, "f.txt", "hello").anonymous()).await.is_error(403, "AccessDenied");
    bed.raw(form(&[("key", "posted")], "f.txt", "hello").anonymous()).await.is(204);

    // What is not said again stays.
    rule(&bed, AES256).await.is(200);
    let told = bed.get("/bucket?encryption").await;
    assert_eq!(
        (told.elements("EncryptionType"), told.elements("SSEAlgorithm")),
        (vec!["SSE-C".into()], vec!["AES256".into()])
    );
    bed.delete("/bucket?encryption").await.is(204);
    assert_eq!(bed.get("/bucket?encryption").await.is(200).elements("EncryptionType"), ["SSE-C"]);
    bed.send(with_key(put("k"), "", ONE)).await.is_error(403, "AccessDenied");

    rule(&bed, &format!("{AES256}{}", blocked(&["NONE"]))).await.is(200);
    assert_eq!(bed.get("/bucket?encryption").await.elements("EncryptionType"), ["NONE"]);
    bed.send(with_key(put("k"), "", ONE)).await.is(200);

    rule(&bed, &blocked(&["SSE-C", "NONE"])).await.is_error(400, "InvalidArgument");
    rule(&bed, &blocked(&["SSE-S3"])).await.is_error(400, "MalformedXML");
    rule(&bed, &blocked(&[])).await.is_error(400, "MalformedXML");
    rule(&bed, "").await.is_error(400, "MalformedXML");
}

async fn only_for(bed: &Bed, account: &str) {
    let policy = json!({"Statement": {"Effect": "Allow", "Principal": {"CanonicalUser": account}, "Action": "kms:*",
        "Resource": "*"}});
    let operator = Caller::internal("admin", &Random::seeded(1));
    bed.objects.set_key_policy(&operator, "named", policy.to_string()).await.unwrap();
}

#[tokio::test]
async fn who_may_not_use_a_key_is_told_which_and_what_to_do() {
    let bed = Bed::with_bucket().await;
    let kms = |draft: Draft| draft.header(METHOD, "aws:kms").header(KMS_KEY, "named");
    bed.send(kms(put("k"))).await.is(200);
    only_for(&bed, &bed.bob_id).await;
    for (draft, action) in [(kms(put("other")), "kms:GenerateDataKey"), (get("k"), "kms:Decrypt")] {
        let message = bed.send(draft).await.is_error(403, "AccessDenied").element("Message").unwrap();
        assert!(message.contains(action) && message.contains("named") && message.contains("policy"), "{message}");
    }
    bed.send(Draft::new(Method::HEAD, "/bucket/k")).await.is(200);
    only_for(&bed, &bed.alice_id).await;
    assert_eq!(bed.send(get("k")).await.is(200).text(), "hello");
    // By ARN it is the same key.
    for arn in ["arn:aws:kms:us-east-1:111122223333:key/named", "arn:minio:kms:::named"] {
        let made = bed.send(put("by-arn").header(METHOD, "aws:kms").header(KMS_KEY, arn)).await;
        assert_eq!(made.is(200).header(KMS_KEY), Some("named"), "{arn}");
    }
}

#[tokio::test]
async fn a_default_tells_the_arn_that_it_was_given() {
    let bed = Bed::with_bucket().await;
    let arn = "arn:aws:kms:us-east-1:111122223333:key/named";
    let named = |key: &str| {
        format!(
            "<ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>{key}</KMSMasterKeyID>\
             </ApplyServerSideEncryptionByDefault>"
        )
    };
    rule(&bed, &named(arn)).await.is(200);
    assert_eq!(bed.get("/bucket?encryption").await.element("KMSMasterKeyID").as_deref(), Some(arn));
    assert_eq!(bed.send(put("k")).await.is(200).header(KMS_KEY), Some("named"));
    only_for(&bed, &bed.bob_id).await;
    bed.send(put("k")).await.is_error(403, "AccessDenied");
    rule(&bed, &named(arn)).await.is_error(403, "AccessDenied");
    rule(&bed, &named("named")).await.is_error(403, "AccessDenied");
}

fn update(key: &str, sealed: &str) -> Draft {
    let document = format!("<ObjectEncryption>{sealed}</ObjectEncryption>");
    Draft::new(Method::PUT, &format!("/bucket/{key}?encryption")).body(document)
}

fn under(arn: &str) -> String {
    format!("<SSE-KMS><KMSKeyArn>{arn}</KMSKeyArn><BucketKeyEnabled>true</BucketKeyEnabled></SSE-KMS>")
}

#[tokio::test]
async fn update_object_encryption_changes_the_key_alone() {
    let bed = bed_with_bucket().await;
    bed.send(put("k").header(METHOD, "AES256").header("x-amz-meta-a", "b")).await.is(200);
    let before = bed.send(get("k")).await;
    let updated = bed.send(update("k", &under("arn:aws:kms:us-east-1:111122223333:key/named"))).await;
    assert!(updated.is(200).body.is_empty());
    let after = bed.send(get("k")).await;
    assert_eq!((after.is(200).text().as_str(), after.header(METHOD)), ("hello", Some("aws:kms")));
    assert_eq!(after.header(KMS_KEY), Some("named"));
    assert_eq!(after.header("x-amz-server-side-encryption-bucket-key-enabled"), Some("true"));
    for name in ["etag", "last-modified", "x-amz-meta-a", "content-length"] {
        assert_eq!(after.header(name), before.header(name), "{name}");
    }
}

#[tokio::test]
async fn update_object_encryption_refuses_in_awss_words() {
    let bed = bed_with_bucket().await;
    let named = under("arn:aws:kms:::key/named");
    bed.send(put("clear")).await.is(200);
    bed.send(with_key(put("client"), "", ONE)).await.is(200);
    bed.send(put("dual").header(METHOD, "aws:kms:dsse")).await.is(200);
    bed.send(put("k").header(METHOD, "AES256")).await.is(200);
    for (key, sealed, words) in [
        ("clear", named.as_str(), "unencrypted source objects"),
        ("client", &named, "DSSE-KMS or SSE-C"),
        ("dual", &named, "DSSE-KMS or SSE-C"),
        ("k", "<SSE-S3/>", "valid new encryption type"),
        ("k", "", "valid new encryption type"),
        ("k", "<SSE-C/>", "updating the encryption type to DSSE-KMS or SSE-C"),
        ("k", "<SSE-KMS><BucketKeyEnabled>true</BucketKeyEnabled></SSE-KMS>", "require an AWS KMS key"),
        ("k", "<SSE-KMS><KMSKeyArn>a</KMSKeyArn><BucketKeyEnabled>x</BucketKeyEnabled></SSE-KMS>", "BucketKeyEnabled"),
        ("k", &under("arn:aws:kms:us-east-1:111122223333:alias/named"), "valid AWS KMS key"),
    ] {
        let answer = bed.send(update(key, sealed)).await;
        let message = answer.is_error(400, "InvalidRequest").element("Message").unwrap();
        assert!(message.contains(words), "{key} {sealed}: {message}");
    }
    bed.send(update("k", &under("none"))).await.is_error(400, "KMS.NotFoundException");
    bed.send(update("absent", &named)).await.is_error(404, "NoSuchKey");
    bed.put("/bucket/k?encryption", "<Other/>").await.is_error(400, "MalformedXML");
    bed.put("/bucket/k?encryption", "").await.is_error(400, "MissingRequestBodyError");
    bed.by_bob(update("k", &named)).await.is_error(403, "AccessDenied");
    bed.by_anyone(update("k", &named)).await.is_error(403, "AccessDenied");
    assert_eq!(bed.send(get("k")).await.header(METHOD), Some("AES256"));
}
