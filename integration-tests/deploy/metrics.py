"""The dashboard and the alert rules of `deploy/grafana`: each series that they name is there in `/metrics`."""

import json
import re
import subprocess

import machine
import proxies
import servers

GRAFANA = machine.DEPLOY / "grafana"
# A name, and what it is asked for.
SERIES = re.compile(r"\b((?:cofre|process)_[a-z0-9_]+)\b(?:\{([^}]*)\})?")
MATCHER = re.compile(r'([a-z_]+)\s*(?:=~|!=|!~|=)\s*"([^"]*)"')
GROUPING = re.compile(r"\bby \(([^)]*)\)")
# Labels that Prometheus gives, and the one that it renames.
GIVEN = {"instance", "job", "le"}


def expressions():
    """What is asked of Prometheus, with where it stands."""
    import yaml

    for group in yaml.safe_load((GRAFANA / "alerts.yml").read_text())["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]
    board = json.loads((GRAFANA / "cofre.json").read_text())
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for annotation in board["annotations"]["list"]:
        yield annotation["name"], annotation["expr"]
    for variable in board["templating"]["list"]:
        yield variable["name"], variable["query"]


def scraped(text):
    """Names of the series, each with the labels and their values that it has."""
    found = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, _, rest = line.partition("{") if "{" in line.split(" ")[0] else (line.split(" ")[0], "", "")
            labels = found.setdefault(name, {})
            for label, value in MATCHER.findall(rest.rpartition("}")[0]):
                labels.setdefault("exported_job" if label == "job" else label, set()).add(value)
    return found


def traffic(cofre):
    """Has every series begin that waits for something to happen."""
    s3 = proxies.client()
    s3.create_bucket(Bucket="media")
    s3.put_object(Bucket="media", Key="a", Body=b"x" * 100_000)
    s3.get_object(Bucket="media", Key="a")["Body"].read()
    try:
        s3.get_object(Bucket="media", Key="b")
        raise AssertionError("there is no b")
    except s3.exceptions.NoSuchKey:
        pass
    cofre.admin("job", "run", "catalog-backup")
    cofre.admin("job", "run", "scrub")
    waited = {"cofre_last_backup_timestamp_seconds", "cofre_job_remaining_objects"}
    servers.until("every series", lambda: waited <= scraped(cofre.metrics()).keys())


def main():
    cert, key = servers.certificate("/etc/tls", "s3.example.com")
    cofre = servers.Cofre(tls_cert=cert, tls_key=key).ready()
    cofre.tell_clients("https://s3.example.com:9000", cert)
    traffic(cofre)
    known = scraped(cofre.metrics())
    checked = 0
    for place, expression in expressions():
        for name, matchers in SERIES.findall(expression):
            assert name in known, f"{place}: Cofre has no {name}"
            for label, value in MATCHER.findall(matchers or ""):
                assert label in GIVEN or label in known[name], f"{place}: {name} has no label {label}"
                exact = re.fullmatch(r"[a-z]+", value) and label not in (*GIVEN, "code")
                assert not exact or value in known[name][label], f"{place}: {name} has no {label} {value}"
            checked += 1
        labels = {label.strip() for group in GROUPING.findall(expression) for label in group.split(",")}
        names = {label for name, _ in SERIES.findall(expression) for label in known[name]}
        assert labels <= names | GIVEN, f"{place}: {labels - names - GIVEN}"
    for command in (["check", "rules", "alerts.yml"], ["test", "rules", "alerts.test.yml"]):
        done = subprocess.run(["promtool", *command], cwd=GRAFANA, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    cofre.clean()
    print(f"{checked} series: checks passed")


if __name__ == "__main__":
    machine.enter()
    main()
