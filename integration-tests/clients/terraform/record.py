"""Runs Terraform with its AWS provider against a server, and records the requests that it makes.

    python3 integration-tests/clients/terraform/record.py --plugins DIR

DIR is a filesystem mirror of providers that has hashicorp/aws. The server is that of the environment (AWS_ENDPOINT_URL
and a key), on empty data. The recording, calls.jsonl beside this file, is written only if Terraform was content: if it
applied, found nothing to change after each apply, and destroyed everything. The suite `clients` replays it.
"""

import argparse
import http.client
import json
import os
import pathlib
import subprocess
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

HERE = pathlib.Path(__file__).parent
# The replay makes these anew, or they say nothing to the server.
LEFT_OUT = {
    "accept-encoding", "amz-sdk-invocation-id", "amz-sdk-request", "authorization", "connection", "content-length",
    "host", "user-agent", "x-amz-content-sha256", "x-amz-date", "x-amz-user-agent",
}
# What differs from one server to the next, or says nothing of S3.
UNTOLD = {
    "accept-ranges", "connection", "content-length", "date", "last-modified", "server", "transfer-encoding", "vary",
    "x-amz-copy-source-version-id", "x-amz-id-2", "x-amz-object-lock-retain-until-date", "x-amz-request-id",
    "x-amz-version-id",
}
calls = []
phase = ""


def without(names, headers):
    return {name.lower(): value for name, value in headers.items() if name.lower() not in names}


class Recorder(BaseHTTPRequestHandler):
    """Hands each request on as it is, since its host is signed too, and keeps it with its answer."""

    protocol_version = "HTTP/1.1"
    server_at = ""

    def answer(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        server = http.client.HTTPConnection(self.server_at)
        server.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            server.putheader(name, value)
        server.endheaders(body)
        got = server.getresponse()
        said = got.read()
        version = got.headers.get("x-amz-version-id", "")
        call = {
            "phase": phase, "method": self.command, "target": self.path,
            "headers": without(LEFT_OUT, self.headers), "body": body.decode(),
            "status": got.status, "told": without(UNTOLD, got.headers), "answer": said.decode(), "version": version,
        }
        # The provider asks again and again until an answer is stable.
        if not calls or calls[-1] | {"answer": ""} != call | {"answer": ""}:
            calls.append(call)
        self.send_response_only(got.status)
        for name, value in got.headers.items():
            if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                self.send_header(name, value)
        length = got.headers.get("content-length", "0") if self.command == "HEAD" else str(len(said))
        self.send_header("content-length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(said)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer

    def log_message(self, *_):
        """The calls are log enough."""


def main():
    global phase
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--plugins", required=True, metavar="DIR", help="filesystem mirror of providers")
    plugins = options.parse_args().plugins
    Recorder.server_at = urlsplit(os.environ["AWS_ENDPOINT_URL"]).netloc
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    foreign = ("AWS_CA_BUNDLE", "AWS_PROFILE", "HTTP_PROXY", "HTTPS_PROXY", "TF_CLI_CONFIG_FILE")
    environment = {name: value for name, value in os.environ.items() if name not in foreign}
    environment |= {"AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{proxy.server_port}", "CHECKPOINT_DISABLE": "1"}
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "main.tf").write_bytes((HERE / "main.tf").read_bytes())

        def terraform(*arguments):
            subprocess.run(["terraform", *arguments], cwd=folder, env=environment, check=True, stdin=subprocess.DEVNULL)

        terraform("init", f"-plugin-dir={plugins}", "-input=false")
        one_by_one = ("-parallelism=1", "-input=false")
        for phase, arguments in (
            ("create", ("apply", "-auto-approve")),
            # Terraform ends with 2 if anything is not as it was applied.
            ("refresh", ("plan", "-detailed-exitcode")),
            ("change", ("apply", "-auto-approve", "-var=changed=true")),
            ("refresh changed", ("plan", "-detailed-exitcode", "-var=changed=true")),
            ("destroy", ("destroy", "-auto-approve", "-var=changed=true")),
        ):
            terraform(*arguments, *one_by_one)
    (HERE / "calls.jsonl").write_text("".join(json.dumps(call) + "\n" for call in calls))
    print(f"{len(calls)} calls recorded")


main()
