"""CORS: what a bucket allows is told to browsers, before a request and with its answer."""

import os

from checks import BUCKET, client, done, equal, refused
from urllib3 import PoolManager

s3 = client()
s3.create_bucket(Bucket=BUCKET)
s3.put_object(Bucket=BUCKET, Key="k", Body=b"x", ACL="public-read")
http = PoolManager()
HERE = f"{os.environ['AWS_ENDPOINT_URL']}/{BUCKET}/k"
ORIGIN = "https://app.example.com"


def preflight(origin=ORIGIN, method="PUT", headers=""):
    """Status of a preflight request, and what it is told of methods, headers and age."""
    asked = {"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}
    answer = http.request("OPTIONS", HERE, headers={name: value for name, value in asked.items() if value})
    told = [answer.headers.get(f"access-control-{name}") for name in ("allow-origin", "allow-methods", "max-age")]
    return answer.status, *told


refused("NoSuchCORSConfiguration", s3.get_bucket_cors, Bucket=BUCKET)
equal(preflight()[:2], (403, None))
s3.put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": [
    {
        "AllowedOrigins": ["https://*.example.com"], "AllowedMethods": ["GET", "PUT"],
        "AllowedHeaders": ["x-amz-*", "content-type"], "ExposeHeaders": ["ETag", "x-amz-version-id"],
        "MaxAgeSeconds": 600,
    },
    {"AllowedOrigins": ["*"], "AllowedMethods": ["HEAD"]},
]})
equal(preflight(), (200, ORIGIN, "GET, PUT", "600"))
equal(preflight(headers="Content-Type, x-amz-meta-a")[0], 200)
equal(preflight(headers="x-other")[:2], (403, None))
equal(preflight(method="DELETE")[:2], (403, None))
equal(preflight(origin="https://example.org")[:2], (403, None))
equal(preflight(origin="https://example.org", method="HEAD")[:3], (200, "*", "HEAD"))
equal(preflight(origin="")[0], 400)

# An answer says the same, also that of a refusal; without an origin it says nothing.
answer = http.request("GET", HERE, headers={"Origin": ORIGIN})
equal((answer.status, answer.data, answer.headers["access-control-allow-origin"]), (200, b"x", ORIGIN))
equal(answer.headers["access-control-expose-headers"], "ETag, x-amz-version-id")
answer = http.request("GET", HERE + "/none", headers={"Origin": ORIGIN})
equal((answer.status, answer.headers.get("access-control-allow-origin")), (403, ORIGIN))
equal("access-control-allow-origin" in http.request("GET", HERE).headers, False)
answer = http.request("GET", HERE, headers={"Origin": "https://example.org"})
equal((answer.status, "access-control-allow-origin" in answer.headers), (200, False))
s3.delete_bucket_cors(Bucket=BUCKET)
equal(preflight()[:2], (403, None))
done()
