"""Processes of a machine to throw away: Cofre, as `deploy/docs` starts it, and the proxies before it."""

import http.client
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import machine

DATA = Path("/var/lib/cofre")
S3 = ("127.0.0.1", 9000)
ADMIN = ("127.0.0.1", 9001)
# Warnings that hold of every machine here.
ANNOUNCED = ("stand on one device",)


def until(what, condition, seconds=60):
    """Waits until the condition gives something true, and gives it."""
    last = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > last:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.02)
    return found


def listens(address):
    """Whether somebody listens there."""
    try:
        socket.create_connection(address, timeout=1).close()
        return True
    except OSError:
        return False


def status(address, path, headers=None):
    """Status of a GET in plain HTTP; 0 if nobody answers."""
    connection = http.client.HTTPConnection(*address, timeout=5)
    try:
        connection.request("GET", path, headers=headers or {})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


class Server:
    """A process, and what it says."""

    def __init__(self, name, *command, environment=None, **options):
        self.name, self.command, self.options = name, [str(part) for part in command], options
        self.environment = {"PATH": os.environ["PATH"], "HOME": "/root", **(environment or {})}
        self.log = Path("/var/log") / f"{name}.out"
        self.process = None

    def start(self):
        """Starts it, and waits for nothing."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self.options
            )
        return self

    def start_until(self, what, condition):
        """Starts it, and waits for something that shows that it serves."""
        self.start()

        def look():
            assert self.process.poll() is None, f"{self.name} ended:\n{self.said()}"
            return condition()

        try:
            until(f"{self.name}: {what}", look)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.said()}") from error
        return self

    def listening(self, *addresses):
        """Starts it, and waits until it listens."""
        return self.start_until("listens", lambda: all(listens(address) for address in addresses))

    def stop(self, how=signal.SIGTERM):
        """Asks it to end, and waits."""
        self.process.send_signal(how)
        ended = self.process.wait(timeout=60)
        assert how != signal.SIGTERM or ended in (0, -signal.SIGTERM), f"{self.name} ended with {ended}:\n{self.said()}"

    def said(self):
        """The end of what it said."""
        return self.log.read_text(errors="replace")[-6000:]


class Cofre(Server):
    """A Cofre on the ports of its defaults. Its settings are variables, as in a unit or a container."""

    def __init__(self, data=DATA, **settings):
        environment = {
            "COFRE_DATA": str(data),
            "COFRE_LISTEN": "127.0.0.1:9000",
            "COFRE_ADMIN_LISTEN": "127.0.0.1:9001",
            "COFRE_LOG_FORMAT": "json",
            **{f"COFRE_{name.upper()}": str(value) for name, value in settings.items()},
        }
        super().__init__("cofre", machine.PROGRAM, "serve", environment=environment)
        self.data, self.announced = Path(data), list(ANNOUNCED)

    def start(self):
        self.data.mkdir(parents=True, exist_ok=True)
        return super().start()

    def ready(self):
        """Starts it, and waits until it is ready."""
        return self.start_until("is ready", lambda: status(ADMIN, "/health/ready") == 200)

    def admin(self, *arguments):
        """What `cofre admin` prints, as JSON."""
        done = subprocess.run(
            [machine.PROGRAM, "admin", *arguments, "--json"],
            env={"COFRE_ADMIN_TOKEN_FILE": str(self.data / "admin-token")},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"cofre admin {arguments}: {done.stdout}{done.stderr}"
        return json.loads(done.stdout)

    def tell_clients(self, endpoint, bundle=None):
        """Has the clients of this process, and of those that it starts, come with the root account's key."""
        os.environ.update(
            AWS_SHARED_CREDENTIALS_FILE=str(self.data / "credentials"),
            AWS_REGION="us-east-1",
            AWS_DEFAULT_REGION="us-east-1",
            AWS_ENDPOINT_URL=endpoint,
            AWS_EC2_METADATA_DISABLED="true",
        )
        if bundle:
            os.environ["AWS_CA_BUNDLE"] = str(bundle)

    def metrics(self):
        """What Prometheus gets, as text."""
        connection = http.client.HTTPConnection(*ADMIN, timeout=10)
        token = (self.data / "admin-token").read_text().strip()
        connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        text = answer.read().decode()
        assert answer.status == 200, text
        return text

    def lines(self):
        """Its log, line by line."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def clean(self):
        """Fails if it logged a warning or an error that nobody announced."""
        for line in self.lines():
            text = json.dumps(line)
            if line.get("level") in ("WARN", "ERROR") and not any(words in text for words in self.announced):
                raise AssertionError(f"an unexpected line in Cofre's log: {text}")


def certificate(folder, *names):
    """Makes a certificate for these names, which clients trust by itself: cert.pem and key.pem."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    alternatives = ",".join(f"DNS:{name}" for name in names)
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "3650",
    ]
    command += ["-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-subj", f"/CN={names[0]}"]
    command += ["-addext", f"subjectAltName={alternatives}", "-addext", "basicConstraints=critical,CA:FALSE"]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "cert.pem", folder / "key.pem"
