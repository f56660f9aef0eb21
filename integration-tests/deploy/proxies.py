"""Each proxy of `deploy/` by its own file, before a Cofre: what a client signs and sends must arrive as it was."""

import gzip
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import machine
import servers

HAPROXY_SOCKET = "/run/haproxy-asked.sock"
NAMES = ("s3.example.com", "*.s3.example.com")


def nginx(cert, key):
    """nginx by `deploy/nginx`, with Debian's own file around it."""
    shutil.copy(cert, "/etc/nginx/cofre.crt")
    shutil.copy(key, "/etc/nginx/cofre.key")
    shutil.copy(machine.DEPLOY / "nginx/cofre.conf", "/etc/nginx/conf.d/")
    return servers.Server("nginx", "nginx", "-g", "daemon off; error_log stderr;").listening(("127.0.0.1", 443))


def caddy(cert, key):
    """Caddy by `deploy/caddy`; no authority gives it a certificate here, so it is told of one."""
    text = (machine.DEPLOY / "caddy/Caddyfile").read_text()
    told = "{\n\tadmin off\n\tauto_https disable_redirects\n}\n" + text.replace(
        "s3.example.com {", f"s3.example.com {{\n\ttls {cert} {key}", 1
    )
    Path("/etc/Caddyfile").write_text(told)
    server = servers.Server("caddy", "caddy", "run", "--config", "/etc/Caddyfile", "--adapter", "caddyfile")
    return server.listening(("127.0.0.1", 443))


def haproxy(cert, key, file="haproxy.cfg"):
    """HAProxy by `deploy/haproxy`."""
    Path("/etc/haproxy/cofre.pem").write_bytes(cert.read_bytes() + key.read_bytes())
    # Tests ask it how it is.
    Path("/etc/haproxy/asked.cfg").write_text(f"global\n    stats socket {HAPROXY_SOCKET} mode 600 level operator\n")
    command = ["haproxy", "-db", "-f", machine.DEPLOY / "haproxy" / file, "-f", "/etc/haproxy/asked.cfg"]
    server = servers.Server("haproxy", *command)
    return server.listening(("127.0.0.1", 443))


PROXIES = {
    "nginx": nginx,
    "caddy": caddy,
    "haproxy": haproxy,
    "passthrough": lambda c, k: haproxy(c, k, "passthrough.cfg"),
}

# Keys that a proxy may take for paths. `{}` is what they begin with.
KEYS = [
    "plain",
    "//two//slashes//",
    "/begins",
    "ends/",
    "./dot/./dots",
    "a/../b",
    "../up",
    "a//../b/.",
    "%2F and %2f",
    "100%",
    "%",
    "plus+plus plus",
    " space at both ends ",
    "semi;colon=a&b?c#d",
    "back\\slash|pipe`~^{}[]<>\"'",
    "ümläut/漢字/🦀",
    "tab\tand\x7f",
    "a" * 1000,
]

# With the rest of its head not quite the 16 KiB that Cofre takes.
LONG_HEADER = 15_200


def keys_survive(s3, keys=KEYS):
    """Objects of odd names come and go, and are listed as they are called."""
    for number, key in enumerate(keys):
        body = f"{number}".encode()
        s3.put_object(Bucket="media", Key=key, Body=body, Metadata={"a_b.c": "x" * 900})
        found = s3.get_object(Bucket="media", Key=key)
        assert found["Body"].read() == body, key
        # Names of headers have no case; Caddy gives them its own, and boto3 keeps what it sees.
        assert {name.lower(): text for name, text in found["Metadata"].items()} == {"a_b.c": "x" * 900}, found[
            "Metadata"
        ]
        assert s3.head_object(Bucket="media", Key=key)["ContentLength"] == len(body), key
    listed = [
        entry["Key"]
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket="media")
        for entry in page["Contents"]
    ]
    assert sorted(listed) == sorted(keys), set(keys) ^ set(listed)
    for key in keys:
        s3.copy_object(Bucket="media", Key="copy", CopySource={"Bucket": "media", "Key": key})
        url = s3.generate_presigned_url("get_object", Params={"Bucket": "media", "Key": key})
        curl("--fail", url)
    for key in [*keys, "copy"]:
        s3.delete_object(Bucket="media", Key=key)


def curl(*arguments):
    """What curl prints."""
    command = ["curl", "--silent", "--show-error", "--path-as-is", "--globoff", *arguments]
    done = subprocess.run(
        command, capture_output=True, env={**os.environ, "CURL_CA_BUNDLE": os.environ["AWS_CA_BUNDLE"]}
    )
    assert done.returncode == 0, (arguments, done.stdout, done.stderr)
    return done.stdout


def curl_status(*arguments):
    """Status of an answer, whatever it is."""
    return int(curl("--output", "/dev/null", "--write-out", "%{http_code}", *arguments))


def bodies_survive(s3):
    """Bodies of every framing arrive: streamed with `Expect`, empty, in parts, in pieces of unknown length."""
    large = hashlib.sha256(b"large").digest() * (3 << 20)
    s3.put_object(Bucket="media", Key="large", Body=large)
    got = s3.get_object(Bucket="media", Key="large", Range="bytes=50000000-50000099")
    assert got["Body"].read() == large[50_000_000:50_000_100]
    assert s3.get_object(Bucket="media", Key="large")["Body"].read() == large
    s3.put_object(Bucket="media", Key="empty", Body=b"")
    assert s3.head_object(Bucket="media", Key="empty")["ContentLength"] == 0
    source = Path("/srv/large")
    source.write_bytes(large)
    for arguments in (["cp", source, "s3://media/cli"], ["cp", "s3://media/cli", "/srv/back"]):
        aws("s3", *arguments)
    assert Path("/srv/back").read_bytes() == large
    url = s3.generate_presigned_url("put_object", Params={"Bucket": "media", "Key": "pieces"})
    curl("--fail", "--header", "Expect: 100-continue", "--upload-file", source, url)
    assert s3.head_object(Bucket="media", Key="pieces")["ContentLength"] == len(large)
    # Without a length Cofre takes what is small.
    curl("--fail", "--http1.1", "--header", "Transfer-Encoding: chunked", "--upload-file", "/etc/hosts", url)
    assert s3.get_object(Bucket="media", Key="pieces")["Body"].read() == Path("/etc/hosts").read_bytes()
    heads_and_codings_survive(s3)


def heads_and_codings_survive(s3):
    """Long heads pass, and an object comes as it is, whatever the client would unpack."""
    text = b"compressible " * 10_000
    s3.put_object(Bucket="media", Key="text", Body=text, ContentType="text/plain")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "media", "Key": "text"})
    assert curl("--fail", "--header", "Accept-Encoding: gzip", url) == text
    assert b"content-length: 130000" in curl("--fail", "--head", "--request", "GET", url).lower()
    assert curl("--fail", "--header", "x-note: " + "x" * LONG_HEADER, url) == text
    packed = gzip.compress(text)
    s3.put_object(Bucket="media", Key="packed", Body=packed, ContentEncoding="gzip")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "media", "Key": "packed"})
    assert curl("--fail", url) == packed, "unpacked on the way"


def aws(*arguments):
    """Runs the aws CLI."""
    program = Path(sys.executable).with_name("aws")
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, (arguments, done.stdout, done.stderr)


def client(**options):
    """A client without retries, which would hide an answer that is wrong once."""
    import boto3
    from botocore.client import Config

    return boto3.client("s3", config=Config(retries={"max_attempts": 1}, **options))


def main(name):
    cert, key = servers.certificate("/etc/tls", *NAMES)
    settings = {"domains": "s3.example.com", "trusted_proxies": "127.0.0.1"}
    if name == "passthrough":
        settings |= {"tls_cert": cert, "tls_key": key}
    cofre = servers.Cofre(**settings).ready()
    PROXIES[name](cert, key)
    cofre.tell_clients("https://s3.example.com", cert)
    path = client(s3={"addressing_style": "path"})
    path.create_bucket(Bucket="media")
    keys_survive(path)
    virtual = client(s3={"addressing_style": "virtual"})
    if name == "nginx":
        # nginx refuses what leads above the root, and nothing makes it pass.
        keys_survive(virtual, [key for key in KEYS if key != "../up"])
        try:
            virtual.put_object(Bucket="media", Key="../up", Body=b"")
            raise AssertionError("nginx takes ../ now: say so in its page")
        except virtual.exceptions.ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400, error
    elif name != "caddy":
        # A wildcard takes a DNS module there.
        keys_survive(virtual)
    bodies_survive(path)
    cofre.clean()
    print(f"{name}: checks passed")


if __name__ == "__main__":
    machine.enter()
    main(sys.argv[1])
