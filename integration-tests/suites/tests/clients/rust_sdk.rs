use anyhow::Result;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart, Delete, ObjectIdentifier};
use aws_sdk_s3::{Client, Config};
use cofre_harness::{Cofre, Fill, Options, Tool};
use std::time::Duration;

pub(crate) const BUCKET: &str = "rust-sdk";

fn client(cofre: &Cofre) -> Client {
    let signer = cofre.signer();
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(format!("http://{}", cofre.s3()))
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new(&signer.access_key, &signer.secret_key, None, None, "test"))
        .force_path_style(true)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    Client::from_conf(config)
}

pub(crate) fn run(test: impl AsyncFnOnce(&Client) -> Result<()>) -> Result<()> {
    let cofre = Cofre::start(Options::new())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = client(&cofre);
        client.create_bucket().bucket(BUCKET).send().await?;
        test(&client).await
    })
}

#[test]
fn puts_gets_and_lists() -> Result<()> {
    run(async |client| {
        let body = Fill(1).bytes(300_000);
        let put = client.put_object().bucket(BUCKET).key("a/ü b").body(ByteStream::from(body.clone()));
        let put = put.metadata("name", "value").content_type("text/x-test").send().await?;
        // The SDK sends a CRC32 in a trailer by itself, and holds the answer against it.
        assert!(put.checksum_crc32().is_some());

        let got = client.get_object().bucket(BUCKET).key("a/ü b").send().await?;
        assert_eq!((got.content_type(), got.e_tag()), (Some("text/x-test"), put.e_tag()));
        assert_eq!(got.metadata().and_then(|metadata| metadata.get("name")).map(String::as_str), Some("value"));
        assert_eq!(got.body.collect().await?.into_bytes(), body);
        let part = client.get_object().bucket(BUCKET).key("a/ü b").range("bytes=100-199").send().await?;
        assert_eq!(part.body.collect().await?.into_bytes(), body[100..200]);

        for key in ["a/1", "a/2", "b/1", "c"] {
            client.put_object().bucket(BUCKET).key(key).send().await?;
        }
        let mut pages = client.list_objects_v2().bucket(BUCKET).max_keys(2).into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            keys.extend(page?.contents().iter().filter_map(|object| object.key().map(str::to_owned)));
        }
        assert_eq!(keys, ["a/1", "a/2", "a/ü b", "b/1", "c"]);
        let rolled = client.list_objects_v2().bucket(BUCKET).delimiter("/").send().await?;
        assert_eq!((rolled.common_prefixes().len(), rolled.contents().len()), (2, 1));

        let objects = keys.iter().map(|key| ObjectIdentifier::builder().key(key).build()).collect::<Result<_, _>>()?;
        let delete = Delete::builder().set_objects(Some(objects)).build()?;
        let deleted = client.delete_objects().bucket(BUCKET).delete(delete).send().await?;
        assert_eq!((deleted.deleted().len(), deleted.errors().len()), (5, 0));
        client.delete_bucket().bucket(BUCKET).send().await?;
        Ok(())
    })
}

#[test]
fn uploads_in_parts() -> Result<()> {
    run(async |client| {
        let body = Fill(2).bytes((11 << 20) + 5);
        let upload = client.create_multipart_upload().bucket(BUCKET).key("parts");
        let upload = upload.checksum_algorithm(ChecksumAlgorithm::Crc64Nvme).send().await?;
        let id = upload.upload_id().unwrap_or_default();
        let mut parts = Vec::new();
        // The last part first: the order in which they come means nothing.
        for (number, piece) in body.chunks(5 << 20).enumerate().rev() {
            let number = i32::try_from(number)? + 1;
            let part = client.upload_part().bucket(BUCKET).key("parts").upload_id(id).part_number(number);
            let part = part.checksum_algorithm(ChecksumAlgorithm::Crc64Nvme).body(ByteStream::from(piece.to_vec()));
            let part = part.send().await?;
            let done = CompletedPart::builder().part_number(number).set_e_tag(part.e_tag().map(str::to_owned));
            parts.push(done.set_checksum_crc64_nvme(part.checksum_crc64_nvme().map(str::to_owned)).build());
        }
        parts.reverse();
        let whole = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let done = client.complete_multipart_upload().bucket(BUCKET).key("parts").upload_id(id).multipart_upload(whole);
        let done = done.send().await?;
        assert!(done.e_tag().is_some_and(|etag| etag.ends_with("-3\"")), "{done:?}");
        let got = client.get_object().bucket(BUCKET).key("parts").send().await?;
        assert_eq!(got.body.collect().await?.into_bytes(), body);

        let copy =
            client.copy_object().bucket(BUCKET).key("copy").copy_source(format!("{BUCKET}/parts")).send().await?;
        assert!(copy.copy_object_result().is_some());
        let got = client.get_object().bucket(BUCKET).key("copy").send().await?;
        assert_eq!(got.body.collect().await?.into_bytes(), body);
        Ok(())
    })
}

#[test]
fn holds_conditions_and_knows_errors() -> Result<()> {
    run(async |client| {
        let put = || client.put_object().bucket(BUCKET).key("once").body(ByteStream::from_static(b"once"));
        let first = put().if_none_match("*").send().await?;
        let second = put().if_none_match("*").send().await.expect_err("it is there already").into_service_error();
        assert_eq!(second.code(), Some("PreconditionFailed"));
        let stale = put().if_match("\"00000000000000000000000000000000\"").send().await;
        assert_eq!(stale.expect_err("another ETag").into_service_error().code(), Some("PreconditionFailed"));
        put().if_match(first.e_tag().unwrap_or_default()).send().await?;

        let missing = client.get_object().bucket(BUCKET).key("missing").send().await;
        assert!(missing.expect_err("it is not there").into_service_error().is_no_such_key());
        let missing = client.head_object().bucket(BUCKET).key("missing").send().await;
        assert!(missing.expect_err("it is not there").into_service_error().is_not_found());
        Ok(())
    })
}

#[test]
fn presigns() -> Result<()> {
    run(async |client| {
        let valid = PresigningConfig::expires_in(Duration::from_secs(60))?;
        let put = client.put_object().bucket(BUCKET).key("link").presigned(valid.clone()).await?;
        let curl =
            |arguments: &[&str]| Tool::new("curl").args(&["--silent", "--show-error", "--fail"]).args(arguments).run();
        let headers: Vec<String> = put.headers().map(|(name, value)| format!("{name}: {value}")).collect();
        let headers: Vec<&str> = headers.iter().flat_map(|header| ["--header", header.as_str()]).collect();
        curl(&[&["--request", "PUT", "--data-binary", "linked", put.uri()], &headers[..]].concat())?;
        let get = client.get_object().bucket(BUCKET).key("link").presigned(valid).await?;
        assert_eq!(curl(&[get.uri()])?, "linked");
        Ok(())
    })
}
