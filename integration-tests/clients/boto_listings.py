"""Listings: order, pages, prefixes and delimiters, in both versions."""

from checks import BUCKET, client, done, equal, refused, true

s3 = client()
s3.create_bucket(Bucket=BUCKET)
KEYS = sorted(
    ["a", "a/b", "a/b/c", "a//", "a-b", "a.b", "b/", "b/1", "b/2", "c d", "c+d", "c%20d", "ü", "漢字", "\U0001f512", "z"],
    key=lambda key: key.encode(),
)
for key in KEYS:
    s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())


def everything(version, size, **arguments):
    """Keys and common prefixes of all pages, in the order in which they come."""
    pages = s3.get_paginator(version).paginate(Bucket=BUCKET, PaginationConfig={"PageSize": size}, **arguments)
    keys, prefixes = [], []
    for page in pages:
        entries = len(page.get("Contents", [])) + len(page.get("CommonPrefixes", []))
        true(entries <= size, "a page is not larger than was asked")
        keys += [entry["Key"] for entry in page.get("Contents", [])]
        prefixes += [entry["Prefix"] for entry in page.get("CommonPrefixes", [])]
    return keys, prefixes


def model(prefix="", delimiter=""):
    """What a listing is, by definition."""
    keys, prefixes = [], []
    for key in KEYS:
        if not key.startswith(prefix):
            continue
        head, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
        if not found:
            keys.append(key)
        elif prefix + head + delimiter not in prefixes:
            prefixes.append(prefix + head + delimiter)
    return keys, prefixes


for version in ("list_objects", "list_objects_v2"):
    for size in (1, 2, 3, 1000):
        for prefix in ("", "a", "a/", "b/", "none", "c"):
            for delimiter in ("", "/", "b", "//", "ü"):
                arguments = {"Prefix": prefix} if prefix else {}
                if delimiter:
                    arguments["Delimiter"] = delimiter
                # Version 1 gives no marker without a delimiter; the paginator takes the last key.
                equal(everything(version, size, **arguments), model(prefix, delimiter), (version, size, arguments))

# Where a listing begins.
after = [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET, StartAfter="b/1")["Contents"]]
equal(after, [key for key in KEYS if key.encode() > b"b/1"])
after = [entry["Key"] for entry in s3.list_objects(Bucket=BUCKET, Marker="b")["Contents"]]
equal(after, [key for key in KEYS if key.encode() > b"b"])

# What an entry says.
entry = s3.list_objects_v2(Bucket=BUCKET, Prefix="b/1", FetchOwner=True)["Contents"][0]
head = s3.head_object(Bucket=BUCKET, Key="b/1")
equal((entry["ETag"], entry["Size"], entry["StorageClass"]), (head["ETag"], 3, "STANDARD"))
equal(entry["Owner"]["ID"], s3.list_buckets()["Owner"]["ID"])
true("Owner" not in s3.list_objects_v2(Bucket=BUCKET, MaxKeys=1)["Contents"][0])
answer = s3.list_objects_v2(Bucket=BUCKET, MaxKeys=0)
equal((answer["KeyCount"], answer["IsTruncated"]), (0, False))
equal(s3.list_objects_v2(Bucket=BUCKET, MaxKeys=5000)["MaxKeys"], 1000)
refused("InvalidArgument", s3.list_objects_v2, Bucket=BUCKET, MaxKeys=-1)

# Buckets have pages too.
for number in range(5):
    s3.create_bucket(Bucket=f"paged-{number}")
names = []
for page in s3.get_paginator("list_buckets").paginate(PaginationConfig={"PageSize": 2}):
    names += [bucket["Name"] for bucket in page["Buckets"]]
equal(names, ["boto3"] + [f"paged-{number}" for number in range(5)])
done()
