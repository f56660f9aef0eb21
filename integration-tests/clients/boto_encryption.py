"""Encryption: under the server's key, a named key, the client's key, and the default of a bucket."""

import os

from checks import BUCKET, client, done, equal, refused, true

s3 = client()
s3.create_bucket(Bucket=BUCKET)
BODY = bytes(range(256)) * 4096
KMS = os.environ["KMS_KEY"]
MIB = 1 << 20


def read(key, **arguments):
    return s3.get_object(Bucket=BUCKET, Key=key, **arguments)["Body"].read()


def put(key, body=BODY, **arguments):
    return s3.put_object(Bucket=BUCKET, Key=key, Body=body, **arguments)


# Under the server's own key, and under a named one: answers say it, and reading asks for nothing.
for key, given in (
    ("s3", {"ServerSideEncryption": "AES256"}),
    ("kms", {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": KMS}),
):
    made = put(key, **given)
    got = s3.get_object(Bucket=BUCKET, Key=key)
    true(got["Body"].read() == BODY)
    for answer in (made, got, s3.head_object(Bucket=BUCKET, Key=key)):
        equal({name: answer.get(name) for name in given}, given)
    true(read(key, Range="bytes=70000-70099") == BODY[70000:70100])
true("ServerSideEncryption" not in put("plain"))
refused("KMS.NotFoundException", put, key="none", ServerSideEncryption="aws:kms", SSEKMSKeyId="no-such-key")
refused("InvalidArgument", put, key="none", ServerSideEncryption="rot13")
refused("InvalidArgument", put, key="none", ServerSideEncryption="AES256", SSEKMSKeyId=KMS)

# Under the client's key: nobody reads without it, not even what it is.
mine, other = ({"SSECustomerAlgorithm": "AES256", "SSECustomerKey": letter * 32} for letter in "ab")
made = put("mine", **mine)
true("ServerSideEncryption" not in made)
equal((made["SSECustomerAlgorithm"], len(made["SSECustomerKeyMD5"])), ("AES256", 24))
true(read("mine", **mine) == BODY)
true(read("mine", Range="bytes=-10", **mine) == BODY[-10:])
for ask in (s3.get_object, s3.head_object):
    refused(400, ask, Bucket=BUCKET, Key="mine")
    refused(400, ask, Bucket=BUCKET, Key="mine", **other)
refused("InvalidRequest", s3.get_object, Bucket=BUCKET, Key="plain", **mine)
refused("InvalidArgument", put, key="none", SSECustomerAlgorithm="AES256", SSECustomerKey="short")

# A copy reads with one key and writes with another.
source = {"Bucket": BUCKET, "Key": "mine"}
given = {f"CopySource{name}": value for name, value in mine.items()}
refused("InvalidRequest", s3.copy_object, Bucket=BUCKET, Key="copy", CopySource=source)
s3.copy_object(Bucket=BUCKET, Key="copy", CopySource=source, **given, **other)
true(read("copy", **other) == BODY)
copied = s3.copy_object(
    Bucket=BUCKET, Key="opened", CopySource=source, **given, ServerSideEncryption="aws:kms", SSEKMSKeyId=KMS
)
equal(copied["SSEKMSKeyId"], KMS)
true(read("opened") == BODY)

# Parts, under each.
for key, given, asked in (
    ("parts/kms", {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": KMS}, {}),
    ("parts/mine", mine, mine),
):
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key=key, **given)["UploadId"]
    parts = []
    for number, content in ((1, b"a" * 5 * MIB), (2, b"b" * 70)):
        part = s3.upload_part(
            Bucket=BUCKET, Key=key, UploadId=upload, PartNumber=number, Body=content, **asked
        )
        parts.append({"PartNumber": number, "ETag": part["ETag"]})
    s3.complete_multipart_upload(Bucket=BUCKET, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}, **asked)
    equal(read(key, Range=f"bytes={5 * MIB - 2}-{5 * MIB + 1}", **asked), b"aabb")
    true(read(key, **asked) == b"a" * 5 * MIB + b"b" * 70)

# The default of the bucket, which a request may overrule.
rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KMS}}
s3.put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration={"Rules": [rule]})
equal(put("default")["SSEKMSKeyId"], KMS)
equal(put("overruled", ServerSideEncryption="AES256")["ServerSideEncryption"], "AES256")
s3.delete_bucket_encryption(Bucket=BUCKET)
true(read("default") == BODY)
true("ServerSideEncryption" not in put("default"))

# An object's key goes under another one: its bytes, tag and time stay.
put("update", ServerSideEncryption="AES256")
before = s3.head_object(Bucket=BUCKET, Key="update")
ARN = f"arn:aws:kms:us-east-1:111122223333:key/{KMS}"
to = {"SSEKMS": {"KMSKeyArn": ARN, "BucketKeyEnabled": True}}
s3.update_object_encryption(Bucket=BUCKET, Key="update", ObjectEncryption=to)
after = s3.head_object(Bucket=BUCKET, Key="update")
equal((after["ServerSideEncryption"], after["SSEKMSKeyId"], after["BucketKeyEnabled"]), ("aws:kms", KMS, True))
for name in ("ETag", "LastModified", "ContentLength"):
    equal(after[name], before[name], name)
true(read("update") == BODY)
for key in ("plain", "mine"):
    refused("InvalidRequest", s3.update_object_encryption, Bucket=BUCKET, Key=key, ObjectEncryption=to)

# A bucket blocks keys of clients, until its owner says otherwise.
for blocked in (["SSE-C"], ["NONE"]):
    rules = [{"BlockedEncryptionTypes": {"EncryptionType": blocked}}]
    s3.put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration={"Rules": rules})
    found = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"]
    equal(found, rules)
    if blocked == ["SSE-C"]:
        refused("AccessDenied", put, key="blocked", **mine)
        refused("AccessDenied", s3.create_multipart_upload, Bucket=BUCKET, Key="blocked", **mine)
        true(read("mine", **mine) == BODY)
put("unblocked", **mine)
done()
