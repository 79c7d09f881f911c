"""The real kubectl, used as people and scripts use it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest


if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.kubernetes.conftest import Rig


def config_map(lab: str, **data: Any) -> dict[str, Any]:
    """Return the ConfigMap `c`."""
    metadata = {"name": "c", "namespace": lab}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def deployment(lab: str, replicas: int = 1) -> dict[str, Any]:
    """Return the Deployment `web` of two containers."""
    containers = [{"name": n, "image": f"{n}:1"} for n in ("nginx", "helper")]
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": containers}}
    selector = {"matchLabels": {"app": "web"}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": lab},
        "spec": {"replicas": replicas, "selector": selector, "template": template},
    }


def test_client_side_apply_creates_changes_and_leaves_alone(rig: Rig, lab: str) -> None:
    """Created, unchanged, configured; a key taken out of the manifest goes."""
    apply = ("apply", "-f", "-")
    assert rig.kubectl(*apply, given=config_map(lab, a="1", b="1")) == "configmap/c created\n"
    assert rig.kubectl(*apply, given=config_map(lab, a="1", b="1")) == "configmap/c unchanged\n"
    assert rig.kubectl(*apply, given=config_map(lab, a="2")) == "configmap/c configured\n"

    data = rig.kubectl("get", "cm", "c", "-n", lab, "-o", "jsonpath={.data}")
    assert json.loads(data) == {"a": "2"}


def test_our_key_lives_beside_the_gitops_tool_s(rig: Rig, lab: str) -> None:
    """Two server-side appliers, a conflict told as kubectl tells it, a takeover by force."""
    ours = ("apply", "--server-side", "--field-manager=tailkeeper", "-f", "-")
    argo = ("apply", "--server-side", "--field-manager=argocd-controller", "-f", "-")
    rig.kubectl(*argo, given=config_map(lab, Corefile="x"))
    rig.kubectl(*ours, given=config_map(lab, hosts="1"))
    code, _, error = rig.try_kubectl(*ours, given=config_map(lab, hosts="2", Corefile="y"))
    assert code == 1
    assert error.startswith(
        'error: Apply failed with 1 conflict: conflict with "argocd-controller": .data.Corefile\n'
    )

    rig.kubectl(*ours, "--force-conflicts", given=config_map(lab, hosts="2", Corefile="y"))
    rig.kubectl(*argo, given={**config_map(lab), "data": {"Corefile": "y"}})
    rig.kubectl(*ours, given=config_map(lab, hosts="2"))
    live = json.loads(
        rig.kubectl("get", "cm", "c", "-n", lab, "-o", "json", "--show-managed-fields")
    )
    assert live["data"] == {"hosts": "2", "Corefile": "y"}
    owned = {e["manager"]: e["fieldsV1"]["f:data"] for e in live["metadata"]["managedFields"]}
    assert owned == {"tailkeeper": {"f:hosts": {}}, "argocd-controller": {"f:Corefile": {}}}


def test_an_object_moves_from_client_side_to_server_side_apply(rig: Rig, lab: str) -> None:
    """The client-side manager's fields become kubectl's own, without a conflict."""
    rig.kubectl("apply", "-f", "-", given=config_map(lab, a="1", b="1"))
    rig.kubectl("apply", "--server-side", "-f", "-", given=config_map(lab, a="2"))

    live = json.loads(
        rig.kubectl("get", "cm", "c", "-n", lab, "-o", "json", "--show-managed-fields")
    )
    assert live["data"] == {"a": "2"}
    assert "kubectl-client-side-apply" not in {
        e["manager"] for e in live["metadata"]["managedFields"]
    }


UNTYPED = "failed to create typed patch object ({lab}/c; /v1, Kind=ConfigMap): "
STRICT = 'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: '


@pytest.mark.parametrize(
    ("arguments", "change", "said"),
    [
        (("apply",), {"dataa": {}}, STRICT + 'unknown field "dataa"'),
        (
            ("apply", "--server-side"),
            {"dataa": {}},
            UNTYPED + ".dataa: field not declared in schema",
        ),
        (
            ("apply", "--server-side"),
            {"data": {"a": 1}},
            UNTYPED + ".data.a: expected string, got &value.valueUnstructured{Value:1}",
        ),
    ],
)
def test_a_slip_in_a_manifest_is_refused(
    rig: Rig, lab: str, arguments: tuple[str, ...], change: dict[str, Any], said: str
) -> None:
    """Kubectl leaves strict checks to the server, and shows its words."""
    code, _, error = rig.try_kubectl(*arguments, "-f", "-", given={**config_map(lab), **change})

    assert code == 1
    assert said.replace("{lab}", lab) in error
    assert rig.kubectl("get", "cm", "-n", lab, "-o", "name") == ""


def test_objects_can_be_made_and_changed_by_command(rig: Rig, lab: str) -> None:
    """What kubectl sends as protobuf, and what it patches."""
    at = ("-n", lab)
    rig.kubectl("create", "configmap", "c", "--from-literal=a=1", *at)
    rig.kubectl("create", "secret", "generic", "s", "--from-literal=k=v", *at)
    rig.kubectl("create", "namespace", f"{lab[:40]}-2")
    rig.kubectl("label", "cm", "c", "x=y", *at)
    rig.kubectl("annotate", "cm", "c", "note=one two", *at)
    live = json.loads(rig.kubectl("get", "cm,secret", *at, "-o", "json"))
    by_name = {item["metadata"]["name"]: item for item in live["items"]}
    assert by_name["c"]["data"] == {"a": "1"}
    assert by_name["c"]["metadata"]["labels"] == {"x": "y"}
    assert by_name["c"]["metadata"]["annotations"] == {"note": "one two"}
    assert by_name["s"]["data"] == {"k": "dg=="}

    rig.kubectl("label", "cm", "c", "x-", *at)
    assert rig.kubectl("get", "cm", *at, "-l", "x") == ""
    assert rig.kubectl("delete", "cm", "c", *at).startswith('configmap "c" deleted')
    code, _, error = rig.try_kubectl("get", "cm", "c", *at)
    assert (code, error) == (1, 'Error from server (NotFound): configmaps "c" not found\n')
    code, _, error = rig.try_kubectl("create", "deployment", "d", "--image=x", *at)
    assert code == 1
    assert "the body of the request was in an unknown format" in error


def test_a_deployment_is_worked_on(rig: Rig, lab: str) -> None:
    """Scale, restart, a new image by strategic merge, diff, and a wait that sees the change."""
    at = ("-n", lab)
    rig.kubectl("apply", "-f", "-", given=deployment(lab))
    rig.kubectl("scale", "deploy/web", "--replicas=3", *at)
    rig.kubectl("rollout", "restart", "deploy/web", *at)
    rig.kubectl("set", "image", "deploy/web", "nginx=nginx:2", *at)
    rig.kubectl("wait", "--for=jsonpath={.spec.replicas}=3", "deploy/web", "--timeout=10s", *at)
    live = json.loads(rig.kubectl("get", "deploy", "web", "-o", "json", *at))
    template = live["spec"]["template"]
    assert [c["image"] for c in template["spec"]["containers"]] == ["nginx:2", "helper:1"]
    assert "kubectl.kubernetes.io/restartedAt" in template["metadata"]["annotations"]
    assert live["metadata"]["generation"] == 4

    code, difference, _ = rig.try_kubectl("diff", "-f", "-", given=deployment(lab, 2))
    changed = [line for line in difference.splitlines() if line[:1] in "+-" and "replicas" in line]
    assert (code, changed) == (1, ["-  replicas: 3", "+  replicas: 2"])


def test_the_status_is_patched_through_its_subresource(rig: Rig, lab: str) -> None:
    """A Gateway gets its address; kubectl prints the kind's own columns."""
    listener = {"name": "https", "port": 443, "protocol": "HTTPS"}
    gateway = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "gw", "namespace": lab},
        "spec": {"gatewayClassName": "tailscale", "listeners": [listener]},
    }
    rig.kubectl("apply", "-f", "-", given=gateway)
    status = {"status": {"addresses": [{"type": "IPAddress", "value": "100.64.0.7"}]}}
    patch = ("patch", "gtw", "gw", "-n", lab, "--type=merge", "-p", json.dumps(status))
    rig.kubectl(*patch)
    assert "100.64.0.7" not in rig.kubectl("get", "gateway", "-n", lab)

    rig.kubectl(*patch, "--subresource=status")
    head, row = rig.kubectl("get", "gateway", "-n", lab).splitlines()
    assert head.split() == ["NAME", "CLASS", "ADDRESS", "PROGRAMMED", "AGE"]
    assert row.split()[:4] == ["gw", "tailscale", "100.64.0.7", "Unknown"]
    code, _, error = rig.try_kubectl(
        "patch", "gtw", "gw", "-n", lab, "--type=strategic", "-p", "{}"
    )
    assert code == 1
    assert "application/strategic-merge-patch+json is not supported" in error


def test_lists_are_printed_as_people_know_them(rig: Rig, lab: str) -> None:
    """Columns of the common kinds, a page at a time."""
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "dns", "namespace": lab},
        "spec": {"type": "LoadBalancer", "ports": [{"port": 53, "protocol": "UDP"}]},
    }
    job = {
        "spec": {"template": {"spec": {"containers": [{"name": "c"}], "restartPolicy": "Never"}}}
    }
    cron = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "updater", "namespace": lab},
        "spec": {"schedule": "*/10 * * * *", "jobTemplate": job},
    }
    things = {"apiVersion": "v1", "kind": "List", "items": [service, cron, deployment(lab)]}
    rig.kubectl("apply", "-f", "-", given=things)
    rig.kubectl("get", "svc", "-n", lab)

    rows = {}
    for kind in ("svc", "cronjob", "deploy"):
        head, row = rig.kubectl("get", kind, "-n", lab, "--chunk-size=1").splitlines()
        rows[kind] = (head.split(), row.split())
    assert rows["svc"][0] == ["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE"]
    assert rows["svc"][1][3:5] == ["<pending>", "53:30000/UDP"]
    assert rows["cronjob"][1][6:9] == ["<none>", "False", "0"]
    assert rows["deploy"][0][:2] == ["NAME", "READY"]
    assert rows["deploy"][1][1] == "0/1"


def test_an_account_sees_what_its_role_allows(rig: Rig, lab: str) -> None:
    """Account, token, role and binding made by kubectl; the account's own kubectl obeys them."""
    at = ("-n", lab)
    rig.kubectl("create", "sa", "bot", *at)
    rig.kubectl(
        "create", "role", "r", "--verb=get", "--resource=configmaps", "--resource-name=c", *at
    )
    rig.kubectl("create", "rolebinding", "r", "--role=r", f"--serviceaccount={lab}:bot", *at)
    rig.kubectl("apply", "-f", "-", given=config_map(lab, a="1"))
    token = rig.kubectl("create", "token", "bot", "--duration=20m", *at)
    assert rig.kubectl("get", "cm", "c", *at, "-o", "name", token=token) == "configmap/c\n"

    code, _, error = rig.try_kubectl("get", "cm", *at, token=token)
    assert code == 1
    assert error == (
        f'Error from server (Forbidden): configmaps is forbidden: User "system:serviceaccount:{lab}'
        f':bot" cannot list resource "configmaps" in API group "" in the namespace "{lab}"\n'
    )
    account = f"system:serviceaccount:{lab}:bot"
    assert rig.kubectl("auth", "can-i", "get", "cm/c", *at, "--as", account) == "yes\n"
    code, out, _ = rig.try_kubectl("auth", "can-i", "delete", "cm/c", *at, token=token)
    assert (code, out) == (1, "no\n")
    assert account in rig.kubectl("auth", "whoami", token=token)


def test_discovery_has_the_custom_kinds(rig: Rig) -> None:
    """Names, short names and scopes, as `api-resources` lists them."""
    listed = rig.kubectl("api-resources", "--no-headers", "-o", "wide")
    found = {line.split()[0]: line.split() for line in listed.splitlines()}

    assert found["httproutes"][1:4] == ["gateway.networking.k8s.io/v1", "true", "HTTPRoute"]
    assert found["proxygroups"][1:5] == ["pg", "tailscale.com/v1alpha1", "false", "ProxyGroup"]
    assert rig.kubectl("version").splitlines()[-1] == "Server Version: v1.37.1"
    code, _, error = rig.try_kubectl("get", "nonsense")
    assert (code, error) == (1, 'error: the server doesn\'t have a resource type "nonsense"\n')


def test_a_watch_prints_changes_as_they_come(rig: Rig, lab: str) -> None:
    """`get -w` shows the object, then each change of it."""
    rig.kubectl("apply", "-f", "-", given=config_map(lab, a="1"))
    with rig.running_kubectl("get", "cm", "-n", lab, "-w", "--no-headers") as watch:
        assert watch.stdout
        first = watch.stdout.readline()
        rig.kubectl("patch", "cm", "c", "-n", lab, "-p", '{"data":{"b":"2"}}')
        second = watch.stdout.readline()
        watch.terminate()

    assert [line.split()[:2] for line in (first, second)] == [["c", "1"], ["c", "2"]]


def test_official_definitions_can_be_applied(rig: Rig, lab: str, specs: Path) -> None:
    """A real CustomResourceDefinition registers its kind, with all its checks."""
    path = specs / "kubernetes/gateway-api/gateway.networking.k8s.io_httproutes.yaml"
    rig.kubectl("apply", "--server-side", "-f", str(path))
    route = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "r", "namespace": lab},
        "spec": {
            "hostnames": ["a.example.com"],
            "rules": [{"backendRefs": [{"name": "x", "prt": 1}]}],
        },
    }
    code, _, error = rig.try_kubectl("apply", "-f", "-", given=route)

    assert code == 1
    assert 'unknown field "spec.rules[0].backendRefs[0].prt"' in error
