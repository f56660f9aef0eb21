"""A systemd of its own: the first process of a container whose files are those of this machine, and gone with it. So
units start as they do where they are installed, sandbox and all.
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
SCRATCH = Path("/run/cofre-boot")
LIBRARY = Path("usr/lib")
# The longest that a container may take.
SECS_MAX = 240
# The driver is the container's only target: what it prints is the test's.
DRIVER = """[Unit]
Requires=dbus.socket sysinit.target
After=dbus.socket sysinit.target
[Service]
Type=oneshot
Environment=HOME=/root PATH={path} COFRE_BOOT=inside
WorkingDirectory={folder}
StandardOutput=file:/srv/out
StandardError=file:/srv/out
ExecStart={command}
ExecStopPost=/usr/bin/systemctl exit --no-block
"""
# Debian's units of these start by themselves, where they are installed.
ASLEEP = ("nginx", "haproxy", "caddy", "prometheus")


def main(check):
    """Runs this program again in a container, and there `check` with the program's arguments."""
    if os.environ.get("COFRE_BOOT") == "inside":
        check(*sys.argv[1:])
        print("checks passed")
    elif os.environ.get("COFRE_MACHINE") == "inside":
        said = _boot()
        print(said)
        sys.exit(0 if said.rstrip().endswith("checks passed") else 1)
    else:
        sys.exit(_in_own_group([*machine.TOGETHER, "unshare", "--mount", sys.executable, "-B", *sys.argv]))


def install(root):
    """Does what a package does: the program and its units."""
    shutil.copy(machine.program(), root / "usr/bin/cofre")
    for name in ("cofre.service", "cofre@.service"):
        shutil.copy(SYSTEMD / name, root / LIBRARY / "systemd/system" / name)
    shutil.copy(SYSTEMD / "cofre.sysusers", root / LIBRARY / "sysusers.d/cofre.conf")
    shutil.copy(SYSTEMD / "cofre.tmpfiles", root / LIBRARY / "tmpfiles.d/cofre.conf")


def _boot():
    root = SCRATCH / "root"
    machine.mount("tmpfs", "/run", "tmpfs")
    for folder in (root, SCRATCH / "upper", SCRATCH / "work"):
        folder.mkdir(parents=True)
    machine.mount("overlay", root, "overlay", f"lowerdir=/,upperdir={SCRATCH}/upper,workdir={SCRATCH}/work")
    (root / "etc/machine-id").write_text(uuid.uuid4().hex + "\n")
    (root / "etc/hosts").write_text(machine.NAMES)
    install(root)
    for name in ASLEEP:
        wanted = root / f"etc/systemd/system/multi-user.target.wants/{name}.service"
        wanted.unlink(missing_ok=True)
    words = [sys.executable, "-B", str(Path(sys.argv[0]).resolve()), *sys.argv[1:]]
    path = f"{Path(sys.executable).parent}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    driver = DRIVER.format(path=path, folder=machine.ROOT, command=" ".join(words))
    (root / "etc/systemd/system/test.service").write_text(driver)
    boot = [*machine.TOGETHER, "timeout", "--kill-after=5", str(SECS_MAX)]
    boot += ["systemd-nspawn", "--register=no", "--keep-unit", "--private-network", f"--directory={root}"]
    # The tree may be where the container has a folder of its own.
    boot += [
        f"--bind-ro={machine.ROOT}",
        f"--bind-ro={sys.prefix}",
        "--console=pipe",
        f"--machine=cofre-{os.getpid()}",
        "--quiet",
    ]
    done = subprocess.run(
        [*boot, "--boot", "--", "systemd.unit=test.service"], stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    out = root / "srv/out"
    return out.read_text() if out.exists() else f"nothing was run: {done.returncode} {done.stdout}{done.stderr}"


def _in_own_group(command):
    """Runs a command in a control group of its own in each hierarchy: the container's groups stand below it."""
    groups = [
        hierarchy / f"cofre-{os.getpid()}"
        for hierarchy in [CGROUPS, *CGROUPS.iterdir()]
        if (hierarchy / "cgroup.procs").exists()
    ]
    for group in groups:
        group.mkdir()
        if group.parent.name == "cpuset":
            for name in ("cpuset.cpus", "cpuset.mems"):
                (group / name).write_text((group.parent / name).read_text())

    def enter():
        for group in groups:
            (group / "cgroup.procs").write_text("0")

    try:
        return subprocess.run(command, env={**os.environ, "COFRE_MACHINE": "inside"}, preexec_fn=enter).returncode
    finally:
        for group in groups:
            for folder, _, _ in os.walk(group, topdown=False):
                os.rmdir(folder)


def sh(command):
    """Runs a command in the container and gives what it prints."""
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    if done.returncode:
        journal = subprocess.run("journalctl --no-pager -n 40", shell=True, capture_output=True, text=True).stdout
        raise AssertionError(f"{command}: {done.returncode} {done.stdout}{done.stderr}\n{journal}")
    return done.stdout.strip()
