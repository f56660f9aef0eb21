//! Access control lists, ownership controls and the public access block over the door.

use crate::bed::{Answer, Bed};
use crate::sign::Draft;
use cofre_types::{AccountId, BucketName};
use http::Method;

const ALL_USERS: &str = "http://acs.amazonaws.com/groups/global/AllUsers";

fn put(address: &str, headers: &[(&str, &str)]) -> Draft {
    headers.iter().fold(Draft::new(Method::PUT, address), |draft, (name, value)| draft.header(name, value))
}

fn get(address: &str) -> Draft {
    Draft::new(Method::GET, address)
}

fn list(owner: &str, grants: &[(&str, &str)]) -> String {
    let grants: String = grants
        .iter()
        .map(|(grantee, permission)| {
            format!("<Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" {grantee}</Grantee><Permission>{permission}</Permission></Grant>")
        })
        .collect();
    format!(
        "<AccessControlPolicy><Owner><ID>{owner}</ID></Owner><AccessControlList>{grants}</AccessControlList></AccessControlPolicy>"
    )
}

fn user(id: &str) -> String {
    format!("xsi:type=\"CanonicalUser\"><ID>{id}</ID>")
}

/// The permissions and the names behind them, as a list tells them.
fn told(answer: &Answer) -> (Vec<String>, Vec<String>) {
    (answer.is(200).elements("Permission"), answer.elements("DisplayName"))
}

#[tokio::test]
async fn lists_are_told_and_replaced() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket/key", "x").await.is(200);
    for address in ["/bucket?acl", "/bucket/key?acl"] {
        let private = bed.get(address).await;
        assert_eq!(told(&private).0, ["FULL_CONTROL"], "{}", private.text());
        assert_eq!(private.elements("ID"), [bed.alice_id.clone(), bed.alice_id.clone()]);
        assert!(private.text().contains("xsi:type=\"CanonicalUser\""), "{}", private.text());

        bed.send(put(address, &[("x-amz-acl", "public-read")])).await.is(200);
        let public = bed.get(address).await;
        assert_eq!(
            (told(&public).0, public.elements("URI")),
            (vec!["READ".into(), "FULL_CONTROL".into()], vec![ALL_USERS.into()])
        );

        let email = "xsi:type=\"AmazonCustomerByEmail\"><EmailAddress>bob@example.com</EmailAddress>";
        let body = list(&bed.alice_id, &[(&user(&bed.alice_id), "READ_ACP"), (email, "WRITE")]);
        bed.put(address, body).await.is(200);
        let by_id = bed.get(address).await;
        assert_eq!(
            told(&by_id),
            (vec!["READ_ACP".into(), "WRITE".into()], ["alice", "bob", "alice"].map(String::from).into())
        );

        bed.put(address, list(&bed.alice_id, &[])).await.is(200);
        assert_eq!(told(&bed.get(address).await).0, Vec::<String>::new(), "nobody but the owner may even look");
        bed.send(put(address, &[("x-amz-acl", "private")])).await.is(200);
        assert_eq!(bed.get(address).await.text(), private.text());
    }
}

#[tokio::test]
async fn what_is_no_list_is_refused() {
    let bed = Bed::with_bucket().await;
    let nobody = "0".repeat(64);
    let by_email = "xsi:type=\"AmazonCustomerByEmail\"><EmailAddress>none@example.com</EmailAddress>";
    let group = "xsi:type=\"Group\"><URI>http://acs.amazonaws.com/groups/global/Nobody</URI>";
    for (grantee, permission, status, code) in [
        (user(&nobody), "READ", 400, "InvalidArgument"),
        (user("ann"), "READ", 400, "InvalidArgument"),
        (by_email.to_owned(), "READ", 400, "UnresolvableGrantByEmailAddress"),
        (group.to_owned(), "READ", 400, "InvalidArgument"),
        (user(&bed.bob_id), "EXECUTE", 400, "MalformedACLError"),
    ] {
        let body = list(&bed.alice_id, &[(&grantee, permission)]);
        bed.put("/bucket?acl", body).await.is_error(status, code);
    }
    bed.put("/bucket?acl", "").await.is_error(400, "MissingSecurityHeader");
    bed.send(put("/bucket?acl", &[("x-amz-acl", "open")])).await.is_error(400, "InvalidArgument");
    let both = put("/bucket?acl", &[("x-amz-acl", "private")]).body(list(&bed.alice_id, &[]));
    bed.send(both).await.is_error(400, "UnexpectedContent");
    let ownerless = "<AccessControlPolicy><AccessControlList></AccessControlList></AccessControlPolicy>";
    bed.put("/bucket?acl", ownerless).await.is_error(400, "MalformedACLError");
}

#[tokio::test]
async fn every_write_may_bring_a_list() {
    let bed = Bed::with_bucket().await;
    let public = [("x-amz-acl", "public-read")];
    bed.send(put("/bucket/put", &public).body("x")).await.is(200);
    let copy = put("/bucket/copy", &[("x-amz-acl", "public-read"), ("x-amz-copy-source", "/bucket/put")]);
    bed.send(copy).await.is(200);
    let create = Draft::new(Method::POST, "/bucket/parts?uploads").header("x-amz-acl", "public-read");
    let id = bed.send(create).await.is(200).element("UploadId").unwrap();
    let part = bed.put(&format!("/bucket/parts?partNumber=1&uploadId={id}"), "x").await;
    let etag = part.is(200).header("etag").unwrap().to_owned();
    let complete = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    );
    bed.post(&format!("/bucket/parts?uploadId={id}"), complete).await.is(200);
    for key in ["put", "copy", "parts"] {
        assert_eq!(bed.by_anyone(get(&format!("/bucket/{key}"))).await.is(200).text(), "x", "{key}");
    }
    bed.send(put("/bucket/plain", &[("x-amz-copy-source", "/bucket/put")])).await.is(200);
    bed.by_anyone(get("/bucket/plain")).await.is_error(403, "AccessDenied");

    let granted = format!("id=\"{}\"", bed.bob_id);
    bed.send(put("/shared", &[("x-amz-grant-read", &granted), ("x-amz-grant-write", &granted)])).await.is(200);
    bed.by_bob(get("/shared")).await.is(200);
    bed.by_bob(put("/shared/key", &[]).body("x")).await.is(200);
    bed.by_anyone(get("/shared")).await.is_error(403, "AccessDenied");
}

#[tokio::test]
async fn the_writer_owns_what_it_puts_unless_controls_say_otherwise() {
    const FULL: &[(&str, &str)] = &[("x-amz-acl", "bucket-owner-full-control")];
    for (ownership, plain, full) in [
        (None, "bob", "bob"),
        (Some("ObjectWriter"), "bob", "bob"),
        (Some("BucketOwnerPreferred"), "bob", "alice"),
        (Some("BucketOwnerEnforced"), "alice", "alice"),
    ] {
        let bed = Bed::new().await;
        let create = ownership.map(|ownership| ("x-amz-object-ownership", ownership));
        bed.send(put("/bucket", create.as_slice())).await.is(200);
        let policy = r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:*",
            "Resource": ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"]}}"#;
        bed.put("/bucket?policy", policy).await.is(204);
        for (key, headers, owner) in [("plain", &[][..], plain), ("full", FULL, full)] {
            let address = format!("/bucket/{key}");
            bed.by_bob(put(&address, headers).body("x")).await.is(200);
            let acl = bed.by_bob(get(&format!("{address}?acl"))).await;
            assert_eq!(
                acl.is(200).elements("DisplayName").last().map(String::as_str),
                Some(owner),
                "{ownership:?} {key}"
            );
            let may_read = owner == "alice" || key == "full";
            assert_eq!(bed.get(&address).await.status == 200, may_read, "{ownership:?} {key} by the bucket's owner");
            bed.delete(&address).await.is(204);
        }
    }
}

#[tokio::test]
async fn lists_can_be_disabled() {
    let bed = Bed::new().await;
    let enforced =
        "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>";
    let made = put("/bucket", &[("x-amz-acl", "public-read"), ("x-amz-object-ownership", "BucketOwnerEnforced")]);
    bed.send(made).await.is_error(400, "InvalidBucketAclWithObjectOwnership");
    bed.send(put("/bucket", &[("x-amz-acl", "public-read")])).await.is(200);
    bed.send(put("/bucket/public", &[("x-amz-acl", "public-read")]).body("x")).await.is(200);
    bed.put("/bucket?ownershipControls", enforced).await.is_error(400, "InvalidBucketAclWithObjectOwnership");
    bed.send(put("/bucket?acl", &[("x-amz-acl", "private")])).await.is(200);
    bed.get("/bucket?ownershipControls").await.is_error(404, "OwnershipControlsNotFoundError");
    bed.by_anyone(get("/bucket/public")).await.is(200);

    bed.put("/bucket?ownershipControls", enforced).await.is(200);
    let told = bed.get("/bucket?ownershipControls").await;
    assert_eq!(told.is(200).element("ObjectOwnership").as_deref(), Some("BucketOwnerEnforced"));
    bed.by_anyone(get("/bucket/public")).await.is_error(403, "AccessDenied");
    for address in ["/bucket?acl", "/bucket/public?acl"] {
        bed.send(put(address, &[("x-amz-acl", "private")])).await.is_error(400, "AccessControlListNotSupported");
    }
    bed.send(put("/bucket/k", &[("x-amz-acl", "private")])).await.is_error(400, "AccessControlListNotSupported");
    bed.send(put("/bucket/k", &[("x-amz-acl", "bucket-owner-full-control")])).await.is(200);
    bed.delete("/bucket?ownershipControls").await.is(204);
    bed.by_anyone(get("/bucket/public")).await.is(200);
}

#[tokio::test]
async fn a_public_access_block_refuses_what_is_public() {
    let bed = Bed::with_bucket().await;
    bed.get("/bucket?publicAccessBlock").await.is_error(404, "NoSuchPublicAccessBlockConfiguration");
    let public = [("x-amz-acl", "public-read")];
    bed.send(put("/bucket/before", &public).body("x")).await.is(200);
    let block = |names: &[&str]| {
        let set: String = names.iter().map(|name| format!("<{name}>true</{name}>")).collect();
        format!("<PublicAccessBlockConfiguration>{set}</PublicAccessBlockConfiguration>")
    };
    bed.put("/bucket?publicAccessBlock", block(&["BlockPublicAcls", "BlockPublicPolicy"])).await.is(200);
    let told = bed.get("/bucket?publicAccessBlock").await;
    assert_eq!(told.is(200).element("BlockPublicAcls").as_deref(), Some("true"));
    assert_eq!(told.element("IgnorePublicAcls").as_deref(), Some("false"));
    for address in ["/bucket?acl", "/bucket/before?acl", "/bucket/new"] {
        bed.send(put(address, &public)).await.is_error(403, "AccessDenied");
    }
    let copy = put("/bucket/new", &[("x-amz-acl", "public-read"), ("x-amz-copy-source", "/bucket/before")]);
    bed.send(copy).await.is_error(403, "AccessDenied");
    let open = r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*"}}"#;
    bed.put("/bucket?policy", open).await.is_error(403, "AccessDenied");
    bed.by_anyone(get("/bucket/before")).await.is(200);

    bed.put("/bucket?publicAccessBlock", block(&["IgnorePublicAcls"])).await.is(200);
    bed.by_anyone(get("/bucket/before")).await.is_error(403, "AccessDenied");
    bed.put("/bucket?policy", open).await.is(204);
    bed.by_anyone(get("/bucket/before")).await.is(200);
    bed.put("/bucket?publicAccessBlock", block(&["RestrictPublicBuckets"])).await.is(200);
    bed.delete("/bucket/before").await.is(204);
    bed.put("/bucket/private", "x").await.is(200);
    bed.by_anyone(get("/bucket/private")).await.is_error(403, "AccessDenied");
    bed.by_bob(get("/bucket/private")).await.is_error(403, "AccessDenied");
    bed.get("/bucket/private").await.is(200);
    bed.delete("/bucket?publicAccessBlock").await.is(204);
    bed.by_anyone(get("/bucket/private")).await.is(200);
}

#[tokio::test]
async fn uploads_name_who_began_them_and_who_will_own() {
    let bed = Bed::with_bucket().await;
    bed.send(put("/bucket?acl", &[("x-amz-acl", "public-read-write")])).await.is(200);
    let create = Draft::new(Method::POST, "/bucket/key?uploads");
    let id = bed.by_bob(create).await.is(200).element("UploadId").unwrap();
    let listed = bed.get("/bucket?uploads").await;
    assert_eq!(listed.is(200).elements("DisplayName"), ["bob", "bob"]);
    assert_eq!(listed.elements("ID"), [bed.bob_id.clone(), bed.bob_id.clone()]);
    bed.by_anyone(Draft::new(Method::DELETE, &format!("/bucket/key?uploadId={id}")))
        .await
        .is_error(403, "AccessDenied");
    bed.by_bob(get(&format!("/bucket/key?uploadId={id}"))).await.is(200);
    bed.by_bob(Draft::new(Method::DELETE, &format!("/bucket/key?uploadId={id}"))).await.is(204);
}

#[tokio::test]
async fn nobody_grants_without_credentials_whatever_a_list_says() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket/key", "x").await.is(200);
    let everyone = format!("uri=\"{ALL_USERS}\"");
    for address in ["/bucket?acl", "/bucket/key?acl"] {
        bed.send(put(address, &[("x-amz-grant-full-control", &everyone)])).await.is(200);
        bed.by_anyone(get(address)).await.is(200);
        let owner = list(&bed.alice_id, &[(&user(&bed.alice_id), "FULL_CONTROL")]);
        for refused in [put(address, &[("x-amz-acl", "private")]), put(address, &[]).body(owner)] {
            let refused = bed.by_anyone(refused).await;
            let told = refused.is_error(403, "AccessDenied").element("Message").unwrap();
            assert_eq!(told, "Anonymous users cannot invoke this API. Please authenticate.");
        }
        bed.by_anyone(get(address)).await.is(200);
        bed.by_bob(put(address, &[("x-amz-grant-full-control", &everyone)])).await.is(200);
    }
}

#[tokio::test]
async fn a_bucket_that_was_handed_over_keeps_its_lists_disabled() {
    let bed = Bed::with_bucket().await;
    let root = cofre_iam::Caller::internal("test", &cofre_runtime::Random::seeded(3));
    let (name, bob) = (BucketName::parse("bucket").unwrap(), AccountId::parse(&bed.bob_id).unwrap());
    bed.objects.hand_bucket_over(&root, &name, bob).await.unwrap();
    let controls = |ownership: &str| {
        format!("<OwnershipControls><Rule><ObjectOwnership>{ownership}</ObjectOwnership></Rule></OwnershipControls>")
    };
    let set = |ownership: &str| Draft::new(Method::PUT, "/bucket?ownershipControls").body(controls(ownership));
    for ownership in ["ObjectWriter", "BucketOwnerPreferred"] {
        bed.by_bob(set(ownership)).await.is_error(409, "InvalidBucketState");
    }
    let delete = Draft::new(Method::DELETE, "/bucket?ownershipControls");
    bed.by_bob(delete).await.is_error(409, "InvalidBucketState");
    // What it is may be said again, and stays what it is.
    bed.by_bob(set("BucketOwnerEnforced")).await.is(200);
    bed.by_bob(set("ObjectWriter")).await.is_error(409, "InvalidBucketState");
    let told = bed.by_bob(get("/bucket?ownershipControls")).await;
    assert_eq!(told.is(200).element("ObjectOwnership").as_deref(), Some("BucketOwnerEnforced"));
    bed.by_bob(put("/bucket?acl", &[("x-amz-acl", "public-read")]))
        .await
        .is_error(400, "AccessControlListNotSupported");
}
