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
OWN = ("/etc", "/var", "/srv", "/opt", "/mnt", "/root", "/home", "/usr/bin", "/usr/lib", "/usr/share", "/usr/local")
NAMES = "127.0.0.1 localhost s3.example.com media.s3.example.com admin.example.com\n::1 localhost\n"
# The program that is tested, as a package would install it.
PROGRAM = "/usr/bin/cofre"


def enter(hold=None):
    """Goes on in a machine of its own; the process that called waits for it, and ends as it ends. `hold` is a folder
    for what the machine writes, which outlives it."""
    if os.environ.get("COFRE_MACHINE") == str(os.getppid()) or os.environ.get("COFRE_MACHINE") == "inside":
        return _furnish(hold)
    command = ["unshare", "--mount", "--net", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc"]
    environment = {**os.environ, "COFRE_MACHINE": "inside"}
    sys.exit(subprocess.run([*command, sys.executable, "-B", *sys.argv], env=environment).returncode)


def _furnish(hold):
    os.environ.pop("COFRE_MACHINE")
    program = Path(os.environ.get("COFRE_BIN") or ROOT / "target/debug/cofre").resolve()
    scratch = Path(hold or "/run/cofre-machine")
    # /run is of every process of the machine outside.
    mount("tmpfs", "/run", "tmpfs")
    scratch.mkdir(parents=True, exist_ok=True)
    mount("tmpfs", scratch, "tmpfs")
    keep = scratch / "cofre"
    keep.touch()
    bind(program, keep)
    for own in OWN:
        name = own.strip("/").replace("/", "-")
        upper, work = scratch / f"{name}.upper", scratch / f"{name}.work"
        upper.mkdir()
        work.mkdir()
        mount("overlay", own, "overlay", f"lowerdir={own},upperdir={upper},workdir={work}")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    Path("/etc/hosts").write_text(NAMES)
    Path(PROGRAM).touch()
    bind(keep, PROGRAM)
    # What the machine outside is told by its environment is not told here.
    for name in [name for name in os.environ if name.startswith(("COFRE_", "AWS_")) and name != "COFRE_VERIFY_VENV"]:
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
