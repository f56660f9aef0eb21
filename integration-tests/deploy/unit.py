"""The units of `deploy/systemd`, in a systemd of their own: the first process of a container whose files are those of
this machine, and gone with it.
"""

import os
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import machine

SYSTEMD = machine.DEPLOY / "systemd"
CGROUPS = Path("/sys/fs/cgroup")
SCRATCH = Path("/run/cofre-unit")
LIBRARY = Path("usr/lib")
# The longest that a container may take.
SECS_MAX = 120
# The driver is the container's only target: what it prints and how it ends is the test's.
DRIVER = """[Unit]
Description=test
Requires=dbus.socket sysinit.target
After=dbus.socket sysinit.target
[Service]
Type=oneshot
StandardOutput=file:/srv/out
StandardError=file:/srv/out
ExecStart={python} -B {script} inside {arguments}
ExecStopPost=+/usr/bin/systemctl exit --no-block
"""


def own_cgroup():
    """Moves this process into a control group of its own in each hierarchy: the container's groups stand below it."""
    for hierarchy in [CGROUPS, *CGROUPS.iterdir()]:
        if (hierarchy / "cgroup.procs").exists():
            group = hierarchy / f"cofre-unit-{os.getpid()}"
            group.mkdir()
            if hierarchy.name == "cpuset":
                for name in ("cpuset.cpus", "cpuset.mems"):
                    (group / name).write_text((hierarchy / name).read_text())
            (group / "cgroup.procs").write_text("0")


def run(*arguments):
    """Boots the container and runs this file in it. Gives what it said."""
    root = SCRATCH / "root"
    machine.mount("tmpfs", "/run", "tmpfs")
    for folder in (root, SCRATCH / "upper", SCRATCH / "work"):
        folder.mkdir(parents=True)
    machine.mount("overlay", root, "overlay", f"lowerdir=/,upperdir={SCRATCH}/upper,workdir={SCRATCH}/work")
    (root / "etc/machine-id").write_text(uuid.uuid4().hex + "\n")
    program = Path(os.environ.get("COFRE_BIN") or machine.ROOT / "target/debug/cofre").resolve()
    shutil.copy(program, root / "usr/bin/cofre")
    for name in ("cofre.service", "cofre@.service"):
        shutil.copy(SYSTEMD / name, root / LIBRARY / "systemd/system" / name)
    shutil.copy(SYSTEMD / "cofre.sysusers", root / LIBRARY / "sysusers.d/cofre.conf")
    shutil.copy(SYSTEMD / "cofre.tmpfiles", root / LIBRARY / "tmpfiles.d/cofre.conf")
    driver = DRIVER.format(python=sys.executable, script=Path(__file__).resolve(), arguments=" ".join(arguments))
    (root / "etc/systemd/system/test.service").write_text(driver)
    boot = ["systemd-nspawn", "--register=no", "--keep-unit", "--private-network", f"--directory={root}", "--console=pipe"]
    boot += [f"--bind-ro={machine.ROOT}", "--machine=cofre-unit", "--quiet", "--boot", "--", "systemd.unit=test.service"]
    # What the console says has no reader.
    done = subprocess.run(["timeout", "--kill-after=5", str(SECS_MAX), *boot], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    out = root / "srv/out"
    return out.read_text() if out.exists() else f"no driver: {done.returncode} {done.stdout}{done.stderr}"


def sh(command):
    """Runs a command in the container and gives what it prints."""
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    if done.returncode:
        journal = subprocess.run("journalctl --no-pager -n 40", shell=True, capture_output=True, text=True).stdout
        raise AssertionError(f"{command}: {done.returncode} {done.stdout}{done.stderr}\n{journal}")
    return done.stdout.strip()


def prepare():
    """What a package does when it is installed."""
    sh("systemd-sysusers /usr/lib/sysusers.d/cofre.conf && systemd-tmpfiles --create /usr/lib/tmpfiles.d/cofre.conf")
    assert sh("stat -c '%U %a' /var/lib/cofre") == "cofre 700"


def sandbox(pid):
    """What the kernel says of the process."""
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", status
    assert status["CapEff"].strip("0") == "" and status["CapBnd"].strip("0") == "", status
    assert status["Uid"].split()[0] == sh("id -u cofre")
    inside = f"nsenter --target {pid} --mount --"
    for path in ("/usr/x", "/etc/x", "/var/lib/x", "/srv/x", "/home/x"):
        assert sh(f"{inside} touch {path} 2>&1 || echo refused").endswith("refused"), path
    assert sh(f"{inside} ls /home /root | grep -v : | tr -d '\\n'") == ""
    assert "sda" not in sh(f"{inside} ls /dev") and "vda" not in sh(f"{inside} ls /dev")


def inside(check):
    prepare()
    CHECKS[check]()
    print(f"{check}: checks passed")


def serves():
    """The unit starts, serves by its credentials, is restarted, and ends well."""
    root = Path("/etc/credstore")
    (root / "cofre.root-access-key-id").write_text("UNITACCESSKEY1234567")
    (root / "cofre.root-secret-access-key").write_text("a-secret-of-the-unit-test-40-characters-")
    sh("echo COFRE_LISTEN=127.0.0.1:9010 > /etc/cofre/cofre.env")
    sh("systemctl start cofre.service")
    assert sh("systemctl is-active cofre.service") == "active"
    pid = sh("systemctl show --value --property MainPID cofre.service")
    sandbox(pid)
    assert "UNITACCESSKEY1234567" in Path("/var/lib/cofre/credentials").read_text()
    # Ready is when it says so: nobody has to wait.
    sh("curl --fail --silent http://127.0.0.1:9001/health/ready")
    put = "AWS_SHARED_CREDENTIALS_FILE=/var/lib/cofre/credentials curl --fail --silent --aws-sigv4 aws:amz:us-east-1:s3 "
    put += "--user UNITACCESSKEY1234567:a-secret-of-the-unit-test-40-characters- -H x-amz-content-sha256:UNSIGNED-PAYLOAD"
    sh(f"{put} -X PUT http://127.0.0.1:9010/media && echo hello | {put} -T - -H 'Content-Length: 6' http://127.0.0.1:9010/media/a")
    sh("systemctl restart cofre.service")
    assert sh(f"{put} http://127.0.0.1:9010/media/a") == "hello"
    sh("systemctl stop cofre.service")
    assert sh("systemctl show --value --property Result cofre.service") == "success"
    assert sh("systemctl show --value --property NRestarts cofre.service") == "0"
    warned = sh("journalctl --no-pager -u cofre.service -o cat | grep -E '\"level\":\"(WARN|ERROR)\"' || true")
    assert warned == "", warned


CHECKS = {"serves": serves}

if __name__ == "__main__":
    if sys.argv[1] == "inside":
        inside(sys.argv[2])
    elif os.environ.get("COFRE_MACHINE") == "inside":
        said = run(*sys.argv[1:])
        print(said)
        sys.exit(0 if "checks passed" in said else 1)
    else:
        own_cgroup()
        command = ["unshare", "--mount", sys.executable, "-B", *sys.argv]
        ended = subprocess.run(command, env={**os.environ, "COFRE_MACHINE": "inside"})
        sys.exit(ended.returncode)
