"""What the boto3 scripts share: a client for the server in the environment, and checks that count themselves."""

import boto3
from botocore.client import Config
from botocore.exceptions import ClientError

BUCKET = "boto3"
_passed = 0


def client(**options):
    """A client without retries: a retry would hide an answer that is wrong once."""
    return boto3.client("s3", config=Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}, **options))


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


def done():
    """Says how many checks passed."""
    print(f"{_passed} checks passed")
