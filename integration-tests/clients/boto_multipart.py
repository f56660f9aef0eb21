"""Uploads in parts, by hand and by the transfer manager."""

import io

from boto3.s3.transfer import TransferConfig
from checks import BUCKET, client, done, equal, refused, true

MIB = 1 << 20
s3 = client()
s3.create_bucket(Bucket=BUCKET)


def body(seed, size):
    block = bytes((index * 31 + seed) % 256 for index in range(4096))
    return (block * (size // 4096 + 1))[:size]


def begin(key, **arguments):
    return s3.create_multipart_upload(Bucket=BUCKET, Key=key, **arguments)["UploadId"]


def send(key, upload, number, content):
    answer = s3.upload_part(Bucket=BUCKET, Key=key, UploadId=upload, PartNumber=number, Body=content)
    return {"PartNumber": number, "ETag": answer["ETag"]}


def complete(key, upload, parts):
    return s3.complete_multipart_upload(Bucket=BUCKET, Key=key, UploadId=upload, MultipartUpload={"Parts": parts})


def read(key, **arguments):
    return s3.get_object(Bucket=BUCKET, Key=key, **arguments)["Body"].read()


# The transfer manager, as most programs use it.
whole = body(1, 23 * MIB + 5)
config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB, max_concurrency=8)
s3.upload_fileobj(io.BytesIO(whole), BUCKET, "managed", Config=config, ExtraArgs={"Metadata": {"a": "b"}})
got = io.BytesIO()
s3.download_fileobj(BUCKET, "managed", got, Config=config)
equal(got.getvalue() == whole, True, "managed transfer")
head = s3.head_object(Bucket=BUCKET, Key="managed")
equal((head["ContentLength"], head["Metadata"], head["ETag"][-3:]), (len(whole), {"a": "b"}, '-5"'))

# Parts in any order, with gaps in their numbers, one of them sent twice.
upload = begin("parts")
last = send("parts", upload, 90, body(9, 100))
send("parts", upload, 2, body(3, 5 * MIB))
first = send("parts", upload, 2, body(2, 6 * MIB))
middle = send("parts", upload, 5, body(5, 5 * MIB))
listed = s3.list_parts(Bucket=BUCKET, Key="parts", UploadId=upload, MaxParts=2)
equal([part["PartNumber"] for part in listed["Parts"]], [2, 5])
true(listed["IsTruncated"])
more = s3.list_parts(
    Bucket=BUCKET, Key="parts", UploadId=upload, PartNumberMarker=listed["NextPartNumberMarker"]
)
equal([(part["PartNumber"], part["Size"]) for part in more["Parts"]], [(90, 100)])
equal([entry["Key"] for entry in s3.list_multipart_uploads(Bucket=BUCKET)["Uploads"]], ["parts"])
refused("NoSuchKey", s3.get_object, Bucket=BUCKET, Key="parts")
answer = complete("parts", upload, [first, middle, last])
expected = body(2, 6 * MIB) + body(5, 5 * MIB) + body(9, 100)
equal(read("parts") == expected, True, "parts in order")
# Completing again, after an answer that was lost, is no error.
equal(complete("parts", upload, [first, middle, last])["ETag"], answer["ETag"])

# Parts of the finished object, by number and across their bounds.
equal(read("parts", PartNumber=2) == body(5, 5 * MIB), True, "part 2")
equal(s3.head_object(Bucket=BUCKET, Key="parts", PartNumber=3)["ContentLength"], 100)
equal(s3.head_object(Bucket=BUCKET, Key="parts", PartNumber=1)["PartsCount"], 3)
equal(read("parts", Range=f"bytes={6 * MIB - 10}-{6 * MIB + 9}"), expected[6 * MIB - 10 : 6 * MIB + 10])
equal(read("parts", Range="bytes=-150"), expected[-150:])

# What cannot be completed, and leaves the upload as it was.
upload = begin("refused")
small = send("refused", upload, 1, b"small")
large = send("refused", upload, 2, body(1, 5 * MIB))
refused("EntityTooSmall", complete, key="refused", upload=upload, parts=[small, large])
refused("InvalidPartOrder", complete, key="refused", upload=upload, parts=[large, small])
refused("InvalidPart", complete, key="refused", upload=upload, parts=[{"PartNumber": 1, "ETag": large["ETag"]}])
refused("InvalidPart", complete, key="refused", upload=upload, parts=[{"PartNumber": 7, "ETag": large["ETag"]}])
refused("MalformedXML", complete, key="refused", upload=upload, parts=[])
equal(len(s3.list_parts(Bucket=BUCKET, Key="refused", UploadId=upload)["Parts"]), 2)
s3.abort_multipart_upload(Bucket=BUCKET, Key="refused", UploadId=upload)
refused("NoSuchUpload", s3.list_parts, Bucket=BUCKET, Key="refused", UploadId=upload)
refused("NoSuchUpload", send, key="refused", upload=upload, number=1, content=b"late")
true("Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET))

# An abort that comes after the object is complete must not harm it.
upload = begin("kept")
part = send("kept", upload, 1, b"kept")
complete("kept", upload, [part])
try:
    s3.abort_multipart_upload(Bucket=BUCKET, Key="kept", UploadId=upload)
except s3.exceptions.ClientError as error:
    equal(error.response["Error"]["Code"], "NoSuchUpload")
equal(read("kept"), b"kept")

# Parts that are copied from objects.
upload = begin("copied")
source = {"Bucket": BUCKET, "Key": "managed"}
parts = []
for number, (start, end) in enumerate(((0, 5 * MIB - 1), (7 * MIB, 12 * MIB - 1), (5, 9)), 1):
    answer = s3.upload_part_copy(
        Bucket=BUCKET, Key="copied", UploadId=upload, PartNumber=number, CopySource=source,
        CopySourceRange=f"bytes={start}-{end}",
    )
    parts.append({"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]})
refused(
    "InvalidRange", s3.upload_part_copy, Bucket=BUCKET, Key="copied", UploadId=upload, PartNumber=9,
    CopySource=source, CopySourceRange=f"bytes=0-{100 * MIB}",
)
complete("copied", upload, parts)
equal(read("copied") == whole[: 5 * MIB] + whole[7 * MIB : 12 * MIB] + whole[5:10], True, "copied parts")

# The source may go: the copy holds its own reference.
s3.delete_object(Bucket=BUCKET, Key="managed")
equal(read("copied", Range="bytes=0-99"), whole[:100])
done()
