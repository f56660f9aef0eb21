"""Lifecycle rules that act: the suite made a day last a second, and a storage class COLD."""

from checks import BUCKET, client, done, equal, true, until

s3 = client()
s3.create_bucket(Bucket=BUCKET)
s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})


def put(key, **arguments):
    return s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode(), **arguments)["VersionId"]


def keys(prefix=""):
    return [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]


def versions(prefix):
    page = s3.list_object_versions(Bucket=BUCKET, Prefix=prefix)
    return [entry["VersionId"] for entry in page.get("Versions", []) + page.get("DeleteMarkers", [])]


def rule(name, scope, **actions):
    return {"ID": name, "Status": "Enabled", "Filter": scope, **actions}


for key in ("logs/1", "logs/2", "keep/1"):
    put(key)
put("tagged/yes", Tagging="temp=yes")
put("tagged/no", Tagging="temp=no")
s3.put_object(Bucket=BUCKET, Key="sized/large", Body=b"x" * 2000)
put("sized/small")
first, second, third = (put("old/k") for _ in range(3))
put("marked/k")
s3.delete_object(Bucket=BUCKET, Key="marked/k")
put("cold/k")
upload = s3.create_multipart_upload(Bucket=BUCKET, Key="uploads/k")["UploadId"]
kept = s3.create_multipart_upload(Bucket=BUCKET, Key="keep/k")["UploadId"]

marker = {"ExpiredObjectDeleteMarker": True}
ended = {"NoncurrentDays": 1}
s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": [
    rule("logs", {"Prefix": "logs/"}, Expiration={"Days": 1}),
    rule("tagged", {"Tag": {"Key": "temp", "Value": "yes"}}, Expiration={"Days": 1}),
    rule("sized", {"And": {"Prefix": "sized/", "ObjectSizeGreaterThan": 1000}}, Expiration={"Days": 1}),
    rule("old", {"Prefix": "old/"}, NoncurrentVersionExpiration={**ended, "NewerNoncurrentVersions": 1}),
    rule("marked", {"Prefix": "marked/"}, Expiration=marker, NoncurrentVersionExpiration=ended),
    rule("cold", {"Prefix": "cold/"}, Transitions=[{"Days": 1, "StorageClass": "COLD"}]),
    rule("uploads", {"Prefix": "uploads/"}, AbortIncompleteMultipartUpload={"DaysAfterInitiation": 1}),
]})
# Answers tell when and why, in days as people know them.
true('rule-id="logs"' in s3.put_object(Bucket=BUCKET, Key="logs/3", Body=b"")["Expiration"])
true("Expiration" not in s3.head_object(Bucket=BUCKET, Key="keep/1"))

until("objects below a prefix end", lambda: not keys("logs/"))
# A version that ends is hidden by a marker, and stays.
true(len(versions("logs/1")) == 2)
until("a tag ends", lambda: keys("tagged/") == ["tagged/no"])
until("a size ends", lambda: keys("sized/") == ["sized/small"])
until("old versions end but for the newest", lambda: versions("old/") == [third, second])
until("a marker ends that hides nothing", lambda: not versions("marked/"))
until("an object moves", lambda: s3.head_object(Bucket=BUCKET, Key="cold/k").get("StorageClass") == "COLD")
equal(s3.get_object(Bucket=BUCKET, Key="cold/k")["Body"].read(), b"cold/k")
uploads = lambda: [entry["UploadId"] for entry in s3.list_multipart_uploads(Bucket=BUCKET)["Uploads"]]
until("an upload ends", lambda: uploads() == [kept])
equal(keys("keep/"), ["keep/1"])
equal(keys("old/"), ["old/k"])
done()
