"""Runs the commands of a page of `deploy/docs`, or of README.md, in its order and in one shell, on a machine with a
systemd of its own.

A block that begins with ```` ```sh ```` is run. One that begins with ```` ```sh not-run: WHY ```` is not. In
`deploy/docs` every other block is no commands: `text`, `json` and the like.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import boot
import machine
import servers

DOCS = machine.DEPLOY / "docs"
FENCE = re.compile(r"^ *```(.*)$")
# Pages that begin before Cofre is installed.
INSTALLS = {"one-machine", "README"}
# Names of blocks that are no commands.
INERT = {"text", "json", "yaml", "ini"}
# What README.md shows beside: commands with what they print.
SHOWN = INERT | {"console", ""}
REASON_LENGTH_MIN = 10
# The reader's certificate is one that his clients trust.
PREAMBLE = "set -euo pipefail; export CURL_CA_BUNDLE=/root/tls/cert.pem"


def blocks(page):
    """Blocks of commands that are to be run, with the lines that they begin on."""
    found, inside, info = [], None, ""
    path, inert = (machine.ROOT / "README.md", SHOWN) if page == "README" else (DOCS / f"{page}.md", INERT)
    for number, line in enumerate(path.read_text().splitlines(), 1):
        fence = FENCE.match(line)
        if fence and inside is None:
            inside, info = (number, []), fence[1].strip()
        elif fence:
            if info == "sh":
                found.append(inside)
            elif info.startswith("sh not-run:"):
                assert len(info.removeprefix("sh not-run:").strip()) >= REASON_LENGTH_MIN, (
                    f"{page}:{inside[0]}: why is it not run?"
                )
            else:
                assert info in inert, f"{page}:{inside[0]}: a block of {info!r} is neither run nor said not to be"
            inside = None
        elif inside is not None:
            inside[1].append(line)
    assert inside is None, f"{page}: a block does not end"
    return found


def check(page):
    """Runs the page; a command that fails ends it."""
    tree = Path("/root/tree")
    (tree / "target/release").mkdir(parents=True)
    for name in ("deploy", "README.md"):
        (tree / name).symlink_to(machine.ROOT / name)
    shutil.copy("/usr/bin/cofre", tree / "target/release/cofre")
    # What a page says that its reader has.
    cert, key = servers.certificate("/root/tls", "s3.example.com", "*.s3.example.com")
    (tree / "cofre.pem").write_bytes(cert.read_bytes() + key.read_bytes())
    if page in INSTALLS:
        for path in (
            "/usr/bin/cofre",
            *Path("/usr/lib/systemd/system").glob("cofre*"),
            *Path("/usr/lib").glob("*.d/cofre.conf"),
        ):
            Path(path).unlink()
    else:
        boot.sh("systemd-sysusers cofre.conf && systemd-tmpfiles --create cofre.conf && systemctl start cofre")
    found = blocks(page)
    assert found, f"{page} has no commands"
    script = "".join(f"\n: {page}.md:{number}\n" + "\n".join(lines) for number, lines in found)
    Path("/root/page.sh").write_text(f"{PREAMBLE}\ncd {tree}\nset -x\n{script}\n")
    done = subprocess.run(["bash", "/root/page.sh"])
    if done.returncode:
        subprocess.run(["journalctl", "--no-pager", "-n", "60"])
        sys.exit(f"{page}: the last command failed")
    said = boot.sh("journalctl --no-pager --unit 'cofre*' --output cat")
    loud = [line for line in said.splitlines() if '"WARN"' in line or '"ERROR"' in line]
    assert all("stand on one device" in line for line in loud), loud


if __name__ == "__main__":
    boot.main(check)
