//! What versions, locks, conditions, checksums and copies of parts are to programs that use the Rust SDK.

use crate::rust_sdk::{BUCKET, run};
use anyhow::{Context, Result};
use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{
    BucketVersioningStatus, ChecksumAlgorithm, ChecksumMode, CompletedMultipartUpload, CompletedPart, DefaultRetention,
    ObjectLockConfiguration, ObjectLockEnabled, ObjectLockLegalHoldStatus, ObjectLockMode, ObjectLockRetention,
    ObjectLockRetentionMode, ObjectLockRule, VersioningConfiguration,
};
use cofre_harness::{DataDir, Fill};
use cofre_runtime::Clock;

const MIB: usize = 1 << 20;
/// Two days, in seconds.
const TWO_DAYS_SECS: i64 = 2 * 86_400;

/// The code of a refusal; empty if the call was not refused.
fn code<T, E: ProvideErrorMetadata, R>(outcome: Result<T, SdkError<E, R>>) -> String {
    outcome.err().and_then(|error| error.as_service_error()?.code().map(str::to_owned)).unwrap_or_default()
}

async fn put(client: &Client, key: &str, body: &[u8]) -> Result<Option<String>> {
    let put = client.put_object().bucket(BUCKET).key(key).body(ByteStream::from(body.to_vec()));
    Ok(put.send().await?.version_id)
}

async fn read(client: &Client, key: &str, version: Option<&str>) -> Result<Vec<u8>> {
    let get = client.get_object().bucket(BUCKET).key(key).set_version_id(version.map(str::to_owned));
    Ok(get.send().await?.body.collect().await?.to_vec())
}

async fn version(client: &Client) -> Result<()> {
    let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    client.put_bucket_versioning().bucket(BUCKET).versioning_configuration(enabled).send().await?;
    Ok(())
}

#[test]
fn keeps_and_lists_versions() -> Result<()> {
    run(async |client| {
        version(client).await?;
        let mut made = Vec::new();
        for body in ["one", "two", "three"] {
            made.push(put(client, "k", body.as_bytes()).await?.context("a version")?);
        }
        assert_eq!(read(client, "k", None).await?, b"three");
        assert_eq!(read(client, "k", Some(&made[0])).await?, b"one");
        let marker = client.delete_object().bucket(BUCKET).key("k").send().await?;
        assert_eq!(marker.delete_marker(), Some(true));
        assert_eq!(code(client.get_object().bucket(BUCKET).key("k").send().await), "NoSuchKey");

        let mut pages = client.list_object_versions().bucket(BUCKET).max_keys(2);
        let (mut listed, mut markers) = (Vec::new(), Vec::new());
        loop {
            let page = pages.clone().send().await?;
            listed.extend(page.versions().iter().filter_map(|entry| entry.version_id().map(str::to_owned)));
            markers.extend(page.delete_markers().iter().filter_map(|entry| entry.version_id().map(str::to_owned)));
            if page.is_truncated() != Some(true) {
                break;
            }
            pages = pages.set_key_marker(page.next_key_marker().map(str::to_owned));
            pages = pages.set_version_id_marker(page.next_version_id_marker().map(str::to_owned));
        }
        made.reverse();
        assert_eq!((&listed, markers.len()), (&made, 1));

        let last = markers.pop().context("a marker")?;
        client.delete_object().bucket(BUCKET).key("k").version_id(last).send().await?;
        client.delete_object().bucket(BUCKET).key("k").version_id(&made[0]).send().await?;
        assert_eq!(read(client, "k", None).await?, b"two");
        Ok(())
    })
}

#[test]
fn writes_only_if_conditions_hold() -> Result<()> {
    run(async |client| {
        version(client).await?;
        put(client, "k", b"one").await?;
        let etag = client.head_object().bucket(BUCKET).key("k").send().await?.e_tag.context("an ETag")?;
        let write = || client.put_object().bucket(BUCKET).key("k").body(ByteStream::from_static(b"two"));
        assert_eq!(code(write().if_none_match("*").send().await), "PreconditionFailed");
        write().if_match(&etag).send().await?;
        assert_eq!(code(write().if_match(&etag).send().await), "PreconditionFailed", "it has changed");
        let delete = client.delete_object().bucket(BUCKET).key("k").if_match(&etag).send().await;
        assert_eq!(code(delete), "PreconditionFailed");

        // The condition of an upload in parts is held when it is completed, and a marker is no object.
        let upload = client.create_multipart_upload().bucket(BUCKET).key("k").send().await?;
        let id = upload.upload_id().context("an upload")?;
        let part = client.upload_part().bucket(BUCKET).key("k").upload_id(id).part_number(1);
        let part = part.body(ByteStream::from_static(b"three")).send().await?;
        let part =
            CompletedPart::builder().part_number(1).set_e_tag(part.e_tag).set_checksum_crc32(part.checksum_crc32);
        let whole = CompletedMultipartUpload::builder().parts(part.build()).build();
        let complete = || {
            let call = client.complete_multipart_upload().bucket(BUCKET).key("k").upload_id(id).if_none_match("*");
            call.multipart_upload(whole.clone()).send()
        };
        assert_eq!(code(complete().await), "PreconditionFailed");
        client.delete_object().bucket(BUCKET).key("k").send().await?;
        complete().await?;
        assert_eq!(read(client, "k", None).await?, b"three");
        Ok(())
    })
}

#[test]
fn sends_checksums_behind_bodies() -> Result<()> {
    run(async |client| {
        let folder = DataDir::new()?;
        let (file, body) = (folder.path().join("body"), Fill(3).bytes(3 * MIB + 7));
        std::fs::write(&file, &body)?;
        for algorithm in [
            ChecksumAlgorithm::Crc32,
            ChecksumAlgorithm::Crc32C,
            ChecksumAlgorithm::Crc64Nvme,
            ChecksumAlgorithm::Sha1,
            ChecksumAlgorithm::Sha256,
        ] {
            // A file is sent in chunks, with its checksum in a trailer; the SDK holds what it reads against it.
            let put = client.put_object().bucket(BUCKET).key(algorithm.as_str());
            let put = put.checksum_algorithm(algorithm.clone()).body(ByteStream::from_path(&file).await?);
            let put = put.send().await?;
            let got = client.get_object().bucket(BUCKET).key(algorithm.as_str()).checksum_mode(ChecksumMode::Enabled);
            let got = got.send().await?;
            let sums = [
                (put.checksum_crc32(), got.checksum_crc32()),
                (put.checksum_crc32_c(), got.checksum_crc32_c()),
                (put.checksum_crc64_nvme(), got.checksum_crc64_nvme()),
                (put.checksum_sha1(), got.checksum_sha1()),
                (put.checksum_sha256(), got.checksum_sha256()),
            ];
            assert!(sums.iter().all(|(sent, told)| sent == told), "{algorithm}: {sums:?}");
            assert_eq!(sums.iter().filter(|(sent, _)| sent.is_some()).count(), 1, "{algorithm}: {sums:?}");
            assert_eq!(got.content_encoding(), None, "how it was sent is not how it is stored");
            assert!(got.body.collect().await?.into_bytes() == body, "{algorithm}");
        }
        let wrong = client.put_object().bucket(BUCKET).key("wrong").checksum_crc32("AAAAAA==");
        assert_eq!(code(wrong.body(ByteStream::from_static(b"x")).send().await), "BadDigest");
        Ok(())
    })
}

#[test]
fn holds_what_is_locked() -> Result<()> {
    run(async |client| {
        let bucket = "rust-sdk-locked";
        client.create_bucket().bucket(bucket).object_lock_enabled_for_bucket(true).send().await?;
        let default = DefaultRetention::builder().mode(ObjectLockRetentionMode::Governance).days(1).build();
        let rule = ObjectLockRule::builder().default_retention(default).build();
        let lock =
            ObjectLockConfiguration::builder().object_lock_enabled(ObjectLockEnabled::Enabled).rule(rule).build();
        client.put_object_lock_configuration().bucket(bucket).object_lock_configuration(lock).send().await?;
        let held = client.put_object().bucket(bucket).key("k").body(ByteStream::from_static(b"held")).send().await?;
        let id = held.version_id().context("a version")?;
        let head = client.head_object().bucket(bucket).key("k").send().await?;
        assert_eq!(head.object_lock_mode(), Some(&ObjectLockMode::Governance));
        let delete = || client.delete_object().bucket(bucket).key("k").version_id(id);
        assert_eq!(code(delete().send().await), "AccessDenied");

        let hold = aws_sdk_s3::types::ObjectLockLegalHold::builder().status(ObjectLockLegalHoldStatus::On).build();
        client.put_object_legal_hold().bucket(bucket).key("k").legal_hold(hold).send().await?;
        assert_eq!(code(delete().bypass_governance_retention(true).send().await), "AccessDenied");
        let free = aws_sdk_s3::types::ObjectLockLegalHold::builder().status(ObjectLockLegalHoldStatus::Off).build();
        client.put_object_legal_hold().bucket(bucket).key("k").legal_hold(free).send().await?;

        let now = i64::try_from(Clock::system().now_nanos() / 1_000_000_000)?;
        let strict = ObjectLockRetention::builder().mode(ObjectLockRetentionMode::Compliance);
        let strict = strict.retain_until_date(DateTime::from_secs(now + TWO_DAYS_SECS)).build();
        let retain = || client.put_object_retention().bucket(bucket).key("k").retention(strict.clone());
        assert_eq!(code(retain().send().await), "AccessDenied", "the mode changes by the bypass alone");
        retain().bypass_governance_retention(true).send().await?;
        assert_eq!(code(delete().bypass_governance_retention(true).send().await), "AccessDenied");
        let got = client.get_object().bucket(bucket).key("k").version_id(id).send().await?;
        assert_eq!(got.object_lock_mode(), Some(&ObjectLockMode::Compliance));
        assert_eq!(got.body.collect().await?.to_vec(), b"held");
        Ok(())
    })
}

#[test]
fn copies_parts_of_versions() -> Result<()> {
    run(async |client| {
        version(client).await?;
        let body = Fill(4).bytes(12 * MIB);
        let first = put(client, "source", &body).await?.context("a version")?;
        put(client, "source", b"newer").await?;
        let upload = client.create_multipart_upload().bucket(BUCKET).key("copy").send().await?;
        let id = upload.upload_id().context("an upload")?;
        let source = format!("{BUCKET}/source?versionId={first}");
        let mut parts = Vec::new();
        for (number, (from, to)) in [(1, (0, 5 * MIB)), (2, (6 * MIB, 11 * MIB + 3)), (3, (7, 8))] {
            let copy = client.upload_part_copy().bucket(BUCKET).key("copy").upload_id(id).part_number(number);
            let copy = copy.copy_source(&source).copy_source_range(format!("bytes={from}-{}", to - 1)).send().await?;
            assert_eq!(copy.copy_source_version_id(), Some(first.as_str()));
            let result = copy.copy_part_result.context("a result")?;
            parts.push(CompletedPart::builder().part_number(number).set_e_tag(result.e_tag).build());
        }
        // The copy stands by itself: its source may go before it is complete.
        client.delete_object().bucket(BUCKET).key("source").version_id(&first).send().await?;
        let whole = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let complete = client.complete_multipart_upload().bucket(BUCKET).key("copy").upload_id(id);
        complete.multipart_upload(whole).send().await?;
        let expected = [&body[..5 * MIB], &body[6 * MIB..11 * MIB + 3], &body[7..8]].concat();
        assert!(read(client, "copy", None).await? == expected);
        Ok(())
    })
}
