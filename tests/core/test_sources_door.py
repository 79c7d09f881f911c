"""`python -m tailkeeper.sources`: plain objects in, exposures out."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tailkeeper.sources.__main__ import answer
from tests.support.operated import exposed, secret
from tests.support.routes import gateway, route


ROOT = Path(__file__).parents[2]
CORE = ROOT / "layers" / "core"


MISSHAPEN = """{"objects": [{"kind": "Service", "metadata": {"name": "web", "annotations": {
"external-dns.kubernetes.io/hostname": "a.example.com"}}, "spec": {"type": "LoadBalancer",
"loadBalancerClass": "tailscale", "ports": [{"port": 80}]}, "status": {"loadBalancer": {
"ingress": [{"ip": 3}, {"ip": "100.64.0.1"}]}}}], "config": {"zones": [
{"name": "example.com", "owner": "me"}]}}"""


def called(text: str) -> subprocess.CompletedProcess[str]:
    """Run the module with a case on its standard input, and nothing but the core to import."""
    return subprocess.run(
        [sys.executable, "-S", "-m", "tailkeeper.sources"],
        input=text,
        env={**os.environ, "PYTHONPATH": str(CORE)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def documented() -> list[Any]:
    """Return the JSON examples of the section on exposures."""
    page = (ROOT / "docs" / "documents.md").read_text()
    section = page.partition("## Exposures")[2].partition("\n## ")[0]
    return [json.loads(block) for block in re.findall(r"```json\n(.*?)```", section, re.DOTALL)]


def test_the_documented_case_gives_the_documented_answer() -> None:
    """The page and the program say the same."""
    case, expected = documented()

    ran = called(json.dumps(case))

    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert found["exposures"][0] == expected
    assert [e["host"] for e in found["exposures"]] == ["db.example.com", "db.tail.ts.net"]
    assert (found["reports"], found["partial"]) == ([], {})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "standard input is no JSON"),
        ('{"config": {"zone": []}}', "zone is unknown: did you mean zones?"),
        ('{"objects": [{"kind": "Gateway"}]}', "objects[0] is no Gateway: it has no metadata.name"),
        (
            '{"objects": [{"kind": "List", "items": [{}, 3]}]}',
            "objects[1] is no object with a kind",
        ),
        ('{"objects": {}}', "objects is a mapping, not a list"),
        ('{"object": []}', "object is unknown: did you mean objects?"),
        ('{"partial": {"Service": 3}}', "partial.Service is a whole number, not text"),
        ("3", "is a whole number, not a mapping"),
        (MISSHAPEN, "not shaped as its kind: TypeError"),
        ('[{}, {"cluster": 3}, {"object": []}]', "[1] cluster is a whole number, not text"),
        ('[{}, {"cluster": 3}, {"object": []}]', "[2] object is unknown"),
    ],
)
def test_a_case_that_cannot_be_read_is_named(text: str, why: str) -> None:
    """One sentence, no traceback."""
    ran = called(text)

    assert ran.returncode == 64
    assert why in ran.stderr
    assert "Traceback" not in ran.stderr


def plain(kind: str, document: dict[str, Any]) -> dict[str, Any]:
    """Return an object as kubectl gives it."""
    return {"kind": kind, **document}


def test_without_a_configuration_every_gateway_is_followed() -> None:
    """A table of somebody else's needs no more than its objects; targets are the status's."""
    front = gateway()
    front["status"] = {"addresses": [{"value": "10.0.0.2"}, {"value": "10.0.0.1"}]}
    app = route("app.example.com")
    del app["metadata"]["annotations"]

    (exposure,) = answer({"objects": [plain("Gateway", front), plain("HTTPRoute", app)]})[
        "exposures"
    ]

    assert (exposure["host"], exposure["gateway"]) == ("app.example.com", "infra/gw")
    assert exposure["targets"] == ["10.0.0.1", "10.0.0.2"]
    assert not exposure["published"]


def test_a_target_annotation_is_the_target() -> None:
    """As ExternalDNS has it."""
    objects = [plain("Gateway", gateway(target="b.example.org, 10.0.0.1")), route("a.example.com")]
    objects[1]["kind"] = "HTTPRoute"

    (exposure,) = answer({"objects": objects})["exposures"]

    assert exposure["targets"] == ["b.example.org", "10.0.0.1"]


def test_a_state_secret_may_come_as_it_is() -> None:
    """Its values are base64 in the API; other Secrets and Deployments are passed over."""
    said = secret("web", "n1")
    labels = {**said["labels"], "tailscale.com/managed": "true"}
    state = {
        "kind": "Secret",
        "metadata": {"namespace": "tailscale", "name": "ts-web-0", "labels": labels},
        "data": {"device_id": "bjE=", "device_fqdn": "d2ViLnRhaWwudHMubmV0Lg=="},
    }
    other = {"kind": "Secret", "metadata": {"namespace": "apps", "name": "password"}, "data": {}}
    deployment = {"kind": "Deployment", "metadata": {"name": "web"}, "spec": {}}

    (exposure,) = answer({"objects": [plain("Service", exposed("web")), state, other, deployment]})[
        "exposures"
    ]

    assert exposure["host"] == "web.tail.ts.net"


def test_an_object_without_a_namespace_is_of_the_default_one() -> None:
    """As kubectl has it."""
    app = {"kind": "HTTPRoute", "metadata": {"name": "a"}, "spec": {}}

    (report,) = answer({"objects": [app]})["reports"]

    assert report["source"] == "httproute/default/a"


def test_what_was_not_read_is_told_by_kind() -> None:
    """A case may say that a list broke off."""
    assert answer({"partial": {"Service": "timed out"}})["partial"] == {
        "service": "Service: timed out"
    }


def test_declared_exposures_are_among_the_answers() -> None:
    """They are of the configuration alone."""
    config = {
        "zones": [{"name": "example.com", "owner": "me"}],
        "exposures": [{"host": "nas.example.com", "target": "100.64.0.9"}],
    }

    (exposure,) = answer({"config": config})["exposures"]

    assert (exposure["source"], exposure["targets"]) == (
        "config/exposures/nas.example.com",
        ["100.64.0.9"],
    )
