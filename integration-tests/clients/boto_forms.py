"""Forms of browsers: made by `generate_presigned_post`, sent as multipart/form-data."""

from checks import BUCKET, client, done, equal, true
from urllib3 import PoolManager

s3 = client(signature_version="s3v4")
s3.create_bucket(Bucket=BUCKET)
http = PoolManager()


def send(form, content=b"by form", name="up.txt", **changed):
    """Status and answer of a form that is sent with other fields changed."""
    fields = {**form["fields"], **changed, "file": (name, content, "text/plain")}
    return http.request("POST", form["url"], fields=fields, redirect=False, retries=False)


def form(key, *conditions, expires=60, **fields):
    return s3.generate_presigned_post(BUCKET, key, Fields=fields, Conditions=list(conditions), ExpiresIn=expires)


def code(answer):
    return answer.status, answer.data.decode().partition("<Code>")[2].partition("</Code>")[0]


# Without a word on the answer it is empty.
answer = send(form("plain"))
equal((answer.status, answer.data), (204, b""))
got = s3.get_object(Bucket=BUCKET, Key="plain")
equal((got["Body"].read(), got["ETag"]), (b"by form", answer.headers["etag"]))
equal(send(form("${filename}")).status, 204)
equal(s3.head_object(Bucket=BUCKET, Key="up.txt")["ContentLength"], 7)

# Fields that the policy names become headers and metadata.
fields = {"Content-Type": "text/x-form", "x-amz-meta-by": "form", "success_action_status": "201", "acl": "private"}
answer = send(form("fields", *({name: value} for name, value in fields.items()), **fields))
equal(answer.status, 201)
true("<Key>fields</Key>" in answer.data.decode() and f"<Bucket>{BUCKET}</Bucket>" in answer.data.decode(), answer.data)
head = s3.head_object(Bucket=BUCKET, Key="fields")
equal((head["ContentType"], head["Metadata"]), ("text/x-form", {"by": "form"}))

# Or a page is named that the browser goes on to.
page = "http://example.com/done"
answer = send(form("page", {"success_action_redirect": page}, success_action_redirect=page))
equal(answer.status, 303)
true(answer.headers["location"].startswith(f"{page}?bucket={BUCKET}&key=page&etag="), answer.headers)

# A prefix leaves the key to the browser, and a range the size.
starts = form("user/${filename}", ["starts-with", "$key", "user/"])
equal(send(starts, key="user/mine").status, 204)
equal(code(send(starts, key="other/mine")), (403, "AccessDenied"))
bounded = form("bounded", ["content-length-range", 2, 4])
equal(code(send(bounded, b"1")), (400, "EntityTooSmall"))
equal(code(send(bounded, b"12345")), (400, "EntityTooLarge"))
equal(send(bounded, b"123").status, 204)

# What the policy does not say may not be sent, and what is signed may not be changed.
plain = form("plain")
equal(code(send(plain, **{"x-amz-meta-more": "1"})), (403, "AccessDenied"))
equal(code(send(plain, key="elsewhere")), (403, "AccessDenied"))
equal(code(send(plain, **{"x-amz-signature": "0" * 64})), (403, "SignatureDoesNotMatch"))
equal(code(send(form("late", expires=-10))), (403, "AccessDenied"))
keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
equal(keys, ["bounded", "fields", "page", "plain", "up.txt", "user/mine"])
done()
