"""Apply Resolver: a document rendered from what the guard let through; a take-over, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from functions import apply_resolver
from tailkeeper.adapters.cluster import Conflict
from tailkeeper.model import Change, Verdict
from tailkeeper.resolver_document import parse


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
