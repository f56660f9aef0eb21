"""Stores of older releases under this one: everything reads back, nothing is wrong with it, and it goes on. By the process
alone, and by the unit (`unit`); image.py does the same by the image.
"""

import sys
from pathlib import Path

import boot
import machine
import servers
from boot import sh

sys.path.append(str(machine.ROOT / "integration-tests/deploy/golden"))
import golden

UNIT_S3 = "http://127.0.0.1:9010"


def process():
    """As it is started by hand."""
    for name in golden.NAMES:
        data = Path("/var/lib") / f"cofre-{name}"
        manifest = golden.unpack(name, data)
        cofre = servers.Cofre(data, allow_insecure_sse_c="true").ready()
        endpoint = "http://127.0.0.1:9000"
        for turn in range(2):
            assert golden.check(endpoint, manifest) > 0
            cofre.admin("verify", "--deep")
            cofre.stop()
            cofre.clean()
            if turn == 0:
                # What this one has written of it is read by its next start.
                cofre.ready()
        cofre.ready()
        golden.use(endpoint, manifest)
        cofre.admin("verify", "--deep")
        settings = cofre.admin("settings", "get")["document"]
        assert settings["quotas"]["bucket_objects_max"] == 100_000
        accounts = {account["display_name"]: account for account in cofre.admin("account", "list")}
        assert accounts["ana"]["quota"] == {"bytes_max": 1_000_000}, accounts
        cofre.stop()
        cofre.clean()


def unit():
    """By the unit, in its sandbox: an instance for each store."""
    sh("systemd-sysusers /usr/lib/sysusers.d/cofre.conf && systemd-tmpfiles --create /usr/lib/tmpfiles.d/cofre.conf")
    owner = int(sh("id -u cofre"))
    for name in golden.NAMES:
        data = Path("/var/lib") / f"cofre-{name}"
        manifest = golden.unpack(name, data, owner)
        settings = "COFRE_LISTEN=127.0.0.1:9010\nCOFRE_ADMIN_LISTEN=127.0.0.1:9011\nCOFRE_ALLOW_INSECURE_SSE_C=true\n"
        Path(f"/etc/cofre/{name}.env").write_text(settings)
        sh(f"systemctl start cofre@{name}")
        assert golden.check(UNIT_S3, manifest) > 0
        admin = f"cofre admin --url http://127.0.0.1:9011 --token-file {data}/admin-token"
        sh(f"{admin} verify --deep")
        golden.use(UNIT_S3, manifest)
        sh(f"{admin} verify --deep && systemctl stop cofre@{name}")
        said = sh(f"journalctl --no-pager --unit cofre@{name} --output cat").splitlines()
        loud = [line for line in said if '"level":"ERROR"' in line or '"level":"WARN"' in line]
        assert all("stand on one device" in line for line in loud), loud


if __name__ == "__main__":
    assert golden.NAMES, "there is no golden store"
    if sys.argv[1:] == ["unit"]:
        boot.main(lambda _: unit())
    else:
        machine.enter()
        process()
        print("upgrade: checks passed")
