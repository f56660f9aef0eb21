"""Uploads in parts: begun, sent, copied, listed, completed and aborted."""

import hashlib

from checks import done, equal, true
from walk import aws, file, read, refused

B, MIB = "parts", 1 << 20
aws("create-bucket", bucket=B)
first, second = b"a" * 5 * MIB, b"b" * 100
upload = aws("create-multipart-upload", bucket=B, key="k", content_type="text/x-test", metadata={"a": "b"})["UploadId"]
named = {"bucket": B, "key": "k", "upload_id": upload}
equal([entry["UploadId"] for entry in aws("list-multipart-uploads", bucket=B)["Uploads"]], [upload])
one = aws("upload-part", **named, part_number=1, body=file(first))
equal(one["ETag"], f'"{hashlib.md5(first).hexdigest()}"')
two = aws("upload-part", **named, part_number=7, body=file(second))
aws("put-object", bucket=B, key="source", body=file(b"0123456789"))
three = aws("upload-part-copy", **named, part_number=9, copy_source=f"{B}/source", copy_source_range="bytes=3-5")
beyond = {"copy_source": f"{B}/source", "copy_source_range": "bytes=3-50"}
refused("InvalidRange", "upload-part-copy", **named, part_number=9, **beyond)
refused("NoSuchKey", "upload-part-copy", **named, part_number=9, copy_source=f"{B}/missing")
refused("InvalidArgument", "upload-part", **named, part_number=10001, body=file(b"x"))
parts = aws("list-parts", **named)["Parts"]
equal([(part["PartNumber"], part["Size"]) for part in parts], [(1, 5 * MIB), (7, 100), (9, 3)])

# In a wrong order, with a wrong tag or with too small a part it stays as it was.
wanted = [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in parts]
refused("InvalidPartOrder", "complete-multipart-upload", **named, multipart_upload={"Parts": wanted[::-1]})
refused("EntityTooSmall", "complete-multipart-upload", **named, multipart_upload={"Parts": wanted})
wrong = [{"PartNumber": 2, "ETag": '"0"'}]
refused("InvalidPart", "complete-multipart-upload", **named, multipart_upload={"Parts": wrong})
refused("NoSuchKey", "get-object", bucket=B, key="k", outfile="/dev/null")
done_ = aws("complete-multipart-upload", **named, multipart_upload={"Parts": [wanted[0], wanted[2]]})
digest = hashlib.md5(hashlib.md5(first).digest() + hashlib.md5(b"345").digest()).hexdigest()
equal((done_["ETag"], done_["Bucket"], done_["Key"]), (f'"{digest}-2"', B, "k"))
content, told = read(bucket=B, key="k")
true(content == first + b"345")
equal((told["ContentType"], told["Metadata"]), ("text/x-test", {"a": "b"}))
equal(read(bucket=B, key="k", part_number=2)[0], b"345")
true(three["CopyPartResult"]["ETag"] == wanted[2]["ETag"] and two["ETag"] == wanted[1]["ETag"])

# Aborted, it is gone with its parts.
upload = aws("create-multipart-upload", bucket=B, key="gone", checksum_algorithm="SHA256")["UploadId"]
named = {"bucket": B, "key": "gone", "upload_id": upload}
aws("upload-part", **named, part_number=1, body=file(b"x"), checksum_algorithm="SHA256")
refused("BucketNotEmpty", "delete-bucket", bucket=B)
aws("abort-multipart-upload", **named)
refused("NoSuchUpload", "list-parts", **named)
refused("NoSuchUpload", "upload-part", **named, part_number=1, body=file(b"x"))
refused("NoSuchUpload", "complete-multipart-upload", **named, multipart_upload={"Parts": [wanted[0]]})
true("Uploads" not in aws("list-multipart-uploads", bucket=B))
done()
