"""Apply Resolver: a document rendered from what the guard let through; a take-over, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from functions import apply_resolver, observe_resolver
from sandbox.faults import Fault
from tailkeeper.adapters.cluster import Conflict, Unreachable
from tailkeeper.adapters.ledgers import Ledger
from tailkeeper.coexistence.ledger import mark_of
from tailkeeper.config import Config
from tailkeeper.model import Change, Verdict
from tailkeeper.records.takeover import scaled_down
from tailkeeper.resolver.document import parse
from tailkeeper.resolver.workloads import taken_over


if TYPE_CHECKING:
    from tailkeeper.adapters.stack import Stack
    from tests.support.handlers import Outside

PLACE = "homelab/dns/tailkeeper-hosts"
FRAME = {"mode": "hosts", "domains": ["example.com"]}
OLD = "100.64.0.1 hand-made.example.com\n"


def change(key: str, before: Any, after: Any) -> Change:
    """Return a resolver change, let through by the guard."""
    return Change("resolver", key, before, after, place=PLACE, verdict=Verdict("apply", 13))


def host(name: str, before: str | None, after: str | None) -> Change:
    """Return a host's change of address."""
    values = [{"addresses": [address]} if address else None for address in (before, after)]
    return change(f"{name}.example.com", *values)


def event(outside: Outside, aws: Stack, *changes: Change) -> dict[str, Any]:
    """Return the state's input."""
    plan = aws.artifacts.pack([c.as_json() for c in changes], "plans")
    return outside.event(change_id="c", plan=plan)


def document(outside: Outside) -> str | None:
    """Return the document as it lives in the cluster."""
    found = outside.kubernetes.get("v1/configmaps", "dns", "tailkeeper-hosts")
    return found["data"].get("hosts") if found else None


def by_git(outside: Outside, text: str) -> None:
    """Let another manager own the key."""
    metadata = {"name": "tailkeeper-hosts", "namespace": "dns"}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"hosts": text}}
    outside.kubernetes.apply(body, manager="argocd")


def test_a_document_is_created_then_follows(aws: Stack, outside: Outside) -> None:
    """First the whole, then one host; a repeat writes nothing."""
    create = change("(document)", None, FRAME)
    apply_resolver.handler(event(outside, aws, create, host("a", None, "100.64.0.1")), None)
    moved = event(outside, aws, host("a", "100.64.0.1", "100.64.0.2"))

    first = apply_resolver.handler(moved, None)
    second = apply_resolver.handler(moved, None)

    assert parse(document(outside) or "") == {"a.example.com": ("100.64.0.2",)}
    assert (first["applied"], second["applied"], second["already"]) == (1, 0, 1)


def test_a_document_that_is_undone_is_gone(aws: Stack, outside: Outside) -> None:
    """What was not there before its first change is not there after the undo; twice is the same."""
    made = [change("(document)", None, FRAME), host("a", None, "100.64.0.1")]
    apply_resolver.handler(event(outside, aws, *made), None)
    back = event(outside, aws, *(c.inverse.judged(Verdict("apply", 0)) for c in made))

    first = apply_resolver.handler(back, None)
    second = apply_resolver.handler(back, None)

    found = outside.kubernetes.get("v1/configmaps", "dns", "tailkeeper-hosts") or {}
    assert "hosts" not in found.get("data", {})
    assert (first["applied"], second["applied"], second["already"]) == (2, 0, 2)


def test_another_managers_key_is_taken_only_with_take_over(aws: Stack, outside: Outside) -> None:
    """Without `take_over` the conflict is named; with it the key is ours; undo gives it back."""
    by_git(outside, OLD)
    take = change("(document)", {"text": OLD}, FRAME)
    asked = event(outside, aws, take, host("a", None, "100.64.0.1"))

    with pytest.raises(Conflict, match="argocd"):
        apply_resolver.handler(asked, None)
    asked["config"]["clusters"][0]["resolvers"][0]["take_over"] = True
    apply_resolver.handler(asked, None)
    taken = document(outside)
    back = [c.inverse.judged(Verdict("apply", 0)) for c in (take, host("a", None, "100.64.0.1"))]
    apply_resolver.handler({**asked, "plan": event(outside, aws, *back)["plan"]}, None)

    assert parse(taken or "") == {"a.example.com": ("100.64.0.1",)}
    assert document(outside) == OLD


def test_a_host_that_changed_meanwhile_is_left(aws: Stack, outside: Outside) -> None:
    """Only `before` may be overwritten."""
    create = change("(document)", None, FRAME)
    apply_resolver.handler(event(outside, aws, create, host("a", None, "100.64.0.5")), None)

    report = apply_resolver.handler(
        event(outside, aws, host("a", "100.64.0.1", "100.64.0.2")), None
    )

    assert report["conflicts"] == ["a.example.com"]
    assert parse(document(outside) or "") == {"a.example.com": ("100.64.0.5",)}


def test_an_external_dns_is_scaled_down_and_back(aws: Stack, outside: Outside) -> None:
    """Only its replicas are ours; somebody who scaled it meanwhile is left alone."""
    pod = {
        "metadata": {"labels": {"a": "b"}},
        "spec": {"containers": [{"name": "x", "image": "x"}]},
    }
    spec = {"replicas": 2, "selector": {"matchLabels": {"a": "b"}}, "template": pod}
    metadata = {"name": "external-dns", "namespace": "dns"}
    outside.kubernetes.load_objects(
        [{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}]
    )
    rival = {"namespace": "dns", "name": "external-dns", "replicas": 2}
    down = scaled_down("homelab", rival).judged(Verdict("apply", 13))
    stale = scaled_down("homelab", {**rival, "replicas": 5}).judged(Verdict("apply", 13))

    def replicas() -> tuple[int, bool]:
        found = outside.kubernetes.get("apps/v1/deployments", "dns", "external-dns")
        assert found
        return found["spec"]["replicas"], found["spec"]["template"]["spec"]["containers"] != []

    first = apply_resolver.handler(event(outside, aws, down), None)
    scaled = replicas()
    back = down.inverse.judged(Verdict("apply", 0))
    apply_resolver.handler({**event(outside, aws, back), "change_id": "d"}, None)
    late = apply_resolver.handler({**event(outside, aws, stale), "change_id": "e"}, None)

    assert (first["applied"], scaled, replicas()) == (1, (0, True), (2, True))
    assert late["conflicts"] == ["deployment/dns/external-dns"]


DEAF = "example.com:53 {\n    forward . 1.1.1.1\n}\n"


def deaf_coredns(outside: Outside) -> None:
    """Let a CoreDNS read a Corefile without `reload` from the ConfigMap, which is taken over."""
    outside.config["clusters"][0]["resolvers"][0] |= {"mode": "corefile", "take_over": True}
    pod = {
        "metadata": {"labels": {"a": "b"}},
        "spec": {
            "containers": [{"name": "coredns", "image": "coredns"}],
            "volumes": [{"name": "c", "configMap": {"name": "tailkeeper-hosts"}}],
        },
    }
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": pod}
    metadata = {"name": "coredns", "namespace": "dns"}
    outside.kubernetes.load_objects(
        [
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec},
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "tailkeeper-hosts", "namespace": "dns"},
                "data": {"Corefile": DEAF},
            },
        ]
    )


def restart_plan(outside: Outside, aws: Stack) -> list[Change]:
    """Return what the take-over does to workloads, by what is seen and by the ledger."""
    (resolver,) = Config.from_json(outside.config).clusters[0].resolvers
    observed = aws.artifacts.unpack(observe_resolver.handler(outside.event(), None))[PLACE]
    lines = Ledger(aws.table, PLACE).lines()
    plan = taken_over(resolver, PLACE, observed, lines)
    return [change.judged(Verdict("apply", 13)) for change in plan]


def pod_annotations(outside: Outside) -> dict[str, str]:
    """Return the annotations of CoreDNS's Pods."""
    found = outside.kubernetes.get("apps/v1/deployments", "dns", "coredns")
    assert found
    marks: dict[str, str] = found["spec"]["template"]["metadata"].get("annotations", {})
    return marks


@pytest.mark.parametrize("dies", [False, True])
def test_a_coredns_that_would_not_read_it_is_restarted_after(
    aws: Stack, outside: Outside, *, dies: bool
) -> None:
    """Once, as kubectl does; a run that dies between the two is made up for by the next."""
    deaf_coredns(outside)
    frame = {"mode": "corefile", "domains": ["example.com"], "otherwise": "public"}
    take = change("(document)", {"text": DEAF}, {**frame, "upstreams": ["1.1.1.1", "1.0.0.1"]})
    asked = event(outside, aws, take, *restart_plan(outside, aws))
    if dies:
        fault = Fault(method="PATCH", path="*/deployments/coredns", status=500, body={})
        outside.kubernetes.faults.append(fault)
        with pytest.raises(Unreachable):
            apply_resolver.handler(asked, None)
        assert not pod_annotations(outside)
        asked = event(outside, aws, *restart_plan(outside, aws))

    report = apply_resolver.handler(asked, None)
    again = apply_resolver.handler(asked, None)

    marks = pod_annotations(outside)
    assert marks["kubectl.kubernetes.io/restartedAt"].endswith("Z")
    assert marks["tailkeeper/restarted-for"] == mark_of(DEAF)
    assert (report["conflicts"], again["applied"]) == ([], 0)
    assert restart_plan(outside, aws) == []
    written = [one["path"] for one in outside.kubernetes.requests if one["method"] == "PATCH"]
    assert [path.rpartition("/")[2] for path in written] == [
        "tailkeeper-hosts",
        *["coredns"] * (2 if dies else 1),
    ]
