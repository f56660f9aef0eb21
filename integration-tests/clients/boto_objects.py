"""Objects: what is put comes back, with its headers, metadata and tags, and only if conditions hold."""

import datetime
import io

from checks import BUCKET, client, done, equal, refused, true

s3 = client()
s3.create_bucket(Bucket=BUCKET)
equal([bucket["Name"] for bucket in s3.list_buckets()["Buckets"]], [BUCKET])
equal(s3.get_bucket_location(Bucket=BUCKET)["LocationConstraint"], None)
refused("NoSuchBucket", s3.list_objects_v2, Bucket="missing-bucket")


def read(key, **arguments):
    return s3.get_object(Bucket=BUCKET, Key=key, **arguments)["Body"].read()


# Contents of any size, from any kind of body.
for size in (0, 1, 4096, 65536, 65537, 1 << 20, 9 << 20):
    body = bytes(index * 7 % 251 for index in range(min(size, 4096))) * (size // 4096 or 1)
    body = body[:size] if size < 4096 else body
    s3.put_object(Bucket=BUCKET, Key=f"size/{size}", Body=io.BytesIO(body))
    equal(read(f"size/{size}"), body, size)
    equal(s3.head_object(Bucket=BUCKET, Key=f"size/{size}")["ContentLength"], len(body))

# Headers and metadata come back as they were sent.
sent = {
    "CacheControl": "max-age=60",
    "ContentDisposition": 'attachment; filename="a b"',
    "ContentEncoding": "gzip",
    "ContentLanguage": "pt",
    "ContentType": "text/x-test",
    "Metadata": {"name": "value", "empty": "", "case": "Kept As It Is"},
}
s3.put_object(Bucket=BUCKET, Key="headers", Body=b"x", Expires=datetime.datetime(2030, 1, 2), **sent)
for answer in (s3.head_object(Bucket=BUCKET, Key="headers"), s3.get_object(Bucket=BUCKET, Key="headers")):
    equal({name: answer[name] for name in sent}, sent)
    equal(answer["ExpiresString"], "Wed, 02 Jan 2030 00:00:00 GMT")
answer = s3.get_object(Bucket=BUCKET, Key="headers", ResponseContentType="text/other", ResponseCacheControl="no-store")
equal((answer["ContentType"], answer["CacheControl"]), ("text/other", "no-store"))
equal(s3.head_object(Bucket=BUCKET, Key="size/1")["ContentType"], "binary/octet-stream")

# Ranges.
s3.put_object(Bucket=BUCKET, Key="digits", Body=b"0123456789")
for asked, expected, told in (
    ("bytes=2-4", b"234", "bytes 2-4/10"),
    ("bytes=-3", b"789", "bytes 7-9/10"),
    ("bytes=7-", b"789", "bytes 7-9/10"),
):
    answer = s3.get_object(Bucket=BUCKET, Key="digits", Range=asked)
    equal((answer["Body"].read(), answer["ContentRange"]), (expected, told))
refused("InvalidRange", s3.get_object, Bucket=BUCKET, Key="digits", Range="bytes=10-")

# Conditions on reads.
head = s3.head_object(Bucket=BUCKET, Key="digits")
etag, modified = head["ETag"], head["LastModified"]
hour = datetime.timedelta(hours=1)
equal(read("digits", IfMatch=etag), b"0123456789")
equal(read("digits", IfNoneMatch='"other"'), b"0123456789")
equal(read("digits", IfModifiedSince=modified - hour), b"0123456789")
equal(read("digits", IfUnmodifiedSince=modified + hour), b"0123456789")
refused(412, s3.get_object, Bucket=BUCKET, Key="digits", IfMatch='"other"')
refused(304, s3.get_object, Bucket=BUCKET, Key="digits", IfNoneMatch=etag)
refused(304, s3.get_object, Bucket=BUCKET, Key="digits", IfModifiedSince=modified + hour)
refused(412, s3.get_object, Bucket=BUCKET, Key="digits", IfUnmodifiedSince=modified - hour)

# Conditions on writes and deletes.
s3.put_object(Bucket=BUCKET, Key="once", Body=b"1", IfNoneMatch="*")
refused("PreconditionFailed", s3.put_object, Bucket=BUCKET, Key="once", Body=b"2", IfNoneMatch="*")
refused("PreconditionFailed", s3.put_object, Bucket=BUCKET, Key="once", Body=b"2", IfMatch=etag)
refused("NoSuchKey", s3.put_object, Bucket=BUCKET, Key="never", Body=b"2", IfMatch=etag)
equal(read("once"), b"1")
refused("PreconditionFailed", s3.delete_object, Bucket=BUCKET, Key="once", IfMatch='"other"')
s3.delete_object(Bucket=BUCKET, Key="once", IfMatch=s3.head_object(Bucket=BUCKET, Key="once")["ETag"])
refused("NoSuchKey", s3.get_object, Bucket=BUCKET, Key="once")

# Copies, with and without their metadata and tags.
s3.put_object(Bucket=BUCKET, Key="from", Body=b"copied", Metadata={"a": "1"}, Tagging="tag=one&other=two")
source = {"Bucket": BUCKET, "Key": "from"}
s3.copy_object(Bucket=BUCKET, Key="to", CopySource=source)
equal((read("to"), s3.head_object(Bucket=BUCKET, Key="to")["Metadata"]), (b"copied", {"a": "1"}))
tags = s3.get_object_tagging(Bucket=BUCKET, Key="to")["TagSet"]
equal(sorted(tag["Key"] for tag in tags), ["other", "tag"])
s3.copy_object(
    Bucket=BUCKET, Key="to", CopySource=source, Metadata={"b": "2"}, MetadataDirective="REPLACE",
    Tagging="third=3", TaggingDirective="REPLACE",
)
equal(s3.head_object(Bucket=BUCKET, Key="to")["Metadata"], {"b": "2"})
equal(s3.get_object_tagging(Bucket=BUCKET, Key="to")["TagSet"], [{"Key": "third", "Value": "3"}])
refused("InvalidRequest", s3.copy_object, Bucket=BUCKET, Key="from", CopySource=source)
s3.copy_object(Bucket=BUCKET, Key="from", CopySource=source, Metadata={"c": "3"}, MetadataDirective="REPLACE")
equal(s3.head_object(Bucket=BUCKET, Key="from")["Metadata"], {"c": "3"})
refused("PreconditionFailed", s3.copy_object, Bucket=BUCKET, Key="no", CopySource=source, CopySourceIfMatch='"x"')
refused("NoSuchKey", s3.copy_object, Bucket=BUCKET, Key="no", CopySource={"Bucket": BUCKET, "Key": "missing"})

# Tags of objects and of the bucket. Velero sends an empty header.
s3.put_object(Bucket=BUCKET, Key="tagged", Body=b"", Tagging="")
equal(s3.get_object_tagging(Bucket=BUCKET, Key="tagged")["TagSet"], [])
s3.put_object_tagging(Bucket=BUCKET, Key="tagged", Tagging={"TagSet": [{"Key": "k", "Value": "v w"}]})
equal(s3.get_object_tagging(Bucket=BUCKET, Key="tagged")["TagSet"], [{"Key": "k", "Value": "v w"}])
equal(s3.get_object(Bucket=BUCKET, Key="tagged")["TagCount"], 1)
s3.delete_object_tagging(Bucket=BUCKET, Key="tagged")
equal(s3.get_object_tagging(Bucket=BUCKET, Key="tagged")["TagSet"], [])
refused("NoSuchTagSet", s3.get_bucket_tagging, Bucket=BUCKET)
s3.put_bucket_tagging(Bucket=BUCKET, Tagging={"TagSet": [{"Key": "team", "Value": "a"}]})
equal(s3.get_bucket_tagging(Bucket=BUCKET)["TagSet"], [{"Key": "team", "Value": "a"}])

# What is not set is answered as AWS answers it, so that Terraform can read a bucket.
equal(s3.get_bucket_request_payment(Bucket=BUCKET)["Payer"], "BucketOwner")
true("Status" not in s3.get_bucket_versioning(Bucket=BUCKET))
true("Status" not in s3.get_bucket_accelerate_configuration(Bucket=BUCKET))
true("LoggingEnabled" not in s3.get_bucket_logging(Bucket=BUCKET))
for code, call in (
    ("NoSuchBucketPolicy", s3.get_bucket_policy),
    ("NoSuchCORSConfiguration", s3.get_bucket_cors),
    ("NoSuchLifecycleConfiguration", s3.get_bucket_lifecycle_configuration),
    ("NoSuchWebsiteConfiguration", s3.get_bucket_website),
    ("ReplicationConfigurationNotFoundError", s3.get_bucket_replication),
    ("ObjectLockConfigurationNotFoundError", s3.get_object_lock_configuration),
):
    refused(code, call, Bucket=BUCKET)

# A bucket goes only when it is empty; many objects go at once.
refused("BucketNotEmpty", s3.delete_bucket, Bucket=BUCKET)
keys = [{"Key": entry["Key"]} for entry in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
answer = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": keys + [{"Key": "missing"}]})
equal((len(answer["Deleted"]), answer.get("Errors")), (len(keys) + 1, None))
s3.delete_bucket(Bucket=BUCKET)
refused(404, s3.head_bucket, Bucket=BUCKET)
done()
