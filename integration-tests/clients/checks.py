"""What the boto3 scripts share: a client for the server in the environment, and checks that count themselves."""

import os
import time

import boto3
from botocore import UNSIGNED
from botocore.client import Config
from botocore.exceptions import ClientError

BUCKET = "boto3"
_passed = 0


def client(key=None, **options):
    """A client without retries: a retry would hide an answer that is wrong once. `key` is an id and a secret."""
    config = Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}, **options)
    names = ("aws_access_key_id", "aws_secret_access_key")
    return boto3.client("s3", config=config, **dict(zip(names, key or ())))


def other():
    """A client of the second account that the suite made."""
    return client((os.environ["OTHER_ACCESS_KEY_ID"], os.environ["OTHER_SECRET_ACCESS_KEY"]))


def anonymous():
    """A client that signs nothing."""
    return client(signature_version=UNSIGNED)


def equal(found, expected, what=""):
    """Fails unless both are the same."""
    global _passed
    assert found == expected, f"{what}: found {found!r}, expected {expected!r}"
    _passed += 1


def true(found, what=""):
    """Fails unless it holds."""
    equal(bool(found), True, what)


def refused(code, call, **arguments):
    """Fails unless the call is refused with this code, or this status."""
    try:
        call(**arguments)
    except ClientError as error:
        answer = error.response
        known = (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"])
        true(code in known, f"{arguments}: {known}, expected {code}")
        return answer
    raise AssertionError(f"{arguments}: expected {code}, and it succeeded")


def until(what, condition, seconds=120):
    """Waits until the condition gives something true, and gives it."""
    last = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < last, f"{what}: not within {seconds} s"
        time.sleep(0.1)
    true(found, what)
    return found


def done():
    """Says how many checks passed."""
    print(f"{_passed} checks passed")
