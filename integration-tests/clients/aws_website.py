"""A website, set with the CLI and read as a browser reads it. `WEBSITE_DOMAIN` is what the server was started with."""

import http.client
import os
from urllib.parse import urlsplit

from checks import done, equal, true
from walk import aws, file, refused

B = "site"
HOST = f"{B}.{os.environ['WEBSITE_DOMAIN']}"


def browse(path, method="GET"):
    """Status, `Location` and body of a page."""
    connection = http.client.HTTPConnection(urlsplit(os.environ["AWS_ENDPOINT_URL"]).netloc)
    connection.request(method, path, headers={"Host": HOST})
    answer = connection.getresponse()
    return answer.status, answer.getheader("location"), answer.read().decode()


aws("create-bucket", bucket=B)
status, _, page = browse("/")
equal((status, "NoSuchWebsiteConfiguration" in page), (404, True))
aws("put-bucket-website", bucket=B, website_configuration={
    "IndexDocument": {"Suffix": "index.html"},
    "ErrorDocument": {"Key": "error.html"},
    "RoutingRules": [
        {"Condition": {"KeyPrefixEquals": "old/"}, "Redirect": {"ReplaceKeyPrefixWith": "new/"}},
        {
            "Condition": {"HttpErrorCodeReturnedEquals": "404", "KeyPrefixEquals": "wiki/"},
            "Redirect": {"HostName": "wiki.example.com", "Protocol": "https", "HttpRedirectCode": "302"},
        },
    ],
})
for key in ("index.html", "docs/index.html", "error.html", "new/page"):
    aws("put-object", bucket=B, key=key, body=file(f"<p>{key}</p>".encode()), content_type="text/html")

# Nobody may read it yet: the error document neither.
equal(browse("/")[0], 403)
statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{B}/*"}
aws("put-bucket-policy", bucket=B, policy={"Version": "2012-10-17", "Statement": [statement]})
equal(browse("/"), (200, None, "<p>index.html</p>"))
equal(browse("/docs/"), (200, None, "<p>docs/index.html</p>"))
status, location, _ = browse("/docs")
equal((status, location), (302, "/docs/"))
equal(browse("/", "HEAD"), (200, None, ""))
# A missing page is the error document, since not even its name may be known without the right to list.
status, _, page = browse("/missing")
true(status in (403, 404))
equal(page, "<p>error.html</p>")
equal(browse("/", "PUT")[0], 405)

# Redirects: by rule, after an error, of one object, and of all.
equal(browse("/old/page")[:2], (301, f"http://{HOST}/new/page"))
aws("put-bucket-policy", bucket=B, policy={"Version": "2012-10-17", "Statement": [
    statement,
    {"Effect": "Allow", "Principal": "*", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{B}"},
]})
equal(browse("/missing")[0], 404)
equal(browse("/wiki/a")[:2], (302, "https://wiki.example.com/wiki/a"))
aws("put-object", bucket=B, key="moved", website_redirect_location="/new/page")
equal(aws("head-object", bucket=B, key="moved")["WebsiteRedirectLocation"], "/new/page")
equal(browse("/moved")[:2], (301, "/new/page"))
aws("put-bucket-website", bucket=B, website_configuration={"RedirectAllRequestsTo": {"HostName": "example.com"}})
equal(browse("/a?b=c")[:2], (301, "http://example.com/a?b=c"))
both = {"IndexDocument": {"Suffix": "i"}, "RedirectAllRequestsTo": {"HostName": "example.com"}}
refused("InvalidArgument", "put-bucket-website", bucket=B, website_configuration=both)
aws("delete-bucket-website", bucket=B)
equal(browse("/")[0], 404)
done()
