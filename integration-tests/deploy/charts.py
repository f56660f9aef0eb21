"""The chart of `deploy/helm`: helm lints it, and what it makes is held against Kubernetes' own schemas. Those come with
Go modules, which `cargo verify` downloads: the one behind kubectl, and the Prometheus operator.
"""

import json
import os
import subprocess
import tempfile
from pathlib import Path

import machine

CHART = machine.DEPLOY / "helm/cofre"
EVERYTHING = Path(__file__).parent / "charts/everything.yaml"
# helm tells a chart which Kubernetes there is; built from its module it knows none.
KUBERNETES = "1.33.0"
# Where `cargo verify` installs programs, and says which modules it downloaded.
CHARTS = Path(os.environ.get("COFRE_VERIFY_CHARTS") or machine.ROOT / "target/verify-charts")
RUNTIME = "k8s.io/cli-runtime@"
OPERATOR = "github.com/prometheus-operator/prometheus-operator@"
CRD = "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml"
# Either form goes, and the swagger has but one.
EITHER = ("io.k8s.apimachinery.pkg.util.intstr.IntOrString", "io.k8s.apimachinery.pkg.api.resource.Quantity")


def tool(name, *arguments, expect=0):
    """What a program of `cargo verify` prints."""
    path = CHARTS / "bin" / name
    done = subprocess.run([path, *map(str, arguments)], capture_output=True, text=True)
    assert (done.returncode == 0) == (expect == 0), f"{name} {arguments}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def module(name):
    """Folder of a Go module that was downloaded."""
    cache = subprocess.run(["go", "env", "GOMODCACHE"], capture_output=True, text=True, check=True).stdout.strip()
    installed = (CHARTS / "installed.txt").read_text().splitlines()
    return Path(cache) / next(line for line in installed if line.startswith(name))


def strict(schema):
    """Has the schema refuse what it does not name, and take null nowhere."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: strict(part) for name, part in schema.items()}
    if isinstance(made.get("properties"), dict) and "additionalProperties" not in made:
        made["additionalProperties"] = False
    return made


def schemas(folder):
    """Writes a schema for each kind that the chart makes."""
    swagger = json.loads((module(RUNTIME) / "artifacts/openapi/swagger.json").read_text())
    definitions = strict(swagger["definitions"])
    for name in EITHER:
        definitions[name] = {"oneOf": [{"type": "string"}, {"type": "integer"}]}
    kinds = {"StatefulSet", "Service", "PodDisruptionBudget", "NetworkPolicy", "Ingress"}
    for name, definition in definitions.items():
        for kind in definition.get("x-kubernetes-group-version-kind", []):
            if kind["kind"] in kinds:
                group = f"{kind['group'].split('.')[0]}-" if kind["group"] else ""
                whole = {"$ref": f"#/definitions/{name}", "definitions": definitions}
                (folder / f"{kind['kind'].lower()}-{group}{kind['version']}.json").write_text(json.dumps(whole))
    import yaml

    crd = yaml.safe_load((module(OPERATOR) / CRD).read_text())
    schema = strict(crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
    schema["properties"]["metadata"] = {"type": "object"}
    (folder / "servicemonitor-monitoring-v1.json").write_text(json.dumps(schema))


def main():
    import yaml

    tool("helm", "lint", "--strict", "--quiet", CHART)
    tool("helm", "lint", "--strict", "--quiet", "--values", EVERYTHING, CHART)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        schemas(folder)
        location = f"{folder}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"
        for name, values in (("plain", []), ("everything", ["--values", EVERYTHING])):
            text = tool(
                "helm", "template", "s3", CHART, "--namespace", "storage", "--kube-version", KUBERNETES, *values
            )
            manifests = folder / f"{name}.yaml"
            manifests.write_text(text)
            checked = json.loads(
                tool("kubeconform", "-strict", "-summary", "-output", "json", "-schema-location", location, manifests)
            )
            summary = checked["summary"]
            assert summary["invalid"] + summary["errors"] + summary["skipped"] == 0, checked
            count = sum(document is not None for document in yaml.safe_load_all(text))
            assert summary["valid"] == count and count >= 6, (summary, count)
            if name == "everything":
                wrong = folder / "wrong.yaml"
                wrong.write_text(text.replace("runAsNonRoot", "runAsNonRoott"))
                tool("kubeconform", "-strict", "-schema-location", location, wrong, expect=1)
    refused = tool(
        "helm", "template", "s3", CHART, "--kube-version", KUBERNETES, "--set", "serviceMonitor.enabled=true", expect=1
    )
    assert "tokenSecret.name" in refused, refused
    tool("helm", "template", "s3", CHART, "--kube-version", KUBERNETES, "--set", "redundancy=three", expect=1)
    tool("helm", "template", "s3", CHART, "--kube-version", KUBERNETES, "--set", "shard.count=3", expect=1)
    print("charts: checks passed")


if __name__ == "__main__":
    main()
