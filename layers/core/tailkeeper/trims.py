"""What an observation keeps of a cluster's objects: what planning reads, and no secret."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Object = Mapping[str, Any]

LONGEST_ANNOTATION = 500  # longer ones are other tools' notes, such as kubectl's last-applied
OURS = (
    "external-dns.kubernetes.io/",
    "external-dns.alpha.kubernetes.io/",
    "tailkeeper.dev/",
    "tailscale.com/",
)
UNREAD = frozenset({"rules", "template"})


def trimmed(item: Object) -> dict[str, Any]:
    """Return an object without what planning never reads: rules, managed fields, other tools'."""
    metadata = item["metadata"]
    annotations = metadata.get("annotations") or {}
    return {
        "metadata": {
            "name": metadata["name"],
            "namespace": metadata.get("namespace", ""),
            "labels": metadata.get("labels") or {},
            "generation": metadata.get("generation") or 0,
            "creationTimestamp": metadata.get("creationTimestamp") or "",
            "annotations": {k: v for k, v in annotations.items() if _is_read(k, v)},
        },
        "spec": {k: v for k, v in (item.get("spec") or {}).items() if k not in UNREAD},
        "status": item.get("status") or {},
    }


def _is_read(name: str, value: str) -> bool:
    # A hostname annotation may well be long: to drop it would be to lose names.
    return len(value) <= LONGEST_ANNOTATION or name.startswith(OURS)


def ingress(item: Object) -> dict[str, Any]:
    """Return an Ingress with the hosts of its rules, which ExternalDNS publishes."""
    rules = (item.get("spec") or {}).get("rules") or ()
    kept = trimmed(item)
    kept["spec"]["rules"] = [{"host": rule["host"]} for rule in rules if rule.get("host")]
    return kept


def state_secret(item: Object) -> dict[str, Any]:
    """Return what a proxy's state Secret says of its device, and nothing else that is in it."""
    data = item.get("data") or {}
    told = {key: base64.b64decode(data[key]).decode() for key in DEVICE_KEYS if data.get(key)}
    metadata = item["metadata"]
    return {
        "namespace": metadata.get("namespace", ""),
        "name": metadata["name"],
        "labels": metadata.get("labels") or {},
        "device_id": told.get("device_id", ""),
        "device_fqdn": told.get("device_fqdn", "").removesuffix("."),
        "device_ips": json.loads(told.get("device_ips") or "[]"),
    }


def external_dns(item: Object) -> dict[str, Any]:
    """Return how an ExternalDNS runs: its replicas, and its flags wherever they stand."""
    return {
        "namespace": item["metadata"].get("namespace", ""),
        "name": item["metadata"]["name"],
        "replicas": (item.get("spec") or {}).get("replicas", 1),
        "args": [flag for container in _containers(item) for flag in _flags(container)],
    }


def is_external_dns(item: Object) -> bool:
    """Say whether a Deployment runs ExternalDNS, by the name of its image."""
    images = (container.get("image", "").rpartition("/")[2] for container in _containers(item))
    return any(image.startswith("external-dns") for image in images)


def _containers(item: Object) -> list[Object]:
    template = (item.get("spec") or {}).get("template") or {}
    return list((template.get("spec") or {}).get("containers") or ())


def _flags(container: Object) -> Iterator[str]:
    """Yield the arguments, then what ExternalDNS reads from its environment, as arguments.

    `$(NAME)` is what Kubernetes puts in its place, or stays where that is in another object.
    """
    known = {variable["name"]: _value(variable) for variable in container.get("env") or ()}
    for part in ("command", "args"):
        for word in container.get(part) or ():
            yield VARIABLE.sub(lambda match: known.get(match[1], match[0]), word)
    for name, value in known.items():
        if name.startswith(ENVIRONMENT):
            flag = name.removeprefix(ENVIRONMENT).lower().replace("_", "-")
            yield from (f"--{flag}={part}" for part in value.split())


def _value(variable: Object) -> str:
    return f"$({variable['name']})" if variable.get("valueFrom") else variable.get("value") or ""


VARIABLE = re.compile(r"\$\(([\w.-]+)\)")
ENVIRONMENT = "EXTERNAL_DNS_"
DEVICE_KEYS = ("device_id", "device_fqdn", "device_ips")
TRIMS: dict[str, Callable[[Object], dict[str, Any]]] = {
    "Ingress": ingress,
    "StateSecret": state_secret,
    "ExternalDNS": external_dns,
}
MEANT: dict[str, Callable[[Object], bool]] = {"ExternalDNS": is_external_dns}
