"""What the walks of `aws s3api` share: the CLI itself, in this process, so that a command costs no start of Python."""

import contextlib
import io
import json
import os
import tempfile

from awscli.clidriver import create_clidriver
from checks import true

_folder = tempfile.TemporaryDirectory()
os.environ["AWS_CONFIG_FILE"] = os.path.join(_folder.name, "config")
with open(os.environ["AWS_CONFIG_FILE"], "w", encoding="utf-8") as _config:
    # For `s3 presign`, which for this region still signs as before 2014.
    _config.write("[default]\ns3 =\n  signature_version = s3v4\n")
_cli = create_clidriver()


def command(*arguments):
    """Runs `aws` with these arguments. Gives its exit code, and what it says."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = _cli.main(list(arguments))
    return status, out.getvalue(), err.getvalue()


def _arguments(operation, options):
    arguments = ["s3api", operation]
    last = options.pop("outfile", None)
    for name, value in options.items():
        arguments.append("--" + name.replace("_", "-"))
        if value is not True:
            arguments.append(value if isinstance(value, str) else json.dumps(value))
    return arguments + ([last] if last else [])


def aws(operation, **options):
    """Runs `aws s3api OPERATION`, with an option for each name; gives the JSON that it prints."""
    status, out, err = command(*_arguments(operation, options))
    assert status == 0, f"{operation} {options}: {status} {err}"
    return json.loads(out) if out.strip() else {}


def refused(code, operation, **options):
    """Fails unless the command is refused with this code. Gives what it says."""
    status, _, err = command(*_arguments(operation, options))
    true(status != 0 and f"({code})" in err, f"{operation} {options}: {status} {err}, expected {code}")
    return err


def file(content):
    """A file with this content, for `--body`."""
    handle, path = tempfile.mkstemp(dir=_folder.name)
    with os.fdopen(handle, "wb") as opened:
        opened.write(content)
    return path


def read(**options):
    """Content of an object, and what `get-object` prints of it."""
    path = os.path.join(_folder.name, "read")
    told = aws("get-object", **options, outfile=path)
    with open(path, "rb") as opened:
        return opened.read(), told
