"""The whole world outside AWS as its child process, looked at with plain clients."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.world.settings import Settings


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOSTS = [f"{app}.hearth.example" for app in ("home", "photos", "music", "recipes", "docs")]
GATEWAY = "/apis/gateway.networking.k8s.io/v1/namespaces/tailscale/gateways/front-door"


@pytest.fixture(scope="module")
def world(start_world: Callable[..., Any]) -> Iterator[Any]:
    """Return a world of our own example cluster, fifty times as fast as the real one."""
    with start_world(speed=50) as running:
        yield running


def write_hosts(world: Any, address: str) -> None:
    """Write the resolver's hosts file as tailkeeper does: with its own rights, one key."""
    with world.kubernetes("tailkeeper") as api:
        answer = api.patch(
            "/api/v1/namespaces/tailnet-dns/configmaps/tailkeeper-hosts",
            params={"fieldManager": "tailkeeper", "force": "true"},
            headers={"Content-Type": "application/apply-patch+yaml"},
            content=json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "ConfigMap",
                    "metadata": {"name": "tailkeeper-hosts", "namespace": "tailnet-dns"},
                    "data": {"hosts": f"{address} {' '.join(HOSTS)}\n"},
                }
            ),
        )
        assert answer.is_success, answer.text


def publish(world: Any, target: str) -> None:
    """Let every published name be an alias of the device."""
    with world.cloudflare() as api:
        zone = api.get("/zones").json()["result"][0]["id"]
        records = api.get(f"/zones/{zone}/dns_records", params={"type": "CNAME"}).json()["result"]
        known = {record["name"]: record["id"] for record in records}
        for host in HOSTS[:-1]:
            body = {"type": "CNAME", "name": host, "content": target, "ttl": 1, "proxied": False}
            url = f"/zones/{zone}/dns_records"
            if host in known:
                answer = api.put(f"{url}/{known[host]}", json=body)
            else:
                answer = api.post(url, json=body)
            assert answer.is_success, answer.text


def bring_in_step(world: Any) -> None:
    """Do by hand what tailkeeper does: hosts file, public records, split DNS."""
    with world.kubernetes() as api:
        addresses = api.get(GATEWAY).json()["status"]["addresses"]
    found = {address["type"]: address["value"] for address in addresses}
    write_hosts(world, found["IPAddress"])
    publish(world, found["Hostname"])
    resolver = next(d for d in world.devices() if d["hostname"] == "tailnet-dns")
    with world.tailscale() as api:
        wanted = {"hearth.example": [resolver["addresses"][0]]}
        assert api.patch("/tailnet/-/dns/split-dns", json=wanted).is_success


def test_it_is_ready_within_five_seconds_and_says_where_everything_is(
    start_world: Callable[..., Any],
) -> None:
    """The boot of a fresh world, with everything registered when it says so."""
    started = time.monotonic()
    with start_world() as running:
        assert time.monotonic() - started < 5

        ready = running.ready
        assert ready["event"] == "ready"
        assert set(ready["dns"]) == {"public", "tailnet", "doh"}
        assert {d["hostname"] for d in running.devices()} == {"gateway-envoy", "tailnet-dns"}
        assert (ready["notes"], ready["skipped"]) == ([], [])
        assert ready["cloudflare"]["zones"] == ["hearth.example"]
        with running.tailscale() as api:
            assert api.get("/tailnet/-/dns/split-dns").json() == {}
    assert running.process.returncode == 0


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"speeed": 2}, "unknown settings: speeed"),
        ({"speed": -1}, "speed must be above 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(document: dict[str, Any], text: str) -> None:
    """A typing error must not start another world than the one that was meant."""
    with pytest.raises(ValueError, match=text):
        Settings.of(document)


def test_a_world_that_cannot_start_says_so_in_one_line() -> None:
    """The supervisor gets a sentence, not a traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "sandbox.world"],
        input='{"manifests": "/nowhere"}\n',
        capture_output=True,
        text=True,
        check=False,
    )

    told = json.loads(done.stdout)
    assert (done.returncode, told["event"]) == (1, "failed")
    assert "/nowhere" in told["text"]
    assert done.stderr == ""


def test_a_gateway_moves_and_every_answer_follows(world: Any) -> None:
    """The issue's story, with our hands in tailkeeper's place."""
    bring_in_step(world)
    for host in HOSTS:
        world.until(lambda host=host: world.ask(host).ok)
    for host in HOSTS[:-1]:
        answer = world.ask(host, path="public-record")
        assert (answer.ok, answer.status) == (True, 200), answer
        assert answer.records[0] == "CNAME gateway-envoy.ainu-herring.ts.net"
        assert answer.served_by == f"{host.split('.')[0]}/{host.split('.')[0]}:80"
    docs = world.ask("docs.hearth.example", "public")
    assert docs.records[0] == "CNAME docs-hearth-example.pages.dev"

    machine = {"hostname": "gateway-envoy", "tags": ["tag:k8s"]}
    new = world.admin.post("/devices", json=machine).json()

    assert new["name"] == "gateway-envoy-1.ainu-herring.ts.net"
    twin = next(d for d in world.devices() if d["name"] == "gateway-envoy.ainu-herring.ts.net")
    assert twin["connectedToControl"] is False
    for host in HOSTS:
        for path in ("split-dns", "public-record"):
            assert not world.ask(host, path=path).ok

    def moved() -> bool:
        with world.kubernetes() as api:
            addresses = api.get(GATEWAY).json()["status"]["addresses"]
        return [a["value"] for a in addresses] == [new["addresses"][0], new["name"]]

    world.until(moved)
    bring_in_step(world)
    for host in HOSTS:
        world.until(lambda host=host: world.ask(host).ok)
        if host != "docs.hearth.example":
            assert world.ask(host, path="public-record").ok


def test_names_that_do_not_exist_do_not_answer(world: Any) -> None:
    """The resolver falls through to the public zone; the Gateway serves only what is routed."""
    bring_in_step(world)
    world.until(lambda: world.ask("home.hearth.example").ok)

    assert "NXDOMAIN" in world.ask("typo.hearth.example").error
    assert world.ask("hearth.example").records == ("A 192.0.2.10",)


def test_tailkeeper_may_do_what_it_must_and_nothing_else(world: Any) -> None:
    """Least rights: it reads routes and state Secrets, and writes one ConfigMap."""
    core, routes = "/api/v1", "/apis/gateway.networking.k8s.io/v1/httproutes"
    with world.kubernetes("tailkeeper") as api:
        for allowed in (routes, f"{core}/services", f"{core}/namespaces/tailscale/secrets"):
            assert api.get(allowed).is_success, allowed
        assert api.get("/apis/batch/v1/namespaces/tailnet-dns/cronjobs").is_success
        for denied in (f"{core}/secrets", f"{core}/pods", f"{core}/namespaces/home/configmaps"):
            assert api.get(denied).status_code == 403, denied
        corefile = f"{core}/namespaces/tailnet-dns/configmaps/tailnet-dns"
        merge = {"Content-Type": "application/merge-patch+json"}
        assert api.patch(corefile, content='{"data":{}}', headers=merge).status_code == 403


def test_a_route_added_by_kubectl_is_served_without_a_restart(world: Any) -> None:
    """Envoy takes the new route while it runs; the route's status says that it was accepted."""
    bring_in_step(world)
    route = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "extra", "namespace": "home"},
        "spec": {
            "parentRefs": [{"name": "front-door", "namespace": "tailscale"}],
            "hostnames": ["home.hearth.example"],
            "rules": [
                {
                    "matches": [{"path": {"type": "PathPrefix", "value": "/"}, "method": "GET"}],
                    "backendRefs": [{"name": "gone", "port": 80}],
                }
            ],
        },
    }
    url = "/apis/gateway.networking.k8s.io/v1/namespaces/home/httproutes"
    with world.kubernetes() as api:
        world.until(lambda: world.ask("home.hearth.example").ok)
        assert api.post(url, json=route).is_success
        world.until(lambda: world.ask("home.hearth.example").error == "http: 500")
        conditions = api.get(f"{url}/extra").json()["status"]["parents"][0]["conditions"]
        assert {c["type"]: c["reason"] for c in conditions} == {
            "Accepted": "Accepted",
            "ResolvedRefs": "BackendNotFound",
        }
        assert api.delete(f"{url}/extra").is_success
        world.until(lambda: world.ask("home.hearth.example").ok)


def test_the_state_survives_a_kill(start_world: Callable[..., Any], tmp_path: Path) -> None:
    """After `kill -9`: the same devices, records and objects, and no Envoy left behind."""
    with start_world(world=str(tmp_path), speed=50) as first:
        bring_in_step(first)
        devices = first.devices()
        children = _children(first.process.pid)
        first.process.send_signal(signal.SIGKILL)
        first.process.wait(5)
    first.until(lambda: not any(map(_is_alive, children)))

    with start_world(world=str(tmp_path), speed=50) as again:
        assert [(d["nodeId"], d["name"], d["addresses"]) for d in again.devices()] == [
            (d["nodeId"], d["name"], d["addresses"]) for d in devices
        ]
        again.until(lambda: all(again.ask(host).ok for host in HOSTS))
        assert again.ask("photos.hearth.example", path="public-record").ok


def test_split_dns_is_set_from_the_start_when_the_world_is_told_so(
    start_world: Callable[..., Any],
) -> None:
    """A tailnet that an administrator has pointed at the resolver by hand."""
    with start_world(split_dns=True) as running:
        resolver = next(d for d in running.devices() if d["hostname"] == "tailnet-dns")
        with running.tailscale() as api:
            found = api.get("/tailnet/-/dns/split-dns").json()
    assert found == {"hearth.example": [resolver["addresses"][0]]}


def test_a_users_repository_becomes_a_world(
    start_world: Callable[..., Any], user_repository: Path
) -> None:
    """Every route is accepted, what only charts make is stood in for and listed."""
    with start_world(manifests=str(user_repository), split_dns=True) as running:
        with running.kubernetes() as api:
            routes = api.get("/apis/gateway.networking.k8s.io/v1/httproutes").json()["items"]
            services = api.get("/api/v1/namespaces/envoy-gateway/services").json()["items"]
        reasons = [
            {c["type"]: c["status"] for c in route["status"]["parents"][0]["conditions"]}
            for route in routes
        ]
        assert reasons == [{"Accepted": "True", "ResolvedRefs": "True"}] * 13
        assert any(s["metadata"]["name"].startswith("envoy-tailscale-") for s in services)
        notes = "\n".join(running.ready["notes"])
        for missing in ("argocd/argocd-server", "monitoring/monitoring-grafana", "vault/vault-ui"):
            assert f"Service {missing} is in no manifest" in notes
        assert "charts are not rendered: " in notes
        assert any("kustomization" in item["reason"] for item in running.ready["skipped"])
        assert running.ready["cloudflare"]["zones"] == ["sudhanva.me"]
        assert running.ask("docs.sudhanva.me", "public").records[0].startswith("CNAME docs-sud")
        # its own resolver still answers with the address that git froze long ago
        answer = running.ask("grafana.sudhanva.me")
        assert answer.addresses == ("100.114.134.52",)
        assert answer.error == "tailnet: 100.114.134.52: device unreachable"


def _children(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, check=True)
    pairs = [tuple(map(int, line.split())) for line in found.stdout.splitlines()]
    direct = [child for child, parent in pairs if parent == pid]
    return direct + [child for child, parent in pairs if parent in direct]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")
