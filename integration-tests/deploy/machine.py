"""A machine to throw away: its own loopback, processes and mounts; what is written to /etc, /var and the like is gone
with it. So files of `deploy/` run as they are, on the ports and paths that they name, beside whatever else runs here.
"""

import ctypes
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
# Where a machine keeps what is its own.
OWN = ("/etc", "/var", "/srv", "/mnt", "/root", "/home", "/usr/bin")
SCRATCH = Path("/run/cofre-machine")
NAMES = "127.0.0.1 localhost s3.example.com media.s3.example.com admin.example.com\n::1 localhost\n"
# The program that is tested, as a package would install it.
PROGRAM = "/usr/bin/cofre"
# What is begun ends with who began it.
TOGETHER = ("setpriv", "--pdeathsig", "TERM")


def enter():
    """Goes on in a machine of its own; the process that called waits for it, and ends as it ends. It takes root."""
    if os.environ.pop("COFRE_MACHINE", None) == "inside":
        _furnish()
        return
    command = ["unshare", "--mount", "--net", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc"]
    inside = {**os.environ, "COFRE_MACHINE": "inside"}
    sys.exit(subprocess.run([*TOGETHER, *command, sys.executable, "-B", *sys.argv], env=inside).returncode)


def program():
    """The program that is tested, outside."""
    return Path(os.environ.get("COFRE_BIN") or ROOT / "target/debug/cofre").resolve()


def _furnish():
    tested = program()
    # /run is of every process of the machine outside.
    mount("tmpfs", "/run", "tmpfs")
    SCRATCH.mkdir()
    # It may stand where this machine has a folder of its own.
    kept = SCRATCH / "cofre"
    kept.touch()
    bind(tested, kept)
    for own in OWN:
        upper, work = (SCRATCH / f"{own.strip('/').replace('/', '-')}.{part}" for part in ("upper", "work"))
        upper.mkdir()
        work.mkdir()
        mount("overlay", own, "overlay", f"lowerdir={own},upperdir={upper},workdir={work}")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    Path("/etc/hosts").write_text(NAMES)
    Path(PROGRAM).touch()
    bind(kept, PROGRAM)
    # Settings and profiles of the machine outside are not this one's.
    for name in [name for name in os.environ if name.startswith(("COFRE_", "AWS_"))]:
        del os.environ[name]


_libc = ctypes.CDLL(None, use_errno=True)


def mount(source, target, kind, options=""):
    """mount(2)."""
    _mount(source, target, kind, 0, options)


def bind(source, target):
    """Has one path stand for another."""
    _mount(source, target, None, 4096, "")


def _mount(source, target, kind, flags, options):
    encoded = [None if text is None else os.fsencode(text) for text in (source, target, kind, options)]
    if _libc.mount(*encoded[:3], ctypes.c_ulong(flags), encoded[3]):
        error = ctypes.get_errno()
        raise OSError(error, f"mount {source} on {target}: {os.strerror(error)}")
