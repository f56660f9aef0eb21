//! What a writer may do beside writing.

use crate::bed::{Bed, bucket, get, key, put};
use cofre_iam::{Caller, Origin, Policy, PolicyKind, Principal, RequestId};
use cofre_objects::{BucketConfig, CannedAcl, Error, GivenAcl, PutObject};
use cofre_runtime::Random;
use std::sync::Arc;

/// A bed whose bucket `b` everyone may put objects to.
async fn drop_box() -> Bed {
    let bed = Bed::with_bucket().await;
    let policy = format!(
        r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Principal": "*", "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::{}/*"}}}}"#,
        bucket("b")
    );
    bed.objects.put_bucket_config(&bed.alice, &bucket("b"), BucketConfig::Policy(policy)).await.unwrap();
    bed
}

async fn put_as(bed: &Bed, caller: &Caller, acl: CannedAcl) -> Result<(), Error> {
    let request = PutObject { acl: Some(GivenAcl::Canned(acl)), ..put("k", b"v") };
    bed.objects.put_object(caller, request).await.map(drop)
}

#[tokio::test]
async fn who_may_only_put_grants_nothing_of_what_another_will_own() {
    let bed = drop_box().await;
    let nobody = Caller::new(Principal::Anonymous, Origin::default(), RequestId::new(&Random::seeded(1)));
    // What someone without credentials puts is the bucket owner's.
    for acl in [CannedAcl::PublicRead, CannedAcl::AuthenticatedRead, CannedAcl::PublicReadWrite] {
        assert!(matches!(put_as(&bed, &nobody, acl).await, Err(Error::AccessDenied)), "{acl:?}");
    }
    put_as(&bed, &nobody, CannedAcl::Private).await.unwrap();
    assert!(matches!(bed.objects.get_object(&nobody, get("k")).await, Err(Error::AccessDenied)));
    // A list of the bucket that lets it write is another matter, as in AWS.
    bed.objects.put_bucket_acl(&bed.alice, &bucket("b"), GivenAcl::Canned(CannedAcl::PublicReadWrite)).await.unwrap();
    put_as(&bed, &nobody, CannedAcl::PublicRead).await.unwrap();
    bed.objects.put_bucket_acl(&bed.alice, &bucket("b"), GivenAcl::Canned(CannedAcl::Private)).await.unwrap();
    // What an account puts is its own.
    put_as(&bed, &bed.bob, CannedAcl::PublicRead).await.unwrap();
    assert!(bed.objects.get_object(&nobody, get("k")).await.is_ok());
    put_as(&bed, &bed.alice, CannedAcl::PublicRead).await.unwrap();
}

#[tokio::test]
async fn a_limit_without_the_right_to_grant_holds_for_lists_that_come_with_an_object() {
    let bed = Bed::with_bucket().await;
    let document =
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}}"#;
    let limit = Arc::new(Policy::parse(document, PolicyKind::Identity).unwrap());
    let limited = Caller { limits: vec![limit], ..bed.alice.clone() };
    assert!(matches!(put_as(&bed, &limited, CannedAcl::PublicRead).await, Err(Error::AccessDenied)));
    put_as(&bed, &limited, CannedAcl::Private).await.unwrap();
    let list = bed.objects.object_acl(&bed.alice, &bucket("b"), &key("k"), None).await.unwrap();
    assert_eq!(list.grants.len(), 1);
}
