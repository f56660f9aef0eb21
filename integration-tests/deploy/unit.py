"""The units of `deploy/systemd`: they start in their sandbox, tell systemd the truth, and take credentials."""

from pathlib import Path

import boot
from boot import sh

CREDENTIALS = Path("/etc/credstore")
KEY, SECRET = "UNITACCESSKEY1234567", "a-secret-of-the-unit-test-40-characters-"
CURL = "curl --fail --silent --show-error "
SIGNED = f"{CURL} --aws-sigv4 aws:amz:us-east-1:s3 --user {KEY}:{SECRET} -H x-amz-content-sha256:UNSIGNED-PAYLOAD"
EXPOSURE_MAX = 2.0


def prepare():
    """What a package does when it is installed."""
    sh("systemd-sysusers /usr/lib/sysusers.d/cofre.conf && systemd-tmpfiles --create /usr/lib/tmpfiles.d/cofre.conf")
    assert sh("stat -c '%U %a' /var/lib/cofre") == "cofre 700"
    for prefix in ("cofre", "cofre-east"):
        (CREDENTIALS / f"{prefix}.root-access-key-id").write_text(KEY)
        (CREDENTIALS / f"{prefix}.root-secret-access-key").write_text(SECRET)


def verified():
    """What systemd says of the files themselves."""
    for unit in ("cofre.service", "cofre@.service"):
        path = f"/usr/lib/systemd/system/{unit}"
        assert sh(f"systemd-analyze verify {path} 2>&1") == ""
        said = sh(f"systemd-analyze security --offline=true --no-pager {path}").splitlines()[-1]
        assert float(said.split(": ")[1].split()[0]) <= EXPOSURE_MAX, said
    # Both say the same, but for the instance.
    one, other = (Path(f"/usr/lib/systemd/system/{unit}").read_text() for unit in ("cofre.service", "cofre@.service"))
    for instance, plain in (
        ("cofre-%i.", "cofre."),
        ("/%i.env", "/cofre.env"),
        ("cofre-%i", "cofre"),
        (", instance %i", ""),
    ):
        other = other.replace(instance, plain)
    settings = [[line for line in text.splitlines() if not line.startswith("#")] for text in (one, other)]
    assert settings[0] == settings[1], set(settings[0]) ^ set(settings[1])


def sandbox(unit):
    """What the kernel says of the process, and what it may reach."""
    pid = sh(f"systemctl show --value --property MainPID {unit}")
    status = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line
    )
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", status
    assert status["CapEff"].strip("0") == "" and status["CapBnd"].strip("0") == "", status
    assert status["Uid"].split()[0] == sh("id -u cofre")
    inside = f"nsenter --target {pid} --mount --"
    for path in ("/usr/x", "/etc/x", "/var/lib/x", "/srv/x", "/home/x"):
        assert sh(f"{inside} touch {path} 2>&1 || echo refused").endswith("refused"), path
    assert sh(f"{inside} ls -A /home /root") == "/home:\n\n/root:"
    assert not {"vda", "sda", "mem", "kmsg"} & set(sh(f"{inside} ls /dev").split())


def serves(unit, port):
    """It is ready when systemd says so, keeps what it was given, and ends well."""
    sh(f"systemctl start {unit}")
    sh(f"{CURL} http://127.0.0.1:{port}/-/health/ready")
    sandbox(unit)
    sh(f"{SIGNED} -X PUT http://127.0.0.1:{port}/media")
    sh(f"echo hello > /srv/hello && {SIGNED} -T /srv/hello http://127.0.0.1:{port}/media/a")
    sh(f"systemctl restart {unit}")
    assert sh(f"{SIGNED} http://127.0.0.1:{port}/media/a") == "hello"


def watched(unit):
    """A process that hangs is ended and started again."""
    before = sh(f"systemctl show --value --property MainPID {unit}")
    sh(f"kill -STOP {before}")
    restarts = (
        f"timeout 60 bash -c 'until [ $(systemctl show --value --property NRestarts {unit}) = 1 ]; do sleep 0.1; done'"
    )
    sh(f"{restarts} && timeout 60 bash -c 'until systemctl is-active {unit}; do sleep 0.1; done'")
    assert sh(f"systemctl show --value --property MainPID {unit}") != before


def ends(unit):
    sh(f"systemctl stop {unit}")
    assert sh(f"systemctl show --value --property Result {unit}") == "success"
    said = sh(f"journalctl --no-pager --unit {unit} --output cat")
    assert '"level":"ERROR"' not in said and '"level":"WARN"' not in said, said


def low_ports():
    """The drop-in has it listen on a port below 1024, with a certificate that is a credential."""
    folder = Path("/etc/systemd/system/cofre.service.d")
    folder.mkdir(exist_ok=True)
    (folder / "ports-below-1024.conf").write_text((boot.SYSTEMD / "ports-below-1024.conf").read_text())
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=s3.example.com"
    )
    command += " -addext subjectAltName=DNS:s3.example.com -addext basicConstraints=critical,CA:FALSE"
    sh(f"{command} -keyout {CREDENTIALS}/cofre.tls-key -out {CREDENTIALS}/cofre.tls-cert 2>/dev/null")
    Path("/etc/cofre/cofre.env").write_text("COFRE_LISTEN=0.0.0.0:443\n")
    sh("systemctl daemon-reload && systemctl start cofre.service")
    assert sh(f"{SIGNED} --cacert {CREDENTIALS}/cofre.tls-cert https://s3.example.com/media/a") == "hello"


def check():
    prepare()
    verified()
    Path("/etc/cofre/east.env").write_text("COFRE_LISTEN=127.0.0.1:9010\nCOFRE_ADMIN_LISTEN=127.0.0.1:9011\n")
    folder = Path("/etc/systemd/system/cofre.service.d")
    folder.mkdir()
    # A minute is long for a test.
    (folder / "watchdog.conf").write_text("[Service]\nWatchdogSec=2s\n")
    sh("systemctl daemon-reload")
    serves("cofre@east.service", 9010)
    serves("cofre.service", 9000)
    watched("cofre.service")
    ends("cofre@east.service")
    ends("cofre.service")
    low_ports()


if __name__ == "__main__":
    boot.main(check)
