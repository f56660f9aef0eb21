"""Checksums: every algorithm, in headers and in trailers, of objects and of parts."""

import io
import zlib
from base64 import b64encode

from checks import BUCKET, client, done, equal, refused

MIB = 1 << 20
# CRC32C and CRC64NVME are in the AWS CRT, which is no dependency here: their values are those of the catalogue
# "CRC RevEng" for the nine digits, and the server's own answers are held against them.
KNOWN = {"CRC32": "y/Q5Jg==", "CRC32C": "4waSgw==", "CRC64NVME": "rosUhgp5mIg="}
s3 = client()
s3.create_bucket(Bucket=BUCKET)

for algorithm, known in KNOWN.items():
    field = f"Checksum{algorithm}"
    s3.put_object(Bucket=BUCKET, Key=algorithm, Body=b"123456789", **{field: known})
    answer = s3.head_object(Bucket=BUCKET, Key=algorithm, ChecksumMode="ENABLED")
    equal((answer[field], answer["ChecksumType"]), (known, "FULL_OBJECT"))
    refused("BadDigest", s3.put_object, Bucket=BUCKET, Key=algorithm, Body=b"12345678x", **{field: known})
    attributes = s3.get_object_attributes(
        Bucket=BUCKET, Key=algorithm, ObjectAttributes=["Checksum", "ETag", "ObjectSize", "StorageClass"]
    )
    equal((attributes["Checksum"][field], attributes["ObjectSize"]), (known, 9))

# What boto3 computes by itself, from bytes and from a stream that it sends in chunks.
for algorithm in ("CRC32", "SHA1", "SHA256"):
    for kind, content in (("bytes", b"hello"), ("stream", io.BytesIO(b"hello"))):
        key = f"{algorithm}/{kind}"
        put = s3.put_object(Bucket=BUCKET, Key=key, Body=content, ChecksumAlgorithm=algorithm)
        got = s3.get_object(Bucket=BUCKET, Key=key, ChecksumMode="ENABLED")
        equal((got["Body"].read(), got[f"Checksum{algorithm}"]), (b"hello", put[f"Checksum{algorithm}"]))

# Since 1.36 boto3 sends a CRC32 unasked; without one the server makes one of its own, as AWS does.
put = s3.put_object(Bucket=BUCKET, Key="default", Body=b"123456789")
equal(put["ChecksumCRC32"], KNOWN["CRC32"])
plain = client(request_checksum_calculation="when_required")
put = plain.put_object(Bucket=BUCKET, Key="plain", Body=b"123456789")
equal(put.get("ChecksumCRC64NVME"), KNOWN["CRC64NVME"])

# Parts: a checksum of checksums, or one of the whole object.
for algorithm, kind in (("SHA256", "COMPOSITE"), ("CRC32", "COMPOSITE"), ("CRC32", "FULL_OBJECT")):
    key = f"parts/{algorithm}/{kind}"
    upload = s3.create_multipart_upload(
        Bucket=BUCKET, Key=key, ChecksumAlgorithm=algorithm, ChecksumType=kind
    )["UploadId"]
    parts = []
    for number, content in enumerate((b"a" * 5 * MIB, b"b" * 100), 1):
        part = s3.upload_part(
            Bucket=BUCKET, Key=key, UploadId=upload, PartNumber=number, Body=content, ChecksumAlgorithm=algorithm
        )
        field = f"Checksum{algorithm}"
        parts.append({"PartNumber": number, "ETag": part["ETag"], field: part[field]})
    finished = s3.complete_multipart_upload(
        Bucket=BUCKET, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}, ChecksumType=kind
    )
    equal(finished["ChecksumType"], kind)
    equal(finished[field].endswith("-2"), kind == "COMPOSITE", key)
    head = s3.head_object(Bucket=BUCKET, Key=key, ChecksumMode="ENABLED")
    equal((head[field], head["ChecksumType"]), (finished[field], kind))
    got = s3.get_object(Bucket=BUCKET, Key=key, ChecksumMode="ENABLED")
    equal(len(got["Body"].read()), 5 * MIB + 100)
    attributes = s3.get_object_attributes(Bucket=BUCKET, Key=key, ObjectAttributes=["Checksum", "ObjectParts"])
    equal(attributes["ObjectParts"]["TotalPartsCount"], 2)

whole = zlib.crc32(b"a" * 5 * MIB + b"b" * 100).to_bytes(4, "big")
equal(head["ChecksumCRC32"], b64encode(whole).decode())
done()
