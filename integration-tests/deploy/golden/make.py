"""Makes a golden store: what a release of Cofre has written, with an object of each kind, for later ones to read.

    python make.py PROGRAM NAME

writes `NAME.tar.xz` beside this file: the data directory of the program, as it ended, and `manifest.json`, which says what
must be read back. It is made once for a release, by that release, and never again.
"""

import hashlib
import json
import os
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
from pathlib import Path

import boto3
from botocore.config import Config

HERE = Path(__file__).resolve().parent
# Content up to this size stands in packs, larger in files of its own (`SMALL_BYTES_MAX` of cofre-shards).
PACKED_BYTES = 128 << 10
PART_BYTES = 5 << 20
# The customer's key of SSE-C: 32 bytes that everybody may know, for it guards nothing.
CUSTOMER_KEY = "k" * 32
READY_SECS = 60


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Store:
    """The program over a data directory."""

    def __init__(self, program, data):
        self.program, self.data = program, data
        self.s3_port, self.admin_port = free_port(), free_port()

    def __enter__(self):
        command = [self.program, "serve", "--data", self.data, "--allow-insecure-sse-c", "true"]
        command += ["--listen", f"127.0.0.1:{self.s3_port}", "--admin-listen", f"127.0.0.1:{self.admin_port}"]
        command += ["--shard", self.data / "shard-1", "--shard", self.data / "shard-2", "--redundancy", "replicas:2"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        last = time.monotonic() + READY_SECS
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/health/ready")
                return self
            except OSError:
                assert time.monotonic() < last, "it is not ready"
                time.sleep(0.05)

    def __exit__(self, *_):
        self.process.terminate()
        assert self.process.wait(timeout=60) == 0

    def admin(self, *arguments):
        url = f"http://127.0.0.1:{self.admin_port}"
        command = [self.program, "admin", *arguments, "--json", "--url", url, "--token-file", self.data / "admin-token"]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        return json.loads(said) if said else None

    def s3(self):
        lines = (self.data / "credentials").read_text().splitlines()
        found = dict(line.split(" = ") for line in lines if " = " in line)
        return boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{self.s3_port}",
            region_name="us-east-1",
            aws_access_key_id=found["aws_access_key_id"],
            aws_secret_access_key=found["aws_secret_access_key"],
            config=Config(s3={"addressing_style": "path"}),
        )


def content(size, seed):
    """Bytes that compress well and are told apart."""
    line = f"{seed}: what was written once is read for ever\n".encode()
    return (line * (size // len(line) + 1))[:size]


class Writer:
    """Writes objects, and notes what must be read back."""

    def __init__(self, s3):
        self.s3, self.objects = s3, []

    def note(self, bucket, key, body, version, **more):
        entry = {"bucket": bucket, "key": key, "size": len(body), "sha256": hashlib.sha256(body).hexdigest()}
        self.objects.append({**entry, **({"version": version} if version else {}), **more})

    def put(self, bucket, key, body, noted=None, **options):
        answer = self.s3.put_object(Bucket=bucket, Key=key, Body=body, **options)
        self.note(bucket, key, body, answer.get("VersionId"), **(noted or {}))

    def multipart(self, bucket, key, parts, **options):
        upload = self.s3.create_multipart_upload(Bucket=bucket, Key=key, **options)["UploadId"]
        where = {"Bucket": bucket, "Key": key, "UploadId": upload}
        done = []
        for number, part in enumerate(parts, 1):
            tag = self.s3.upload_part(**where, PartNumber=number, Body=part)["ETag"]
            done.append({"PartNumber": number, "ETag": tag})
        self.s3.complete_multipart_upload(**where, MultipartUpload={"Parts": done})
        self.note(bucket, key, b"".join(parts), None)


def write(s3):
    """An object of each kind, and each configuration that a bucket has."""
    writer = Writer(s3)
    for bucket in ("plain", "versions", "sealed", "logs"):
        s3.create_bucket(Bucket=bucket)
    s3.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
    for size in (0, 1, 1000, PACKED_BYTES - 1, PACKED_BYTES, PACKED_BYTES + 1, PACKED_BYTES + 4096, 3 << 20):
        writer.put("plain", f"sizes/{size}", content(size, size))
    for number in range(60):
        writer.put("plain", f"pack/{number:02}", content(500 + number, number))
    for number in range(0, 60, 4):
        s3.delete_object(Bucket="plain", Key=f"pack/{number:02}")
    gone = {f"pack/{number:02}" for number in range(0, 60, 4)}
    writer.objects = [entry for entry in writer.objects if entry["key"] not in gone]
    metadata = {"Metadata": {"answer": "42"}, "ContentType": "text/plain", "CacheControl": "no-store"}
    writer.put("plain", "odd//../key+%2F é", b"odd", **metadata, Tagging="team=blue&kind=odd")
    writer.put("plain", "sum", b"summed", ChecksumAlgorithm="SHA256")
    writer.multipart("plain", "parts", [content(PART_BYTES, "one"), content(70_000, "two")], Metadata={"a": "b"})
    s3.copy_object(Bucket="plain", Key="copy", CopySource={"Bucket": "plain", "Key": "parts"})
    writer.note("plain", "copy", content(PART_BYTES, "one") + content(70_000, "two"), None)
    open_upload = s3.create_multipart_upload(Bucket="plain", Key="open")["UploadId"]
    s3.upload_part(Bucket="plain", Key="open", UploadId=open_upload, PartNumber=1, Body=content(9_000, "open"))

    writer.put("versions", "before", b"of before versioning")
    s3.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
    for number in range(3):
        writer.put("versions", "many", content(2_000 + number, number))
    s3.delete_object(Bucket="versions", Key="many")
    s3.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Suspended"})
    writer.put("versions", "null", b"the null version")

    writer.put("sealed", "sse-s3", content(40_000, "s3"), ServerSideEncryption="AES256")
    writer.put("sealed", "sse-kms", content(4_000, "kms"), ServerSideEncryption="aws:kms")
    key = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": CUSTOMER_KEY}
    writer.put("sealed", "sse-c", content(3_000, "c"), {"customer_key": CUSTOMER_KEY}, **key)
    writer.multipart("sealed", "sse-s3-parts", [content(30_000, "sealed")], ServerSideEncryption="AES256")
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    s3.put_bucket_encryption(Bucket="sealed", ServerSideEncryptionConfiguration={"Rules": [rule]})
    writer.put("sealed", "by-default", b"sealed by the bucket")

    retention = {"Mode": "GOVERNANCE", "Days": 1}
    lock = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": retention}}
    s3.put_object_lock_configuration(Bucket="locked", ObjectLockConfiguration=lock)
    writer.put("locked", "held", b"held", ObjectLockLegalHoldStatus="ON")
    return writer.objects, {"open_upload": {"bucket": "plain", "key": "open", "upload": open_upload}}


def configure(s3):
    """What buckets say of themselves: the calls that read it, with their answers."""
    s3.put_bucket_tagging(Bucket="plain", Tagging={"TagSet": [{"Key": "team", "Value": "blue"}]})
    rules = [
        {"ID": "tmp", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 30}},
        {
            "ID": "old",
            "Status": "Disabled",
            "Filter": {"And": {"Prefix": "x/", "Tags": [{"Key": "a", "Value": "b"}]}},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 9, "NewerNoncurrentVersions": 2},
        },
    ]
    s3.put_bucket_lifecycle_configuration(Bucket="versions", LifecycleConfiguration={"Rules": rules})
    cors = [{"AllowedOrigins": ["https://a.example"], "AllowedMethods": ["GET"], "MaxAgeSeconds": 60}]
    s3.put_bucket_cors(Bucket="plain", CORSConfiguration={"CORSRules": cors})
    website = {"IndexDocument": {"Suffix": "index.html"}, "ErrorDocument": {"Key": "error.html"}}
    s3.put_bucket_website(Bucket="plain", WebsiteConfiguration=website)
    public = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::plain/*"}
    s3.put_bucket_policy(Bucket="plain", Policy=json.dumps({"Version": "2012-10-17", "Statement": [public]}))
    s3.put_bucket_acl(Bucket="logs", ACL="log-delivery-write")
    logged = {"LoggingEnabled": {"TargetBucket": "logs", "TargetPrefix": "plain/"}}
    s3.put_bucket_logging(Bucket="plain", BucketLoggingStatus=logged)
    asked = [
        ("plain", "get_bucket_tagging"),
        ("versions", "get_bucket_lifecycle_configuration"),
        ("versions", "get_bucket_versioning"),
        ("plain", "get_bucket_cors"),
        ("plain", "get_bucket_website"),
        ("plain", "get_bucket_policy"),
        ("logs", "get_bucket_acl"),
        ("plain", "get_bucket_logging"),
        ("sealed", "get_bucket_encryption"),
        ("locked", "get_object_lock_configuration"),
    ]
    answers = []
    for bucket, call in asked:
        answer = getattr(s3, call)(Bucket=bucket)
        answer.pop("ResponseMetadata")
        answers.append({"bucket": bucket, "call": call, "answer": answer})
    return answers


def main(program, name):
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        with Store(Path(program).resolve(), data) as store:
            s3 = store.s3()
            objects, more = write(s3)
            manifest = {"objects": objects, **more, "answers": configure(s3)}
            account = store.admin("account", "create", "ana", "--email", "ana@example.com")
            manifest["account"] = {key: account[key] for key in ("display_name", "access_key_id", "secret_access_key")}
            store.admin("account", "quota", account["id"], "--bytes-max", "1000000")
            store.admin("bucket", "quota", "plain", "--bytes-max", "100000000")
            store.admin("settings", "set", "quotas.bucket_objects_max=100000", "--note", "golden")
            manifest["root"] = (data / "credentials").read_text()
            pages = s3.get_paginator("list_object_versions")
            manifest["versions"] = [
                [bucket, entry["Key"], entry["VersionId"], kind == "DeleteMarkers"]
                for bucket in ("plain", "versions", "sealed", "locked")
                for page in pages.paginate(Bucket=bucket)
                for kind in ("Versions", "DeleteMarkers")
                for entry in page.get(kind, [])
            ]
        (data / "manifest.json").write_text(json.dumps(manifest, indent=1))
        with tarfile.open(HERE / f"{name}.tar.xz", "w:xz") as archive:
            archive.add(data, "data")


if __name__ == "__main__":
    main(*sys.argv[1:])
