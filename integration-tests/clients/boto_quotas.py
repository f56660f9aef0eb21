"""Quotas: the suite bounded bucket `boto3` to ten objects and 1 MiB, and the second account to 2 MiB."""

import io

from checks import BUCKET, client, done, equal, other, refused

s3, bob = client(), other()
KIB = 1 << 10


def put(key, size, who=s3, bucket=BUCKET):
    return who.put_object(Bucket=bucket, Key=key, Body=io.BytesIO(b"x" * size))


# By bytes: an overwrite counts what it adds, and what is refused leaves what was there.
put("large", 900 * KIB)
refused("QuotaExceeded", put, key="more", size=200 * KIB)
put("large", 1000 * KIB)
refused("QuotaExceeded", put, key="large", size=1100 * KIB)
equal(s3.head_object(Bucket=BUCKET, Key="large")["ContentLength"], 1000 * KIB)
source = {"Bucket": BUCKET, "Key": "large"}
refused("QuotaExceeded", s3.copy_object, Bucket=BUCKET, Key="copy", CopySource=source)
upload = s3.create_multipart_upload(Bucket=BUCKET, Key="parts")["UploadId"]
part = {"Bucket": BUCKET, "Key": "parts", "UploadId": upload, "PartNumber": 1}
refused("QuotaExceeded", s3.upload_part, **part, Body=b"x" * 100 * KIB)
s3.upload_part(**part, Body=b"x" * 10 * KIB)
s3.abort_multipart_upload(Bucket=BUCKET, Key="parts", UploadId=upload)

# By objects; deletion makes room.
for number in range(9):
    put(f"small/{number}", 1)
refused("QuotaExceeded", put, key="small/9", size=1)
s3.delete_object(Bucket=BUCKET, Key="small/0")
put("small/9", 1)
s3.delete_object(Bucket=BUCKET, Key="large")
put("large", 1000 * KIB)

# An account's holds over all its buckets.
for bucket in ("bobs-1", "bobs-2"):
    bob.create_bucket(Bucket=bucket)
put("k", 1500 * KIB, bob, "bobs-1")
refused("QuotaExceeded", put, key="k", size=1000 * KIB, who=bob, bucket="bobs-2")
put("k", 400 * KIB, bob, "bobs-2")
bob.delete_object(Bucket="bobs-1", Key="k")
put("l", 1000 * KIB, bob, "bobs-2")
done()
