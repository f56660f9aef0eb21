"""Versions: made, listed, read, copied, tagged, hidden by markers, suspended, and deleted."""

from checks import done, equal, true
from walk import aws, file, read, refused

B = "versions"


def put(content):
    return aws("put-object", bucket=B, key="k", body=file(content)).get("VersionId")


def listed():
    """All version ids, and those that are said to be the latest; a marker's has a dash before it."""
    page = aws("list-object-versions", bucket=B, prefix="k")
    entries = [(entry["VersionId"], entry["IsLatest"]) for entry in page.get("Versions", [])]
    entries += [("-" + entry["VersionId"], entry["IsLatest"]) for entry in page.get("DeleteMarkers", [])]
    equal(len(entries), len({version for version, _ in entries}), "no version is told twice")
    return {version for version, _ in entries}, [version for version, latest in entries if latest]


aws("create-bucket", bucket=B)
equal(put(b"before"), None)
aws("put-bucket-versioning", bucket=B, versioning_configuration={"Status": "Enabled"})
one, two = put(b"one"), put(b"two")
true(one and two and one != two)
equal(listed(), ({"null", one, two}, [two]))
equal(read(bucket=B, key="k")[0], b"two")
for version, content in (("null", b"before"), (one, b"one"), (two, b"two")):
    got, told = read(bucket=B, key="k", version_id=version)
    equal((got, told["VersionId"]), (content, version))

# Sub-resources of one version.
aws("put-object-tagging", bucket=B, key="k", version_id=one, tagging={"TagSet": [{"Key": "v", "Value": "1"}]})
equal(aws("get-object-tagging", bucket=B, key="k", version_id=one)["TagSet"], [{"Key": "v", "Value": "1"}])
equal(aws("get-object-tagging", bucket=B, key="k")["TagSet"], [])
copy = aws("copy-object", bucket=B, key="copy", copy_source=f"{B}/k?versionId={one}")
equal(copy["CopySourceVersionId"], one)
equal(read(bucket=B, key="copy")[0], b"one")

# A marker hides, and its own deletion shows again.
marker = aws("delete-object", bucket=B, key="k")
true(marker["DeleteMarker"])
marker = marker["VersionId"]
refused("NoSuchKey", "get-object", bucket=B, key="k", outfile="/dev/null")
refused("404", "head-object", bucket=B, key="k")
refused("MethodNotAllowed", "get-object", bucket=B, key="k", version_id=marker, outfile="/dev/null")
refused("NoSuchKey", "copy-object", bucket=B, key="copy", copy_source=f"{B}/k")
equal(listed(), ({"null", one, two, "-" + marker}, ["-" + marker]))
equal([entry["Key"] for entry in aws("list-objects-v2", bucket=B)["Contents"]], ["copy"])
undone = aws("delete-object", bucket=B, key="k", version_id=marker)
equal((undone["VersionId"], undone["DeleteMarker"]), (marker, True))
equal(read(bucket=B, key="k")[0], b"two")

# The newest goes for good, and the one before it is the object.
equal(aws("delete-object", bucket=B, key="k", version_id=two)["VersionId"], two)
equal(read(bucket=B, key="k")[0], b"one")
refused("NoSuchVersion", "get-object", bucket=B, key="k", version_id=two, outfile="/dev/null")
refused("InvalidArgument", "get-object", bucket=B, key="k", version_id="nonsense", outfile="/dev/null")

# Suspended: only the null version is replaced.
aws("put-bucket-versioning", bucket=B, versioning_configuration={"Status": "Suspended"})
put(b"after")
equal(listed(), ({"null", one}, ["null"]))
equal(read(bucket=B, key="k", version_id="null")[0], b"after")
equal(aws("delete-object", bucket=B, key="k")["VersionId"], "null")
equal(listed(), ({one, "-null"}, ["-null"]))

# Pages, and the end of all.
pages, marks = [], {}
while True:
    page = aws("list-object-versions", bucket=B, max_keys=1, no_paginate=True, **marks)
    entries = page.get("Versions", []) + page.get("DeleteMarkers", [])
    equal(len(entries), 1)
    pages.append((entries[0]["Key"], entries[0]["VersionId"]))
    if not page["IsTruncated"]:
        break
    marks = {"key_marker": page["NextKeyMarker"], "version_id_marker": page["NextVersionIdMarker"]}
equal(pages, [("copy", copy["VersionId"]), ("k", "null"), ("k", one)])
objects = [{"Key": key, "VersionId": version} for key, version in pages]
equal(len(aws("delete-objects", bucket=B, delete={"Objects": objects})["Deleted"]), 3)
true("Versions" not in aws("list-object-versions", bucket=B))
aws("delete-bucket", bucket=B)
done()
