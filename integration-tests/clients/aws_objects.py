"""Objects: put, get, head, copy, attributes, checksums, tags, conditions and presigned links."""

import base64
import hashlib
import subprocess

from checks import done, equal, true
from walk import aws, command, file, read, refused

B = "objects"
aws("create-bucket", bucket=B)

# Headers and metadata, and a copy that keeps or replaces them.
body = b"0123456789"
put = aws(
    "put-object", bucket=B, key="a b/ü", body=file(body), content_type="text/x-test", cache_control="no-store",
    metadata={"one": "1"}, tagging="team=a&empty=", storage_class="STANDARD",
)
equal(put["ETag"], f'"{hashlib.md5(body).hexdigest()}"')
content, told = read(bucket=B, key="a b/ü")
equal(content, body)
names = ("ContentType", "CacheControl", "Metadata", "TagCount")
equal([told[name] for name in names], ["text/x-test", "no-store", {"one": "1"}, 2])
content, told = read(bucket=B, key="a b/ü", range="bytes=2-4")
equal((content, told["ContentRange"]), (b"234", "bytes 2-4/10"))
refused("InvalidRange", "get-object", bucket=B, key="a b/ü", range="bytes=10-", outfile="/dev/null")
aws("copy-object", bucket=B, key="kept", copy_source=f"{B}/a b/ü")
kept = aws("head-object", bucket=B, key="kept")
equal([kept[name] for name in ("ETag", "ContentType", "Metadata")], [put["ETag"], "text/x-test", {"one": "1"}])
equal(len(aws("get-object-tagging", bucket=B, key="kept")["TagSet"]), 2)
aws(
    "copy-object", bucket=B, key="replaced", copy_source=f"{B}/kept", metadata_directive="REPLACE",
    metadata={"two": "2"}, tagging_directive="REPLACE", tagging="team=b",
)
replaced = aws("head-object", bucket=B, key="replaced")
equal((replaced["Metadata"], replaced["ContentType"]), ({"two": "2"}, "binary/octet-stream"))
equal(aws("get-object-tagging", bucket=B, key="replaced")["TagSet"], [{"Key": "team", "Value": "b"}])
refused("InvalidRequest", "copy-object", bucket=B, key="kept", copy_source=f"{B}/kept")
refused("NoSuchKey", "copy-object", bucket=B, key="kept", copy_source=f"{B}/missing")

# Tags of an object.
aws("put-object-tagging", bucket=B, key="kept", tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
equal(aws("get-object-tagging", bucket=B, key="kept")["TagSet"], [{"Key": "k", "Value": "v"}])
many = [{"Key": str(number), "Value": ""} for number in range(11)]
refused("InvalidTag", "put-object-tagging", bucket=B, key="kept", tagging={"TagSet": many})
aws("delete-object-tagging", bucket=B, key="kept")
equal(aws("get-object-tagging", bucket=B, key="kept")["TagSet"], [])
refused("NoSuchKey", "get-object-tagging", bucket=B, key="missing")

# Checksums.
digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
put = aws("put-object", bucket=B, key="sums", body=file(body), checksum_sha256=digest)
equal((put["ChecksumSHA256"], put["ChecksumType"]), (digest, "FULL_OBJECT"))
refused("BadDigest", "put-object", bucket=B, key="sums", body=file(b"other"), checksum_sha256=digest)
equal(aws("head-object", bucket=B, key="sums", checksum_mode="ENABLED")["ChecksumSHA256"], digest)
names = ["ETag", "Checksum", "ObjectSize", "StorageClass"]
attributes = aws("get-object-attributes", bucket=B, key="sums", object_attributes=names)
equal(attributes["Checksum"], {"ChecksumSHA256": digest, "ChecksumType": "FULL_OBJECT"})
equal((attributes["ObjectSize"], attributes["StorageClass"]), (10, "STANDARD"))
equal(attributes["ETag"], hashlib.md5(body).hexdigest())
md5 = base64.b64encode(hashlib.md5(b"other").digest()).decode()
refused("BadDigest", "put-object", bucket=B, key="sums", body=file(body), content_md5=md5)

# Conditions.
tag = put["ETag"]
refused("PreconditionFailed", "put-object", bucket=B, key="sums", body=file(b"x"), if_none_match="*")
refused("PreconditionFailed", "put-object", bucket=B, key="sums", body=file(b"x"), if_match='"0"')
refused("NoSuchKey", "put-object", bucket=B, key="missing", body=file(b"x"), if_match=tag)
aws("put-object", bucket=B, key="sums", body=file(body), if_match=tag)
refused("304", "get-object", bucket=B, key="sums", if_none_match=tag, outfile="/dev/null")
refused("PreconditionFailed", "get-object", bucket=B, key="sums", if_match='"0"', outfile="/dev/null")
refused("PreconditionFailed", "copy-object", bucket=B, key="c", copy_source=f"{B}/sums", copy_source_if_none_match=tag)

# A link for others, which is good for what it names only.
status, link, _ = command("s3", "presign", f"s3://{B}/sums")
curl = ["curl", "--silent", "--write-out", "%{http_code}"]
equal(subprocess.run([*curl, link.strip()], capture_output=True).stdout, body + b"200")
forged = subprocess.run([*curl, link.strip().replace("/sums?", "/kept?")], capture_output=True).stdout
true(b"SignatureDoesNotMatch" in forged and forged.endswith(b"403"), forged)

# What is archived nowhere cannot be restored, and what is not here says so.
refused("InvalidObjectState", "restore-object", bucket=B, key="sums", restore_request={"Days": 1})
refused(
    "NotImplemented", "select-object-content", bucket=B, key="sums", expression="SELECT * FROM s3object",
    expression_type="SQL", input_serialization={"CSV": {}}, output_serialization={"CSV": {}}, outfile="/dev/null",
)

# Many at once: what is not there is deleted too.
keys = [{"Key": key} for key in ("kept", "replaced", "missing")]
deleted = aws("delete-objects", bucket=B, delete={"Objects": keys})
equal(sorted(entry["Key"] for entry in deleted["Deleted"]), ["kept", "missing", "replaced"])
equal([entry["Key"] for entry in aws("list-objects-v2", bucket=B)["Contents"]], ["a b/ü", "sums"])
equal(aws("list-objects-v2", bucket=B, delimiter="/")["CommonPrefixes"], [{"Prefix": "a b/"}])
done()
