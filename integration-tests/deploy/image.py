"""The image and the compose files of `deploy/docker`, by Debian's podman in place of Docker: Dockerfile.binary builds
the image, and each service runs with what its file says. An image that would come from a registry is the machine's own
program.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import machine
import proxies
import servers

sys.path.append(str(machine.ROOT / "integration-tests/deploy/golden"))
import golden

DOCKER = machine.DEPLOY / "docker"
STORE = Path("/srv/containers")
IMAGE = "localhost/cofre"
# No systemd keeps time here, and no control groups are this machine's to give.
HERE = ["--cgroups=disabled", "--health-interval=disable", "--ulimit=nproc=1024:1024", "--network=host", "--pull=never"]
NOFILE_MAX = 10_000
HEALTHY_SECS_MAX = 60
PROVISION = """
[[accounts]]
name = "ana"
[[accounts.keys]]
access_key_id = "ana-app"
secret_access_key_file = "ana.secret"
[[buckets]]
name = "photos"
owner = "ana"
"""


def engine(program, *arguments, check=True):
    """What buildah or podman prints."""
    common = ["--root", STORE / "root", "--runroot", "/run/containers", "--storage-driver", "vfs"]
    if program == "podman":
        common += ["--runtime", "crun", "--cgroup-manager", "cgroupfs", "--log-level", "fatal"]
    done = subprocess.run([program, *map(str, (*common, *arguments))], capture_output=True, text=True)
    assert not check or done.returncode == 0, f"{program} {arguments}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def build():
    """Makes the image of a stripped program, as its file says."""
    STORE.mkdir()
    program, root = STORE / "cofre", STORE / "image"
    subprocess.run(["strip", "-o", program, machine.PROGRAM], check=True)
    subprocess.run([DOCKER / "rootfs.sh", program, root], check=True)
    engine(
        "buildah",
        "bud",
        "--isolation=chroot",
        "--format=docker",
        "--file",
        DOCKER / "Dockerfile.binary",
        "--tag",
        "cofre",
        root,
    )
    # Those of the image from source are the same, but for where the program comes from.
    source, binary = ((DOCKER / name).read_text() for name in ("Dockerfile", "Dockerfile.binary"))
    assert source.partition("# The token")[2] == binary.partition("# The token")[2] != ""


def service(file, name, folder):
    """What `podman run` takes for a service of a compose file. Its volume is a folder of this machine."""
    import yaml

    environment = {"COFRE_FOLDER": str(folder)}
    text = (DOCKER / file).read_text()
    filled = re.sub(
        r"\$\{(\w+):-([^}]*)\}", lambda found: environment.get(found[1], os.environ.get(found[1], found[2])), text
    )
    asked = yaml.safe_load(filled)["services"][name]
    arguments = ["--name", name, "--user", asked["user"], *HERE]
    arguments += ["--read-only"] * asked["read_only"]
    arguments += [f"--cap-drop={capability}" for capability in asked["cap_drop"]]
    arguments += [f"--security-opt={option}" for option in asked["security_opt"]]
    arguments += [f"--env={key}={value}" for key, value in asked.get("environment", {}).items()]
    arguments += [f"--volume={volume}" for volume in asked["volumes"]]
    arguments += [f"--ulimit=nofile={min(asked['ulimits']['nofile'], NOFILE_MAX)}"]
    assert asked["healthcheck"]["test"] == ["CMD", "/usr/bin/cofre", "health"]
    return [*arguments, f"localhost/{asked['image']}"]


def folder(name, owner, mode=0o755):
    """An empty folder of somebody."""
    made = Path("/srv") / name
    made.mkdir()
    os.chown(made, owner, owner)
    made.chmod(mode)
    return made


def healthy():
    """Waits until the image's own check says that it is."""

    def check():
        said = engine("podman", "healthcheck", "run", "cofre", check=False)
        return "unhealthy" not in said and "Error" not in said

    servers.until("healthy", check, HEALTHY_SECS_MAX)


def end():
    """Stops it as compose does; it must end well."""
    engine("podman", "stop", "--time=60", "cofre")
    code = engine("podman", "inspect", "--format", "{{.State.ExitCode}}", "cofre").strip()
    assert code == "0", engine("podman", "logs", "cofre")
    engine("podman", "rm", "cofre")


def whole_life(place, user=None):
    """Starts on a folder, becomes healthy, answers its admin commands, and stops."""
    if user:
        os.environ["COFRE_USER"] = user
    engine("podman", "run", "--detach", *service("compose.yml", "cofre", place))
    os.environ.pop("COFRE_USER", None)
    healthy()
    assert "every promise holds" in engine("podman", "exec", "cofre", "cofre", "admin", "health")
    warned = [line for line in engine("podman", "logs", "cofre").splitlines() if '"WARN"' in line or '"ERROR"' in line]
    assert all("in the clear" in line for line in warned), warned
    end()


def folders_of_anyone():
    """The image's own user, one of the machine's, and root each have a folder; who has none is told what mends it."""
    whole_life(folder("ours", 65532, 0o700))
    whole_life(folder("of-1000", 1000), "1000:1000")
    whole_life(folder("of-root", 0), "0:0")
    for name, owner in (("root", 0), ("1000", 1000)):
        place = folder(f"wrong-{name}", owner)
        said = engine("podman", "run", *service("compose.yml", "cofre", place), check=False)
        mending = re.search(r"chown -R 65532:65532 /data", said)
        assert mending, said
        engine("podman", "rm", "cofre")
        subprocess.run(mending[0].replace("/data", str(place)), shell=True, check=True)
        whole_life(place)


def behind_haproxy():
    """Both services of the other file: the same HAProxy file, on the network that both share."""
    cert, key = servers.certificate("/etc/tls", *proxies.NAMES)
    place = folder("behind", 65532)
    engine("podman", "run", "--detach", *service("compose.haproxy.yml", "cofre", place))
    proxies.haproxy(cert, key)
    healthy()
    os.environ["AWS_SHARED_CREDENTIALS_FILE"] = str(place / "credentials")
    os.environ.update(AWS_ENDPOINT_URL="https://s3.example.com", AWS_REGION="us-east-1", AWS_CA_BUNDLE=str(cert))
    s3 = proxies.client(s3={"addressing_style": "path"})
    servers.until("HAProxy sees it", lambda: proxies.curl_status("https://s3.example.com/") != 503)
    s3.create_bucket(Bucket="media")
    s3.put_object(Bucket="media", Key="a", Body=b"hello")
    assert s3.get_object(Bucket="media", Key="a")["Body"].read() == b"hello"
    end()


def upgraded():
    """Stores of older releases under the image: everything reads back, and it goes on."""
    assert golden.NAMES, "there is no golden store"
    for name in golden.NAMES:
        place = Path("/srv") / f"golden-{name}"
        manifest = golden.unpack(name, place, 65532)
        engine(
            "podman",
            "run",
            "--detach",
            "--env=COFRE_ALLOW_INSECURE_SSE_C=true",
            *service("compose.yml", "cofre", place),
        )
        healthy()
        assert golden.check("http://127.0.0.1:9000", manifest) > 0
        golden.use("http://127.0.0.1:9000", manifest)
        engine("podman", "exec", "cofre", "cofre", "admin", "verify", "--deep")
        end()


def provisioned():
    """A file that is mounted says what there is to be, with secrets that only the image's user reads."""
    place, files = folder("provisioned", 65532), folder("provision", 65532, 0o700)
    (files / "provision.toml").write_text(PROVISION)
    (files / "ana.secret").write_text("kQ7zYw31pLm9XcVbn2\n")
    for path in files.iterdir():
        os.chown(path, 65532, 65532)
        path.chmod(0o600)
    more = [f"--volume={files}:/provision:ro", "--env=COFRE_PROVISION=/provision/provision.toml"]
    engine("podman", "run", "--detach", *more, *service("compose.yml", "cofre", place))
    healthy()
    listed = engine("podman", "exec", "cofre", "cofre", "admin", "bucket", "list", "--json")
    assert [(bucket["name"], bucket["owner_name"]) for bucket in json.loads(listed)] == [("photos", "ana")], listed
    end()


def nothing_more():
    """The image holds the program and what it is linked to, and is no one's who could write to it."""
    found = {str(path.relative_to(STORE / "image")) for path in (STORE / "image").rglob("*") if path.is_file()}
    programs = {path for path in found if path.startswith(("usr/bin", "bin", "sbin", "usr/sbin"))}
    assert programs == {"usr/bin/cofre"}, programs
    asked = engine(
        "podman", "inspect", "--format", "{{.Config.User}} {{.Config.StopSignal}} {{.HealthCheck.Test}}", IMAGE
    )
    assert asked.strip() == "65532:65532 SIGTERM [CMD /usr/bin/cofre health]", asked


def main():
    # crun wants control groups of one kind.
    subprocess.run(["umount", "/sys/fs/cgroup/unified"], capture_output=True)
    build()
    nothing_more()
    folders_of_anyone()
    upgraded()
    provisioned()
    behind_haproxy()
    linter = shutil.which("hadolint", path=str(Path(os.sys.executable).parent))
    for name in ("Dockerfile", "Dockerfile.binary"):
        done = subprocess.run([linter, DOCKER / name], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    print("image: checks passed")


if __name__ == "__main__":
    machine.enter()
    main()
