"""What Envoy Gateway writes into the status of Gateways and HTTPRoutes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.cluster.conditions import condition, merged


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sandbox.cluster.attachment import Verdict
    from sandbox.cluster.listeners import Listener

    Object = Mapping[str, Any]
    Json = dict[str, Any]

MOST_ADDRESSES = 16


def addresses(gateway: Object, service: Object) -> list[Json]:
    """Return the Gateway's addresses: its Service's, IPs before hostnames, or those it asks for."""
    if gateway["spec"].get("addresses"):
        ips = service["spec"].get("externalIPs") or []
        return [{"type": "IPAddress", "value": ip} for ip in ips]
    ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    ips = [entry["ip"] for entry in ingress if entry.get("ip")]
    hostnames = [e["hostname"] for e in ingress if e.get("hostname") and not e.get("ip")]
    return [{"type": "IPAddress", "value": ip} for ip in ips] + [
        {"type": "Hostname", "value": name} for name in hostnames
    ]


def gateway_status(
    gateway: Object,
    found: Sequence[Json],
    listeners: Sequence[Listener],
    attached: Mapping[str, int],
    now: float,
) -> Json:
    """Return the Gateway's whole status; `attached` counts routes by listener name."""
    old = gateway.get("status") or {}
    old_listeners = {item["name"]: item for item in old.get("listeners") or []}
    generation = gateway["metadata"].get("generation", 1)
    conditions = [
        condition(
            "Accepted",
            true=True,
            reason="Accepted",
            message="The Gateway has been scheduled by Envoy Gateway",
            generation=generation,
        ),
        _programmed(found, generation),
    ]
    return {
        "addresses": list(found[:MOST_ADDRESSES]),
        "conditions": merged(old.get("conditions"), conditions, now),
        "listeners": [
            _listener_status(
                item,
                attached.get(item.spec["name"], 0),
                old_listeners.get(item.spec["name"]),
                generation,
                now,
            )
            for item in listeners
        ],
    }


def _programmed(found: Sequence[Json], generation: int) -> Json:
    if not found:
        verdict = (False, "AddressNotAssigned", "No addresses have been assigned to the Gateway")
    elif len(found) > MOST_ADDRESSES:
        sentence = (
            f"Too many addresses ({len(found)}) have been assigned to the Gateway, the maximum"
            " number of addresses is 16"
        )
        verdict = (False, "Invalid", sentence)
    else:
        sentence = "Address assigned to the Gateway, 1/1 envoy replicas available"
        verdict = (True, "Programmed", sentence)
    true, reason, message = verdict
    return condition("Programmed", true=true, reason=reason, message=message, generation=generation)


def _listener_status(
    listener: Listener, attached: int, old: Json | None, generation: int, now: float
) -> Json:
    works = listener.works
    fault = listener.accepted if not listener.accepted.true else listener.resolved
    conditions = [
        _condition("Accepted", listener.accepted, generation),
        _condition("ResolvedRefs", listener.resolved, generation),
        condition(
            "Programmed",
            true=works,
            reason="Programmed" if works else "Invalid",
            message="Sending translated listener configuration to the data plane"
            if works
            else fault.message,
            generation=generation,
        ),
    ]
    if listener.accepted.reason in {"HostnameConflict", "ProtocolConflict"}:
        conflict = listener.accepted
        conditions.append(
            condition(
                "Conflicted",
                true=True,
                reason=conflict.reason,
                message=conflict.message,
                generation=generation,
            )
        )
    group = "gateway.networking.k8s.io"
    return {
        "name": listener.spec["name"],
        "supportedKinds": [
            {"group": group, "kind": "HTTPRoute"},
            {"group": group, "kind": "GRPCRoute"},
        ],
        "attachedRoutes": attached,
        "conditions": merged((old or {}).get("conditions"), conditions, now),
    }


def route_status(
    route: Object,
    verdicts: Iterable[tuple[Mapping[str, Any], Verdict, Verdict]],
    controller: str,
    now: float,
) -> Json:
    """Return the route's status: our parents judged anew, those of other controllers kept.

    `verdicts` holds (parentRef, Accepted, ResolvedRefs) of each parent that is ours.
    """
    parents = (route.get("status") or {}).get("parents") or []
    generation = route["metadata"].get("generation", 1)
    ours = [
        {
            "parentRef": dict(ref),
            "controllerName": controller,
            "conditions": merged(
                _conditions_of(parents, ref, controller),
                [
                    _condition("Accepted", accepted, generation),
                    _condition("ResolvedRefs", resolved, generation),
                ],
                now,
            ),
        }
        for ref, accepted, resolved in verdicts
    ]
    return {"parents": [p for p in parents if p["controllerName"] != controller] + ours}


def _conditions_of(
    parents: Iterable[Object], ref: Mapping[str, Any], controller: str
) -> list[Json]:
    for parent in parents:
        if parent["controllerName"] == controller and parent["parentRef"] == ref:
            return list(parent["conditions"])
    return []


def _condition(kind: str, verdict: Verdict, generation: int) -> Json:
    return condition(
        kind,
        true=verdict.true,
        reason=verdict.reason,
        message=verdict.message,
        generation=generation,
    )
