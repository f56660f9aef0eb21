"""Access logs: set with the CLI, delivered to a bucket, and read there. The suite made delivery quick."""

from checks import done, equal, until
from walk import aws, file, read, refused

B = "logged"
for bucket in (B, "logs"):
    aws("create-bucket", bucket=bucket)
aws("put-bucket-acl", bucket="logs", acl="log-delivery-write")
equal(aws("get-bucket-logging", bucket=B), {})
nowhere = {"LoggingEnabled": {"TargetBucket": "missing-bucket", "TargetPrefix": ""}}
refused("InvalidTargetBucketForLogging", "put-bucket-logging", bucket=B, bucket_logging_status=nowhere)
status = {"LoggingEnabled": {"TargetBucket": "logs", "TargetPrefix": "to/"}}
aws("put-bucket-logging", bucket=B, bucket_logging_status=status)
told = aws("get-bucket-logging", bucket=B)["LoggingEnabled"]
equal((told["TargetBucket"], told["TargetPrefix"]), ("logs", "to/"))
aws("put-object", bucket=B, key="a b", body=file(b"12345"))
refused("NoSuchKey", "get-object", bucket=B, key="missing", outfile="/dev/null")


def lines():
    """All lines that were delivered, when both requests are among them."""
    keys = [entry["Key"] for entry in aws("list-objects-v2", bucket="logs", prefix="to/").get("Contents", [])]
    text = "".join(read(bucket="logs", key=key)[0].decode() for key in keys)
    return text.splitlines() if "REST.PUT.OBJECT" in text and "REST.GET.OBJECT" in text else None


found = until("the log is delivered", lines)
(put,) = [line for line in found if "REST.PUT.OBJECT" in line]
(get,) = [line for line in found if "REST.GET.OBJECT" in line]
owner = aws("list-buckets")["Owner"]["ID"]
equal(put.split()[:2], [owner, B])
equal(f'REST.PUT.OBJECT a%2520b "PUT /{B}/a%20b HTTP/1.1" 200 - ' in put, True, put)
equal(f'REST.GET.OBJECT missing "GET /{B}/missing HTTP/1.1" 404 NoSuchKey ' in get, True, get)
aws("put-bucket-logging", bucket=B, bucket_logging_status={})
equal(aws("get-bucket-logging", bucket=B), {})
done()
