"""Cofre sees the client through a proxy that it was told of: policies, rate limits and logs. From anybody else the same
words change nothing.
"""

import json
import socket
import sys

import machine
import proxies
import servers

# Loopback has many addresses: the proxy's and a direct client's is the first, and these are clients.
LET_IN, OTHER = "127.0.0.7", "127.0.0.8"
CROWD, CALM = "127.0.1.1", "127.0.2.1"
ANONYMOUS_PER_SECOND = 20
FORGED = ("X-Forwarded-For: " + LET_IN, "X-Forwarded-Proto: https", "Forwarded: for=" + LET_IN + ";proto=https")


def policy(bucket):
    """Whoever comes from one address, and by TLS, may read."""
    condition = {"IpAddress": {"aws:SourceIp": LET_IN}, "Bool": {"aws:SecureTransport": "true"}}
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [{**statement, "Condition": condition}]})


def asked(address, url="https://s3.example.com/media/a", headers=()):
    """Status of a GET from an address."""
    told = [part for header in headers for part in ("--header", header)]
    return proxies.curl_status("--interface", address, *told, url)


def raw(address, first):
    """Status of a GET from an address, straight to Cofre, whose connection begins so; 0 if it hangs up."""
    with socket.create_connection(servers.S3, timeout=20, source_address=(address, 0)) as connection:
        connection.sendall(first + b"GET /media/a HTTP/1.1\r\nhost: s3.example.com\r\nconnection: close\r\n\r\n")
        try:
            answer = connection.recv(12)
        except ConnectionResetError:
            return 0
    return int(answer[9:12] or 0)


def version_2(source):
    """A PROXY header of version 2 that says that a client came by TLS."""
    addresses = (
        socket.inet_aton(source) + socket.inet_aton("127.0.0.1") + (4000).to_bytes(2, "big") + (443).to_bytes(2, "big")
    )
    tls = bytes([0x20, 0, 5, 1, 0, 0, 0, 0])
    body = addresses + tls
    return b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + len(body).to_bytes(2, "big") + body


def policies(through_tls):
    """The one client gets in, and nobody who only says that he is the one."""
    assert asked(LET_IN) == 200
    assert asked(OTHER) == 403
    assert asked(OTHER, headers=FORGED) == 403, "a client's own headers are believed"
    if through_tls:
        return
    plain = "http://127.0.0.1:9000/media/a"
    assert asked(LET_IN, plain) == 403, "plain HTTP passes for TLS"
    assert asked(OTHER, plain, FORGED) == 403, "an address that is not listed is believed"
    assert raw(OTHER, f"PROXY TCP4 {LET_IN} 127.0.0.1 4000 443\r\n".encode()) in (0, 400), "and by PROXY v1"
    assert raw(OTHER, version_2(LET_IN)) in (0, 400), "and by PROXY v2"
    assert raw("127.0.0.1", version_2(LET_IN)) == 200
    assert raw("127.0.0.1", version_2(OTHER)) == 403


def rates():
    """A crowd's network is turned away, and another client is not: each is counted by its own address."""
    url = "https://s3.example.com/media/nothing"
    many = [url] * (ANONYMOUS_PER_SECOND * 20)
    words = ("--interface", CROWD, "--write-out", "%{http_code}\\n", "--output", "/dev/null")
    statuses = proxies.curl(*words[:2], *[part for address in many for part in (*words[2:], address)]).split()
    assert b"503" in statuses, "the crowd is not turned away"
    assert asked(CALM, url) == 403, "another client pays for the crowd"


def logged(s3):
    """Lines of server access logs name the clients."""

    def lines():
        found = s3.list_objects_v2(Bucket="logs").get("Contents", [])
        return "".join(s3.get_object(Bucket="logs", Key=entry["Key"])["Body"].read().decode() for entry in found)

    def seen():
        text = lines()
        return all(f"] {address} " in text for address in (LET_IN, OTHER))

    servers.until("lines with both clients", seen)
    # Nobody else came from the proxy's own address but this test's client.
    anonymous = [line for line in lines().splitlines() if "] 127.0.0.1 - " in line]
    assert not [line for line in anonymous if "REST.GET.OBJECT" in line and "media/a" in line and "https" in line], (
        anonymous
    )


def main(name):
    cert, key = servers.certificate("/etc/tls", *proxies.NAMES)
    settings = {"trusted_proxies": "127.0.0.1", "anonymous_requests_per_second": ANONYMOUS_PER_SECOND}
    through_tls = name == "passthrough"
    if through_tls:
        settings |= {"tls_cert": cert, "tls_key": key}
    cofre = servers.Cofre(**settings).ready()
    proxies.PROXIES[name](cert, key)
    cofre.tell_clients("https://s3.example.com", cert)
    cofre.admin("settings", "set", "timers.access_log_delivery_secs=1")
    s3 = proxies.client(s3={"addressing_style": "path"})
    for bucket in ("media", "logs"):
        s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket="media", Key="a", Body=b"hello")
    statement = {"Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject"}
    let = {"Version": "2012-10-17", "Statement": [{**statement, "Resource": "arn:aws:s3:::logs/*"}]}
    s3.put_bucket_policy(Bucket="logs", Policy=json.dumps(let))
    target = {"LoggingEnabled": {"TargetBucket": "logs", "TargetPrefix": ""}}
    s3.put_bucket_logging(Bucket="media", BucketLoggingStatus=target)
    s3.put_bucket_policy(Bucket="media", Policy=policy("media"))
    policies(through_tls)
    logged(s3)
    told = {line.get("ip") for line in cofre.lines() if line.get("operation") == "GetObject"}
    assert {LET_IN, OTHER} <= told, f"Cofre's own log names {told}"
    rates()
    cofre.clean()
    print(f"{name}: checks passed")


if __name__ == "__main__":
    machine.enter()
    main(sys.argv[1])
