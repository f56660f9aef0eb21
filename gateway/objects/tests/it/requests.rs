//! Requests as plain as can be.

use bytes::Bytes;
use cofre_objects::{
    DeclaredChecksum, EncryptAs, GetObject, PutObject, RangeOf, ReadConditions, Upload, WriteConditions,
};
use cofre_shards::Body;
use cofre_types::{BucketName, ObjectKey};

/// A key of the bed's service whose name has the form of an ARN.
pub const ARN_NAME: &str = "arn:aws:kms:us-east-1:111122223333:key/one";

pub fn bucket(name: &str) -> BucketName {
    // Names in tests are short; real ones have three characters at least.
    BucketName::parse(&format!("bucket-{name}")).unwrap()
}

pub fn key(name: &str) -> ObjectKey {
    ObjectKey::parse(name).unwrap()
}

pub fn upload(body: &[u8]) -> Upload {
    Upload { body: Body::Whole(Bytes::copy_from_slice(body)), content_md5: None, checksum: DeclaredChecksum::None }
}

pub fn put(name: &str, body: &[u8]) -> PutObject {
    PutObject {
        bucket: bucket("b"),
        key: key(name),
        upload: upload(body),
        headers: Default::default(),
        tags: Default::default(),
        storage_class: String::new(),
        lock: Default::default(),
        acl: None,
        encryption: EncryptAs::AsBucket,
        conditions: WriteConditions::default(),
    }
}

pub fn get(name: &str) -> GetObject {
    GetObject {
        bucket: bucket("b"),
        key: key(name),
        version: None,
        range: None,
        range_of: RangeOf::Any,
        part: None,
        customer_key: None,
        conditions: ReadConditions::default(),
    }
}
