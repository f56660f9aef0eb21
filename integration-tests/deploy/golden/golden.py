"""Golden stores: what older releases have written (`make.py`), and whether this one reads all of it back."""

import configparser
import hashlib
import json
import os
import tarfile
from pathlib import Path

import boto3
from botocore.config import Config

HERE = Path(__file__).resolve().parent
NAMES = sorted(path.name.removesuffix(".tar.xz") for path in HERE.glob("*.tar.xz"))


def unpack(name, folder, owner=0):
    """Puts a store where `folder` is to be, with files of this user, and gives its manifest."""
    folder = Path(folder)
    with tarfile.open(HERE / f"{name}.tar.xz") as archive:
        archive.extractall(folder.parent / f"{folder.name}.golden", filter="fully_trusted")
    made = folder.parent / f"{folder.name}.golden"
    # Who makes the folder may have done so already.
    folder.mkdir(exist_ok=True)
    for path in (made / "data").iterdir():
        path.rename(folder / path.name)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").unlink()
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, owner, owner)
    return manifest


def client(endpoint, manifest, account=None):
    """A client with the root account's key, or that of the other account."""
    if account:
        key, secret = account["access_key_id"], account["secret_access_key"]
    else:
        root = configparser.ConfigParser()
        root.read_string(manifest["root"])
        key, secret = root["default"]["aws_access_key_id"], root["default"]["aws_secret_access_key"]
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(s3={"addressing_style": "path"}),
    )


def check(endpoint, manifest):
    """Reads everything back by its SHA-256, and compares listings and configurations. Gives how many objects it read."""
    s3 = client(endpoint, manifest)
    assert manifest["objects"], "a manifest of nothing checks nothing"
    for entry in manifest["objects"]:
        options = {"VersionId": entry["version"]} if "version" in entry else {}
        if "customer_key" in entry:
            options.update(SSECustomerAlgorithm="AES256", SSECustomerKey=entry["customer_key"])
        body = s3.get_object(Bucket=entry["bucket"], Key=entry["key"], **options)["Body"].read()
        assert (len(body), hashlib.sha256(body).hexdigest()) == (entry["size"], entry["sha256"]), entry
    pages = s3.get_paginator("list_object_versions")
    found = [
        [bucket, entry["Key"], entry["VersionId"], kind == "DeleteMarkers"]
        for bucket in ("plain", "versions", "sealed", "locked")
        for page in pages.paginate(Bucket=bucket)
        for kind in ("Versions", "DeleteMarkers")
        for entry in page.get(kind, [])
    ]
    assert found == manifest["versions"]
    for asked in manifest["answers"]:
        answer = getattr(s3, asked["call"])(Bucket=asked["bucket"])
        answer.pop("ResponseMetadata")
        assert answer == asked["answer"], (asked, answer)
    odd = s3.head_object(Bucket="plain", Key="odd//../key+%2F é")
    assert (odd["Metadata"], odd["ContentType"], odd["CacheControl"]) == ({"answer": "42"}, "text/plain", "no-store")
    upload = manifest["open_upload"]
    parts = s3.list_parts(Bucket=upload["bucket"], Key=upload["key"], UploadId=upload["upload"])["Parts"]
    assert [part["PartNumber"] for part in parts] == [1], parts
    ana = client(endpoint, manifest, manifest["account"])
    assert ana.list_buckets()["Buckets"] == []
    return len(manifest["objects"])


def use(endpoint, manifest):
    """Goes on with it: writes, overwrites, completes, deletes."""
    s3 = client(endpoint, manifest)
    s3.put_object(Bucket="plain", Key="new", Body=b"written by the newer one")
    s3.put_object(Bucket="versions", Key="many", Body=b"once more")
    upload = manifest["open_upload"]
    where = {"Bucket": upload["bucket"], "Key": upload["key"], "UploadId": upload["upload"]}
    part = s3.list_parts(**where)["Parts"][0]
    s3.complete_multipart_upload(**where, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    assert s3.get_object(Bucket="plain", Key="open")["Body"].read()[:4] == b"open"
    s3.delete_object(Bucket="plain", Key="new")
