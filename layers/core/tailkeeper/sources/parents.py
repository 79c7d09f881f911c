"""Where a parentRef leads: to a Gateway, or to a ListenerSet and on to its Gateway (GEP-1713)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailkeeper.sources.annotations import Annotations
from tailkeeper.sources.listeners import (
    GROUP,
    Parent,
    UnknownNamespaceError,
    is_meant,
    lets_in,
)


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tailkeeper.sources.surroundings import Surroundings

    Object = Mapping[str, Any]

LISTENER_SETS = {
    (GROUP, "ListenerSet"): "ListenerSet",
    ("gateway.networking.x-k8s.io", "XListenerSet"): "XListenerSet",
}

Ref = tuple[str, str, str, str]
"""Group, kind, namespace and name, none of them left to a default."""


class UnattachedError(Exception):
    """A parent makes no exposure of the route; `kept` hosts may be exposures all the same."""

    def __init__(self, why: str, kept: frozenset[str] = frozenset()) -> None:
        self.why, self.kept = why, kept
        super().__init__(why)


def parent_of(ref: Ref, around: Surroundings, asked: frozenset[str]) -> Parent:
    """Return what a parentRef leads to; raise UnattachedError, which may keep the hosts asked."""
    group, kind, namespace, name = ref
    key = f"{namespace}/{name}"
    if (group, kind) == (GROUP, "Gateway"):
        gateway = _gateway(key, around, asked)
        return Parent(key, namespace, _listeners(gateway), target_of(gateway))
    if (group, kind) not in LISTENER_SETS:
        raise UnattachedError(f"its parent {kind} {key} is no Gateway")
    listener_set = around.listener_sets.get((kind, key))
    if listener_set is None:
        raise UnattachedError(f"{kind} {key} was not read, so its names stay as they are", asked)
    return _of_set(listener_set, f"{kind} {key}", around, asked)


def _gateway(key: str, around: Surroundings, asked: frozenset[str]) -> Object:
    if key not in around.gateways:
        kept = asked if "Gateway" in around.partial else frozenset[str]()
        raise UnattachedError(f"Gateway {key} was not found", kept)
    return around.gateways[key]


def _listeners(owner: Object) -> list[Object]:
    return list((owner.get("spec") or {}).get("listeners") or ())


def target_of(owner: Object) -> str:
    """Return what a Gateway's or ListenerSet's target annotation says, comma-separated."""
    return ",".join(Annotations(owner["metadata"].get("annotations")).listed("target"))


def _of_set(
    listener_set: Object, subject: str, around: Surroundings, asked: frozenset[str]
) -> Parent:
    home = listener_set["metadata"]["namespace"]
    ref = listener_set["spec"]["parentRef"]
    key = f"{ref.get('namespace') or home}/{ref['name']}"
    gateway = _gateway(key, around, asked)
    if not _may_join(gateway, home, around, asked):
        raise UnattachedError(f"Gateway {key} does not allow {subject}")
    judged = _judged(listener_set)
    listeners = [
        each for each in _listeners(listener_set) if judged.get(each.get("name")) != "False"
    ]
    target = target_of(listener_set) or target_of(gateway)
    return Parent(key, home, listeners, target, listener_set)


def check_joined(parent: Parent, ref: Object, hosts: frozenset[str]) -> None:
    """Raise UnattachedError unless the Gateway accepted a ListenerSet's listeners that are meant.

    The hosts are kept as long as it has not judged them.
    """
    if (listener_set := parent.joined) is None:
        return
    meta, status = listener_set["metadata"], listener_set.get("status") or {}
    subject, judge = f"ListenerSet {parent.home}/{meta['name']}", f"Gateway {parent.gateway}"
    check_accepted(status.get("conditions") or (), meta, judge, subject, hosts)
    judged = _judged(listener_set)
    for listener in parent.listeners:
        if is_meant(listener, ref) and listener.get("name") not in judged:
            why = f"{judge} has not judged listener {listener.get('name')} of {subject} yet"
            raise UnattachedError(why, hosts)


def _judged(listener_set: Object) -> dict[Any, str]:
    """Return what the Gateway says of each listener that it has judged."""
    return {
        entry["name"]: condition.get("status", "")
        for entry in (listener_set.get("status") or {}).get("listeners") or ()
        for condition in entry.get("conditions") or ()
        if condition.get("type") == "Accepted"
    }


def _may_join(gateway: Object, home: str, around: Surroundings, asked: frozenset[str]) -> bool:
    rule = ((gateway.get("spec") or {}).get("allowedListeners") or {}).get("namespaces") or {}
    try:
        return lets_in(rule, "None", gateway["metadata"]["namespace"], home, around.namespaces)
    except UnknownNamespaceError:
        raise UnattachedError(f"the labels of namespace {home} were not read", asked) from None


def check_accepted(
    conditions: Iterable[Object],
    meta: Object,
    judge: str,
    subject: str,
    hosts: frozenset[str],
) -> None:
    """Raise UnattachedError unless `judge` accepted what the subject says now.

    The hosts are kept as long as it has not judged that yet.
    """
    accepted = next((c for c in conditions if c.get("type") == "Accepted"), None)
    if accepted is None:
        raise UnattachedError(f"{judge} has not judged {subject} yet", hosts)
    # Controllers need not say which generation they judged; then it is taken to be this one.
    generation = meta.get("generation") or 0
    seen = accepted.get("observedGeneration") or generation
    if seen < generation:
        whose = "its" if subject == "it" else f"{subject}'s"
        why = f"{judge} has judged {whose} generation {seen}, not {generation}"
        raise UnattachedError(why, hosts)
    if accepted.get("status") != "True":
        reason = accepted.get("reason") or accepted.get("status")
        raise UnattachedError(f"{judge} does not accept {subject}: {reason}")
